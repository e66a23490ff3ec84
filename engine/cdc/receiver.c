/*
 * Receiver: reads the replication stream in bulk and sends feedback by its own timer.
 *
 * A walsender that is read message by message spends its time in tiny sends; so after a read that
 * brought little it is left alone for a moment, and the socket fills. One that brought much shows
 * that the socket had been full: then the next one follows at once.
 */
#include "cdc/stream_internal.h"

#include "base/clock.h"
#include "pg/repl.h"

#define NAP_MS           1
#define NAP_BELOW_BYTES  ((size_t)32 * 1024)
#define PUT_WAIT_MS      100
#define URGENT_REPORT_MS 20

typedef struct Receiver {
    StreamSession *session;
    Stream *stream;
    Batch *batch; /* being filled, NULL none */
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
    ReplFeedback feedback = {.received = receiver->received,
                             .flushed = positions.durable,
                             .applied = positions.durable,
                             .reply = want_reply};
    if (feedback.received < feedback.flushed)
        feedback.received = feedback.flushed;
    int interval =
        atomic_load(&receiver->stream->waiters) > 0 ? URGENT_REPORT_MS : REPORT_INTERVAL_MS;
    receiver->next_report_ms = clock_ms() + interval;
    if (!repl_feedback(receiver->session->repl, &feedback, err))
        return false;
    positions_reported(receiver->stream, positions.durable);
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

/* Hands the batch over; while the lane has no room for it nothing is read, feedback goes on. */
static bool put_batch(Receiver *receiver, Err *err)
{
    Batch *batch = receiver->batch;
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
    if (message->wal_end > receiver->received)
        receiver->received = message->wal_end;
    return true;
}

/* Reads what has arrived. \param bytes how much that was */
static bool read_all(Receiver *receiver, size_t *bytes, Err *err)
{
    *bytes = 0;
    bool reply = false;
    for (;;) {
        bool got = false;
        if (!repl_next(receiver->session->repl, &receiver->message, &got, err))
            return false;
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

static bool receive(Receiver *receiver, Err *err)
{
    while (!ending(receiver)) {
        size_t bytes = 0;
        if (!read_all(receiver, &bytes, err) || !report_when_due(receiver, err))
            return false;
        if (bytes > 0) {
            if (bytes < NAP_BELOW_BYTES && !stop_sleep(&receiver->stream->stop, NAP_MS))
                return stop_error(&receiver->stream->stop, err);
            continue;
        }
        int64_t left = receiver->next_report_ms - clock_ms();
        int wait = left < 0 ? 0 : left < PUT_WAIT_MS ? (int)left : PUT_WAIT_MS;
        if (atomic_load(&receiver->stream->waiters) > 0 && wait > URGENT_REPORT_MS)
            wait = URGENT_REPORT_MS;
        if (!repl_wait(receiver->session->repl, wait, err))
            return false;
    }
    return report(receiver, false, err);
}

void *receiver_main(void *data)
{
    StreamSession *session = data;
    Receiver receiver = {
        .session = session, .stream = session->stream, .received = session->position};
    if (!receive(&receiver, &session->receiver_error))
        queue_close(&session->queue);
    repl_release(&receiver.message);
    if (receiver.batch != NULL)
        batch_free(&session->stream->pool, receiver.batch);
    return NULL;
}

bool session_receiver_error(StreamSession *session, Err *err)
{
    pthread_join(session->receiver, NULL);
    session->receiving = false;
    if (!err_is_set(&session->receiver_error))
        BUG("the receiver ended without an error");
    return err_move(err, &session->receiver_error);
}
