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

/* --- chunks --- */

/* Looks again what the watcher knows. \return whether there is nothing to wait for */
static bool chunk_is_settled(Stream *stream, LeafState *state, Lsn commit_lsn, bool *skip)
{
    WatchChunk known = {0};
    if (watch_look_up(stream, state->chunk, &known)) {
        state->chunk_lsn = known.sync_lsn;
        state->chunk_copied = known.copied;
    }
    *skip = commit_lsn < state->chunk_lsn;
    return *skip || state->chunk_copied;
}

/* What was rolled back with the open transaction may have been others', before it. They are
 * committed by themselves when it is read again, and only then it waits. */
static bool read_alone(Stream *stream, Lsn commit_lsn, bool again, Err *err)
{
    if (!again || stream->alone == commit_lsn)
        return true;
    stream->alone = commit_lsn;
    return read_anew(err);
}

bool late_chunk(Lane *lane, StreamSession *session, LeafState *state, bool *skip, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Stream *stream = lane->stream;
    Lsn commit_lsn = lane->group->txns[lane->group->txn_count - 1].commit_lsn;
    bool again = false;
    *skip = commit_lsn < state->chunk_lsn;
    if (*skip || state->chunk_copied || chunk_is_settled(stream, state, commit_lsn, skip))
        return true;
    if (!settle(lane, &again, err) || !read_alone(stream, commit_lsn, again, err))
        return false;
    log_debug(&stream->spec.log, "a change of chunk %u of %s waits until its rows are copied",
              state->chunk, name_text(&arena, &state->leaf->source));
    positions_waits(stream, state->leaf);
    watch_want(stream, state->chunk, commit_lsn);
    bool ok = true;
    while (ok && !chunk_is_settled(stream, state, commit_lsn, skip))
        ok = watch_check(stream, err) && wait_more(lane, session, again, err);
    watch_want(stream, 0, 0);
    positions_waits(stream, NULL);
    return ok && (!again || read_anew(err));
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
    /* Nobody takes a partition in behind the switch. */
    for (; ok && (found == STRANGER_ASKED || (found == STRANGER_LATE && !stream->sealed));
         found = answer(stream))
        ok = wait_more(lane, session, again, err);
    atomic_fetch_sub(&stream->waiters, 1);
    if (!ok)
        return false;
    *gone = found == STRANGER_GONE || found == STRANGER_LATE;
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
