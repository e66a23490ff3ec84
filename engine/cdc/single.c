/*
 * Single: one change, one statement.
 */
#include "cdc/apply_internal.h"
#include "pg/ddl.h"

static bool identity_error(const Change *change, Err *err)
{
    const Relation *relation = change->leaf->rel->relation;
    err_set(err, ERR_DRIFT, "a change of %s does not name its row",
            name_text(&err->arena, &relation->source));
    return err_hint(err,
                    "The replica identity on the source must contain the key \"%s\", or be FULL.",
                    relation->key != NULL ? relation->key->index_name : "(none)");
}

/* An UPDATE that brings a row into a filter travels as an INSERT, and large values that it did not
 * change are not in it, unless the identity is FULL. */
static bool is_whole(const Row *row, Err *err)
{
    const Relation *relation = row->rel->relation;
    for (size_t c = 0; c < relation->column_count; c++) {
        if (row->new_values[c].kind != PGO_UNCHANGED)
            continue;
        err_set(err, ERR_DRIFT,
                "an UPDATE of %s brought a row into the row filter, and its large value of column "
                "%s did not travel",
                name_text(&err->arena, &relation->source), relation->columns[c].name);
        return err_hint(err,
                        "On the source, ALTER TABLE %s REPLICA IDENTITY FULL, then \"godwit "
                        "reset\" and begin again: the value is not in the stream.",
                        name_text(&err->arena, &row->change->leaf->leaf->source));
    }
    return true;
}

bool row_read(Applier *applier, const Change *change, Row *row, Err *err)
{
    Relmap *relmap = applier->relmap;
    LeafState *leaf = change->leaf;
    *row = (Row){.rel = &relmap->rels[leaf->leaf->root->index], .change = change};
    const PgoTuple *tuples[] = {&change->old_tuple, &change->new_tuple};
    for (int i = 0; i < 2; i++) {
        if (tuples[i]->data != NULL && tuples[i]->column_count != leaf->map_count)
            return err_set(err, ERR_PROTOCOL, "a row of %s has %u columns, its relation message %u",
                           leaf->leaf->source.rel, tuples[i]->column_count, leaf->map_count);
    }
    if (change->old_tuple.data != NULL) {
        change_values(leaf, &change->old_tuple, relmap->scratch, relmap->old_values);
        row->old_values = relmap->old_values;
        row->old_full = change->old_tuple.kind == 'O';
    }
    if (change->new_tuple.data != NULL) {
        change_values(leaf, &change->new_tuple, relmap->scratch, relmap->new_values);
        row->new_values = relmap->new_values;
    }
    if (change->kind == PGO_INSERT)
        return row->rel->relation->filter == NULL || is_whole(row, err);
    if (row->rel->relation->key == NULL)
        return row->old_full || identity_error(change, err);
    return change_old_key(row->rel->relation, row->old_values, row->new_values,
                          relmap->key_values) ||
           identity_error(change, err);
}

void row_touch(Applier *applier, const Row *row)
{
    const Relation *relation = row->rel->relation;
    if (relation->key == NULL) {
        applier_touch(applier, relation, NULL);
        return;
    }
    if (row->change->kind != PGO_INSERT)
        applier_touch(applier, relation, applier->relmap->key_values);
    if (row->new_values == NULL)
        return;
    for (size_t k = 0; k < relation->key->count; k++) {
        PgoValue value = row->new_values[relation->key->columns[k]];
        if (value.kind != PGO_UNCHANGED) /* else it is the old row's, as it stands there */
            applier->relmap->key_values[k] = value;
    }
    applier_touch(applier, relation, applier->relmap->key_values);
}

static bool in_key(const Relation *relation, size_t column)
{
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        if (relation->key->columns[k] == column)
            return true;
    }
    return false;
}

/* A full old row shows what did not change. */
static bool unchanged(const Row *row, size_t column)
{
    return row->old_full && pgo_value_equal(&row->old_values[column], &row->new_values[column]);
}

bool update_mask(const Row *row, bool *mask)
{
    const Relation *relation = row->rel->relation;
    bool any = false;
    for (size_t c = 0; c < relation->column_count; c++) {
        mask[c] = row->new_values[c].kind != PGO_UNCHANGED && !unchanged(row, c);
        if (in_key(relation, c) && mask[c])
            mask[c] = row->old_values != NULL &&
                      !pgo_value_equal(&row->old_values[c], &row->new_values[c]);
        any = any || mask[c];
    }
    return any;
}

/* Whether the update sets a column that UPDATE may not set. Without a full old row nobody knows
 * whether such a column changed, so it counts as set. */
static bool sets_identity_always(const Relation *relation, const bool *mask)
{
    for (size_t c = 0; c < relation->column_count; c++) {
        if (mask[c] && relation->columns[c].identity == 'a')
            return true;
    }
    return false;
}

static bool emit_update(Applier *applier, const Row *row, Err *err)
{
    const Relation *relation = row->rel->relation;
    if (!update_mask(row, applier->mask))
        return true;
    EmitRow parameters = {.row = row->new_values,
                          .columns = relation->column_count,
                          .mask = applier->mask,
                          .tail = applier->relmap->key_values};
    StatementKind kind = STATEMENT_UPDATE;
    if (relation->key == NULL) {
        kind = STATEMENT_UPDATE_WHOLE;
        parameters.tail = row->old_values;
        parameters.tail_count = relation->column_count;
    } else {
        kind = sets_identity_always(relation, applier->mask) ? STATEMENT_MOVE : STATEMENT_UPDATE;
        parameters.tail_count = relation->key->count;
    }
    Statement *statement = statement_get(row->rel, applier->conn, kind, applier->mask);
    return emit_statement(&applier->emit, statement, &parameters, 1, err);
}

static bool emit_delete(Applier *applier, const Row *row, Err *err)
{
    const Relation *relation = row->rel->relation;
    bool whole = relation->key == NULL;
    EmitRow parameters = {.tail = whole ? row->old_values : applier->relmap->key_values,
                          .tail_count = whole ? relation->column_count : relation->key->count};
    Statement *statement = statement_get(row->rel, applier->conn,
                                         whole ? STATEMENT_DELETE_WHOLE : STATEMENT_DELETE, NULL);
    return emit_statement(&applier->emit, statement, &parameters, 1, err);
}

bool single_emit(Applier *applier, const Row *row, bool upsert, Err *err)
{
    if (row->change->kind == PGO_UPDATE)
        return emit_update(applier, row, err);
    if (row->change->kind == PGO_DELETE)
        return emit_delete(applier, row, err);
    EmitRow parameters = {.row = row->new_values, .columns = row->rel->relation->column_count};
    upsert = upsert && row->rel->relation->key != NULL;
    Statement *statement =
        statement_get(row->rel, applier->conn, upsert ? STATEMENT_UPSERT : STATEMENT_INSERT, NULL);
    return emit_statement(&applier->emit, statement, &parameters, upsert ? EMIT_ANY_COUNT : 1, err);
}

/* The leaf of the message's n-th relation, NULL when its copy is newer than the TRUNCATE. */
static const Leaf *truncated_leaf(const Applier *applier, const Group *group, const Change *change,
                                  uint32_t index)
{
    const Leaf *leaf =
        blueprint_leaf(applier->relmap->blueprint, pgo_truncate_relation(&change->truncate, index));
    if (leaf == NULL || group->txns[change->txn].commit_lsn < applier->sync_lsn[leaf->index])
        return NULL;
    return leaf;
}

static size_t leaves_truncated(const Applier *applier, const Group *group, const Change *change,
                               const Relation *root)
{
    size_t count = 0;
    for (uint32_t i = 0; i < change->truncate.relation_count; i++) {
        const Leaf *leaf = truncated_leaf(applier, group, change, i);
        count += leaf != NULL && leaf->root == root ? 1 : 0;
    }
    return count;
}

/* The table to name for this leaf: all of its root's are named as the root, once. */
static bool truncate_target(const Applier *applier, const Group *group, const Change *change,
                            const Leaf *leaf, const Name **target, Err *err)
{
    const Relation *root = leaf->root;
    if (root->merge != NULL) {
        err_set(err, ERR_DRIFT, "a TRUNCATE of %s cannot be applied: its rows are merged into %s",
                name_text(&err->arena, &leaf->source), name_text(&err->arena, &root->target));
        return err_hint(err, "Nobody can tell on the target which rows came from it. \"godwit "
                             "reset\" and begin again; DELETE on the source instead of TRUNCATE "
                             "is applied row by row.");
    }
    if (leaves_truncated(applier, group, change, root) == root->leaf_count) {
        *target = root->leaves[0] == leaf ? &root->target : NULL;
        return true;
    }
    *target = &leaf->target_share;
    if (leaf->one_to_one || leaf->bounds != NULL)
        return true;
    err_set(err, ERR_DRIFT, "a TRUNCATE of %s cannot be applied to a part of %s",
            name_text(&err->arena, &leaf->source), name_text(&err->arena, &root->target));
    return err_hint(err,
                    "On the target its rows share a table with others. Delete them there by hand "
                    "with the partition's bounds, or begin the relation anew.");
}

/* \param where NULL: all rows */
static bool delete_rows(Applier *applier, const Relation *root, const Name *target,
                        const char *where, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, root->family ? "DELETE FROM ONLY " : "DELETE FROM ");
    ddl_qname(&sql, applier->conn, target);
    if (where != NULL)
        str_appendf(&sql, " WHERE %s", where);
    return emit_sql(&applier->emit, sql.data, NO_PARAMS, EMIT_ANY_COUNT, err);
}

bool truncate_emit(Applier *applier, const Group *group, const Change *change, bool as_delete,
                   Err *err)
{
    AUTO_STR Str sql = {0};
    for (uint32_t i = 0; i < change->truncate.relation_count; i++) {
        const Leaf *leaf = truncated_leaf(applier, group, change, i);
        const Name *target = NULL;
        if (leaf == NULL)
            continue;
        applier_touch(applier, leaf->root, NULL);
        if (!truncate_target(applier, group, change, leaf, &target, err))
            return false;
        if (target == NULL)
            continue;
        bool share = target == &leaf->target_share && !leaf->one_to_one; /* among other rows */
        if (share || as_delete) {
            if (!delete_rows(applier, leaf->root, share ? &leaf->root->target : target,
                             share ? leaf->bounds : NULL, err))
                return false;
            continue;
        }
        str_append(&sql, sql.length == 0 ? "TRUNCATE TABLE " : ", ");
        str_append(&sql, leaf->root->family ? "ONLY " : "");
        ddl_qname(&sql, applier->conn, target);
    }
    return sql.length == 0 || emit_sql(&applier->emit, sql.data, NO_PARAMS, EMIT_ANY_COUNT, err);
}
