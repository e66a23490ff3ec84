/*
 * How a row becomes text and hash, so that both servers get the same from the same row.
 *
 * A row's text must mean one row only. ROW(a, b)::text does: record_in() reads back exactly what
 * record_out() wrote, and NULL (nothing) differs from '' (""), whatever the values contain. The
 * portable ways write each value as length:value and NULL as -, which is as unambiguous.
 *
 * The fast way makes text only of what has no cheaper form. Types whose hash function looks at
 * every bit are hashed as they are, each with the hash so far as its seed: the functions stand
 * behind hash partitioning, so their values are the same in every major. NULLs are told by a set of
 * bits hashed first. The chain mixes at every link; adding column hashes up would not notice two
 * rows that exchange a value.
 */
#include "pg/ddl.h"
#include "verify/verify_internal.h"

/* "char": bytes from 128 on are written raw before 16, and as \377 from 16 on. */
#define OID_CHAR 18

/* Types whose text differs between majors when a side is before 12, beside float4 and float8. */
static const struct {
    uint32_t type_oid;
    const char *send;
} SEND_FUNCTIONS[] = {
    {600, "point_send"},  {601, "lseg_send"},   {602, "path_send"},   {603, "box_send"},
    {604, "poly_send"},   {628, "line_send"},   {718, "circle_send"}, {1017, "array_send"},
    {1021, "array_send"}, {1022, "array_send"},
};

const Conn *reading_conn(const Reading *reading, ConnSide side)
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
    ddl_ident(&name, reading_conn(reading, side), column->name);
    if (column->text_differs_by_major) {
        str_appendf(sql,
                    "pg_catalog.float8send(CASE WHEN %s::pg_catalog.float8 = 'NaN' THEN 'NaN' "
                    "ELSE %s::pg_catalog.float8 END)",
                    name.data, name.data);
        return;
    }
    if (column->type_oid == OID_CHAR) {
        str_appendf(sql, "%s::pg_catalog.int4", name.data);
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

/* "length:value", or "-" for NULL. concat() writes what the type's output function does, as copy
 * and stream do; a cast to text need not (an xml declaration, a boolean). */
static void append_portable(Str *sql, const char *expression)
{
    str_appendf(sql,
                "CASE WHEN (%s)::text IS NULL THEN '-' ELSE "
                "pg_catalog.char_length(pg_catalog.concat(%s))::text || ':' || "
                "pg_catalog.concat(%s) END",
                expression, expression, expression);
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

void rowhash_of(Str *sql, const Reading *reading, const char *text)
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

/* A column's value by its place among those that travel, then those generated, which each side
 * computes. */
static const char *row_value(Arena *arena, const Reading *reading, ConnSide side, size_t i)
{
    const Relation *relation = reading->spec->relation;
    AUTO_STR Str value = {0};
    if (i < relation->column_count) {
        append_column(&value, reading, side, &relation->columns[i]);
    } else {
        str_append(&value, "t.");
        ddl_ident(&value, reading_conn(reading, side),
                  relation->generated[i - relation->column_count]);
    }
    return str_dup(arena, &value);
}

void rowhash_row_text(Str *sql, const Reading *reading, ConnSide side)
{
    AUTO_ARENA Arena arena = {0};
    size_t count = reading->spec->relation->column_count + reading->spec->relation->generated_count;
    const char **values = arena_array(&arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        values[i] = row_value(&arena, reading, side, i);
    append_joined(sql, reading, values, count);
}

const Column *reading_key_column(const Reading *reading, size_t i)
{
    return &reading->spec->relation->columns[reading->key->columns[i]];
}

void rowhash_key_name(Str *sql, const Reading *reading, ConnSide side, size_t i)
{
    str_append(sql, "t.");
    ddl_ident(sql, reading_conn(reading, side), reading_key_column(reading, i)->name);
}

void rowhash_key_text(Str *sql, const Reading *reading, ConnSide side)
{
    AUTO_ARENA Arena arena = {0};
    const char **values = arena_array(&arena, const char *, reading->key->count);
    for (size_t i = 0; i < reading->key->count; i++) {
        AUTO_STR Str value = {0};
        append_column(&value, reading, side, reading_key_column(reading, i));
        values[i] = str_dup(&arena, &value);
    }
    if (reading->key->count == 1 && reading->way == HASH_FAST)
        str_appendf(sql, "(%s)::text", values[0]);
    else
        append_joined(sql, reading, values, reading->key->count);
}

/* A type whose hash function depends on every bit of a value. In `hash` @ is the column, # the
 * seed; `absent` stands in for NULL, which the functions do not take. */
static const struct {
    uint32_t type_oid;
    int min_version;
    const char *absent;
    const char *hash;
} DIRECT[] = {
    {16, 110000, "false", "pg_catalog.hashint4extended(@::pg_catalog.int4, #)"},
    /* hashint8extended() folds the halves of its argument together: the upper one goes twice */
    {20, 110000, "0", "pg_catalog.hashint8extended(@, pg_catalog.hashint8extended(@ >> 32, #))"},
    {21, 110000, "0::pg_catalog.int2", "pg_catalog.hashint2extended(@, #)"},
    {23, 110000, "0", "pg_catalog.hashint4extended(@, #)"},
    {25, 110000, "''", "pg_catalog.hashtextextended(@ COLLATE \"C\", #)"},
    {1043, 110000, "''", "pg_catalog.hashtextextended(@::pg_catalog.text COLLATE \"C\", #)"},
    {2950, 110000, "'00000000-0000-0000-0000-000000000000'", "pg_catalog.uuid_hash_extended(@, #)"},
    {17, 140000, "''", "pg_catalog.hash_record_extended(ROW(@), #)"},
    {1082, 140000, "'2000-01-01'", "pg_catalog.hash_record_extended(ROW(@), #)"},
    {1114, 140000, "'2000-01-01'",
     "pg_catalog.hash_record_extended(ROW(pg_catalog.timestamp_send(@)), #)"},
    {1184, 140000, "'2000-01-01'",
     "pg_catalog.hash_record_extended(ROW(pg_catalog.timestamptz_send(@)), #)"},
    {701, 140000, "0",
     "pg_catalog.hash_record_extended(ROW(pg_catalog.float8send("
     "CASE WHEN @ = 'NaN' THEN 'NaN' ELSE @ END)), #)"},
    {700, 140000, "0",
     "pg_catalog.hash_record_extended(ROW(pg_catalog.float4send("
     "CASE WHEN @ = 'NaN' THEN 'NaN' ELSE @ END)), #)"},
};

#define DIRECT_MOST 60 /* columns; calls nest, and the parser's stack is finite */
#define NULL_BITS   30 /* in one int4 */

/* The row of DIRECT for a column, -1: none. */
static int direct_row(const Reading *reading, const Column *column)
{
    int source = conn_version(reading->spec->source);
    int target = conn_version(reading->spec->target);
    int version = source < target ? source : target;
    for (size_t i = 0; i < sizeof(DIRECT) / sizeof(DIRECT[0]); i++) {
        if (DIRECT[i].type_oid == column->type_oid && version >= DIRECT[i].min_version)
            return (int)i;
    }
    return -1;
}

/* What is hashed first: the text of all columns that are not direct, or a constant. */
static void append_seed(Str *sql, const Reading *reading, const char *const *values, size_t count)
{
    if (count == 0) {
        str_append(sql, "1::pg_catalog.int8");
        return;
    }
    AUTO_STR Str text = {0};
    append_joined(&text, reading, values, count);
    rowhash_of(sql, reading, text.data);
}

/* Which direct columns are NULL, as numbers in the chain. */
static void wrap_nulls(Arena *arena, Str *hash, const char *const *nullable, size_t count)
{
    for (size_t from = 0; from < count; from += NULL_BITS) {
        const char *seed = str_dup(arena, hash);
        str_reset(hash);
        str_append(hash, "pg_catalog.hashint4extended(0");
        for (size_t i = from; i < count && i < from + NULL_BITS; i++)
            str_appendf(hash, " + CASE WHEN %s IS NULL THEN %d ELSE 0 END", nullable[i],
                        1 << (i - from));
        str_appendf(hash, ", %s)", seed);
    }
}

static void wrap_direct(Arena *arena, Str *hash, int row, const char *value)
{
    const char *seed = str_dup(arena, hash);
    str_reset(hash);
    for (const char *c = DIRECT[row].hash; *c != '\0'; c++) {
        if (*c == '@')
            str_append(hash, value);
        else if (*c == '#')
            str_append(hash, seed);
        else
            str_append_char(hash, *c);
    }
}

static void append_fast_hash(Str *sql, const Reading *reading, ConnSide side)
{
    const Relation *relation = reading->spec->relation;
    AUTO_ARENA Arena arena = {0};
    size_t count = relation->column_count + relation->generated_count;
    const char **texts = arena_array(&arena, const char *, count);
    const char **direct = arena_array(&arena, const char *, count);
    const char **nullable = arena_array(&arena, const char *, count);
    int *rows = arena_array(&arena, int, count);
    size_t text_count = 0;
    size_t direct_count = 0;
    size_t nullable_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *value = row_value(&arena, reading, side, i);
        const Column *column = i < relation->column_count ? &relation->columns[i] : NULL;
        int row = column == NULL ? -1 : direct_row(reading, column);
        if (row < 0 || direct_count == DIRECT_MOST) {
            texts[text_count++] = value;
            continue;
        }
        rows[direct_count] = row;
        direct[direct_count++] =
            column->not_null ? value
                             : arena_printf(&arena, "COALESCE(%s, %s)", value, DIRECT[row].absent);
        if (!column->not_null)
            nullable[nullable_count++] = value;
    }
    AUTO_STR Str hash = {0};
    append_seed(&hash, reading, texts, text_count);
    wrap_nulls(&arena, &hash, nullable, nullable_count);
    for (size_t i = 0; i < direct_count; i++)
        wrap_direct(&arena, &hash, rows[i], direct[i]);
    str_append(sql, hash.data);
}

void rowhash_row(Str *sql, const Reading *reading, ConnSide side)
{
    if (reading->keys_only && reading->key != NULL) {
        str_append(sql, "0::pg_catalog.int8");
        return;
    }
    if (reading->way == HASH_FAST) {
        append_fast_hash(sql, reading, side);
        return;
    }
    AUTO_STR Str text = {0};
    rowhash_row_text(&text, reading, side);
    rowhash_of(sql, reading, text.data);
}
