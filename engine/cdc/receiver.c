/*
 * Receiver: reads the replication stream in bulk and sends feedback by its own timer.
 *
 * A walsender that is read message by message spends its time in tiny sends; so after a read that
 * brought little it is left alone for a moment, and the socket fills. One that brought much shows
 * that the socket had been full: then the next one follows at once.
 */
#include "cdc/stream_internal.h"

#include "base/clock.h"
#include "cdc/spool.h"
#include "pg/repl.h"

#define NAP_MS           1
#define NAP_BELOW_BYTES  ((size_t)32 * 1024)
#define PUT_WAIT_MS      100
#define URGENT_REPORT_MS 20
#define SYNC_BYTES       ((size_t)16 * 1024 * 1024)
#define DRAIN_POLL_MS    10
#define STUCK_MS         5000 /* full, all read, and apply does not get on: it waits for the rest */

typedef struct Receiver {
    StreamSession *session;
    Stream *stream;
    Spool *spool;  /* NULL: batches go to the lane at once */
    Batch *batch;  /* being filled, NULL none */
    size_t stored; /* of the batch, what is in the spool */
    int64_t full_since_ms;
    Lsn full_durable; /* the lane row then */
    ReplMessage message;
    int64_t next_report_ms;
    Lsn received;
} Receiver;

static bool ending(const Receiver *receiver)
{
    return atomic_load(&receiver->session->ending);
}

static bool report(Receiver *receiver, bool want_reply, Err *err)
{
    Positions positions = positions_read(receiver->stream);
    Lsn flushed = positions.durable;
    if (receiver->spool != NULL) {
        if (!spool_sync(receiver->spool, err))
            return false;
        spool_prune(receiver->spool, positions.durable);
        flushed = spool_reportable(receiver->spool, positions.durable);
    }
    ReplFeedback feedback = {.received = receiver->received,
                             .flushed = flushed,
                             .applied = positions.durable,
                             .reply = want_reply};
    if (feedback.received < feedback.flushed)
        feedback.received = feedback.flushed;
    int interval =
        atomic_load(&receiver->stream->waiters) > 0 ? URGENT_REPORT_MS : REPORT_INTERVAL_MS;
    receiver->next_report_ms = clock_ms() + interval;
    if (!repl_feedback(receiver->session->repl, &feedback, err))
        return false;
    positions_reported(receiver->stream, flushed);
    return true;
}

static bool report_when_due(Receiver *receiver, Err *err)
{
    bool hurry = atomic_load(&receiver->stream->waiters) > 0 &&
                 receiver->next_report_ms > clock_ms() + URGENT_REPORT_MS;
    if (hurry)
        receiver->next_report_ms = clock_ms() + URGENT_REPORT_MS;
    return clock_ms() < receiver->next_report_ms || report(receiver, true, err);
}

/* Room comes when apply gets on. When all that is here was read and apply waits for the rest of a
 * transaction, its beginning is let go; when finished transactions wait with it in one open target
 * transaction, the session begins anew, applies those, and then lets go. */
static bool make_room(Receiver *receiver, Err *err)
{
    Positions positions = positions_read(receiver->stream);
    Spool *spool = receiver->spool;
    if (receiver->stream->spec.receive_only)
        return true;
    spool_prune(spool, positions.durable);
    if (spool_let_go(spool, positions.durable))
        return true;
    bool waits = spool_is_read(spool) && queue_is_empty(&receiver->session->queue);
    if (!waits || receiver->full_since_ms == 0 || receiver->full_durable != positions.durable) {
        receiver->full_since_ms = clock_ms();
        receiver->full_durable = positions.durable;
    }
    if (clock_ms() - receiver->full_since_ms < STUCK_MS)
        return true;
    receiver->stream->drain_first = true;
    return err_set(err, ERR_LOST,
                   "the spool is full of transactions that are applied together with one that has "
                   "not ended: beginning again");
}

/* Keeps the batch on disk; while there is no room nothing is read, feedback goes on. */
static bool store_batch(Receiver *receiver, Err *err)
{
    Batch *batch = receiver->batch;
    for (;;) {
        bool room = false;
        if (!spool_write(receiver->spool, batch, &receiver->stored, &room, err))
            return false;
        if (room)
            break;
        if (ending(receiver))
            return true; /* it comes again */
        if (!make_room(receiver, err) || !report_when_due(receiver, err))
            return false;
        if (!stop_sleep(&receiver->stream->stop, PUT_WAIT_MS))
            return stop_error(&receiver->stream->stop, err);
    }
    receiver->full_since_ms = 0;
    receiver->stored = 0;
    receiver->batch = NULL;
    batch_free(&receiver->stream->pool, batch);
    return spool_unsynced(receiver->spool) < SYNC_BYTES || spool_sync(receiver->spool, err);
}

/* Hands the batch over; while the lane has no room for it nothing is read, feedback goes on. */
static bool put_batch(Receiver *receiver, Err *err)
{
    Batch *batch = receiver->batch;
    if (batch != NULL && receiver->spool != NULL)
        return store_batch(receiver, err);
    while (batch != NULL &&
           !queue_put(&receiver->session->queue, batch, batch->capacity, PUT_WAIT_MS)) {
        if (queue_is_closed(&receiver->session->queue) || ending(receiver))
            return true; /* the lane is leaving; receiver_main() frees the batch */
        if (!report_when_due(receiver, err))
            return false;
        if (stop_reason(&receiver->stream->stop) != STOP_NONE)
            return stop_error(&receiver->stream->stop, err);
    }
    receiver->batch = NULL;
    return true;
}

static bool take_message(Receiver *receiver, Err *err)
{
    const ReplMessage *message = &receiver->message;
    if (receiver->batch != NULL && !batch_fits(receiver->batch, message->bytes) &&
        !put_batch(receiver, err))
        return false;
    if (receiver->batch == NULL)
        receiver->batch = batch_new(&receiver->stream->pool, message->bytes);
    if (!batch_fits(receiver->batch, message->bytes))
        return true; /* not handed over: the session ends */
    BatchRecord record = {.wal_end = message->wal_end,
                          .bytes = (uint32_t)message->bytes,
                          .keepalive = message->keepalive};
    batch_append(receiver->batch, &record, message->data);
    if (receiver->spool != NULL) {
        spool_follow(receiver->spool, receiver->batch, &record, message->data);
        if (spool_wants_batch(receiver->spool, receiver->batch) && !put_batch(receiver, err))
            return false;
    }
    if (message->wal_end > receiver->received)
        receiver->received = message->wal_end;
    return true;
}

#define UNDEFINED_OBJECT "42704"

/* Before 18 pgoutput looks for the publication as it was when a change was made: one that is made
 * again does not help. */
static bool ended(const Receiver *receiver, Err *err)
{
    const StreamSpec *spec = &receiver->stream->spec;
    const char *plan = spec->blueprint->plan->path;
    if (strcmp(err->sqlstate, UNDEFINED_OBJECT) != 0)
        return false;
    if (spec->source->side == CONN_TARGET)
        err_hint(err,
                 "Somebody dropped it on the target: what was written there since cannot come to "
                 "the source any more. \"godwit cleanup %s\" drops what is left of the way back.",
                 plan);
    else
        err_hint(err,
                 "Somebody dropped it: what was written since is in no stream, and making it again "
                 "does not bring that back. \"godwit resync %s --all --yes\", then \"godwit apply "
                 "%s\", copies everything anew.",
                 plan, plan);
    return false;
}

/* Reads what has arrived. \param bytes how much that was */
static bool read_all(Receiver *receiver, size_t *bytes, Err *err)
{
    *bytes = 0;
    bool reply = false;
    for (;;) {
        bool got = false;
        if (!repl_next(receiver->session->repl, &receiver->message, &got, err))
            return ended(receiver, err);
        if (!got)
            break;
        *bytes += receiver->message.bytes + 1;
        reply = reply || receiver->message.reply_requested;
        if (!take_message(receiver, err) || !report_when_due(receiver, err))
            return false;
        if (ending(receiver))
            break;
    }
    positions_received(receiver->stream, receiver->received);
    return put_batch(receiver, err) && (!reply || report(receiver, false, err));
}

/* All that is kept is applied first, so that the spool can let go of what comes then. */
static bool drain_first(Receiver *receiver, Err *err)
{
    while (receiver->stream->drain_first && !ending(receiver)) {
        SpoolStatus status;
        spool_status(receiver->spool, &status);
        if (positions_read(receiver->stream).durable >= status.written)
            receiver->stream->drain_first = false;
        else if (!report_when_due(receiver, err))
            return false;
        else if (!stop_sleep(&receiver->stream->stop, DRAIN_POLL_MS))
            return stop_error(&receiver->stream->stop, err);
    }
    return true;
}

/* Sleeps a little while messages come, so that many are read at once; waits for one otherwise. */
static bool rest(Receiver *receiver, size_t bytes, Err *err)
{
    if (bytes > 0) {
        bool ok = bytes >= NAP_BELOW_BYTES || stop_sleep(&receiver->stream->stop, NAP_MS);
        return ok || stop_error(&receiver->stream->stop, err);
    }
    int64_t left = receiver->next_report_ms - clock_ms();
    int wait = left < 0 ? 0 : left < PUT_WAIT_MS ? (int)left : PUT_WAIT_MS;
    if (atomic_load(&receiver->stream->waiters) > 0 && wait > URGENT_REPORT_MS)
        wait = URGENT_REPORT_MS;
    return repl_wait(receiver->session->repl, wait, err);
}

static bool receive(Receiver *receiver, Err *err)
{
    if (receiver->spool != NULL && !drain_first(receiver, err))
        return false;
    while (!ending(receiver)) {
        size_t bytes = 0;
        if (!read_all(receiver, &bytes, err) || !report_when_due(receiver, err) ||
            !rest(receiver, bytes, err))
            return false;
    }
    return (receiver->spool == NULL || put_batch(receiver, err)) && report(receiver, false, err);
}

void *receiver_main(void *data)
{
    StreamSession *session = data;
    Receiver receiver = {.session = session,
                         .stream = session->stream,
                         .spool = session->stream->spool,
                         .received = session->position};
    if (!receive(&receiver, &session->receiver_error))
        session_thread_failed(session, &session->receiver_error);
    repl_release(&receiver.message);
    if (receiver.batch != NULL)
        batch_free(&session->stream->pool, receiver.batch);
    return NULL;
}
