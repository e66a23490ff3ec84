/*
 * Checks of select.map: that tables that become one have no key value in common, by their rows; and
 * which functions know a table by a name that it does not keep.
 */
#include "preflight/check.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "pg/ddl.h"
#include "sql_text.h"

/* --- merged keys --- */

static uint32_t line_of(Check *check, const Relation *relation)
{
    for (size_t m = 0; m < check->plan->select.map_count; m++)
        if (selector_matches(&check->plan->select.map[m].source.selector, &relation->source))
            return check->plan->select.map[m].pos.line;
    return 0;
}

static const Relation *nth_merged(const Relation *first, int64_t number)
{
    for (; number > 0 && first->merge_next != NULL; number--)
        first = first->merge_next;
    return first;
}

/* One row if a value of these columns is in two of the tables: the two, then the value. */
static void overlap_sql(Str *sql, const Conn *conn, const Relation *first,
                        const char *const *columns, size_t count)
{
    AUTO_STR Str list = {0};
    ddl_ident_list(&list, conn, columns, count);
    str_append(sql, "SELECT pg_catalog.min(godwit_of), pg_catalog.max(godwit_of)");
    for (size_t i = 0; i < count; i++) {
        str_append(sql, ", ");
        ddl_ident(sql, conn, columns[i]);
        str_append(sql, "::text");
    }
    str_append(sql, " FROM (");
    int number = 0;
    for (const Relation *one = first; one != NULL; one = one->merge_next) {
        str_appendf(sql, "%sSELECT %d AS godwit_of, %s FROM ONLY ", number > 0 ? " UNION ALL " : "",
                    number, list.data);
        ddl_qname(sql, conn, &one->source);
        number++;
    }
    str_append(sql, ") AS every WHERE ");
    for (size_t i = 0; i < count; i++) {
        str_append(sql, i > 0 ? " AND " : "");
        ddl_ident(sql, conn, columns[i]);
        str_append(sql, " IS NOT NULL");
    }
    str_appendf(sql,
                " GROUP BY %s HAVING pg_catalog.min(godwit_of) <> pg_catalog.max(godwit_of) "
                "LIMIT 1",
                list.data);
}

static const char *value_text(Check *check, const char *const *columns, size_t count,
                              const Rows *rows)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%s", i == 0 ? "(" : ", ", check_part(check, columns[i]));
    str_append(&text, ")=(");
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%s", i == 0 ? "" : ", ", rows_text(rows, 0, i + 2));
    str_append_char(&text, ')');
    return str_dup(check->arena, &text);
}

static bool prove(Check *check, const Relation *first, const char *const *columns, size_t count,
                  Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    overlap_sql(&sql, check->source.conn, first, columns, count);
    if (!pg_rows(check->source.conn, sql.data, NO_PARAMS, &rows, err))
        return err_context(err, "could not compare the keys of tables that become %s",
                           check_name(check, &first->target));
    if (rows_count(rows) == 0)
        return true;
    const Relation *one = nth_merged(first, rows_int64(rows, 0, 0));
    const Relation *other = nth_merged(first, rows_int64(rows, 0, 1));
    check_add(check, CODE_MERGE, FINDING_ERROR, &check->source, check_name(check, &first->target),
              check_text(check, "%s is in %s and in %s", value_text(check, columns, count, rows),
                         check_name(check, &one->source), check_name(check, &other->source)),
              "The tables become one, in which this must be unique.",
              check_text(check,
                         "-- change the rows of one of them, or take it out of the merge "
                         "(select.map, line %u)",
                         line_of(check, one)));
    return true;
}

static bool is_key(const Relation *relation, const char *const *columns, size_t count)
{
    bool same = relation->key != NULL && relation->key->count == count;
    for (size_t i = 0; i < count && same; i++)
        same = strcmp(relation->columns[relation->key->columns[i]].name, columns[i]) == 0;
    return same;
}

static const char *column_name(Check *check, uint32_t relation, int attnum)
{
    const CatColumn *column = catalog_column(check->source.catalog, relation, attnum);
    if (column != NULL)
        return column->name;
    BUG("an index over a column that there is not");
}

static bool prove_key(Check *check, const Relation *first, Err *err)
{
    if (first->key == NULL)
        return true; /* refused by the blueprint */
    const char **columns = arena_array(check->arena, const char *, first->key->count);
    for (size_t i = 0; i < first->key->count; i++)
        columns[i] = first->columns[first->key->columns[i]].name;
    return prove(check, first, columns, first->key->count, err);
}

static bool prove_indexes(Check *check, const Relation *first, Err *err)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(check->source.catalog, first->oid, &count);
    for (size_t i = 0; i < count; i++) {
        const CatIndex *index = &indexes[i];
        if (!index->unique || !index->valid || index->partial || index->has_expressions)
            continue;
        size_t width = (size_t)index->key_count;
        const char **columns = arena_array(check->arena, const char *, width);
        for (size_t k = 0; k < width; k++)
            columns[k] = column_name(check, first->oid, index->attnums[k]);
        if (!is_key(first, columns, width) && !prove(check, first, columns, width, err))
            return false;
    }
    return true;
}

/* --- functions --- */

static bool find_mentions(Check *check, Err *err)
{
    const Blueprint *blueprint = check->blueprint;
    AUTO_ROWS Rows *rows = NULL;
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (!name_equal(&relation->source, &relation->target))
            json_array_append_new(tables,
                                  json_pack("{s:s, s:s, s:s}", "schema", relation->source.schema,
                                            "rel", relation->source.rel, "target",
                                            check_name(check, &relation->target)));
    }
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_MENTIONS,
                 PARAMS(jsontext_compact(check->arena, tables)), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (!blueprint_keeps_object(blueprint, CAT_CLASS_PROC, rows_oid(rows, r, 0)))
            continue;
        check_add(check, CODE_MENTION, FINDING_WARNING, &check->source,
                  check_text(check, "%s", rows_text(rows, r, 1)),
                  check_text(check, "its text may name %s, which is %s on the target",
                             rows_text(rows, r, 2), rows_text(rows, r, 3)),
                  "A function's text comes to the target as it is; views, keys and triggers follow "
                  "their tables by themselves.",
                  "-- where the text means that table, create the function anew on the target "
                  "before the switch");
    }
    return true;
}

static bool may_be_read(Check *check, const Relation *first)
{
    for (const Relation *one = first; one != NULL; one = one->merge_next) {
        const CatRelation *from = catalog_relation(check->source.catalog, one->oid);
        if (from == NULL || !from->can_select)
            return false; /* another finding says so */
    }
    return true;
}

bool probe_map(Check *check, Err *err)
{
    const Blueprint *blueprint = check->blueprint;
    if (check->plan->select.map_count == 0 || check->input->resuming)
        return true;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation->merge == relation && may_be_read(check, relation) &&
            (!prove_key(check, relation, err) || !prove_indexes(check, relation, err)))
            return false;
    }
    return find_mentions(check, err);
}
