/*
 * Watch, a pass: one question for all chunks; what is not copied is taken in.
 */
#include "cdc/watch_pass.h"

#include "base/clock.h"
#include "cdc/chunk_book.h"
#include "copy/leaves.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

typedef struct Pass {
    Arena arena;
    uint64_t number;
    uint32_t wanted;
    bool still;
    VEC(WatchItem) items; /* to be taken in, by rank */
    VEC(WatchItem) moved; /* known, with other bounds than then */
    size_t news;          /* of them: seen for the first time */
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
    uint32_t oid = rows_oid(rows, row, 1);
    WatchChunk known = watch_see(stream, oid, pass->number);
    WatchItem item = {.oid = oid,
                      .leaf = blueprint_chunked(stream->spec.blueprint, rows_oid(rows, row, 0)),
                      .name = {arena_strdup(&pass->arena, rows_text(rows, row, 2)),
                               arena_strdup(&pass->arena, rows_text(rows, row, 3))},
                      .listed = rows_bool(rows, row, 4),
                      .bounds = arena_strdup(&pass->arena, rows_text(rows, row, 5)),
                      .seen = known.seen};
    bool publishes = stream->spec.chunk_publications != NULL;
    if (publishes && known.copied && !item.listed && !pass->still)
        return taken_out(&item.name, item.leaf, err);
    if (!known.copied) {
        *vec_push(&pass->arena, &pass->items) = item;
        pass->news += known.seen == pass->number;
    } else if (known.bounds != NULL && !text_equal(known.bounds, item.bounds)) {
        *vec_push(&pass->arena, &pass->moved) = item;
    }
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

/* Tells how far it is: passes that saw nothing but what is copied by now are whole. */
static void note_whole(const Pass *pass, Stream *stream)
{
    uint64_t whole = pass->number;
    size_t waiting = 0;
    for (size_t i = 0; i < pass->items.count; i++) {
        const WatchItem *item = &pass->items.items[i];
        waiting += !item->done;
        if (!item->done && item->seen <= whole)
            whole = item->seen - 1;
    }
    pthread_mutex_lock(&stream->mutex);
    stream->watch.waiting = waiting;
    if (whole > stream->watch.whole)
        stream->watch.whole = whole;
    stream->watch.rests = pass->still && waiting == 0;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

/* What apply waits for, what is published and may be what it comes to next, then the others. */
static int rank(const Pass *pass, const WatchItem *item)
{
    return item->oid == pass->wanted ? 0 : item->listed ? 1 : 2;
}

static void sort_by_rank(Pass *pass)
{
    WatchItem *sorted = arena_array(&pass->arena, WatchItem, pass->items.count + 1);
    size_t count = 0;
    for (int turn = 0; turn <= 2; turn++)
        for (size_t i = 0; i < pass->items.count; i++)
            if (rank(pass, &pass->items.items[i]) == turn)
                sorted[count++] = pass->items.items[i];
    pass->items.items = sorted;
}

/* The next ones that were not tried: as many as go together, in their order. */
static size_t next_ones(const Pass *pass, WatchItem **ones)
{
    size_t count = 0;
    for (size_t i = 0; i < pass->items.count && count < WATCH_TOGETHER; i++) {
        WatchItem *item = &pass->items.items[i];
        if (!item->done && !item->later)
            ones[count++] = item;
    }
    return count;
}

/* Those that nobody is at are taken in together; where there is none, or apply waits for one that
 * somebody is at, one is waited for by itself. */
static bool take_items(Pass *pass, WatchSession *session, Err *err)
{
    WatchItem *ones[WATCH_TOGETHER];
    bool go_on = true;
    for (size_t count = 0; go_on && (count = next_ones(pass, ones)) > 0;) {
        bool wanted = ones[0]->oid == pass->wanted;
        if (!watch_take(session, ones, count, wanted, pass->still, &go_on, err))
            return false;
        note_whole(pass, session->stream);
    }
    return true;
}

/* Said for as long as more comes than is taken in. */
static void tell_pace(const Pass *pass, WatchSession *session)
{
    WatchRates rates;
    if (!watch_pace(&session->pace, clock_ms(), pass->items.count, pass->news, &rates))
        return;
    AUTO_ERR Err text = {0};
    err_set(&text, ERR_RUN,
            "new chunks come faster than they are taken in: %zu wait; in the last %.0f s came %.1f "
            "a second, and %.1f a second were taken in",
            pass->items.count, rates.seconds, rates.come, rates.taken);
    err_hint(&text, "Larger chunks (set_chunk_time_interval()), a superuser as the plan's source "
                    "user (the schema of chunks is published as a whole then), or a pause of the "
                    "writers that make them.");
    log_err(&session->stream->spec.log, LOG_WARN, &text);
}

/* Nothing is copied where the stream brings each chunk from its first row. */
static bool take_in(Pass *pass, WatchSession *session, Err *err)
{
    if (session->reader == NULL)
        return book_add(session, pass->items.items, pass->items.count, err);
    sort_by_rank(pass);
    tell_pace(pass, session);
    note_whole(pass, session->stream);
    return take_items(pass, session, err);
}

/* What the journal says is read behind a lost connection, too, since an answer may have been lost.
 */
bool watch_pass(WatchSession *session, Arena *arena, const char **tables, Err *err)
{
    Pass pass;
    Stream *stream = session->stream;
    begin_pass(&pass, stream);
    const char *now = active(&pass.arena, stream);
    bool ok = text_equal(now, *tables) || book_read(session, err);
    if (!text_equal(now, *tables))
        *tables = arena_strdup(arena, now);
    ok = ok && read_chunks(&pass, session, now, err) && take_in(&pass, session, err);
    arena_release(&pass.arena);
    return ok;
}
