/*
 * Lane: applies its group to the target and moves its row, in one transaction.
 */
#include "cdc/lane.h"

#include "base/clock.h"
#include "cdc/retry_table.h"

#define URGENT_SYNC_MS    20
#define GROUP_MAX_CHANGES 50000
#define GROUP_MAX_AGE_MS  500

void lane_begin(Lane *lane, Stream *stream, Lsn position)
{
    *lane = (Lane){.stream = stream,
                   .group = &stream->group,
                   .applied = position,
                   .covered = position,
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
                     .from = lane->applied,
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

static void stepped(Lane *lane, const LaneStep *step)
{
    lane->applied = step->to;
    lane->covered = step->to;
    lane->keepalive = 0;
    lane->changes = 0;
    lane->transactions = 0;
    lane->piece_applied = false;
    if (step->synchronous)
        lane->synced_ms = clock_ms();
    positions_applied(lane->stream, step, lane->stream->applier.conflicts);
}

static bool apply_once(Lane *lane, const LaneStep *step, Err *err)
{
    Applier *applier = &lane->stream->applier;
    return apply_piece(applier, lane->group, step, err) &&
           (step == NULL || apply_commit(applier, err));
}

/* Applies the group; deadlocks and the like are tried again as long as the whole of the target
 * transaction is still here to be applied again. */
static bool apply_group(Lane *lane, const LaneStep *step, Err *err)
{
    Applier *applier = &lane->stream->applier;
    for (unsigned attempt = 0;; attempt++) {
        AUTO_ERR Err problem = {0};
        if (apply_once(lane, step, &problem))
            return true;
        apply_rollback(applier);
        bool again = retry_class(&problem) == RETRY_GROUP && !lane->piece_applied &&
                     attempt < RETRY_MAX_GROUP && conn_is_ok(applier->conn);
        if (!again)
            return err_move(err, &problem);
        log_err(&lane->stream->spec.log, LOG_WARN, &problem);
        if (!stop_sleep(&lane->stream->stop, retry_wait_ms(attempt, lane->random++ * 7919)))
            return stop_error(&lane->stream->stop, err);
    }
}

/* All transactions of the group are whole: apply, commit, forget. */
bool lane_flush_group(Lane *lane, bool synchronous, bool keep_newest, Err *err)
{
    Group *group = lane->group;
    LaneStep step = next_step(lane, synchronous);
    bool nothing = group->change_count == 0 && !lane->piece_applied && !synchronous;
    if (nothing) { /* the position follows with the next synchronous commit */
        if (step.to > lane->covered)
            lane->covered = step.to;
        lane->keepalive = 0;
        positions_covered(lane->stream, lane->covered);
    } else {
        if (!apply_group(lane, &step, err))
            return false;
        stepped(lane, &step);
    }
    group_applied(group, &lane->stream->pool, keep_newest);
    return true;
}

bool lane_flush_finished(Lane *lane, Err *err)
{
    Group *group = lane->group;
    if (!group->in_txn || group->txn_count < 2 || lane->piece_applied)
        return true;
    GroupTail tail = group_split(group);
    LaneStep step = next_step(lane, false);
    if (group->change_count > 0) {
        if (!apply_group(lane, &step, err))
            return false;
        stepped(lane, &step);
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
    if (!behind || !sync_is_due(lane) || lane->piece_applied)
        return true;
    LaneStep step = {.run = lane->stream->spec.run_id,
                     .epoch = lane->stream->spec.epoch,
                     .from = lane->applied,
                     .to = lane->covered > lane->applied ? lane->covered : lane->applied,
                     .synchronous = true};
    Applier *applier = &lane->stream->applier;
    if (!apply_step(applier, &step, err)) {
        apply_rollback(applier);
        return false;
    }
    stepped(lane, &step);
    return true;
}

bool lane_is_full(const Lane *lane)
{
    return lane->group->bytes >= lane->stream->group_bytes ||
           lane->group->change_count >= GROUP_MAX_CHANGES;
}

/* At a commit half of it is enough: else it would nearly always be full inside a transaction. */
bool lane_is_due(const Lane *lane)
{
    return lane->piece_applied || lane->group->bytes >= lane->stream->group_bytes / 2 ||
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
