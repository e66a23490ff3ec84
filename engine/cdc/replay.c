/*
 * Replay: a piece change by change, in source order, each with its own result. Slow, and exact:
 * what fails here is told with transaction, LSN, relation and key, and here conflicts are decided.
 */
#include "cdc/apply_internal.h"

#include "pg/query.h"

#define LOGGED_CONFLICTS 20
#define NOT_SUPPORTED    "0A000" /* what a foreign key makes of a TRUNCATE */

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

/* The first ones of a relation are logged one by one, then a thousand at a time. */
static bool is_worth_a_line(uint64_t conflicts)
{
    return conflicts <= LOGGED_CONFLICTS || conflicts % 1000 == 0;
}

static void count_conflict(Applier *applier, const Group *group, const Row *row, ConflictKind kind,
                           ConflictOutcome outcome)
{
    AUTO_ARENA Arena arena = {0};
    const Txn *txn = &group->txns[row->change->txn];
    const char *key = row_key_text(&arena, applier, row);
    Conflict one = {.relation = row->rel->relation,
                    .kind = kind,
                    .outcome = outcome,
                    .last_lsn = txn->end_lsn > 0 ? txn->end_lsn : txn->commit_lsn};
    conflicts_add(&applier->open, &one, key);
    if (!is_worth_a_line(++row->rel->conflicts))
        return;
    log_warn(&applier->log, "conflict: %s on %s, %s: %s", conflict_kind_name(kind),
             name_text(&arena, &row->rel->relation->target), conflict_outcome_name(outcome), key);
    if (row->rel->conflicts == LOGGED_CONFLICTS)
        log_warn(&applier->log, "further conflicts on %s are counted, every 1000th is told",
                 name_text(&arena, &row->rel->relation->target));
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

static bool insert_over(Applier *applier, const Group *group, const Row *row, Err *err)
{
    Change as_insert = *row->change;
    as_insert.kind = PGO_INSERT;
    Row inserted = *row;
    inserted.change = &as_insert;
    int64_t affected = 0;
    return run_single(applier, &inserted, true, &affected, err) ||
           change_error(applier, group, row, err);
}

static bool incomplete(Applier *applier, const Group *group, const Row *row, Err *err)
{
    return conflict_error(applier, group, row,
                          "cannot be made an upsert: not all of its values travelled", err);
}

/* An update whose new key is another row's: the old row goes, the new one takes the other's place.
 */
static bool update_over(Applier *applier, const Group *group, const Row *row, Err *err)
{
    if (!complete_row(row))
        return incomplete(applier, group, row, err);
    Change as_delete = *row->change;
    as_delete.kind = PGO_DELETE;
    Row deleted = *row;
    deleted.change = &as_delete;
    int64_t affected = 0;
    if (!run_single(applier, &deleted, false, &affected, err))
        return change_error(applier, group, row, err);
    return insert_over(applier, group, row, err);
}

/* An insert or update that met a row: by policy. The change's savepoint was rolled back. */
static bool exists_conflict(Applier *applier, const Group *group, Row *row, Err *duplicate,
                            Err *err)
{
    bool is_insert = row->change->kind == PGO_INSERT;
    ConflictKind kind = is_insert ? CONFLICT_INSERT_EXISTS : CONFLICT_UPDATE_EXISTS;
    if (applier->policy == PLAN_CONFLICT_STOP || row->rel->relation->key == NULL) {
        conflict_error(applier, group, row, "found a row that is there already", err);
        return err_detail(err, "%s", duplicate->message);
    }
    if (applier->policy == PLAN_CONFLICT_SKIP) {
        count_conflict(applier, group, row, kind, CONFLICT_SKIPPED);
        return true;
    }
    if (!(is_insert ? insert_over : update_over)(applier, group, row, err))
        return false;
    count_conflict(applier, group, row, kind, CONFLICT_OVERWRITTEN);
    return true;
}

/* An update or delete that met no row, or too many: by policy. */
static bool count_mismatch(Applier *applier, const Group *group, Row *row, int64_t affected,
                           Err *err)
{
    bool is_update = row->change->kind == PGO_UPDATE;
    ConflictKind kind = is_update ? CONFLICT_UPDATE_MISSING : CONFLICT_DELETE_MISSING;
    if (affected > 1)
        return conflict_error(applier, group, row, "touched more than one row", err);
    if (applier->policy == PLAN_CONFLICT_STOP)
        return conflict_error(applier, group, row, "found no row", err);
    bool insert = applier->policy == PLAN_CONFLICT_UPSERT && is_update;
    if (insert && !complete_row(row))
        return incomplete(applier, group, row, err);
    if (insert && !insert_over(applier, group, row, err))
        return false;
    count_conflict(applier, group, row, kind, insert ? CONFLICT_INSERTED : CONFLICT_SKIPPED);
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
        if (!exists_conflict(applier, group, &row, &problem, err))
            return false;
    }
    row_touch(applier, &row); /* the folded way may have failed before it came to this row */
    return !guarded || pg_none(applier->conn, "RELEASE SAVEPOINT godwit_change", NO_PARAMS, err);
}

static bool run_truncate(Applier *applier, const Group *group, const Change *change, bool as_delete,
                         Err *err)
{
    if (truncate_emit(applier, group, change, as_delete, err))
        return emit_flush(&applier->emit, err);
    emit_abort(&applier->emit);
    return false;
}

static bool replay_truncate(Applier *applier, const Group *group, const Change *change, Err *err)
{
    AUTO_ERR Err refused = {0};
    if (!pg_none(applier->conn, "SAVEPOINT godwit_change", NO_PARAMS, err))
        return false;
    if (!run_truncate(applier, group, change, false, &refused)) {
        if (strcmp(refused.sqlstate, NOT_SUPPORTED) != 0)
            return err_move(err, &refused);
        log_info(&applier->log, "a TRUNCATE deletes row by row: %s", refused.message);
        if (!pg_none(applier->conn, "ROLLBACK TO SAVEPOINT godwit_change", NO_PARAMS, err) ||
            !run_truncate(applier, group, change, true, err))
            return false;
    }
    return pg_none(applier->conn, "RELEASE SAVEPOINT godwit_change", NO_PARAMS, err);
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
        if (!replay_truncate(applier, group, change, err)) {
            err_context(err, "could not apply a truncate");
            add_origin(group, change, err);
            return false;
        }
    }
    return true;
}
