/*
 * Replay: a piece change by change, in source order, each with its own result. Slow, and exact:
 * what fails here is told with transaction, LSN, relation and key, and here conflicts are decided.
 */
#include "cdc/apply_internal.h"

#include "pg/query.h"

static const char *kind_verb(PgoKind kind)
{
    if (kind == PGO_INSERT)
        return "insert";
    if (kind == PGO_UPDATE)
        return "update";
    return kind == PGO_DELETE ? "delete" : "truncate";
}

static void add_origin(const Group *group, const Change *change, Err *err)
{
    const Txn *txn = &group->txns[change->txn];
    err_detail(err, "Source transaction %u, committed at %s.", txn->xid,
               lsn_text(txn->end_lsn > 0 ? txn->end_lsn : txn->commit_lsn).text);
}

/* The key that names the change's row, for messages. */
static const char *row_key_text(Arena *arena, Applier *applier, const Row *row)
{
    const Relation *relation = row->rel->relation;
    if (relation->key == NULL)
        return "The relation has no key.";
    if (row->change->kind == PGO_INSERT) {
        for (size_t k = 0; k < relation->key->count; k++)
            applier->relmap->key_values[k] = row->new_values[relation->key->columns[k]];
    }
    return arena_printf(arena, "%s.",
                        change_key_text(arena, relation, applier->relmap->key_values));
}

static bool change_error(Applier *applier, const Group *group, const Row *row, Err *err)
{
    Arena *arena = &err->arena;
    err_context(err, "could not apply the %s on %s", kind_verb(row->change->kind),
                name_text(arena, &row->rel->relation->target));
    err_detail(err, "%s", row_key_text(arena, applier, row));
    add_origin(group, row->change, err);
    return false;
}

static bool conflict_error(Applier *applier, const Group *group, const Row *row,
                           const char *problem, Err *err)
{
    Arena *arena = &err->arena;
    err_set(err, ERR_CONFLICT, "conflict: the %s on %s %s", kind_verb(row->change->kind),
            name_text(arena, &row->rel->relation->target), problem);
    err_detail(err, "%s", row_key_text(arena, applier, row));
    add_origin(group, row->change, err);
    return err_hint(err,
                    "Somebody else wrote to the target, or rows were lost there. Mend the row and "
                    "apply again; apply.on_conflict may be set to skip or upsert.");
}

static bool is_duplicate(const Err *err)
{
    return strcmp(err->sqlstate, "23505") == 0 || strcmp(err->sqlstate, "23P01") == 0;
}

static void count_conflict(Applier *applier, const Row *row, const char *done)
{
    AUTO_ARENA Arena arena = {0};
    applier->conflicts++;
    log_warn(&applier->log, "conflict: %s on %s %s: %s", kind_verb(row->change->kind),
             name_text(&arena, &row->rel->relation->target), done,
             row_key_text(&arena, applier, row));
}

/* Whether every value of the new row travelled, so that it can be inserted. */
static bool complete_row(const Row *row)
{
    for (size_t c = 0; c < row->rel->relation->column_count; c++) {
        if (row->new_values[c].kind == PGO_UNCHANGED)
            return false;
    }
    return true;
}

static bool run_single(Applier *applier, const Row *row, bool upsert, int64_t *affected, Err *err)
{
    applier->emit.last_affected = 1; /* a change without a statement touches its row */
    if (!single_emit(applier, row, upsert, err)) {
        emit_abort(&applier->emit);
        return false;
    }
    bool ok = emit_flush(&applier->emit, err);
    *affected = applier->emit.last_affected;
    return ok;
}

/* An insert that met a row: by policy. The change's savepoint was rolled back. */
static bool insert_conflict(Applier *applier, const Group *group, Row *row, Err *duplicate,
                            Err *err)
{
    if (applier->policy == PLAN_CONFLICT_STOP || row->rel->relation->key == NULL) {
        conflict_error(applier, group, row, "found a row that is there already", err);
        return err_detail(err, "%s", duplicate->message);
    }
    if (applier->policy == PLAN_CONFLICT_UPSERT && row->change->kind == PGO_INSERT) {
        int64_t affected = 0;
        if (!run_single(applier, row, true, &affected, err))
            return change_error(applier, group, row, err);
        count_conflict(applier, row, "overwrote the row that was there");
        return true;
    }
    count_conflict(applier, row, "skipped, a row is there already");
    return true;
}

/* An update or delete that met no row, or too many: by policy. */
static bool count_mismatch(Applier *applier, const Group *group, Row *row, int64_t affected,
                           Err *err)
{
    if (affected > 1)
        return conflict_error(applier, group, row, "touched more than one row", err);
    if (applier->policy == PLAN_CONFLICT_STOP)
        return conflict_error(applier, group, row, "found no row", err);
    bool insert = applier->policy == PLAN_CONFLICT_UPSERT && row->change->kind == PGO_UPDATE;
    if (!insert) {
        count_conflict(applier, row, "skipped, there is no such row");
        return true;
    }
    if (!complete_row(row))
        return conflict_error(applier, group, row,
                              "found no row, and not all of its values travelled", err);
    Change as_insert = *row->change;
    as_insert.kind = PGO_INSERT;
    Row inserted = *row;
    inserted.change = &as_insert;
    int64_t done = 0;
    if (!run_single(applier, &inserted, true, &done, err))
        return change_error(applier, group, row, err);
    count_conflict(applier, row, "inserted the row that was missing");
    return true;
}

static bool replay_change(Applier *applier, const Group *group, const Change *change, Err *err)
{
    Row row;
    if (!row_read(applier, change, &row, err))
        return false;
    bool guarded = applier->policy != PLAN_CONFLICT_STOP;
    if (guarded && !pg_none(applier->conn, "SAVEPOINT godwit_change", NO_PARAMS, err))
        return false;
    AUTO_ERR Err problem = {0};
    int64_t affected = 0;
    if (run_single(applier, &row, false, &affected, &problem)) {
        if (affected != 1 && !count_mismatch(applier, group, &row, affected, err))
            return false;
    } else {
        if (problem.code != ERR_SQL || !is_duplicate(&problem)) {
            err_move(err, &problem);
            return change_error(applier, group, &row, err);
        }
        if (guarded &&
            !pg_none(applier->conn, "ROLLBACK TO SAVEPOINT godwit_change", NO_PARAMS, err))
            return false;
        if (!insert_conflict(applier, group, &row, &problem, err))
            return false;
    }
    row_touch(applier, &row); /* the folded way may have failed before it came to this row */
    return !guarded || pg_none(applier->conn, "RELEASE SAVEPOINT godwit_change", NO_PARAMS, err);
}

bool replay(Applier *applier, const Group *group, Err *err)
{
    for (size_t i = 0; i < group->change_count; i++) {
        const Change *change = &group->changes[i];
        if (change->kind != PGO_TRUNCATE) {
            if (!replay_change(applier, group, change, err))
                return false;
            continue;
        }
        if (!truncate_emit(applier, group, change, err) || !emit_flush(&applier->emit, err)) {
            err_context(err, "could not apply a truncate");
            add_origin(group, change, err);
            return false;
        }
    }
    return true;
}
