/*
 * Stream: starting and ending it, waiting for it, one session after the other.
 */
#include "cdc/stream.h"

#include "base/clock.h"
#include "base/thread.h"
#include "cdc/mark.h"
#include "cdc/names.h"
#include "cdc/retry_table.h"
#include "sql_text.h"

#define DRAIN_MS        10000
#define RECEIVE_POLL_MS 100
#define WAIT_SLICE_MS   100
#define SLOT_BUSY_MS    ((int64_t)60 * 1000)
#define SPOOL_TRIES     6 /* without progress, about 3 s */
#define LOOKS_BEHIND    2 /* the first may have begun before the marker */

static bool stream_new(Stream **out, const StreamSpec *spec, Err *err)
{
    Stream *stream = mem_resize(NULL, sizeof(Stream));
    *stream = (Stream){.spec = *spec,
                       .quiet = blueprint_keeps_quiet(spec->blueprint),
                       .closed = spec->sealed,
                       .sealed = spec->sealed};
    if (!stop_init(&stream->stop, err)) {
        mem_free(stream);
        return false;
    }
    Budget *budget = spec->budget;
    size_t leaves = spec->blueprint->leaf_count;
    stream->large_row_told = mem_resize(NULL, leaves + 1);
    memset(stream->large_row_told, 0, leaves + 1);
    hold_init(&stream->hold, spec->blueprint->leaf_count, spec->sync_lsn, spec->held);
    positions_held(stream);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&stream->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&stream->mutex, NULL);
    batch_pool_init(&stream->pool);
    stream->pool.budget = budget;
    stream->group.budget = budget;
    decoding_begin(&stream->decoding, spec->blueprint, &stream->pool);
    touched_init(&stream->touched, spec->blueprint, budget);
    relmap_init(&stream->relmap, spec->blueprint);
    applier_init(&stream->applier, &stream->relmap, &stream->touched, spec);
    stream->applier.sync_lsn = stream->hold.sync_lsn;
    *out = stream;
    return true;
}

static void stream_free(Stream *stream)
{
    if (stream->session != NULL)
        stream_session_close(stream->session);
    applier_release(&stream->applier);
    relmap_release(&stream->relmap);
    touched_release(&stream->touched);
    group_release(&stream->group, &stream->pool);
    arena_release(&stream->astray_arena);
    decoding_end(&stream->decoding);
    batch_pool_release(&stream->pool);
    pthread_mutex_destroy(&stream->mutex);
    pthread_cond_destroy(&stream->changed);
    arena_release(&stream->marker_arena);
    str_release(&stream->coming_nonce);
    arena_release(&stream->behind_arena);
    arena_release(&stream->gone_arena);
    hold_release(&stream->hold);
    mem_free(stream->large_row_told);
    mem_free(stream->shape);
    err_release(&stream->error);
    watch_release(&stream->watch);
    stop_release(&stream->stop);
    spool_close(stream->spool);
    mem_free(stream);
}

static bool open_spool(Stream *stream, Err *err)
{
    const StreamSpec *spec = &stream->spec;
    const PlanReplication *plan = &spec->blueprint->plan->replication;
    if (plan->spool_directory == NULL || spec->spool_owner == NULL)
        return true;
    if (plan->plugin != PLAN_PLUGIN_PGOUTPUT)
        return err_set(err, ERR_RUN, "replication.spool needs the plugin pgoutput");
    SpoolSpec spool = {.parent = plan->spool_directory,
                       .name = spec->slot_name,
                       .owner = spec->spool_owner,
                       .limit_bytes = plan->spool_limit_bytes,
                       .budget = spec->budget,
                       .log = spec->log};
    return spool_open(&stream->spool, &spool, err);
}

/* Told at once: whoever takes the error may be busy for hours with something else. */
static void fail(Stream *stream, Err *err)
{
    log_err(&stream->spec.log, LOG_ERROR, err);
    pthread_mutex_lock(&stream->mutex);
    stream->status.failed = true;
    err_move(&stream->error, err);
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

static bool ending(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

/* Nothing is applied: the receiver's thread does everything. */
static bool receive_only(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    if (!session_threads_begin(session, err))
        return false;
    while (!ending(stream)) {
        if (queue_is_closed(&session->queue))
            return session_receiver_error(session, err);
        (void)stop_sleep(&stream->stop, RECEIVE_POLL_MS);
        SpoolStatus status;
        spool_status(stream->spool, &status);
        if (status.written > stream->received_before)
            stream->progress++;
        stream->received_before = status.written;
    }
    return true;
}

static bool one_session(Stream *stream, Err *err)
{
    if (stream->session == NULL && !stream_session_open(stream, &stream->session, err))
        return false;
    bool ok = stream->spec.receive_only ? receive_only(stream->session, err)
                                        : stream_session_run(stream->session, err);
    stream_session_close(stream->session);
    stream->session = NULL;
    return ok;
}

/* Without room for unfinished transactions here, the source may still have it: there they wait
 * until they commit when none are streamed. */
static bool leave_it_to_the_source(Stream *stream, Err *err)
{
    if (stream->spool != NULL || !decoding_can_do_without_room(&stream->decoding, err))
        return false;
    err_context(err, "source transactions under way are left to the source from now on");
    return true;
}

/* The device of the spool refused: what it holds is written anew by the next session, once it can
 * be. A device that goes on refusing does not mend itself. */
static bool spool_may_recover(const Stream *stream, const Err *err, unsigned attempt)
{
    return stream->spool != NULL && err->code == ERR_IO && attempt + 1 < SPOOL_TRIES;
}

static void *lane_main(void *data)
{
    Stream *stream = data;
    RetryBudget budget = {.since_ms = clock_ms()};
    while (!ending(stream)) {
        AUTO_ERR Err err = {0};
        if (one_session(stream, &err) || ending(stream))
            break;
        bool in_time = retry_may(&budget, stream->progress, stream->waited_ms, clock_ms());
        bool again = retry_class(&err) != RETRY_NEVER || leave_it_to_the_source(stream, &err) ||
                     spool_may_recover(stream, &err, budget.attempt);
        if (!again || !in_time) {
            fail(stream, &err);
            break;
        }
        log_err(&stream->spec.log, LOG_WARN, &err);
        if (!stop_sleep(&stream->stop, retry_wait_ms(budget.attempt++, (unsigned)clock_us())))
            break;
    }
    pthread_mutex_lock(&stream->mutex);
    stream->lane_done = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
    return NULL;
}

/* The first session; a slot that an engine before us still seems to hold is waited for. */
static bool first_session(Stream *stream, Err *err)
{
    int64_t deadline = clock_ms() + SLOT_BUSY_MS;
    for (unsigned attempt = 0;; attempt++) {
        AUTO_ERR Err problem = {0};
        if (stream_session_open(stream, &stream->session, &problem))
            return true;
        stream->session = NULL;
        if (strcmp(problem.sqlstate, "55006") != 0 || clock_ms() > deadline)
            return err_move(err, &problem);
        if (!stop_sleep(stream->spec.stop, retry_wait_ms(attempt, (unsigned)clock_us())))
            return stop_error(stream->spec.stop, err);
    }
}

static bool watches(const Stream *stream)
{
    bool wanted = stream->spec.chunk_publications != NULL || stream->spec.books_chunks;
    return wanted && !stream->spec.receive_only;
}

static bool start_threads(Stream *stream, Err *err)
{
    stream->pulsing = thread_begin(&stream->pulse_thread, "pulse", pulse_main, stream, err);
    stream->watching = stream->pulsing && watches(stream) &&
                       thread_begin(&stream->watch_thread, "watch", watch_main, stream, err);
    stream->decodes = stream->pulsing && stream->watching == watches(stream) &&
                      thread_begin(&stream->lane_thread, "apply", lane_main, stream, err);
    return stream->decodes;
}

static void join_threads(Stream *stream)
{
    if (stream->decodes)
        pthread_join(stream->lane_thread, NULL);
    if (stream->watching)
        pthread_join(stream->watch_thread, NULL);
    if (stream->pulsing)
        pthread_join(stream->pulse_thread, NULL);
}

bool stream_start(Stream **out, const StreamSpec *spec, Err *err)
{
    Stream *stream = NULL;
    if (!stream_new(&stream, spec, err))
        return false;
    if (!open_spool(stream, err) || !first_session(stream, err)) {
        stream_free(stream);
        return false;
    }
    if (!start_threads(stream, err)) {
        stop_request(&stream->stop, STOP_FAILED);
        join_threads(stream);
        stream_free(stream);
        return false;
    }
    *out = stream;
    return true;
}

void stream_status(Stream *stream, StreamStatus *status)
{
    pthread_mutex_lock(&stream->mutex);
    *status = stream->status;
    if (stream->spool != NULL)
        spool_status(stream->spool, &status->spool);
    if (stream->sample_count > 0)
        status->lag_us = clock_us() - stream->samples[stream->sample_first].at_us;
    status->head_age_us = stream->head_known ? clock_us() - stream->head_at_us : 0;
    status->chunks_waiting = stream->watch.waiting;
    pthread_mutex_unlock(&stream->mutex);
}

bool stream_error(Stream *stream, Err *err)
{
    pthread_mutex_lock(&stream->mutex);
    if (err_is_set(&stream->error))
        err_move(err, &stream->error);
    else if (stream->status.failed)
        err_set(err, ERR_RUN, "the stream has ended with an error that was told before");
    else
        err_set(err, ERR_RUN, "the stream has ended");
    pthread_mutex_unlock(&stream->mutex);
    return false;
}

bool stream_failure(Stream *stream, Err *copy)
{
    pthread_mutex_lock(&stream->mutex);
    bool there = err_is_set(&stream->error);
    if (there)
        err_copy(copy, &stream->error);
    pthread_mutex_unlock(&stream->mutex);
    return there;
}

bool stream_marker_emit(Conn *source, const char *run_mark, const char *nonce, Lsn *marker_lsn,
                        Err *err)
{
    return mark_emit(source, run_mark, nonce, marker_lsn, err);
}

/* Until something changes, or a moment has passed; under the mutex. */
static void wait_slice(Stream *stream)
{
    int64_t at_us = clock_us() + (int64_t)WAIT_SLICE_MS * 1000;
    struct timespec slice = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
    pthread_cond_timedwait(&stream->changed, &stream->mutex, &slice);
}

/* Whether what is waited for has come; under the mutex. */
typedef bool Arrived(const Stream *stream, const void *what);

static bool wait_for(Stream *stream, Arrived *arrived, const void *what, int timeout_ms, Err *err)
{
    int64_t deadline_ms = clock_ms() + timeout_ms;
    atomic_fetch_add(&stream->waiters, 1);
    pthread_mutex_lock(&stream->mutex);
    bool done = arrived(stream, what);
    bool late = false;
    while (!done && !late && !stream->status.failed &&
           stop_reason(stream->spec.stop) == STOP_NONE) {
        wait_slice(stream);
        done = arrived(stream, what);
        late = timeout_ms >= 0 && clock_ms() >= deadline_ms;
    }
    bool failed = stream->status.failed;
    pthread_mutex_unlock(&stream->mutex);
    atomic_fetch_sub(&stream->waiters, 1);
    if (done)
        return true;
    if (failed)
        return stream_error(stream, err);
    if (stop_reason(stream->spec.stop) != STOP_NONE)
        return stop_error(stream->spec.stop, err);
    return err_set(err, ERR_GATE, "replication did not get there within %d ms", timeout_ms);
}

/* Under the mutex. */
static const Marker *find_marker(const Stream *stream, const char *nonce)
{
    for (size_t i = 0; i < stream->markers.count; i++) {
        if (strcmp(stream->markers.items[i].nonce, nonce) == 0)
            return &stream->markers.items[i];
    }
    return NULL;
}

static bool marker_arrived(const Stream *stream, const void *nonce)
{
    const Marker *marker = find_marker(stream, nonce);
    return marker != NULL && stream->durable >= marker->end_lsn &&
           (!names_matter(stream) ||
            (stream->looks >= marker->looks + LOOKS_BEHIND && stream->astray.count == 0));
}

bool stream_wait_marker(Stream *stream, const char *nonce, int timeout_ms, Err *err)
{
    if (!wait_for(stream, marker_arrived, nonce, timeout_ms, err))
        return err_context(err, "waiting for the marker");
    return names_complete(stream, err);
}

static bool marker_seen(const Stream *stream, const void *nonce)
{
    return find_marker(stream, nonce) != NULL;
}

bool stream_wait_seen(Stream *stream, const char *nonce, int timeout_ms, Err *err)
{
    return wait_for(stream, marker_seen, nonce, timeout_ms, err) ||
           err_context(err, "waiting for the marker");
}

uint64_t stream_after_marker(Stream *stream, const char *nonce)
{
    pthread_mutex_lock(&stream->mutex);
    const Marker *marker = find_marker(stream, nonce);
    uint64_t changes = marker == NULL ? 0 : stream->selected - marker->selected;
    pthread_mutex_unlock(&stream->mutex);
    return changes;
}

static bool lsn_durable(const Stream *stream, const void *lsn)
{
    return stream->durable >= *(const Lsn *)lsn;
}

bool stream_wait_applied(Stream *stream, Lsn lsn, int timeout_ms, Err *err)
{
    return wait_for(stream, lsn_durable, &lsn, timeout_ms, err) ||
           err_context(err, "waiting for %s to be applied", lsn_text(lsn).text);
}

/* --- chunks --- */

static bool pass_whole(const Stream *stream, const void *begun)
{
    return stream->watch.whole > *(const uint64_t *)begun;
}

static bool wait_chunks(Stream *stream, bool still, int timeout_ms, Err *err)
{
    if (!stream->watching || stream->spec.chunk_publications == NULL)
        return true;
    pthread_mutex_lock(&stream->mutex);
    uint64_t begun = stream->watch.begun;
    bool rests = stream->watch.rests;
    stream->watch.still = stream->watch.still || still;
    pthread_mutex_unlock(&stream->mutex);
    return rests || wait_for(stream, pass_whole, &begun, timeout_ms, err) ||
           err_context(err, "waiting for new chunks to be copied");
}

bool stream_wait_chunks(Stream *stream, int timeout_ms, Err *err)
{
    return wait_chunks(stream, false, timeout_ms, err);
}

bool stream_wait_last_chunks(Arena *arena, Stream *stream, int timeout_ms,
                             const char *const **statements, size_t *count, Err *err)
{
    *count = 0;
    if (!wait_chunks(stream, true, timeout_ms, err))
        return false;
    pthread_mutex_lock(&stream->mutex);
    const char **texts = arena_array(arena, const char *, stream->watch.unpublished.count + 1);
    for (size_t i = 0; i < stream->watch.unpublished.count; i++)
        texts[(*count)++] = arena_strdup(arena, stream->watch.unpublished.items[i]);
    pthread_mutex_unlock(&stream->mutex);
    *statements = texts;
    return true;
}

/* --- leaves that are held --- */

void stream_take_requests(Stream *stream, bool inside)
{
    if (!atomic_load(&stream->hold.asked))
        return;
    pthread_mutex_lock(&stream->mutex);
    if (hold_take(&stream->hold, inside) > 0)
        positions_held(stream);
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

static bool request_done(const Stream *stream, const void *request)
{
    (void)stream;
    return ((const HoldRequest *)request)->done;
}

static bool ask(Stream *stream, HoldRequest request, Err *err)
{
    pthread_mutex_lock(&stream->mutex);
    hold_ask(&stream->hold, &request);
    pthread_mutex_unlock(&stream->mutex);
    bool ok = wait_for(stream, request_done, &request, -1, err);
    pthread_mutex_lock(&stream->mutex);
    hold_withdraw(&stream->hold, &request);
    pthread_mutex_unlock(&stream->mutex);
    return ok;
}

bool stream_leaf_hold(Stream *stream, const Leaf *leaf, Err *err)
{
    return ask(stream, (HoldRequest){.wish = HOLD_BEGIN, .leaf = leaf->index}, err);
}

bool stream_leaf_sync(Stream *stream, const Leaf *leaf, Lsn sync_lsn, Err *err)
{
    return ask(stream, (HoldRequest){.wish = HOLD_SYNC, .leaf = leaf->index, .sync_lsn = sync_lsn},
               err);
}

bool stream_leaf_release(Stream *stream, const Leaf *leaf, Err *err)
{
    return ask(stream, (HoldRequest){.wish = HOLD_RELEASE, .leaf = leaf->index}, err);
}

void stream_touched_take(Arena *arena, Stream *stream, const Relation *relation, TouchedKeys *keys)
{
    touched_take(arena, &stream->touched, relation, keys);
}

void stream_touched_put(Stream *stream, const Relation *relation, const TouchedKeys *keys)
{
    AUTO_ARENA Arena arena = {0};
    for (; keys->overflow && relation != NULL; relation = relation->merge_next)
        touched_overflow(&stream->touched, relation);
    for (size_t i = 0; !keys->overflow && i < keys->count; i++) {
        PgoValue *key = arena_array(&arena, PgoValue, relation->key->count);
        for (size_t k = 0; k < relation->key->count; k++) {
            const char *text = keys->values[i * relation->key->count + k];
            key[k] = (PgoValue){.kind = PGO_TEXT, .data = text, .length = (uint32_t)strlen(text)};
        }
        touched_add(&stream->touched, relation, key);
    }
}

/* The group in flight may end by itself; a server that hangs is not waited for. */
static void wait_lane_done(Stream *stream)
{
    int64_t deadline_ms = clock_ms() + DRAIN_MS;
    pthread_mutex_lock(&stream->mutex);
    while (!stream->lane_done && clock_ms() < deadline_ms)
        wait_slice(stream);
    pthread_mutex_unlock(&stream->mutex);
}

bool stream_stop(Stream *stream, Err *err)
{
    if (stream == NULL)
        return true;
    atomic_store(&stream->draining, true);
    wait_lane_done(stream);
    stop_request(&stream->stop, STOP_DONE);
    join_threads(stream);
    bool failed = stream->status.failed;
    if (failed && err_is_set(&stream->error))
        err_move(err, &stream->error);
    else if (failed)
        stream_error(stream, err);
    stream_free(stream);
    return !failed;
}
