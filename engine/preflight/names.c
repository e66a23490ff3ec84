/*
 * What several checks say alike: which relation a table belongs to, lists of names, how much a
 * table was written to.
 */
#include "preflight/check.h"

#include "base/units.h"
#include "sql_text.h"

#define NAMES_MAX 12

const Relation *check_selected(const Check *check, uint32_t oid)
{
    const Leaf *leaf = blueprint_leaf(check->blueprint, oid);
    if (leaf != NULL)
        return leaf->root;
    const CatRelation *found = catalog_relation(check->source.catalog, oid);
    if (found == NULL)
        return NULL;
    return blueprint_relation(check->blueprint, &found->name);
}

void names_add(NameList *list, const char *name)
{
    if (list->count++ < NAMES_MAX)
        str_appendf(&list->text, "%s%s", list->text.length > 0 ? ", " : "", name);
}

const char *names_text(Check *check, NameList *list)
{
    if (list->count > NAMES_MAX)
        str_appendf(&list->text, " and %zu more", list->count - NAMES_MAX);
    const char *text = str_dup(check->arena, &list->text);
    str_release(&list->text);
    *list = (NameList){0};
    return text;
}

bool activity_read(Check *check, Err *err)
{
    return pg_rows(check->source.conn, SQL_PREFLIGHT_ACTIVITY, NO_PARAMS, &check->activity, err) ||
           err_context(err, "asking the source how much its tables are written to");
}

static size_t activity_row(const Check *check, uint32_t oid)
{
    size_t row = rows_place(check->activity, 0, oid);
    bool found = row < rows_count(check->activity) && rows_oid(check->activity, row, 0) == oid;
    return found ? row : rows_count(check->activity);
}

const char *activity_text(Check *check, const Leaf *const *leaves, size_t count)
{
    uint64_t bytes = 0;
    long long updated = 0;
    long long deleted = 0;
    for (size_t i = 0; i < count; i++) {
        size_t row = activity_row(check, leaves[i]->oid);
        bytes += leaves[i]->bytes;
        if (row == rows_count(check->activity))
            continue;
        updated += rows_int64(check->activity, row, 2);
        deleted += rows_int64(check->activity, row, 3);
    }
    return check_text(check, "so far: %s, %lld update%s, %lld delete%s",
                      units_size_text(check->arena, bytes), updated, updated == 1 ? "" : "s",
                      deleted, deleted == 1 ? "" : "s");
}
