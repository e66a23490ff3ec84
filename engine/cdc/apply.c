/*
 * Apply: the folded way, the lane's step, the commit. The other way is replay.c.
 */
#include "cdc/apply_internal.h"

#include "base/clock.h"
#include "cdc/retry_table.h"
#include "journal/journal.h"
#include "sql_text.h"

#include <inttypes.h>

void applier_init(Applier *applier, Relmap *relmap, Touched *touched, const StreamSpec *spec)
{
    *applier = (Applier){.relmap = relmap,
                         .touched = touched,
                         .sync_lsn = spec->sync_lsn,
                         .quiet = blueprint_keeps_quiet(spec->blueprint),
                         .policy = spec->blueprint->plan->apply.on_conflict,
                         .log = spec->log};
    emit_init(&applier->emit, spec->budget);
    const Blueprint *blueprint = relmap->blueprint;
    spans_init(&applier->spans, blueprint);
    size_t widest = 1;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (blueprint->relations[i].column_count > widest)
            widest = blueprint->relations[i].column_count;
    }
    applier->mask = mem_resize(NULL, widest * sizeof(bool));
    applier->set_mask = mem_resize(NULL, widest * sizeof(bool));
    memset(applier->set_mask, 0, widest * sizeof(bool));
    applier->rels = mem_resize(NULL, (blueprint->relation_count + 1) * sizeof(RelState *));
}

void applier_touch(Applier *applier, const Relation *relation, const PgoValue *key)
{
    if (key != NULL)
        key = key_text(&applier->key_text, relation, key);
    if (key == NULL)
        touched_overflow(applier->touched, relation);
    else
        touched_add(applier->touched, relation, key);
    spans_touch(&applier->spans, relation, key);
}

static void forget_statements(Applier *applier)
{
    const Blueprint *blueprint = applier->relmap->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++)
        statements_forget(&applier->relmap->rels[i]);
}

void applier_release(Applier *applier)
{
    forget_statements(applier);
    emit_release(&applier->emit);
    conflicts_clear(&applier->open);
    spans_release(&applier->spans);
    key_text_release(&applier->key_text);
    mem_free(applier->mask);
    mem_free(applier->set_mask);
    mem_free(applier->set_rows);
    mem_free(applier->rels);
}

void applier_connect(Applier *applier, Conn *conn, PgoValueKind form)
{
    applier->conn = conn;
    applier->form = form;
    applier->in_transaction = false;
    applier->stepped = false;
    forget_statements(applier);
    spans_forget(&applier->spans);
    emit_begin(&applier->emit, conn);
}

/* --- the pieces of a relation --- */

/* Inserts from `at` on that follow each other, at most `limit`: one run. */
static bool insert_run(Applier *applier, const Group *group, uint32_t at, size_t rows, Err *err)
{
    bool use_copy = false;
    for (size_t i = 0; i < rows; i++) {
        const Change *change = &group->changes[at];
        Row row;
        if (!row_read(applier, change, &row, err))
            return false;
        if (i == 0 && !insert_begin(applier, row.rel, rows, &use_copy, err))
            return false;
        if (!insert_row(applier, row.rel, use_copy, row.new_values, err))
            return false;
        row_touch(applier, &row);
        at = change->next;
    }
    return !use_copy || emit_copy_end(&applier->emit, err);
}

static size_t run_length(const Group *group, uint32_t at)
{
    size_t rows = 0;
    for (; at != NO_CHANGE && group->changes[at].kind == PGO_INSERT; at = group->changes[at].next)
        rows++;
    return rows;
}

/* Source order: keyless relations, further unique constraints, and where there is nothing to fold.
 */
static bool relation_in_order(Applier *applier, const Group *group, RelState *rel, Err *err)
{
    for (uint32_t at = rel->first; at != NO_CHANGE;) {
        size_t rows = run_length(group, at);
        if (rows > 0) {
            if (!insert_run(applier, group, at, rows, err))
                return false;
            for (; rows > 0; rows--)
                at = group->changes[at].next;
            continue;
        }
        Row row;
        if (!row_read(applier, &group->changes[at], &row, err) ||
            !single_emit(applier, &row, false, err))
            return false;
        row_touch(applier, &row);
        at = group->changes[at].next;
    }
    return true;
}

static FoldVerdict fold_row(RelState *rel, const Row *row)
{
    if (row->change->kind == PGO_INSERT)
        return fold_insert(&rel->fold, row->new_values);
    if (row->change->kind == PGO_UPDATE)
        return fold_update(&rel->fold, row->old_values, row->old_full, row->new_values);
    return fold_delete(&rel->fold, row->old_values);
}

static bool relation_folded(Applier *applier, const Group *group, RelState *rel, Err *err)
{
    fold_clear(&rel->fold);
    for (uint32_t at = rel->first; at != NO_CHANGE; at = group->changes[at].next) {
        Row row;
        if (!row_read(applier, &group->changes[at], &row, err))
            return false;
        switch (fold_row(rel, &row)) {
        case FOLD_DONE:
            break;
        case FOLD_BARRIER:
            if (!folded_emit(applier, rel, err) || !single_emit(applier, &row, false, err))
                return false;
            row_touch(applier, &row);
            break;
        case FOLD_IMPOSSIBLE:
            applier->emit.mismatch = true;
            return true;
        }
    }
    return folded_emit(applier, rel, err);
}

static bool relation_apply(Applier *applier, const Group *group, RelState *rel, Err *err)
{
    bool fold = rel->relation->key != NULL && !rel->ordered && rel->other_than_insert > 0;
    return fold ? relation_folded(applier, group, rel, err)
                : relation_in_order(applier, group, rel, err);
}

/* --- a piece --- */

static void link_change(Applier *applier, const Group *group, uint32_t at)
{
    Change *change = &group->changes[at];
    RelState *rel = &applier->relmap->rels[change->leaf->leaf->root->index];
    change->next = NO_CHANGE;
    if (!rel->touched) {
        rel->touched = true;
        rel->first = at;
        rel->other_than_insert = 0;
        applier->rels[applier->rel_count++] = rel;
    } else {
        group->changes[rel->last].next = at;
    }
    rel->last = at;
    rel->other_than_insert += change->kind == PGO_INSERT ? 0 : 1;
}

static bool segment_apply(Applier *applier, const Group *group, Err *err)
{
    bool ok = true;
    for (size_t i = 0; i < applier->rel_count; i++) {
        applier->rels[i]->touched = false;
        ok = ok && !applier->emit.mismatch && relation_apply(applier, group, applier->rels[i], err);
    }
    applier->rel_count = 0;
    return ok || (!err_is_set(err) && applier->emit.mismatch);
}

static bool changes_apply(Applier *applier, const Group *group, Err *err)
{
    for (uint32_t i = 0; i < group->change_count; i++) {
        if (group->changes[i].kind != PGO_TRUNCATE) {
            link_change(applier, group, i);
            continue;
        }
        if (!segment_apply(applier, group, err) ||
            !truncate_emit(applier, group, &group->changes[i], false, err))
            return false;
    }
    return segment_apply(applier, group, err);
}

/* One lane's id and old position, or arrays of several lanes'. */
static void step_rows(Arena *arena, const LaneStep *step, const char **ids, const char **froms)
{
    AUTO_STR Str id = {0};
    AUTO_STR Str from = {0};
    bool several = step->row_count > 1;
    for (size_t i = 0; i < step->row_count; i++) {
        const char *before = i > 0 ? "," : several ? "{" : "";
        str_appendf(&id, "%s%u", before, step->rows[i].id);
        str_appendf(&from, "%s%s", before, lsn_text(step->rows[i].from).text);
    }
    str_append(&id, several ? "}" : "");
    str_append(&from, several ? "}" : "");
    *ids = str_dup(arena, &id);
    *froms = str_dup(arena, &from);
}

static bool step_emit(Applier *applier, const LaneStep *step, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (step->synchronous && !emit_sql(&applier->emit, "SET LOCAL synchronous_commit = 'on'",
                                       NO_PARAMS, EMIT_ANY_COUNT, err))
        return false;
    const char *time =
        step->commit_unix_us == 0 ? NULL : clock_rfc3339(&arena, step->commit_unix_us);
    bool several = step->row_count > 1;
    const char *ids = NULL;
    const char *froms = NULL;
    step_rows(&arena, step, &ids, &froms);
    return emit_sql(&applier->emit, several ? SQL_JOURNAL_LANES_ADVANCE : JOURNAL_LANE_ADVANCE_SQL,
                    PARAMS(arena_int64(&arena, step->run), ids, froms,
                           arena_int64(&arena, step->epoch),
                           arena_strdup(&arena, lsn_text(step->to).text), time,
                           arena_printf(&arena, "%" PRIu64, step->transactions),
                           arena_printf(&arena, "%" PRIu64, step->changes)),
                    EMIT_ANY_COUNT, err);
}

/* Behind the lane's move: whoever begins a look waits for it, or is known here. */
static bool spans_flush(Applier *applier, const LaneStep *step, Err *err)
{
    bool emitted = false;
    return spans_emit(&applier->spans, &applier->emit, step->run, step->rows[0].id,
                      applier->emit.last_number, &emitted, err) &&
           (!emitted || emit_flush(&applier->emit, err));
}

/* Sends the lane's step and reads everything that is due. */
static bool step_flush(Applier *applier, const LaneStep *step, Err *err)
{
    if (!conflicts_emit(&applier->open, &applier->emit, step->run, step->rows[0].id, err) ||
        !step_emit(applier, step, err) || !emit_flush(&applier->emit, err))
        return false;
    if (applier->emit.last_affected == (int64_t)step->row_count) {
        applier->stepped = true;
        return spans_flush(applier, step, err);
    }
    err_set(err, ERR_LOCKED, "another engine moves this run's position");
    return err_hint(err, "See who holds the run's lock with \"godwit status\"; this one stops.");
}

static bool begin_emit(Applier *applier, Err *err)
{
    if (applier->in_transaction)
        return true;
    applier->in_transaction = true;
    applier->stepped = false;
    /* Under origin deferrable constraints are checked; a source transaction may have deferred them,
     * and what commits here is whole source transactions. */
    return emit_sql(&applier->emit, "BEGIN", NO_PARAMS, EMIT_ANY_COUNT, err) &&
           (!applier->quiet || emit_sql(&applier->emit, "SET CONSTRAINTS ALL DEFERRED", NO_PARAMS,
                                        EMIT_ANY_COUNT, err));
}

static bool piece_folded(Applier *applier, const Group *group, const LaneStep *step, Err *err)
{
    if (!emit_sql(&applier->emit, "SAVEPOINT godwit", NO_PARAMS, EMIT_ANY_COUNT, err) ||
        !changes_apply(applier, group, err))
        return false;
    if (step == NULL || applier->emit.mismatch)
        return emit_flush(&applier->emit, err);
    return step_flush(applier, step, err);
}

/* Whether a replay can say more, or do better: not when the connection, the lane or the timing is
 * what failed. */
static bool replay_helps(const Err *err)
{
    return !err_is_set(err) || (err->code == ERR_SQL && retry_class(err) != RETRY_GROUP);
}

static bool piece_replayed(Applier *applier, const Group *group, const LaneStep *step, Err *err)
{
    log_debug(&applier->log, "replaying %zu changes in source order", group->change_count);
    applier->emit.mismatch = false;
    applier->stepped = false;
    if (!pg_none(applier->conn, "ROLLBACK TO SAVEPOINT godwit", NO_PARAMS, err) ||
        !pg_none(applier->conn, "DEALLOCATE ALL", NO_PARAMS, err))
        return false;
    forget_statements(applier); /* nobody knows which of them the failed pipeline prepared */
    return replay(applier, group, err) && (step == NULL || step_flush(applier, step, err));
}

bool apply_piece(Applier *applier, Group *group, const LaneStep *step, Err *err)
{
    AUTO_ERR Err first = {0};
    applier->emit.mismatch = false;
    applier->rel_count = 0;
    bool begun = begin_emit(applier, &first);
    if (begun && piece_folded(applier, group, step, &first) && !applier->emit.mismatch)
        return true;
    emit_abort(&applier->emit);
    if (!begun || !replay_helps(&first))
        return err_move(err, &first);
    if (err_is_set(&first))
        log_debug(&applier->log, "a folded group failed: %s", first.message);
    return piece_replayed(applier, group, step, err);
}

bool apply_step(Applier *applier, const LaneStep *step, Err *err)
{
    return begin_emit(applier, err) && step_flush(applier, step, err) && apply_commit(applier, err);
}

bool apply_commit(Applier *applier, Err *err)
{
    if (!applier->stepped)
        BUG("a group is committed without its lane row");
    applier->in_transaction = false;
    applier->stepped = false;
    if (!pg_commit(applier->conn, err))
        return false;
    spans_end(&applier->spans, true);
    applier->conflicts += applier->open.count;
    conflicts_clear(&applier->open);
    return true;
}

void apply_rollback(Applier *applier)
{
    if (applier->conn != NULL)
        emit_abort(&applier->emit);
    pg_rollback(applier->conn);
    spans_end(&applier->spans, false);
    conflicts_clear(&applier->open);
    applier->in_transaction = false;
    applier->stepped = false;
}
