/*
 * Lane: applies its group to the target and moves its row, in one transaction.
 */
#include "cdc/lane.h"

#include "base/clock.h"
#include "cdc/retry_table.h"

#define URGENT_SYNC_MS    20
#define GROUP_MAX_CHANGES 50000
#define GROUP_MAX_AGE_MS  500

void lane_begin(Lane *lane, StreamSession *session)
{
    *lane = (Lane){.stream = session->stream,
                   .crew = session->crew,
                   .group = &session->stream->group,
                   .applied = session->position,
                   .covered = session->position,
                   .synced_ms = clock_ms(),
                   .random = (unsigned)clock_us()};
}

/* Often when somebody waits, but not with every group: there may be a backlog before what they wait
 * for. */
static bool sync_is_due(const Lane *lane)
{
    bool urgent = atomic_load(&lane->stream->waiters) > 0;
    return clock_ms() - lane->synced_ms >= (urgent ? URGENT_SYNC_MS : REPORT_INTERVAL_MS);
}

static LaneStep next_step(Lane *lane, bool synchronous)
{
    const Group *group = lane->group;
    size_t finished = group->txn_count - (group->in_txn ? 1 : 0);
    LaneStep step = {.run = lane->stream->spec.run_id,
                     .epoch = lane->stream->spec.epoch,
                     .rows = lane->crew->rows,
                     .row_count = lane->crew->count,
                     .to = lane->covered > lane->applied ? lane->covered : lane->applied,
                     .transactions = lane->transactions + finished,
                     .changes = lane->changes + group->change_count,
                     .synchronous = synchronous || sync_is_due(lane)};
    if (finished > 0) {
        const Txn *last = &group->txns[finished - 1];
        step.to = last->end_lsn > step.to ? last->end_lsn : step.to;
        step.commit_unix_us = last->commit_unix_us;
    }
    if (lane->keepalive > step.to)
        step.to = lane->keepalive;
    return step;
}

static bool stepped(Lane *lane, const LaneStep *step, Err *err)
{
    lane->applied = step->to;
    lane->covered = step->to;
    lane->keepalive = 0;
    lane->changes = 0;
    lane->transactions = 0;
    lane->piece_applied = false;
    if (step->synchronous)
        lane->synced_ms = clock_ms();
    positions_applied(lane->stream, step, crew_conflicts(lane->crew));
    return crew_moved(lane->crew, step->to, err);
}

static bool apply_once(Applier *applier, Group *group, const LaneStep *step, Err *err)
{
    return apply_piece(applier, group, step, err) && (step == NULL || apply_commit(applier, err));
}

bool lane_apply(Stream *stream, Applier *applier, Group *group, const LaneStep *step, bool whole,
                unsigned *random, Err *err)
{
    for (unsigned attempt = 0;; attempt++) {
        AUTO_ERR Err problem = {0};
        if (apply_once(applier, group, step, &problem))
            return true;
        apply_rollback(applier);
        bool usable = conn_is_ok(applier->conn) && !conn_in_transaction(applier->conn);
        bool again =
            retry_class(&problem) == RETRY_GROUP && whole && usable && attempt < RETRY_MAX_GROUP;
        if (!again)
            return err_move(err, &problem);
        log_err(&stream->spec.log, LOG_WARN, &problem);
        if (!stop_sleep(&stream->stop, retry_wait_ms(attempt, (*random)++ * 7919)))
            return stop_error(&stream->stop, err);
    }
}

/* \param step NULL: a piece of the open transaction */
static bool apply_group(Lane *lane, const LaneStep *step, Err *err)
{
    bool shares = false;
    if (step != NULL && !lane->piece_applied) {
        if (!crew_shares(lane->crew, lane->group, &shares, err))
            return false;
        if (shares)
            return crew_apply(lane->crew, lane->group, step, err);
    }
    return lane_apply(lane->stream, &lane->stream->applier, lane->group, step, !lane->piece_applied,
                      &lane->random, err);
}

/* Whether rows that differ become equal by a move to there. */
static bool meets_top(const Lane *lane, Lsn to)
{
    return lane->crew->top != 0 && to >= lane->crew->top;
}

/* All transactions of the group are whole: apply, commit, forget. */
bool lane_flush_group(Lane *lane, bool synchronous, bool keep_newest, Err *err)
{
    Group *group = lane->group;
    if (lane->stream->stays) { /* there is nothing to apply, and no position to move (behind.h) */
        group_applied(group, &lane->stream->pool, keep_newest);
        return true;
    }
    LaneStep step = next_step(lane, synchronous);
    bool nothing = group->change_count == 0 && !lane->piece_applied && !synchronous &&
                   !meets_top(lane, step.to);
    if (nothing) { /* the position follows with the next synchronous commit */
        if (step.to > lane->covered)
            lane->covered = step.to;
        lane->keepalive = 0;
        positions_covered(lane->stream, lane->covered);
    } else {
        if (!apply_group(lane, &step, err) || !stepped(lane, &step, err))
            return false;
    }
    group_applied(group, &lane->stream->pool, keep_newest);
    return true;
}

bool lane_flush_finished(Lane *lane, Err *err)
{
    Group *group = lane->group;
    if (!group->in_txn || group->txn_count < 2 || lane->piece_applied || lane->stream->stays)
        return true;
    GroupTail tail = group_split(group);
    LaneStep step = next_step(lane, false);
    if (group->change_count > 0 || meets_top(lane, step.to)) {
        if (!apply_group(lane, &step, err) || !stepped(lane, &step, err))
            return false;
    } else {
        lane->covered = step.to;
        lane->keepalive = 0;
        positions_covered(lane->stream, lane->covered);
    }
    group_join(group, &tail);
    return true;
}

/* What is here of the open transaction is applied, its target transaction stays open. */
bool lane_flush_piece(Lane *lane, Err *err)
{
    uint64_t changes = lane->group->change_count;
    size_t finished = lane->group->txn_count - 1;
    if (lane->crew->top != 0)
        return crew_cannot_share(lane->crew, err);
    if (!apply_group(lane, NULL, err))
        return false;
    lane->piece_applied = true;
    lane->changes += changes;
    lane->transactions += finished;
    if (finished > 0)
        log_debug(&lane->stream->spec.log, "%zu transactions wait for the end of a large one",
                  finished);
    group_applied(lane->group, &lane->stream->pool, true);
    return true;
}

/* Moves the lane row without changes: durable, then reported. Never beyond what is covered:
 * finished transactions may wait in the group for the end of the one that is open. */
bool lane_step_when_due(Lane *lane, Err *err)
{
    Positions positions = positions_read(lane->stream);
    bool behind = lane->covered > lane->applied || positions.durable < lane->applied;
    if (!behind || !sync_is_due(lane) || lane->piece_applied || lane->stream->stays)
        return true;
    LaneStep step = {.run = lane->stream->spec.run_id,
                     .epoch = lane->stream->spec.epoch,
                     .rows = lane->crew->rows,
                     .row_count = lane->crew->count,
                     .to = lane->covered > lane->applied ? lane->covered : lane->applied,
                     .synchronous = true};
    Applier *applier = &lane->stream->applier;
    if (!apply_step(applier, &step, err)) {
        apply_rollback(applier);
        return false;
    }
    return stepped(lane, &step, err);
}

bool lane_pass(Lane *lane, Lsn next, Err *err)
{
    if (!meets_top(lane, next))
        return true;
    if (lane->crew->top > lane->covered)
        lane->covered = lane->crew->top;
    return lane_flush_group(lane, false, true, err);
}

bool lane_is_full(const Lane *lane)
{
    if (lane->crew->top != 0)
        return false; /* it was no piece when the lanes came apart, and may not be one now */
    return lane->group->bytes >= lane->stream->spec.budget->group_bytes ||
           lane->group->change_count >= GROUP_MAX_CHANGES;
}

/* At a commit half of it is enough: else it would nearly always be full inside a transaction. */
bool lane_is_due(const Lane *lane)
{
    return lane->piece_applied ||
           lane->group->bytes >= lane->stream->spec.budget->group_bytes / 2 ||
           lane->group->change_count >= GROUP_MAX_CHANGES / 2 ||
           clock_ms() - lane->group->since_ms >= GROUP_MAX_AGE_MS;
}

bool lane_idle(Lane *lane, Err *err)
{
    if (!lane->group->in_txn && lane->group->txn_count > 0)
        return lane_flush_group(lane, false, false, err);
    return lane_step_when_due(lane, err);
}

/* The last durable position, so that the next engine begins where this one ends. */
bool lane_drain(Lane *lane, Err *err)
{
    if (lane->group->in_txn) {
        apply_rollback(&lane->stream->applier);
        return true;
    }
    if (lane->group->txn_count > 0 && !lane_flush_group(lane, true, false, err))
        return false;
    lane->synced_ms = 0;
    return lane_step_when_due(lane, err);
}
