/*
 * Quiet: one query over the tables that apply writes to.
 */
#include "cdc/quiet.h"

#include "base/jsontext.h"
#include "sql_text.h"

static void add_table(json_t *tables, const Name *name)
{
    json_array_append_new(tables, json_pack("[ss]", name->schema, name->rel));
}

bool quiet_acting(const Blueprint *blueprint, Conn *target, Rows **rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++)
        add_table(tables, &blueprint->relations[i].target);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (leaf->one_to_one && !name_equal(&leaf->target_share, &leaf->root->target))
            add_table(tables, &leaf->target_share);
    }
    return pg_rows(target, SQL_CDC_ACTING, PARAMS(jsontext_compact(&arena, tables)), rows, err);
}

bool quiet_unsilenced(const Blueprint *blueprint, Conn *source, Rows **rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (!blueprint->relations[i].schema_only)
            add_table(tables, &blueprint->relations[i].source);
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        if (blueprint->leaves[i].oid != blueprint->leaves[i].root->oid)
            add_table(tables, &blueprint->leaves[i].source);
    return pg_rows(source, SQL_CDC_UNSILENCED, PARAMS(jsontext_compact(&arena, tables)), rows, err);
}

bool quiet_check(const Blueprint *blueprint, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!quiet_acting(blueprint, target, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    const Name table = {rows_text(rows, 0, 2), rows_text(rows, 0, 3)};
    err_set(err, ERR_RUN, "%s %s of %s on the target would act on replicated changes",
            rows_text(rows, 0, 0), name_part_text(&arena, rows_text(rows, 0, 1)),
            name_text(&arena, &table));
    return err_hint(err, "The target's user cannot set session_replication_role, so nothing may "
                         "act on a selected table until the cutover. Disable or drop what was made "
                         "there by hand; the source's own triggers and keys come after the drain.");
}
