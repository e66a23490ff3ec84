/*
 * Carry: SQL, ranges and facts.
 */
#include "timescale/carry.h"

#include "base/str.h"
#include "sql_text.h"

#include <string.h>

/* --- places --- */

static Name name_at(Arena *arena, const Rows *rows, size_t column)
{
    return (Name){.schema = arena_strdup(arena, rows_text(rows, 0, column)),
                  .rel = arena_strdup(arena, rows_text(rows, 0, column + 1))};
}

static const char *text_at(Arena *arena, const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    return text == NULL ? NULL : arena_strdup(arena, text);
}

bool carry_place(Arena *arena, Conn *conn, const Name *view, CarryPlace *place, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *place = (CarryPlace){0};
    if (!pg_rows(conn, SQL_TIMESCALE_CARRY, PARAMS(view->schema, view->rel), &rows, err))
        return false;
    size_t count = rows_count(rows);
    if (count == 0)
        return true;
    place->rows = name_at(arena, rows, 0);
    place->column = text_at(arena, rows, 0, 2);
    place->type = text_at(arena, rows, 0, 3);
    place->width = text_at(arena, rows, 0, 4);
    place->may_read = rows_bool(rows, 0, 5);
    place->is_integer = strcmp(place->type, "integer") == 0 || strcmp(place->type, "bigint") == 0 ||
                        strcmp(place->type, "smallint") == 0;
    place->raw = name_at(arena, rows, 6);
    place->keep = text_at(arena, rows, 0, 8);
    if (rows_text(rows, 0, 10) != NULL)
        place->now = name_at(arena, rows, 9);
    place->columns = arena_array(arena, const char *, count);
    place->types = arena_array(arena, const char *, count);
    place->column_count = count;
    for (size_t r = 0; r < count; r++) {
        place->columns[r] = text_at(arena, rows, r, 11);
        place->types[r] = text_at(arena, rows, r, 12);
    }
    return true;
}

static const char *type_of(const CarryPlace *place, const char *column)
{
    for (size_t i = 0; i < place->column_count; i++)
        if (strcmp(place->columns[i], column) == 0)
            return place->types[i];
    return NULL;
}

const char *carry_misfit(Arena *arena, const CarryPlace *source, const CarryPlace *target)
{
    if (strcmp(source->column, target->column) != 0)
        return arena_printf(arena, "its buckets are in column %s, on the source in %s",
                            target->column, source->column);
    if (!text_equal(source->width, target->width))
        return arena_printf(arena, "its buckets are %s wide, on the source %s", target->width,
                            source->width);
    for (size_t i = 0; i < source->column_count; i++) {
        const char *type = type_of(target, source->columns[i]);
        if (type == NULL || strcmp(type, source->types[i]) != 0)
            return arena_printf(arena, "column %s is %s there, on the source %s",
                                source->columns[i], type == NULL ? "not" : type, source->types[i]);
    }
    if (target->column_count != source->column_count)
        return "it has columns that the source's has not";
    return NULL;
}

/* --- which rows --- */

/* A point of the time column's type, compared with chunks' borders. */
static void append_chunk(Str *sql, const CarryPlace *place)
{
    if (place->is_integer)
        str_append(sql, "SELECT k.range_start_integer AS low, k.range_end_integer AS high");
    else
        str_appendf(sql, "SELECT k.range_start::%s AS low, k.range_end::%s AS high", place->type,
                    place->type);
    str_append(sql, " FROM timescaledb_information.chunks k"
                    " WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2");
}

/* Where retention may have come to by now, whatever chunks are there: a late row makes an old one
 * anew, which then holds that row only. */
static void append_kept(Str *sql, const Conn *conn, const CarryPlace *place, const char *now)
{
    if (place->keep == NULL || (place->is_integer && now == NULL))
        return;
    str_append(sql, "\nUNION ALL\nSELECT pg_catalog.max(m.");
    ddl_ident(sql, conn, place->column);
    str_append(sql, ") FROM ");
    ddl_qname(sql, conn, &place->rows);
    str_append(sql, " m WHERE m.");
    ddl_ident(sql, conn, place->column);
    str_append(sql, " < ");
    if (place->is_integer) {
        str_appendf(sql, "%s::bigint - ", now);
        ddl_literal(sql, conn, place->keep);
        str_append(sql, "::bigint");
        return;
    }
    str_append(sql, "(pg_catalog.now() - ");
    ddl_literal(sql, conn, place->keep);
    str_appendf(sql, "::interval)::%s", place->type);
}

/* Twice the width: whole buckets are refreshed, and a month is 31 days long at most. */
static void append_cover(Str *sql, const Conn *conn, const CarryPlace *place)
{
    if (place->is_integer)
        str_appendf(sql, "LEAST(l.at::numeric + 2 * %s::numeric, %s)", place->width,
                    strcmp(place->type, "smallint") == 0  ? "32767"
                    : strcmp(place->type, "integer") == 0 ? "2147483647"
                                                          : "9223372036854775807");
    else {
        str_append(sql, "(l.at + 2 * ");
        ddl_literal(sql, conn, place->width);
        str_appendf(sql, "::interval)::%s", place->type);
    }
}

void carry_last_sql(Str *sql, const Conn *source, const CarryPlace *place, const char *now)
{
    const char *low = place->is_integer ? "-9223372036854775808" : "'-infinity'";
    const char *high = place->is_integer ? "9223372036854775807" : "'infinity'";
    str_append(sql, "WITH chunk AS (");
    append_chunk(sql, place);
    str_append(sql, "), gap AS (\n"
                    "SELECT pg_catalog.max(c.high) OVER (ORDER BY c.low, c.high ROWS BETWEEN"
                    " UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins, c.low AS ends FROM chunk c\n"
                    "UNION ALL\nSELECT pg_catalog.max(c.high), NULL FROM chunk c\n"
                    "), last AS (\nSELECT f.at FROM gap g CROSS JOIN LATERAL"
                    " (SELECT pg_catalog.max(m.");
    ddl_ident(sql, source, place->column);
    str_append(sql, ") AS at FROM ");
    ddl_qname(sql, source, &place->rows);
    str_append(sql, " m WHERE m.");
    ddl_ident(sql, source, place->column);
    str_appendf(sql, " >= COALESCE(g.begins, %s) AND m.", low);
    ddl_ident(sql, source, place->column);
    str_appendf(sql, " < COALESCE(g.ends, %s)) AS f WHERE COALESCE(g.begins < g.ends, true)", high);
    append_kept(sql, source, place, now);
    str_append(sql, "\n)\nSELECT l.at::text, (");
    append_cover(sql, source, place);
    str_append(sql, ")::text FROM (SELECT pg_catalog.max(at) AS at FROM last) AS l");
}

static bool clock_now(Arena *arena, Conn *source, const CarryPlace *place, const char **now,
                      Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    *now = NULL;
    if (!place->is_integer || place->keep == NULL || place->now.rel == NULL)
        return true;
    str_append(&sql, "SELECT ");
    ddl_qname(&sql, source, &place->now);
    str_append(&sql, "()");
    if (!pg_one(source, sql.data, NO_PARAMS, &rows, err))
        return false;
    *now = text_at(arena, rows, 0, 0);
    return true;
}

bool carry_ranges(Arena *arena, Conn *source, const CarryPlace *place, const char *last,
                  const char *done, CarryRanges *ranges, Err *err)
{
    AUTO_ROWS Rows *borders = NULL;
    const char *time = place->is_integer ? NULL : last;
    const char *number = place->is_integer ? last : NULL;
    *ranges = (CarryRanges){0};
    if (!pg_rows(source, SQL_TIMESCALE_CARRY_RANGES,
                 PARAMS(place->rows.schema, place->rows.rel, time, place->is_integer ? NULL : done,
                        number, place->is_integer ? done : NULL),
                 &borders, err))
        return false;
    CarryRange range = {.start = done};
    for (size_t r = 0; r < rows_count(borders); r++) {
        range.until = text_at(arena, borders, r, 0);
        *vec_push(arena, ranges) = range;
        range.start = range.until;
    }
    range.until = NULL;
    range.last = last;
    *vec_push(arena, ranges) = range;
    return true;
}

bool carry_lot(Arena *arena, Conn *source, const CarryPlace *place, const char *done, CarryLot *lot,
               Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *last = NULL;
    const char *now = NULL;
    *lot = (CarryLot){0};
    if (!clock_now(arena, source, place, &now, err))
        return false;
    carry_last_sql(&sql, source, place, now);
    if (!pg_one(source, sql.data, PARAMS(place->raw.schema, place->raw.rel), &last, err))
        return false;
    lot->last = text_at(arena, last, 0, 0);
    lot->cover = text_at(arena, last, 0, 1);
    return lot->last == NULL ||
           carry_ranges(arena, source, place, lot->last, done, &lot->ranges, err);
}

const char *carry_last_gate(Arena *arena, const char *step)
{
    return arena_printf(arena, "%s, last", step);
}

/* --- what would be lost --- */

static void outlived_sql(Str *sql, const Conn *source, const CarryPlace *place)
{
    str_append(sql, "WITH chunk AS (");
    append_chunk(sql, place);
    str_append(sql, ")\nSELECT pg_catalog.min(m.");
    ddl_ident(sql, source, place->column);
    str_append(sql, ")::text, pg_catalog.max(m.");
    ddl_ident(sql, source, place->column);
    str_append(sql, ")::text FROM ");
    ddl_qname(sql, source, &place->rows);
    str_append(sql, " m WHERE m.");
    ddl_ident(sql, source, place->column);
    if (place->is_integer)
        str_appendf(sql, "::numeric + %s::numeric", place->width);
    else {
        str_append(sql, " + ");
        ddl_literal(sql, source, place->width);
        str_append(sql, "::interval");
    }
    str_appendf(sql, " <= COALESCE((SELECT pg_catalog.min(c.low) FROM chunk c), %s)",
                place->is_integer ? "9223372036854775807" : "'infinity'");
}

bool carry_outlived(Arena *arena, Conn *source, const CarryPlace *place, const char **first,
                    const char **last, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    *first = *last = NULL;
    if (place->width == NULL)
        return true;
    outlived_sql(&sql, source, place);
    if (!pg_one(source, sql.data, PARAMS(place->raw.schema, place->raw.rel), &rows, err))
        return false;
    *first = text_at(arena, rows, 0, 0);
    *last = text_at(arena, rows, 0, 1);
    return true;
}

/* --- statements --- */

static void append_bound(Str *sql, const Conn *conn, const CarryPlace *place, const char *word,
                         const char *compare, const char *bound)
{
    str_append(sql, word);
    ddl_ident(sql, conn, place->column);
    str_append(sql, compare);
    ddl_literal(sql, conn, bound);
}

static void append_where(Str *sql, const Conn *conn, const CarryPlace *place,
                         const CarryRange *range)
{
    const char *word = " WHERE ";
    if (range == NULL)
        return;
    if (range->start != NULL) {
        append_bound(sql, conn, place, word, " >= ", range->start);
        word = " AND ";
    }
    if (range->until != NULL)
        append_bound(sql, conn, place, word, " < ", range->until);
    else
        append_bound(sql, conn, place, word, " <= ", range->last);
}

void carry_delete_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows,
                      const CarryRange *range)
{
    str_append(sql, "DELETE FROM ");
    ddl_qname(sql, conn, rows);
    append_where(sql, conn, source, range);
}

void carry_read_sql(Str *sql, const Conn *conn, const CarryPlace *source, const CarryRange *range)
{
    str_append(sql, "COPY (SELECT ");
    ddl_ident_list(sql, conn, source->columns, source->column_count);
    str_append(sql, " FROM ");
    ddl_qname(sql, conn, &source->rows);
    append_where(sql, conn, source, range);
    str_append(sql, ") TO STDOUT");
}

void carry_write_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows)
{
    str_append(sql, "COPY ");
    ddl_qname(sql, conn, rows);
    str_append(sql, " (");
    ddl_ident_list(sql, conn, source->columns, source->column_count);
    str_append(sql, ") FROM STDIN");
}

void carry_sum_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows,
                   const CarryRange *range)
{
    str_append(sql, "SELECT pg_catalog.count(*),"
                    " pg_catalog.sum(pg_catalog.hashtextextended(ROW(");
    ddl_ident_list(sql, conn, source->columns, source->column_count);
    str_append(sql, ")::text, 0)::numeric)::text FROM ");
    ddl_qname(sql, conn, rows);
    append_where(sql, conn, source, range);
}
