/*
 * Candidates for hypertables: a table with a column of time along which it grows. Each sign gives
 * points; what would stand in the way of a conversion is said together with its cure.
 * Source: TimescaleDB's documentation, "Hypertables": a unique index holds the partition column;
 * chunks that fit into a quarter of the memory.
 */
#include "draft/draft_internal.h"

#include "base/units.h"
#include "pg/query.h"
#include "sql_text.h"

#include <ctype.h>
#include <string.h>

#define LEAST_ROWS   1000
#define LEAST_POINTS 4
#define CHUNK_BYTES  (UINT64_C(1) << 30)
#define LEAST_CHUNKS 4

/* What is known of one column of time. */
typedef struct Sign {
    const char *column;
    bool known_order;
    double correlation;
    bool known_range;
    double lowest;
    double highest;
    int64_t inserted;
    int64_t changed; /* updated and deleted */
    uint64_t bytes;
} Sign;

typedef struct Width {
    double seconds;
    const char *text;
} Width;

static const char *draft_interval(uint64_t bytes, double seconds)
{
    static const Width WIDTHS[] = {
        {3600, "1 hour"},          {6 * 3600, "6 hours"},   {86400, "1 day"},
        {7 * 86400, "7 days"},     {30 * 86400, "30 days"}, {90 * 86400, "90 days"},
        {365 * 86400, "365 days"},
    };
    const char *best = WIDTHS[0].text;
    if (seconds <= 0)
        return "7 days";
    for (size_t i = 0; i < sizeof(WIDTHS) / sizeof(WIDTHS[0]); i++) {
        double chunk = (double)bytes * WIDTHS[i].seconds / seconds;
        if (chunk <= (double)CHUNK_BYTES && WIDTHS[i].seconds * LEAST_CHUNKS <= seconds)
            best = WIDTHS[i].text;
    }
    return best;
}

static int attnum_of(const Catalog *source, uint32_t table, const char *name)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(source, table, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return columns[i].attnum;
    return 0;
}

static bool index_holds(const CatIndex *index, int attnum)
{
    for (int i = 0; i < index->key_count; i++)
        if (index->attnums[i] == attnum)
            return true;
    return false;
}

static bool leads_an_index(const Catalog *source, uint32_t table, int attnum)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(source, table, &count);
    for (size_t i = 0; i < count; i++)
        if (indexes[i].key_count > 0 && (indexes[i].attnums[0] == attnum ||
                                         (indexes[i].primary && index_holds(&indexes[i], attnum))))
            return true;
    return false;
}

static bool has_word(const char *name, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(name, word); at != NULL; at = strstr(at + 1, word)) {
        bool begins = at == name || at[-1] == '_';
        bool ends = at[length] == '\0' || at[length] == '_';
        if (begins && ends)
            return true;
    }
    return false;
}

static bool sounds_like_time(const char *name)
{
    static const char *const WORDS[] = {"time", "timestamp", "ts",     "at",   "date",
                                        "day",  "created",   "bucket", "when", "recorded"};
    if (has_word(name, "updated") || has_word(name, "modified") || has_word(name, "deleted"))
        return false;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (has_word(name, WORDS[i]))
            return true;
    return false;
}

static bool is_referenced(const Catalog *source, uint32_t table)
{
    for (size_t i = 0; i < source->constraints_count; i++)
        if (source->constraints[i].type == 'f' && source->constraints[i].referenced == table)
            return true;
    return false;
}

/* Points, and the signs that gave them, as a sentence. */
static int judge(Arena *arena, const Catalog *source, const CatRelation *table, const Sign *sign,
                 const char **reason)
{
    AUTO_STR Str text = {0};
    int points = 0;
    str_appendf(&text, "%.0f rows, %s", table->tuples, units_size_text(arena, sign->bytes));
    if (sign->known_range && sign->highest > sign->lowest)
        str_appendf(&text, " over %.0f days", (sign->highest - sign->lowest) / 86400);
    if (leads_an_index(source, table->oid, attnum_of(source, table->oid, sign->column))) {
        points += 2;
        str_append(&text, "; an index begins with it");
    }
    if (sounds_like_time(sign->column)) {
        points += 2;
        str_append(&text, "; its name says time");
    }
    if (sign->known_order && sign->correlation > 0.9) {
        points += 2;
        str_append(&text, "; rows lie in its order");
    }
    if (sign->inserted > 0 && sign->changed * 10 < sign->inserted) {
        points += 2;
        str_append(&text, "; rows are added, hardly ever changed");
    }
    if (is_referenced(source, table->oid)) {
        points -= 3;
        str_append(&text, "; other tables point to it");
    }
    *reason = str_dup(arena, &text);
    return points;
}

static void add_key_obstacle(Arena *arena, const Catalog *source, const CatIndex *index,
                             Candidate *candidate)
{
    AUTO_STR Str columns = {0};
    for (int k = 0; k < index->key_count; k++) {
        const CatColumn *column = catalog_column(source, index->relation, index->attnums[k]);
        if (column != NULL)
            str_appendf(&columns, "%s, ", name_part_text(arena, column->name));
    }
    *vec_push(arena, &candidate->obstacles) = arena_printf(
        arena, "its %s %s lacks the column: widen it to (%s%s) on the source, or drop it",
        index->primary ? "primary key" : "unique index", name_part_text(arena, index->name.rel),
        str_text(&columns), name_part_text(arena, candidate->column));
}

static void find_obstacles(Arena *arena, const Catalog *source, Candidate *candidate)
{
    const CatRelation *table = candidate->table;
    int attnum = attnum_of(source, table->oid, candidate->column);
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(source, table->oid, &count);
    for (size_t i = 0; i < count; i++)
        if ((indexes[i].unique || indexes[i].exclusion) && !index_holds(&indexes[i], attnum))
            add_key_obstacle(arena, source, &indexes[i], candidate);
    if (table->inherits || table->row_security)
        *vec_push(arena, &candidate->obstacles) = table->inherits ? "it is part of an inheritance"
                                                                  : "it has row security, which a "
                                                                    "columnstore does not take";
}

static Sign read_sign(const Rows *rows, size_t row)
{
    return (Sign){
        .column = rows_text(rows, row, 1),
        .known_order = rows_text(rows, row, 2) != NULL,
        .correlation = rows_double(rows, row, 2),
        .known_range = rows_text(rows, row, 3) != NULL && rows_text(rows, row, 4) != NULL,
        .lowest = rows_double(rows, row, 3),
        .highest = rows_double(rows, row, 4),
        .inserted = rows_int64(rows, row, 5),
        .changed = rows_int64(rows, row, 6) + rows_int64(rows, row, 7),
        .bytes = (uint64_t)rows_int64(rows, row, 8),
    };
}

bool draft_is_users(const CatRelation *relation)
{
    return !relation->of_extension && !relation->is_chunk &&
           strncmp(relation->name.schema, "_timescaledb", strlen("_timescaledb")) != 0;
}

static bool may_convert(const CatRelation *table)
{
    return table != NULL && table->kind == 'r' && draft_is_users(table) && !table->is_partition &&
           !table->is_hypertable && table->persistence == 'p' && table->tuples >= LEAST_ROWS;
}

bool draft_candidates(Arena *arena, const Catalog *source, Conn *conn, Candidates *found, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    int best = 0;
    if (!pg_rows(conn, SQL_DRAFT_TIMES, NO_PARAMS, &rows, err))
        return err_context(err, "reading the statistics of columns of time");
    for (size_t r = 0; r < rows_count(rows); r++) {
        const CatRelation *table = catalog_relation(source, rows_oid(rows, r, 0));
        if (!may_convert(table))
            continue;
        Sign sign = read_sign(rows, r);
        const char *reason = NULL;
        int points = judge(arena, source, table, &sign, &reason);
        bool same = found->count > 0 && found->items[found->count - 1].table == table;
        if (points < LEAST_POINTS || (same && points <= best))
            continue;
        Candidate *candidate = same ? &found->items[found->count - 1] : vec_push(arena, found);
        best = points;
        *candidate = (Candidate){
            .table = table,
            .column = arena_strdup(arena, sign.column),
            .interval =
                draft_interval(sign.bytes, sign.known_range ? sign.highest - sign.lowest : 0),
            .reason = reason,
        };
        find_obstacles(arena, source, candidate);
    }
    return true;
}
