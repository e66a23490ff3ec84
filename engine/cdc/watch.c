/*
 * Watch: passes over the chunks of selected hypertables, and what is known of each.
 */
#include "cdc/chunk_book.h"

#include "base/clock.h"
#include "cdc/retry_table.h"
#include "copy/leaves.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>
#include <poll.h>

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
    WatchChunk before = {0};
    WatchChunk now = *chunk;
    size_t place = vec_place(&watch->chunks, oid, chunk->oid);
    if (is_at(watch, place, chunk->oid))
        before = watch->chunks.items[place];
    else
        (void)vec_insert(&watch->arena, &watch->chunks, place);
    keep_text(&watch->arena, &now.bounds, before.bounds);
    keep_text(&watch->arena, &now.name.schema, before.name.schema);
    keep_text(&watch->arena, &now.name.rel, before.name.rel);
    watch->chunks.items[place] = now;
    pthread_mutex_unlock(&stream->mutex);
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

/* --- a pass --- */

static bool over(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

typedef struct Pass {
    Arena arena;
    uint64_t number;
    uint32_t wanted;
    bool still;
    VEC(WatchItem) items; /* to be taken in */
    VEC(WatchItem) moved; /* known, with other bounds than then */
} Pass;

/* The hypertables whose chunks are looked at: not those that are held, which a wave copies. */
static const char *active(Arena *arena, Stream *stream)
{
    AUTO_STR Str oids = {0};
    const Blueprint *blueprint = stream->spec.blueprint;
    pthread_mutex_lock(&stream->mutex);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (leaf->root->chunked && !stream->hold.held[leaf->index])
            str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',', leaf->oid);
    }
    pthread_mutex_unlock(&stream->mutex);
    str_append(&oids, oids.length == 0 ? "{}" : "}");
    return str_dup(arena, &oids);
}

static const char *publications(Arena *arena, const StreamSpec *spec)
{
    AUTO_STR Str names = {0};
    for (size_t i = 0; spec->chunk_publications != NULL && i < spec->blueprint->relation_count; i++)
        if (spec->chunk_publications[i] != NULL)
            list_append(&names, spec->chunk_publications[i]);
    list_end(&names);
    return str_dup(arena, &names);
}

static bool taken_out(const Name *chunk, const Leaf *leaf, Err *err)
{
    const char *table = name_text(&err->arena, &leaf->source);
    err_set(err, ERR_STALE, "chunk %s of %s is copied, and not published any more",
            name_text(&err->arena, chunk), table);
    err_detail(err, "Somebody took it out of the publication, or a cutover was rolled back that "
                    "had copied it behind its fence. What was written to it since is unknown.");
    return err_hint(err, "\"godwit resync\" of %s copies it anew.", table);
}

static bool take_row(Pass *pass, Stream *stream, const Rows *rows, size_t row, Err *err)
{
    WatchChunk known = {0};
    WatchItem item = {.oid = rows_oid(rows, row, 1),
                      .leaf = blueprint_chunked(stream->spec.blueprint, rows_oid(rows, row, 0)),
                      .name = {arena_strdup(&pass->arena, rows_text(rows, row, 2)),
                               arena_strdup(&pass->arena, rows_text(rows, row, 3))},
                      .listed = rows_bool(rows, row, 4),
                      .bounds = arena_strdup(&pass->arena, rows_text(rows, row, 5))};
    bool copied = watch_look_up(stream, item.oid, &known) && known.copied;
    bool publishes = stream->spec.chunk_publications != NULL;
    if (publishes && copied && !item.listed && !pass->still)
        return taken_out(&item.name, item.leaf, err);
    if (!copied)
        *vec_push(&pass->arena, &pass->items) = item;
    else if (known.bounds != NULL && !text_equal(known.bounds, item.bounds))
        *vec_push(&pass->arena, &pass->moved) = item;
    return true;
}

/* Apply waits for it, and it is not there: nobody will copy it. */
static void look_for_wanted(const Pass *pass, Stream *stream, const Rows *rows)
{
    bool there = pass->wanted == 0;
    for (size_t r = 0; !there && r < rows_count(rows); r++)
        there = rows_oid(rows, r, 1) == pass->wanted;
    if (!there)
        watch_note(stream,
                   &(WatchChunk){.oid = pass->wanted, .sync_lsn = UINT64_MAX, .copied = true});
}

static bool read_chunks(Pass *pass, WatchSession *session, const char *tables, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Stream *stream = session->stream;
    if (!pg_rows(session->publisher, SQL_COPY_CHUNKS,
                 PARAMS(tables, publications(&pass->arena, &stream->spec)), &rows, err))
        return false;
    look_for_wanted(pass, stream, rows);
    for (size_t r = 0; r < rows_count(rows); r++)
        if (!take_row(pass, stream, rows, r, err))
            return false;
    for (size_t i = 0; i < pass->moved.count; i++)
        if (!book_moved(session, &pass->moved.items[i], err))
            return false;
    return true;
}

static void begin_pass(Pass *pass, Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    *pass = (Pass){.number = ++stream->watch.begun,
                   .wanted = stream->watch.wanted,
                   .still = stream->watch.still};
    pthread_mutex_unlock(&stream->mutex);
}

static void end_pass(Pass *pass, Stream *stream, bool whole)
{
    pthread_mutex_lock(&stream->mutex);
    if (whole) {
        stream->watch.whole = pass->number;
        stream->watch.rests = pass->still;
        pthread_cond_broadcast(&stream->changed);
    }
    pthread_mutex_unlock(&stream->mutex);
    arena_release(&pass->arena);
}

/* What apply waits for, what is published and may be what it comes to next, then the others. */
static int rank(const Pass *pass, const WatchItem *item)
{
    return item->oid == pass->wanted ? 0 : item->listed ? 1 : 2;
}

static bool take_items(const Pass *pass, WatchSession *session, bool *whole, Err *err)
{
    for (int turn = 0; turn <= 2; turn++) {
        for (size_t i = 0; i < pass->items.count; i++) {
            WatchTaken taken = WATCH_LATER;
            const WatchItem *item = &pass->items.items[i];
            if (rank(pass, item) != turn)
                continue;
            if (!watch_take(session, item, pass->still, &taken, err))
                return false;
            *whole = *whole && taken == WATCH_TAKEN;
            if (taken == WATCH_PUT_OFF)
                return true;
        }
    }
    return true;
}

/* Nothing is copied where the stream brings each chunk from its first row. */
static bool take_in(const Pass *pass, WatchSession *session, bool *whole, Err *err)
{
    return session->reader == NULL ? book_add(session, pass->items.items, pass->items.count, err)
                                   : take_items(pass, session, whole, err);
}

/* What the journal says is read behind a lost connection, too, since an answer may have been lost.
 * \param tables of the pass before, replaced: when they are others, one has joined */
static bool make_pass(WatchSession *session, Arena *arena, const char **tables, Err *err)
{
    Pass pass;
    Stream *stream = session->stream;
    bool whole = true;
    begin_pass(&pass, stream);
    const char *now = active(&pass.arena, stream);
    bool ok = text_equal(now, *tables) || book_read(session, err);
    if (!text_equal(now, *tables))
        *tables = arena_strdup(arena, now);
    ok = ok && read_chunks(&pass, session, now, err) && take_in(&pass, session, &whole, err);
    end_pass(&pass, stream, ok && whole);
    return ok;
}

/* --- the thread --- */

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
        if (!rests(session->stream) && !make_pass(session, &arena, &tables, err))
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
