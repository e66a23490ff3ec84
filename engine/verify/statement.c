/*
 * The statements of verification, for one relation on one side. They are built, because columns,
 * key and where differ; every value is a parameter. How a row becomes a hash: rowhash.c.
 */
#include "pg/ddl.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

static void append_order(Str *sql, const Reading *reading, ConnSide side, OrderKind kind)
{
    AUTO_STR Str text = {0};
    switch (kind) {
    case BY_COLUMN:
        rowhash_key_name(sql, reading, side, 0);
        str_appendf(sql, "::%s", reading->range_type->name);
        break;
    case BY_TEXT:
        str_append_char(sql, '(');
        rowhash_key_text(sql, reading, side);
        str_append(sql, ") COLLATE \"C\"");
        break;
    case BY_HASH:
        if (reading->key == NULL) {
            rowhash_row(sql, reading, side);
            break;
        }
        rowhash_key_text(&text, reading, side);
        rowhash_of(sql, reading, text.data);
        break;
    }
}

/* Which range a row is in: $1 is the array of range ends. */
static void append_range(Str *sql, const Reading *reading, ConnSide side)
{
    const char *type = "pg_catalog.int8";
    if (reading->ranged == BY_COLUMN)
        type = reading->range_type->name;
    else if (reading->ranged == BY_TEXT)
        type = "pg_catalog.text";
    str_append(sql, "pg_catalog.width_bucket(");
    append_order(sql, reading, side, reading->ranged);
    str_appendf(sql, ", $1::%s[])", type);
}

/* The rows of all relations that become one on the target. VERIFY_ORIGIN says which of them. */
static void append_union(Str *sql, const Reading *reading, const char *sample)
{
    const Relation *relation = reading->spec->relation;
    const Conn *conn = reading_conn(reading, CONN_SOURCE);
    int number = 0;
    str_append(sql, " FROM (");
    for (const Relation *one = relation->merge; one != NULL; one = one->merge_next) {
        str_append(sql, number > 0 ? " UNION ALL SELECT " : "SELECT ");
        for (size_t i = 0; i < relation->column_count; i++) {
            ddl_ident(sql, conn, relation->columns[i].name);
            str_append(sql, ", ");
        }
        str_appendf(sql, "s.xmin AS xmin, s.xmax AS xmax, %d AS \"" VERIFY_ORIGIN "\" FROM ONLY ",
                    number++);
        ddl_qname(sql, conn, &one->source);
        str_appendf(sql, " AS s%s", sample);
    }
    str_append(sql, ") AS t");
}

/* The rows that belong to the relation itself: children by plain inheritance are relations of their
 * own; partitions and chunks are parts. */
static void append_from(Str *sql, const Reading *reading, ConnSide side, const char *sample)
{
    const Relation *relation = reading->spec->relation;
    if (side == CONN_SOURCE && relation->merge != NULL) {
        append_union(sql, reading, sample);
        return;
    }
    bool parts = relation->partitioned || relation->chunked ||
                 (side == CONN_TARGET && relation->hypertable != NULL);
    str_append(sql, parts ? " FROM " : " FROM ONLY ");
    ddl_qname(sql, reading_conn(reading, side),
              side == CONN_SOURCE ? &relation->source : &relation->target);
    str_appendf(sql, " AS t%s", sample);
}

/* The target holds what the filter takes and nothing else: it is read whole, so that a row beyond
 * the filter is found there. */
static void append_where(Str *sql, const Reading *reading, ConnSide side, const char *before)
{
    const char *filter = side == CONN_SOURCE ? reading->spec->relation->filter : NULL;
    if (filter != NULL)
        str_appendf(sql, " %s %s", before, filter);
    if (reading->spec->where != NULL)
        str_appendf(sql, " %s (%s)", filter != NULL ? "AND" : before, reading->spec->where);
}

/* Only this part's rows, by a parameter for each of its ends. */
static void append_bounds(Str *sql, const Reading *reading, ConnSide side, const Ranges *part,
                          int parameter)
{
    bool filtered = reading->spec->where != NULL ||
                    (side == CONN_SOURCE && reading->spec->relation->filter != NULL);
    const char *before = filtered ? " AND " : " WHERE ";
    const char *const ends[] = {part->from, part->to};
    for (int i = 0; i < 2; i++) {
        if (ends[i] == NULL)
            continue;
        str_append(sql, before);
        rowhash_key_name(sql, reading, side, 0);
        str_appendf(sql, " %s $%d::%s", i == 0 ? ">=" : "<", parameter++,
                    reading->range_type->name);
        before = " AND ";
    }
}

const char *statement_sample(Arena *arena, const Reading *reading, double percent)
{
    AUTO_STR Str sql = {0};
    str_append(&sql,
               "SELECT o::text FROM (SELECT o, pg_catalog.row_number() OVER (ORDER BY o) AS n "
               "FROM (SELECT ");
    append_order(&sql, reading, CONN_SOURCE, reading->ranged);
    str_append(&sql, " AS o");
    AUTO_STR Str sample = {0};
    if (percent < 100)
        str_appendf(&sample, " TABLESAMPLE SYSTEM (%.6f)", percent);
    append_from(&sql, reading, CONN_SOURCE, str_text(&sample));
    append_where(&sql, reading, CONN_SOURCE, "WHERE");
    str_append(&sql,
               ") AS keys) AS numbered WHERE n % $1::pg_catalog.int8 = 0 ORDER BY numbered.o");
    return str_dup(arena, &sql);
}

/* Range and hash of each row. */
static void append_hashes(Str *sql, const Reading *reading, ConnSide side, const Ranges *part)
{
    str_append(sql, "SELECT ");
    if (reading->counts_only) {
        str_append(sql, "0 AS r, 0 AS h");
    } else {
        append_range(sql, reading, side);
        str_append(sql, " AS r, ");
        rowhash_row(sql, reading, side);
        str_append(sql, " AS h");
    }
    append_from(sql, reading, side, "");
    append_where(sql, reading, side, "WHERE");
    if (part != NULL)
        append_bounds(sql, reading, side, part, 2);
}

static const char *ranges_side(Arena *arena, const Reading *reading, ConnSide side,
                               const Ranges *part)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT r, pg_catalog.count(*), pg_catalog.sum(h) FROM (");
    append_hashes(&sql, reading, side, part);
    str_append(&sql, ") AS hashes GROUP BY r ORDER BY r");
    return str_dup(arena, &sql);
}

Statement statement_ranges(Arena *arena, const Reading *reading, const Ranges *part)
{
    return (Statement){ranges_side(arena, reading, CONN_SOURCE, part),
                       ranges_side(arena, reading, CONN_TARGET, part)};
}

static const char *hashes_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "DECLARE godwit_hashes NO SCROLL CURSOR FOR ");
    append_hashes(&sql, reading, side, NULL);
    return str_dup(arena, &sql);
}

Statement statement_hashes(Arena *arena, const Reading *reading)
{
    return (Statement){hashes_side(arena, reading, CONN_SOURCE),
                       hashes_side(arena, reading, CONN_TARGET)};
}

static const char *list_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "DECLARE godwit_verify NO SCROLL CURSOR %s SELECT o, h",
                reading->live ? "WITH HOLD FOR" : "FOR");
    if (reading->key == NULL)
        str_appendf(&sql, ", pg_catalog.left(x, %d)", VERIFY_KEYLESS_SHOWN);
    for (size_t i = 0; reading->key != NULL && i < reading->key->count; i++)
        str_appendf(&sql, ", k%zu", i);
    str_append(&sql, " FROM (SELECT ");
    append_order(&sql, reading, side, reading->listed);
    str_append(&sql, " AS o, ");
    rowhash_row(&sql, reading, side);
    str_append(&sql, " AS h");
    if (reading->key == NULL) {
        str_append(&sql, ", ");
        rowhash_row_text(&sql, reading, side);
        str_append(&sql, " AS x");
    }
    for (size_t i = 0; reading->key != NULL && i < reading->key->count; i++) {
        str_append(&sql, ", ");
        rowhash_key_name(&sql, reading, side, i);
        str_appendf(&sql, "::text AS k%zu", i);
    }
    append_from(&sql, reading, side, "");
    str_append(&sql, " WHERE ");
    append_range(&sql, reading, side);
    str_append(&sql, " = ANY ($2::pg_catalog.int4[])");
    if (reading->ranged == BY_COLUMN) {
        AUTO_STR Str name = {0};
        rowhash_key_name(&name, reading, side, 0);
        str_appendf(&sql, " AND %s >= $3::%s AND %s <= $4::%s", name.data,
                    reading->range_type->name, name.data, reading->range_type->name);
    }
    append_where(&sql, reading, side, "AND");
    str_append(&sql, ") AS listed ORDER BY o");
    return str_dup(arena, &sql);
}

Statement statement_list(Arena *arena, const Reading *reading)
{
    return (Statement){list_side(arena, reading, CONN_SOURCE),
                       list_side(arena, reading, CONN_TARGET)};
}

/* Compressed chunks have neither xmin nor xmax. */
static bool has_versions(const Reading *reading, ConnSide side)
{
    const Relation *relation = reading->spec->relation;
    if (side == CONN_TARGET)
        return relation->hypertable == NULL;
    return !relation->chunked || relation->hypertable == NULL ||
           relation->hypertable->columnstore == NULL;
}

/* Which version of a row this is: another writer leaves another xmin. Chunks may be compressed, and
 * have no xmin then. And whether somebody deletes, updates or locks it, or did. */
static void append_version(Str *sql, const Reading *reading, ConnSide side)
{
    bool has = has_versions(reading, side);
    str_append(sql, has ? "pg_catalog.string_agg(v, ',' ORDER BY v)" : "''::text");
    str_append(sql, has && side == CONN_SOURCE ? ", pg_catalog.bool_or(x)" : ", false");
}

static void append_version_column(Str *sql, const Reading *reading, ConnSide side)
{
    if (side == CONN_SOURCE && reading->spec->relation->merge != NULL)
        str_append(sql, ", t.xmin::text || '/' || t.\"" VERIFY_ORIGIN "\" AS v");
    else if (has_versions(reading, side))
        str_append(sql, ", t.xmin::text AS v");
    if (side == CONN_SOURCE && has_versions(reading, side))
        str_append(sql, ", t.xmax::text <> '0' AS x");
}

static const char *keyless_suspects_side(Arena *arena, const Reading *reading, ConnSide side)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT h, pg_catalog.count(*), pg_catalog.sum(h), ");
    append_version(&sql, reading, side);
    str_append(&sql, " FROM (SELECT ");
    rowhash_row(&sql, reading, side);
    str_append(&sql, " AS h");
    append_version_column(&sql, reading, side);
    append_from(&sql, reading, side, "");
    append_where(&sql, reading, side, "WHERE");
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
    rowhash_row(&sql, reading, side);
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
        rowhash_key_name(&sql, reading, side, i);
        str_appendf(&sql, " OPERATOR(%s) godwit_k.godwit_k%zu::%s",
                    reading_key_column(reading, i)->equality, i,
                    reading_key_column(reading, i)->type_text);
    }
    append_where(&sql, reading, side, "WHERE");
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
    append_where(&sql, reading, side, "WHERE");
    return str_dup(arena, &sql);
}

Statement statement_count(Arena *arena, const Reading *reading)
{
    return (Statement){count_side(arena, reading, CONN_SOURCE),
                       count_side(arena, reading, CONN_TARGET)};
}
