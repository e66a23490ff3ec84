/*
 * Late: waiting. The queue fills meanwhile and the receiver goes on with its feedback.
 *
 * What was applied of the open transaction is rolled back before the wait: locks on the target
 * would stand as long as the copy lasts. Then the session ends and the transaction is read again.
 */
#include "cdc/late.h"

#include "base/clock.h"

#define LATE_POLL_MS 10

static bool stream_ends(Err *err)
{
    return err_set(err, ERR_RUN, "the stream ends");
}

/* \param again receives whether the open transaction must be read anew */
static bool settle(Lane *lane, bool *again, Err *err)
{
    *again = lane->piece_applied;
    if (!*again)
        return lane_flush_finished(lane, err);
    apply_rollback(&lane->stream->applier);
    return true;
}

/* One moment of a wait. */
static bool wait_more(Lane *lane, StreamSession *session, bool again, Err *err)
{
    Stream *stream = lane->stream;
    stream_take_requests(stream, true);
    if (atomic_load(&stream->draining))
        return stream_ends(err);
    if (queue_is_closed(&session->queue))
        return session_receiver_error(session, err);
    if (!again && !lane_step_when_due(lane, err))
        return false;
    stream->waited_ms = clock_ms();
    return stop_sleep(&stream->stop, LATE_POLL_MS) || stop_error(&stream->stop, err);
}

static bool must_wait(const Lane *lane, const Leaf *leaf)
{
    const Hold *hold = &lane->stream->hold;
    Lsn commit_lsn = lane->group->txns[lane->group->txn_count - 1].commit_lsn;
    return hold_stops(hold, leaf->index) && !hold_skips(hold, leaf->index, commit_lsn);
}

static bool read_anew(Err *err)
{
    err_set(err, ERR_LOST,
            "a transaction is read again: parts of it were applied before it had to "
            "wait");
    return false;
}

bool late_wait(Lane *lane, StreamSession *session, const Leaf *leaf, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Stream *stream = lane->stream;
    bool again = false;
    stream_take_requests(stream, true);
    if (!must_wait(lane, leaf))
        return true;
    if (!settle(lane, &again, err))
        return false;
    const char *name = name_text(&arena, &leaf->source);
    log_info(&stream->spec.log, "a change of %s waits until its rows are copied", name);
    positions_waits(stream, leaf);
    bool ok = true;
    while (ok && must_wait(lane, leaf))
        ok = wait_more(lane, session, again, err);
    positions_waits(stream, NULL);
    if (!ok)
        return false;
    log_info(&stream->spec.log, "changes of %s go on", name);
    return !again || read_anew(err);
}

/* --- strangers --- */

static void ask_about(Stream *stream, uint32_t oid)
{
    pthread_mutex_lock(&stream->mutex);
    stream->stranger_oid = oid;
    stream->stranger = STRANGER_ASKED;
    pthread_mutex_unlock(&stream->mutex);
}

static Stranger answer(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    Stranger found = stream->stranger;
    pthread_mutex_unlock(&stream->mutex);
    return found;
}

bool late_stranger(Lane *lane, StreamSession *session, uint32_t oid, bool *gone, Err *err)
{
    Stream *stream = lane->stream;
    bool again = false;
    if (!settle(lane, &again, err))
        return false;
    ask_about(stream, oid);
    atomic_fetch_add(&stream->waiters, 1); /* the pulse hurries */
    bool ok = true;
    Stranger found = answer(stream);
    for (; ok && (found == STRANGER_ASKED || found == STRANGER_LATE); found = answer(stream))
        ok = wait_more(lane, session, again, err);
    atomic_fetch_sub(&stream->waiters, 1);
    if (!ok)
        return false;
    *gone = found == STRANGER_GONE;
    if (!*gone)
        return true;
    log_info(&stream->spec.log,
             "changes of relation %u are left out: it is not selected, or not there any more", oid);
    *vec_push(&stream->gone_arena, &stream->gone) = oid;
    return !again || read_anew(err);
}

bool late_is_gone(const Stream *stream, uint32_t oid)
{
    for (size_t i = 0; i < stream->spec.left_out_count; i++) {
        if (stream->spec.left_out[i] == oid)
            return true;
    }
    for (size_t i = 0; i < stream->gone.count; i++) {
        if (stream->gone.items[i] == oid)
            return true;
    }
    return false;
}
