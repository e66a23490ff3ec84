/*
 * Labels of enum types, compared between the servers by the types' names.
 */
#include "step/enum_labels.h"

#include "sql_text.h"

#include <inttypes.h>

static const char *types_of(StepCtx *ctx)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    AUTO_STR Str oids = {0};
    for (size_t r = 0; r < blueprint->relation_count; r++) {
        const Relation *relation = &blueprint->relations[r];
        for (size_t c = 0; c < relation->column_count; c++)
            str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',',
                        relation->columns[c].type_oid);
    }
    str_append(&oids, oids.length == 0 ? "{}" : "}");
    return str_dup(ctx->arena, &oids);
}

/* The row of that type; rows are few. */
static bool find_type(const Rows *rows, const Name *name, size_t *row)
{
    for (*row = 0; *row < rows_count(rows); (*row)++) {
        const Name there = {rows_text(rows, *row, 0), rows_text(rows, *row, 1)};
        if (name_equal(&there, name))
            return true;
    }
    return false;
}

static void append_labels(Str *text, const char *const *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        str_appendf(text, "%s\"%s\"", i > 0 ? ", " : "", labels[i]);
}

static void compare(Arena *arena, const Rows *source, size_t row, const Rows *target,
                    Str *differences)
{
    const Name name = {rows_text(source, row, 0), rows_text(source, row, 1)};
    const char **wanted = NULL;
    const char **there = NULL;
    size_t at = 0;
    size_t found = 0;
    if (!find_type(target, &name, &at))
        return; /* the columns are of another type there */
    size_t wanted_count = rows_list(arena, source, row, 2, &wanted);
    size_t there_count = rows_list(arena, target, at, 2, &there);
    for (size_t i = 0; i < there_count && found < wanted_count; i++)
        found += strcmp(there[i], wanted[found]) == 0 ? 1 : 0;
    if (found == wanted_count)
        return;
    str_appendf(differences, "%stype %s: ", differences->length > 0 ? "\n" : "",
                name_text(arena, &name));
    append_labels(differences, wanted, wanted_count);
    str_append(differences, " on the source, ");
    append_labels(differences, there, there_count);
    str_append(differences, " on the target");
}

bool enum_labels_stand(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *source = NULL;
    AUTO_ROWS Rows *target = NULL;
    AUTO_STR Str differences = {0};
    if (!pg_rows(ctx->source, SQL_CUTOVER_LABELS, PARAMS(types_of(ctx)), &source, err) ||
        !pg_rows(ctx->target, SQL_CUTOVER_LABELS, PARAMS(NULL), &target, err))
        return false;
    for (size_t row = 0; row < rows_count(source); row++)
        compare(ctx->arena, source, row, target, &differences);
    if (differences.length == 0)
        return true;
    err_set(err, ERR_STALE, "enum types have other labels on the source than on the target");
    err_detail(err, "%s", differences.data);
    return err_hint(err, "No change of a row tells of ALTER TYPE. On the target, ALTER TYPE ... "
                         "RENAME VALUE what has another name there, ADD VALUE what is new, and "
                         "apply again.");
}
