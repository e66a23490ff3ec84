/*
 * Lane: takes batches off the queue, decodes, forms groups, applies them, moves the positions.
 */
#include "cdc/stream_internal.h"

#include "base/clock.h"
#include "cdc/mark.h"
#include "cdc/retry_table.h"

#define IDLE_WAIT_MS      50
#define URGENT_WAIT_MS    5
#define URGENT_SYNC_MS    20
#define GROUP_MAX_CHANGES 50000
#define GROUP_MAX_AGE_MS  500

typedef struct Lane {
    StreamSession *session;
    Stream *stream;
    Group *group;
    Lsn applied;       /* the lane row */
    Lsn covered;       /* nothing of ours waits below */
    Lsn keepalive;     /* came behind the group's last commit */
    int64_t synced_ms; /* when the last synchronous commit was */
    int64_t commit_unix_us;
    bool skip_txn;         /* the open transaction was applied before */
    bool piece_applied;    /* of the open transaction, in the open target transaction */
    uint64_t changes;      /* of the pieces applied in the open target transaction */
    uint64_t transactions; /* finished in those pieces */
    uint64_t skipped;
    char *nonce; /* a marker that waits for its commit */
    Arena arena; /* of the nonce */
    unsigned random;
} Lane;

/* --- applying --- */

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
static bool flush_group(Lane *lane, bool synchronous, bool keep_newest, Err *err)
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

/* What is here of the open transaction is applied, its target transaction stays open. */
static bool flush_piece(Lane *lane, Err *err)
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
static bool step_when_due(Lane *lane, Err *err)
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

/* --- decoding --- */

static bool take_begin(Lane *lane, const PgoBegin *begin, Err *err)
{
    if (lane->group->in_txn)
        return err_set(err, ERR_PROTOCOL, "transaction %u begins inside another", begin->xid);
    group_begin(lane->group, begin);
    lane->skip_txn = begin->final_lsn < lane->session->position;
    return true;
}

static void marker_arrived(Lane *lane, Lsn end_lsn)
{
    lane->stream->closed = lane->stream->quiet;
    log_info(&lane->stream->spec.log, "marker arrived at %s", lsn_text(end_lsn).text);
    positions_marker_arrived(lane->stream, lane->nonce, end_lsn);
    lane->nonce = NULL;
    arena_release(&lane->arena);
}

static bool take_marker(Lane *lane, Lsn end_lsn, Err *err)
{
    if (!flush_group(lane, true, true, err))
        return false;
    marker_arrived(lane, end_lsn);
    return true;
}

static bool group_is_large(const Lane *lane)
{
    return lane->group->bytes >= lane->stream->group_bytes ||
           lane->group->change_count >= GROUP_MAX_CHANGES;
}

/* At a commit half of it is enough: else it would nearly always be full inside a transaction. */
static bool group_is_worth_it(const Lane *lane)
{
    return lane->group->bytes >= lane->stream->group_bytes / 2 ||
           lane->group->change_count >= GROUP_MAX_CHANGES / 2;
}

static bool take_commit(Lane *lane, const PgoCommit *commit, Err *err)
{
    if (!group_commit(lane->group, commit, err))
        return false;
    if (lane->skip_txn) {
        lane->group->txn_count--;
        lane->skip_txn = false;
        if (lane->nonce != NULL) /* applied by a session that did not learn of its commit */
            marker_arrived(lane, commit->end_lsn);
        return true;
    }
    if (lane->nonce != NULL)
        return take_marker(lane, commit->end_lsn, err);
    bool old = clock_ms() - lane->group->since_ms >= GROUP_MAX_AGE_MS;
    if (lane->piece_applied || group_is_worth_it(lane) || old)
        return flush_group(lane, false, true, err);
    return true;
}

static bool take_relation(Lane *lane, const PgoRelation *relation, Err *err)
{
    /* Rows that were read under the old message are applied under it. */
    if (relmap_differs(&lane->stream->relmap, relation) && lane->group->change_count > 0) {
        bool ok =
            lane->group->in_txn ? flush_piece(lane, err) : flush_group(lane, false, true, err);
        if (!ok)
            return false;
    }
    return relmap_take(&lane->stream->relmap, relation, err);
}

static bool in_transaction(const Lane *lane, Err *err)
{
    return lane->group->in_txn || err_set(err, ERR_PROTOCOL, "a change came outside a transaction");
}

/* What would now fire the target's triggers is not applied: the cutover ends, and with it the
 * triggers, before it comes again. */
static bool selected_arrived(Lane *lane, Err *err)
{
    positions_selected(lane->stream);
    if (!lane->stream->closed)
        return true;
    err_set(err, ERR_RUN, "a change reached the source after its fence");
    return err_hint(err,
                    "A writer got past the fence (a superuser, a session with its own settings, "
                    "or writes went on under method manual). Stop it, then cut over again.");
}

static bool take_change(Lane *lane, const PgoMessage *message, Err *err)
{
    if (!in_transaction(lane, err))
        return false;
    LeafState *leaf = relmap_leaf(&lane->stream->relmap, message->change.relation_oid, err);
    if (leaf == NULL)
        return false;
    const Txn *txn = &lane->group->txns[lane->group->txn_count - 1];
    if (lane->skip_txn || txn->commit_lsn < lane->stream->spec.sync_lsn[leaf->leaf->index]) {
        lane->skipped++;
        return true;
    }
    if (!selected_arrived(lane, err))
        return false;
    Change *change = group_add(lane->group, leaf, message->kind);
    change->old_tuple = message->change.old_tuple;
    change->new_tuple = message->change.new_tuple;
    return true;
}

static bool take_truncate(Lane *lane, const PgoTruncate *truncate, Err *err)
{
    if (!in_transaction(lane, err))
        return false;
    for (uint32_t i = 0; i < truncate->relation_count; i++) {
        if (relmap_leaf(&lane->stream->relmap, pgo_truncate_relation(truncate, i), err) == NULL)
            return false;
    }
    if (lane->skip_txn)
        return true;
    if (!selected_arrived(lane, err))
        return false;
    group_add(lane->group, NULL, PGO_TRUNCATE)->truncate = *truncate;
    return true;
}

static void take_message(Lane *lane, const PgoLogicalMessage *message)
{
    char *nonce = mark_nonce(&lane->arena, message, lane->stream->spec.run_mark);
    if (nonce != NULL && lane->group->in_txn)
        lane->nonce = nonce;
}

static bool take(Lane *lane, const char *data, size_t bytes, Err *err)
{
    PgoMessage message;
    if (!pgo_decode(data, bytes, &message, err))
        return false;
    switch (message.kind) {
    case PGO_BEGIN:
        return take_begin(lane, &message.begin, err);
    case PGO_COMMIT:
        return take_commit(lane, &message.commit, err);
    case PGO_MESSAGE:
        take_message(lane, &message.message);
        return true;
    case PGO_RELATION:
        return take_relation(lane, &message.relation, err);
    case PGO_ORIGIN:
    case PGO_TYPE:
        return true;
    case PGO_INSERT:
    case PGO_UPDATE:
    case PGO_DELETE:
        return take_change(lane, &message, err) &&
               (!group_is_large(lane) || flush_piece(lane, err));
    case PGO_TRUNCATE:
        return take_truncate(lane, &message.truncate, err);
    }
    BUG("a kind of message is decoded but not taken: %d", (int)message.kind);
}

static void take_keepalive(Lane *lane, Lsn wal_end)
{
    if (lane->group->in_txn)
        return;
    if (lane->group->txn_count > 0) {
        lane->keepalive = wal_end;
        return;
    }
    if (wal_end > lane->covered)
        lane->covered = wal_end;
    positions_covered(lane->stream, lane->covered);
}

static bool take_batch(Lane *lane, Batch *batch, Err *err)
{
    group_hold(lane->group, batch);
    size_t at = 0;
    const char *payload = NULL;
    for (const BatchRecord *record = batch_next(batch, &at, &payload); record != NULL;
         record = batch_next(batch, &at, &payload)) {
        if (record->keepalive)
            take_keepalive(lane, record->wal_end);
        else if (!take(lane, payload, record->bytes, err))
            return false;
    }
    if (lane->group->change_count > 0)
        return true;
    if (!lane->group->in_txn && lane->group->txn_count > 0)
        return flush_group(lane, false, false, err);
    group_applied(lane->group, &lane->stream->pool, false);
    /* A server that shuts down sends keepalives without a pause until all is confirmed: the queue
     * is never empty then, and the position must move nevertheless. */
    return step_when_due(lane, err);
}

/* --- the loop --- */

static bool receiver_ended(Lane *lane, Err *err)
{
    StreamSession *session = lane->session;
    pthread_join(session->receiver, NULL);
    session->receiving = false;
    if (!err_is_set(&session->receiver_error))
        BUG("the receiver ended without an error");
    return err_move(err, &session->receiver_error);
}

static bool idle(Lane *lane, Err *err)
{
    if (!lane->group->in_txn && lane->group->txn_count > 0)
        return flush_group(lane, false, false, err);
    return step_when_due(lane, err);
}

/* The last durable position, so that the next engine begins where this one ends. */
static bool drain(Lane *lane, Err *err)
{
    if (lane->group->in_txn) {
        apply_rollback(&lane->stream->applier);
        return true;
    }
    if (lane->group->txn_count > 0 && !flush_group(lane, true, false, err))
        return false;
    lane->synced_ms = 0;
    return step_when_due(lane, err);
}

static bool lane_loop(Lane *lane, Err *err)
{
    while (!atomic_load(&lane->stream->draining)) {
        bool pending = !lane->group->in_txn && lane->group->txn_count > 0;
        int wait = atomic_load(&lane->stream->waiters) > 0 ? URGENT_WAIT_MS : IDLE_WAIT_MS;
        Batch *batch = queue_take(&lane->session->queue, pending ? 0 : wait);
        if (lane->skipped > 0) {
            positions_skipped(lane->stream, lane->skipped);
            lane->skipped = 0;
        }
        if (batch != NULL) {
            if (!take_batch(lane, batch, err))
                return false;
            continue;
        }
        if (stop_reason(&lane->stream->stop) != STOP_NONE)
            return stop_error(&lane->stream->stop, err);
        bool closed = queue_is_closed(&lane->session->queue);
        if (!idle(lane, err))
            return false;
        if (closed && !pending && queue_is_empty(&lane->session->queue))
            return receiver_ended(lane, err);
    }
    return drain(lane, err);
}

bool stream_session_run(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    Lane lane = {.session = session,
                 .stream = stream,
                 .group = &stream->group,
                 .applied = session->position,
                 .covered = session->position,
                 .synced_ms = clock_ms(),
                 .random = (unsigned)clock_us()};
    if (pthread_create(&session->receiver, NULL, receiver_main, session) != 0)
        return err_set(err, ERR_RUN, "could not start the receiver thread");
    session->receiving = true;
    bool ok = lane_loop(&lane, err);
    positions_skipped(stream, lane.skipped);
    if (!ok)
        apply_rollback(&stream->applier);
    arena_release(&lane.arena);
    return ok;
}
