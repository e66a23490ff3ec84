/*
 * Watch: what is known of each chunk, and the thread that makes passes over them.
 */
#include "cdc/watch_pass.h"

#include "base/clock.h"
#include "cdc/retry_table.h"

#define PASS_MS            1000
#define URGENT_PASS_MS     50
#define SLICE_MS           10
#define WATCH_RECONNECT_MS 500
/* Writers of the chunk wait behind the lock: not for longer than this. */
#define WATCH_LOCK_TIMEOUT_MS 900

/* --- what is known of each chunk --- */

/* Under the mutex. */
static bool is_at(const ChunkWatch *watch, size_t place, uint32_t oid)
{
    return place < watch->chunks.count && watch->chunks.items[place].oid == oid;
}

/* The same; one of which nothing is known yet is added. */
static WatchChunk *chunk_of(ChunkWatch *watch, uint32_t oid)
{
    size_t place = vec_place(&watch->chunks, oid, oid);
    if (!is_at(watch, place, oid))
        vec_insert(&watch->arena, &watch->chunks, place)->oid = oid;
    return &watch->chunks.items[place];
}

bool watch_look_up(Stream *stream, uint32_t oid, WatchChunk *chunk)
{
    pthread_mutex_lock(&stream->mutex);
    const ChunkWatch *watch = &stream->watch;
    size_t place = vec_place(&watch->chunks, oid, oid);
    bool found = is_at(watch, place, oid);
    if (found)
        *chunk = watch->chunks.items[place];
    pthread_mutex_unlock(&stream->mutex);
    return found;
}

static void keep_text(Arena *arena, const char **text, const char *before)
{
    *text = *text == NULL || text_equal(*text, before) ? before : arena_strdup(arena, *text);
}

void watch_note(Stream *stream, const WatchChunk *chunk)
{
    pthread_mutex_lock(&stream->mutex);
    ChunkWatch *watch = &stream->watch;
    WatchChunk *known = chunk_of(watch, chunk->oid);
    WatchChunk now = *chunk;
    keep_text(&watch->arena, &now.bounds, known->bounds);
    keep_text(&watch->arena, &now.name.schema, known->name.schema);
    keep_text(&watch->arena, &now.name.rel, known->name.rel);
    now.seen = known->seen;
    *known = now;
    pthread_mutex_unlock(&stream->mutex);
}

WatchChunk watch_see(Stream *stream, uint32_t oid, uint64_t pass)
{
    pthread_mutex_lock(&stream->mutex);
    WatchChunk *chunk = chunk_of(&stream->watch, oid);
    if (chunk->seen == 0)
        chunk->seen = pass;
    WatchChunk known = *chunk;
    pthread_mutex_unlock(&stream->mutex);
    return known;
}

void watch_want(Stream *stream, uint32_t oid, Lsn commit_lsn)
{
    pthread_mutex_lock(&stream->mutex);
    stream->watch.wanted = oid;
    stream->watch.wanted_lsn = commit_lsn;
    pthread_mutex_unlock(&stream->mutex);
}

bool watch_is_wanted(const ChunkWatch *watch)
{
    size_t place = vec_place(&watch->chunks, oid, watch->wanted);
    if (watch->wanted == 0 || !is_at(watch, place, watch->wanted))
        return watch->wanted != 0;
    const WatchChunk *chunk = &watch->chunks.items[place];
    return !chunk->copied && watch->wanted_lsn >= chunk->sync_lsn;
}

bool watch_check(Stream *stream, Err *err)
{
    if (!atomic_load(&stream->watch.failed))
        return true;
    pthread_mutex_lock(&stream->mutex);
    err_copy(err, &stream->watch.error);
    pthread_mutex_unlock(&stream->mutex);
    return false;
}

void watch_release(ChunkWatch *watch)
{
    arena_release(&watch->arena);
    err_release(&watch->error);
}

/* --- the thread --- */

static bool over(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

static bool is_urgent(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    bool wanted = stream->watch.wanted != 0;
    pthread_mutex_unlock(&stream->mutex);
    return wanted || atomic_load(&stream->waiters) > 0;
}

static void wait_ms(Stream *stream, int ms)
{
    int64_t began_ms = clock_ms();
    while (!over(stream) && clock_ms() - began_ms < (is_urgent(stream) ? URGENT_PASS_MS : ms))
        (void)stop_sleep(&stream->stop, SLICE_MS);
}

static bool rests(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    bool rests = stream->watch.rests;
    pthread_mutex_unlock(&stream->mutex);
    return rests;
}

static bool watch_loop(WatchSession *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *tables = "";
    while (!over(session->stream)) {
        if (!rests(session->stream) && !watch_pass(session, &arena, &tables, err))
            return false;
        wait_ms(session->stream, PASS_MS);
    }
    return true;
}

static bool watch_session(Stream *stream, Err *err)
{
    const StreamSpec *spec = &stream->spec;
    AUTO_CONN Conn *publisher = NULL;
    AUTO_CONN Conn *reader = NULL;
    AUTO_CONN Conn *target = NULL;
    ConnOptions publish = {.purpose = "chunk publish",
                           .lock_timeout_ms = WATCH_LOCK_TIMEOUT_MS,
                           .stop = &stream->stop};
    ConnOptions read = {
        .purpose = "chunk read", .lock_timeout_ms = WATCH_LOCK_TIMEOUT_MS, .stop = &stream->stop};
    ConnOptions copy = {.purpose = "chunk copy",
                        .replica_sql = spec->blueprint->target->server.replica_sql,
                        .stop = &stream->stop};
    if (!conn_open(&publisher, spec->source, &publish, err) ||
        (spec->chunk_publications != NULL && !conn_open(&reader, spec->source, &read, err)) ||
        !conn_open(&target, spec->target, &copy, err))
        return false;
    WatchSession session = {
        .stream = stream, .publisher = publisher, .reader = reader, .target = target};
    return watch_loop(&session, err);
}

/* Who decodes ends the stream with it. */
static void fail(Stream *stream, Err *err)
{
    pthread_mutex_lock(&stream->mutex);
    err_move(&stream->watch.error, err);
    pthread_mutex_unlock(&stream->mutex);
    atomic_store(&stream->watch.failed, true);
}

void *watch_main(void *data)
{
    Stream *stream = data;
    while (!over(stream)) {
        AUTO_ERR Err err = {0};
        if (watch_session(stream, &err) || over(stream))
            continue;
        if (retry_class(&err) == RETRY_NEVER) {
            fail(stream, &err);
            break;
        }
        log_err(&stream->spec.log, LOG_WARN, &err);
        (void)stop_sleep(&stream->stop, WATCH_RECONNECT_MS);
    }
    return NULL;
}
