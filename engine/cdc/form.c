/*
 * Form: the plan, the blueprint's types, then the target's tables as they are.
 */
#include "cdc/form.h"

#include "base/jsontext.h"
#include "cdc/values.h"
#include "pg/query.h"
#include "sql_text.h"

/* Types that have the same oid on every server: those beyond are made by their names. */
#define FIRST_NAMED_OID 10000

static const char *column_text(Arena *arena, const Relation *relation, const Column *column)
{
    return arena_printf(arena, "column %s of %s", name_part_text(arena, column->name),
                        name_text(arena, &relation->source));
}

static const char *why_not_relation(Arena *arena, const Relation *relation)
{
    for (size_t c = 0; c < relation->column_count; c++) {
        const Column *column = &relation->columns[c];
        if (!column->binary_safe || column->type_oid >= FIRST_NAMED_OID) /* domains, too */
            return arena_printf(arena,
                                "%s is of type %s, whose binary form is not the same everywhere",
                                column_text(arena, relation, column), column->type_text);
    }
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        const Column *column = &relation->columns[relation->key->columns[k]];
        if (!value_is_told(column->type_oid))
            return arena_printf(arena, "%s is in the key, and of type %s",
                                column_text(arena, relation, column), column->type_text);
    }
    return NULL;
}

/* What the run knows of itself. \return NULL: nothing speaks against binary values */
static const char *why_not(Arena *arena, const StreamSpec *spec)
{
    const Blueprint *blueprint = spec->blueprint;
    const PlanReplication *plan = &blueprint->plan->replication;
    if (blueprint->plan->copy.format == PLAN_FORMAT_TEXT)
        return "the plan says so (copy.format)";
    if (plan->plugin != PLAN_PLUGIN_PGOUTPUT)
        return "test_decoding has no others";
    if (plan->spool_directory != NULL && spec->spool_owner != NULL)
        return "there is a spool, which an engine of another version may read";
    const char *why = NULL;
    for (size_t i = 0; why == NULL && i < blueprint->relation_count; i++)
        why = why_not_relation(arena, &blueprint->relations[i]);
    return why;
}

/* Every column that travels, with its type: [schema, name, [[column, oid], ...]] for each table. */
static char *columns_json(Arena *arena, const Blueprint *blueprint)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        json_t *columns = json_array();
        for (size_t c = 0; c < relation->column_count; c++)
            json_array_append_new(columns, json_pack("[sI]", relation->columns[c].name,
                                                     (json_int_t)relation->columns[c].type_oid));
        json_array_append_new(
            tables, json_pack("[sso]", relation->target.schema, relation->target.rel, columns));
    }
    return jsontext_compact(arena, tables);
}

bool form_choose(Arena *arena, const StreamSpec *spec, Conn *target, PgoValueKind *form,
                 const char **why, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *form = PGO_TEXT;
    *why = why_not(arena, spec);
    if (*why != NULL)
        return true;
    if (!pg_rows(target, SQL_CDC_OTHER_TYPES, PARAMS(columns_json(arena, spec->blueprint)), &rows,
                 err))
        return false;
    if (rows_count(rows) == 0) {
        *form = PGO_BINARY;
        return true;
    }
    Name name = {rows_text(rows, 0, 0), rows_text(rows, 0, 1)};
    *why = arena_printf(arena, "column %s of %s is of another type on the target, or not there",
                        name_part_text(arena, rows_text(rows, 0, 2)), name_text(arena, &name));
    return true;
}
