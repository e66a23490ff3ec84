/*
 * The statements of verification, for one relation on one side. They are built, because columns,
 * key and where differ; every value is a parameter.
 *
 * A row's text must mean one row only. ROW(a, b)::text does: record_in() reads back exactly what
 * record_out() wrote, and NULL (nothing) differs from '' (""), whatever the values contain. The
 * portable ways write each value as length:value and NULL as -, which is as unambiguous.
 */
#include "pg/ddl.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

/* Types whose text differs between majors when a side is before 12, beside float4 and float8. */
static const struct {
    uint32_t type_oid;
    const char *send;
} SEND_FUNCTIONS[] = {
    {600, "point_send"},  {601, "lseg_send"},   {602, "path_send"},   {603, "box_send"},
    {604, "poly_send"},   {628, "line_send"},   {718, "circle_send"}, {1017, "array_send"},
    {1021, "array_send"}, {1022, "array_send"},
};

static const Conn *side_conn(const Reading *reading, ConnSide side)
{
    return side == CONN_SOURCE ? reading->spec->source : reading->spec->target;
}

static bool before_12(const Reading *reading)
{
    return conn_version(reading->spec->source) < 120000 ||
           conn_version(reading->spec->target) < 120000;
}

/* A column as an expression whose text is the same on both servers. Floats by their bytes where
 * their digits differ; a NaN has many forms that PostgreSQL treats as one. */
static void append_column(Str *sql, const Reading *reading, ConnSide side, const Column *column)
{
    AUTO_STR Str name = {0};
    str_append(&name, "t.");
    ddl_ident(&name, side_conn(reading, side), column->name);
    if (column->text_differs_by_major) {
        str_appendf(sql,
                    "pg_catalog.float8send(CASE WHEN %s::pg_catalog.float8 = 'NaN' THEN 'NaN' "
                    "ELSE %s::pg_catalog.float8 END)",
                    name.data, name.data);
        return;
    }
    for (size_t i = 0; before_12(reading) && i < sizeof(SEND_FUNCTIONS) / sizeof(SEND_FUNCTIONS[0]);
         i++) {
        if (SEND_FUNCTIONS[i].type_oid == column->type_oid) {
            str_appendf(sql, "pg_catalog.%s(%s)", SEND_FUNCTIONS[i].send, name.data);
            return;
        }
    }
    str_append(sql, name.data);
}

/* "length:value", or "-" for NULL. */
static void append_portable(Str *sql, const char *expression)
{
    str_appendf(sql, "COALESCE(pg_catalog.char_length((%s)::text)::text || ':' || (%s)::text, '-')",
                expression, expression);
}

/* One expression per value, joined so that the whole can be hashed. */
static void append_joined(Str *sql, const Reading *reading, const char *const *values, size_t count)
{
    if (reading->way == HASH_FAST) {
        str_append(sql, "ROW(");
        for (size_t i = 0; i < count; i++)
            str_appendf(sql, "%s%s", i > 0 ? ", " : "", values[i]);
        str_append(sql, ")::text");
        return;
    }
    str_append(sql, "(''");
    for (size_t i = 0; i < count; i++) {
        str_append(sql, " || ");
        append_portable(sql, values[i]);
    }
    str_append_char(sql, ')');
}

static void append_hash(Str *sql, const Reading *reading, const char *text)
{
    switch (reading->way) {
    case HASH_FAST:
        str_appendf(sql, "pg_catalog.hashtextextended(%s COLLATE \"C\", 0)", text);
        break;
    case HASH_SHA256:
        str_appendf(sql,
                    "('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256("
                    "pg_catalog.convert_to(%s, 'UTF8')), 1, 8), 'hex'))::pg_catalog.bit(64)"
                    "::pg_catalog.int8",
                    text);
        break;
    case HASH_MD5:
        str_appendf(sql,
                    "('x' || pg_catalog.substr(pg_catalog.md5(pg_catalog.convert_to(%s, 'UTF8')), "
                    "1, 16))::pg_catalog.bit(64)::pg_catalog.int8",
                    text);
        break;
    }
}

/* All columns by name: those that travel, then the generated ones, which each side computes. */
static void append_row_text(Str *sql, const Reading *reading, ConnSide side)
{
    const Relation *relation = reading->spec->relation;
    AUTO_ARENA Arena arena = {0};
    size_t count = relation->column_count + relation->generated_count;
    const char **values = arena_array(&arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        AUTO_STR Str value = {0};
        if (i < relation->column_count) {
            append_column(&value, reading, side, &relation->columns[i]);
        } else {
            str_append(&value, "t.");
            ddl_ident(&value, side_conn(reading, side),
                      relation->generated[i - relation->column_count]);
        }
        values[i] = str_dup(&arena, &value);
    }
    append_joined(sql, reading, values, count);
}

static const Column *key_column(const Reading *reading, size_t i)
{
    return &reading->spec->relation->columns[reading->key->columns[i]];
}

static void append_key_name(Str *sql, const Reading *reading, ConnSide side, size_t i)
{
    str_append(sql, "t.");
    ddl_ident(sql, side_conn(reading, side), key_column(reading, i)->name);
}

static void append_key_text(Str *sql, const Reading *reading, ConnSide side)
{
    AUTO_ARENA Arena arena = {0};
    const char **values = arena_array(&arena, const char *, reading->key->count);
    for (size_t i = 0; i < reading->key->count; i++) {
        AUTO_STR Str value = {0};
        append_column(&value, reading, side, key_column(reading, i));
        values[i] = str_dup(&arena, &value);
    }
    if (reading->key->count == 1 && reading->way == HASH_FAST)
        str_appendf(sql, "(%s)::text", values[0]);
    else
        append_joined(sql, reading, values, reading->key->count);
}

static void append_row_hash(Str *sql, const Reading *reading, ConnSide side)
{
    if (reading->keys_only && reading->key != NULL) {
        str_append(sql, "0::pg_catalog.int8");
        return;
    }
    AUTO_STR Str text = {0};
    append_row_text(&text, reading, side);
    append_hash(sql, reading, text.data);
}

/* What orders the rows into ranges. */
static void append_order(Str *sql, const Reading *reading, ConnSide side)
{
    if (reading->kind == RANGE_INTEGER) {
        append_key_name(sql, reading, side, 0);
        str_append(sql, "::pg_catalog.int8");
        return;
    }
    if (reading->kind == RANGE_TEXT) {
        str_append_char(sql, '(');
        append_key_text(sql, reading, side);
        str_append(sql, ") COLLATE \"C\"");
        return;
    }
    if (reading->key == NULL) {
        append_row_hash(sql, reading, side);
        return;
    }
    AUTO_STR Str text = {0};
    append_key_text(&text, reading, side);
    append_hash(sql, reading, text.data);
}

/* The rows that belong to the relation itself: children by plain inheritance are relations of their
 * own; partitions and chunks are parts. */
static void append_from(Str *sql, const Reading *reading, ConnSide side, const char *sample)
{
    const Relation *relation = reading->spec->relation;
    bool parts = relation->partitioned || (side == CONN_TARGET && relation->hypertable != NULL);
    str_append(sql, parts ? " FROM " : " FROM ONLY ");
    ddl_qname(sql, side_conn(reading, side),
              side == CONN_SOURCE ? &relation->source : &relation->target);
    str_appendf(sql, " AS t%s", sample);
}

static void append_where(Str *sql, const Reading *reading, const char *before)
{
    if (reading->spec->where != NULL)
        str_appendf(sql, " %s (%s)", before, reading->spec->where);
}

static const char *array_type(const Reading *reading)
{
    return reading->kind == RANGE_TEXT ? "pg_catalog.text[]" : "pg_catalog.int8[]";
}

const char *statement_sample(Arena *arena, const Reading *reading, double percent)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT o FROM (SELECT o, pg_catalog.row_number() OVER (ORDER BY o) AS n "
                     "FROM (SELECT ");
    append_order(&sql, reading, CONN_SOURCE);
    str_append(&sql, " AS o");
    AUTO_STR Str sample = {0};
    if (percent < 100)
        str_appendf(&sample, " TABLESAMPLE SYSTEM (%.6f)", percent);
    append_from(&sql, reading, CONN_SOURCE, str_text(&sample));
    append_where(&sql, reading, "WHERE");
    str_append(&sql, ") AS keys) AS numbered WHERE n % $1::pg_catalog.int8 = 0 ORDER BY o");
    return str_dup(arena, &sql);
}

static const char *ranges_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT r, pg_catalog.count(*), pg_catalog.sum(h) FROM "
                     "(SELECT pg_catalog.width_bucket(");
    append_order(&sql, reading, side);
    str_appendf(&sql, ", $1::%s) AS r, ", array_type(reading));
    append_row_hash(&sql, reading, side);
    str_append(&sql, " AS h");
    append_from(&sql, reading, side, "");
    append_where(&sql, reading, "WHERE");
    str_append(&sql, ") AS hashes GROUP BY r ORDER BY r");
    return str_dup(arena, &sql);
}

Statement statement_ranges(Arena *arena, const Reading *reading)
{
    return (Statement){ranges_side(arena, reading, CONN_SOURCE),
                       ranges_side(arena, reading, CONN_TARGET)};
}

static const char *list_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "DECLARE godwit_verify NO SCROLL CURSOR FOR SELECT o, h");
    if (reading->key == NULL)
        str_appendf(&sql, ", pg_catalog.left(x, %d)", VERIFY_KEYLESS_SHOWN);
    for (size_t i = 0; reading->key != NULL && i < reading->key->count; i++)
        str_appendf(&sql, ", k%zu", i);
    str_append(&sql, " FROM (SELECT ");
    append_order(&sql, reading, side);
    str_append(&sql, " AS o, ");
    append_row_hash(&sql, reading, side);
    str_append(&sql, " AS h");
    if (reading->key == NULL) {
        str_append(&sql, ", ");
        append_row_text(&sql, reading, side);
        str_append(&sql, " AS x");
    }
    for (size_t i = 0; reading->key != NULL && i < reading->key->count; i++) {
        str_append(&sql, ", ");
        append_key_name(&sql, reading, side, i);
        str_appendf(&sql, "::text AS k%zu", i);
    }
    append_from(&sql, reading, side, "");
    str_append(&sql, " WHERE pg_catalog.width_bucket(");
    append_order(&sql, reading, side);
    str_appendf(&sql, ", $1::%s) = ANY ($2::pg_catalog.int4[])", array_type(reading));
    if (reading->kind == RANGE_INTEGER) {
        AUTO_STR Str name = {0};
        append_key_name(&name, reading, side, 0);
        str_appendf(&sql, " AND %s >= $3::pg_catalog.int8 AND %s <= $4::pg_catalog.int8", name.data,
                    name.data);
    }
    append_where(&sql, reading, "AND");
    str_append(&sql, ") AS listed ORDER BY o");
    return str_dup(arena, &sql);
}

Statement statement_list(Arena *arena, const Reading *reading)
{
    return (Statement){list_side(arena, reading, CONN_SOURCE),
                       list_side(arena, reading, CONN_TARGET)};
}

/* Which version of a row this is: another writer leaves another xmin. Chunks may be compressed, and
 * have no xmin then. */
static void append_version(Str *sql, const Reading *reading, ConnSide side)
{
    if (side == CONN_TARGET && reading->spec->relation->hypertable != NULL)
        str_append(sql, "''::text");
    else
        str_append(sql, "pg_catalog.string_agg(v, ',' ORDER BY v)");
}

static void append_version_column(Str *sql, const Reading *reading, ConnSide side)
{
    if (side == CONN_SOURCE || reading->spec->relation->hypertable == NULL)
        str_append(sql, ", t.xmin::text AS v");
}

static const char *keyless_suspects_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT h, pg_catalog.count(*), pg_catalog.sum(h), ");
    append_version(&sql, reading, side);
    str_append(&sql, " FROM (SELECT ");
    append_row_hash(&sql, reading, side);
    str_append(&sql, " AS h");
    append_version_column(&sql, reading, side);
    append_from(&sql, reading, side, "");
    append_where(&sql, reading, "WHERE");
    str_append(&sql, ") AS hashes WHERE h = ANY ($1::pg_catalog.int8[]) GROUP BY h ORDER BY h");
    return str_dup(arena, &sql);
}

static const char *keyed_suspects_side(Arena *arena, const Reading *reading, ConnSide side)
{
    size_t count = reading->key->count;
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT n, pg_catalog.count(*), pg_catalog.sum(h), ");
    append_version(&sql, reading, side);
    str_append(&sql, " FROM (SELECT godwit_k.godwit_n AS n, ");
    append_row_hash(&sql, reading, side);
    str_append(&sql, " AS h");
    append_version_column(&sql, reading, side);
    append_from(&sql, reading, side, "");
    str_append(&sql, " JOIN ROWS FROM (");
    for (size_t i = 0; i < count; i++)
        str_appendf(&sql, "%spg_catalog.unnest($%zu::pg_catalog.text[])", i > 0 ? ", " : "", i + 1);
    str_append(&sql, ") WITH ORDINALITY AS godwit_k (");
    for (size_t i = 0; i < count; i++)
        str_appendf(&sql, "godwit_k%zu, ", i);
    str_append(&sql, "godwit_n) ON ");
    for (size_t i = 0; i < count; i++) {
        str_append(&sql, i > 0 ? " AND " : "");
        append_key_name(&sql, reading, side, i);
        str_appendf(&sql, " = godwit_k.godwit_k%zu::%s", i, key_column(reading, i)->type_text);
    }
    append_where(&sql, reading, "WHERE");
    str_append(&sql, ") AS hashes GROUP BY n ORDER BY n");
    return str_dup(arena, &sql);
}

Statement statement_suspects(Arena *arena, const Reading *reading)
{
    if (reading->key == NULL)
        return (Statement){keyless_suspects_side(arena, reading, CONN_SOURCE),
                           keyless_suspects_side(arena, reading, CONN_TARGET)};
    return (Statement){keyed_suspects_side(arena, reading, CONN_SOURCE),
                       keyed_suspects_side(arena, reading, CONN_TARGET)};
}

static const char *count_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT pg_catalog.count(*)");
    append_from(&sql, reading, side, "");
    append_where(&sql, reading, "WHERE");
    return str_dup(arena, &sql);
}

Statement statement_count(Arena *arena, const Reading *reading)
{
    return (Statement){count_side(arena, reading, CONN_SOURCE),
                       count_side(arena, reading, CONN_TARGET)};
}
