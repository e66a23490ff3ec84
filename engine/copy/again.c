/*
 * Again: see the header. Killed before the commit, the target has the rows of the first copy, and
 * the next cutover begins anew; killed behind it, it does the same once more.
 */
#include "copy/again.h"

#include "base/jsontext.h"
#include "copy/part.h"
#include "pg/copy_through.h"
#include "pg/ddl.h"
#include "sql_text.h"

bool again_takes(const Blueprint *blueprint, const Leaf *leaf)
{
    return leaf->unlogged && relation_is_copied(blueprint, leaf->root);
}

AgainTotals again_expected(const Blueprint *blueprint)
{
    AgainTotals totals = {0};
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (!again_takes(blueprint, leaf))
            continue;
        totals.leaves++;
        totals.rows += leaf->rows_estimate > 0 ? (int64_t)leaf->rows_estimate : 0;
        totals.bytes += (int64_t)leaf->bytes;
    }
    return totals;
}

static bool read_references(const Blueprint *blueprint, Conn *target, Rows **rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (again_takes(blueprint, leaf))
            json_array_append_new(
                tables, json_pack("[ss]", leaf->target_share.schema, leaf->target_share.rel));
    }
    return pg_rows(target, SQL_COPY_REFERENCED, PARAMS(jsontext_compact(&arena, tables)), rows,
                   err);
}

bool again_check(const Blueprint *blueprint, Conn *target, const LogCtx *log, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (again_expected(blueprint).leaves == 0)
        return true;
    if (!read_references(blueprint, target, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Name emptied = {rows_text(rows, r, 0), rows_text(rows, r, 1)};
        const Name other = {rows_text(rows, r, 3), rows_text(rows, r, 4)};
        const char *text =
            arena_printf(&arena,
                         "%s, which is copied again, is referenced by key "
                         "%s of %s, which is not",
                         name_text(&arena, &emptied), name_part_text(&arena, rows_text(rows, r, 2)),
                         name_text(&arena, &other));
        if (blueprint->target->server.replica_sql == NULL) {
            err_set(err, ERR_RUN, "%s", text);
            err_detail(err, "The target's user cannot set session_replication_role: its rows could "
                            "not be taken out behind the fence.");
            return err_hint(err, "Drop the key until the cutover is over, or select that table.");
        }
        log_warn(log, "%s: that key is not looked at", text);
    }
    return true;
}

static void append_statement(Str *sql, const Conn *target, const Leaf *leaf, bool referenced)
{
    if (referenced)
        str_appendf(sql, "%sDELETE FROM ONLY ", sql->length == 0 ? "" : "; ");
    else
        str_append(sql, sql->length == 0 ? "TRUNCATE ONLY " : ", ONLY ");
    ddl_qname(sql, target, &leaf->target_share);
}

/* One statement: only unlogged tables can have a foreign key to an unlogged one, and PostgreSQL
 * empties such tables only together. It looks at keys alone, whatever the replication role: where
 * one belongs to another table, rows are deleted, which obeys the role. */
static bool empty_all(const Blueprint *blueprint, Conn *target, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!read_references(blueprint, target, &rows, err))
        return false;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (again_takes(blueprint, leaf))
            append_statement(&sql, target, leaf, rows_count(rows) > 0);
    }
    return sql.length == 0 || pg_script(target, sql.data, err);
}

static bool copy_leaf(const Leaf *leaf, Conn *source, Conn *target, AgainTotals *totals, Err *err)
{
    AUTO_STR Str from = {0};
    AUTO_STR Str into = {0};
    CopyThrough through = {0};
    const PartRange all = {.by = PART_BY_NONE};
    part_source_sql(&from, source, leaf, &all);
    part_target_sql(&into, target, leaf, false);
    if (!copy_through(source, from.data, target, into.data, &through, err))
        return false;
    totals->leaves++;
    totals->rows += through.rows;
    totals->bytes += through.bytes;
    return true;
}

static bool copy_all(const Blueprint *blueprint, Conn *source, Conn *target, AgainTotals *totals,
                     Err *err)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (again_takes(blueprint, leaf) && !copy_leaf(leaf, source, target, totals, err))
            return err_context(err, "could not copy %s", name_text(&arena, &leaf->source));
    }
    return true;
}

bool again_copy(const Blueprint *blueprint, Conn *source, Conn *target, AgainTotals *totals,
                Err *err)
{
    *totals = (AgainTotals){0};
    if (!pg_begin(target, NULL, err))
        return false;
    bool ok = empty_all(blueprint, target, err) &&
              copy_all(blueprint, source, target, totals, err) && pg_commit(target, err);
    if (!ok)
        pg_rollback(target);
    return ok;
}
