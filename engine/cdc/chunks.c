/*
 * Chunks: the decoding thread asks and waits, the pulse answers with its connection.
 */
#include "cdc/chunks.h"

#include "cdc/chunk_book.h"
#include "cdc/late.h"
#include "sql_text.h"

#define CHUNK_POLL_MS 2

/* --- asking: the decoding thread --- */

static ChunkQuestion look_at_answer(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    ChunkQuestion question = stream->chunk;
    pthread_mutex_unlock(&stream->mutex);
    return question;
}

static bool wait_more(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    if (atomic_load(&stream->draining))
        return err_set(err, ERR_RUN, "the stream ends");
    if (queue_is_closed(&session->queue) && queue_is_empty(&session->queue))
        return session_receiver_error(session, err);
    return stop_sleep(&stream->stop, CHUNK_POLL_MS) || stop_error(&stream->stop, err);
}

/* The answer takes moments: an open target transaction may wait for it. */
static bool ask(StreamSession *session, ChunkQuestion *question, Err *err)
{
    Stream *stream = session->stream;
    question->answer = CHUNK_ASKED;
    pthread_mutex_lock(&stream->mutex);
    question->ticket = ++stream->chunk_tickets;
    stream->chunk = *question;
    pthread_mutex_unlock(&stream->mutex);
    atomic_store(&stream->chunk_asked, true);
    bool ok = true;
    while (ok && question->answer == CHUNK_ASKED) {
        ok = wait_more(session, err);
        *question = look_at_answer(stream);
    }
    atomic_store(&stream->chunk_asked, false);
    pthread_mutex_lock(&stream->mutex);
    stream->chunk = (ChunkQuestion){0};
    pthread_mutex_unlock(&stream->mutex);
    return ok;
}

/* A relation that was there when the blueprint was made, and is no chunk of a selected one. */
static bool is_known_other(const Blueprint *blueprint, uint32_t oid)
{
    const CatRelation *relation = catalog_relation(blueprint->source, oid);
    return relation != NULL && !schema_is_timescaledb(relation->name.schema);
}

static void leave_out(Stream *stream, uint32_t oid, const char *why)
{
    log_debug(&stream->spec.log, "changes of relation %u are left out: %s", oid, why);
    *vec_push(&stream->gone_arena, &stream->gone) = oid;
}

bool chunks_meet(Lane *lane, StreamSession *session, uint32_t oid, Err *err)
{
    Stream *stream = session->stream;
    const Blueprint *blueprint = stream->spec.blueprint;
    if (!blueprint->has_chunked || relmap_knows(&stream->relmap, oid) ||
        late_is_gone(stream, oid) || is_known_other(blueprint, oid))
        return true;
    /* The spool tells relations outside of transactions, too: those of which changes were applied
     * before, so that what made them is over since. */
    const Group *group = lane->group;
    ChunkQuestion question = {.oid = oid,
                              .xid = group->in_txn ? group->txns[group->txn_count - 1].xid : 0};
    if (!ask(session, &question, err))
        return false;
    if (question.answer == CHUNK_IS)
        relmap_add_chunk(&stream->relmap, oid, question.leaf);
    else if (question.answer == CHUNK_ALONG)
        leave_out(stream, oid, "it comes along with the chunks of selected hypertables");
    else if (question.answer == CHUNK_GONE)
        leave_out(stream, oid, "it is not on the source any more");
    return true;
}

static bool resolve(void *data, const Name *name, uint32_t xid, const Leaf **leaf, Err *err)
{
    ChunkQuestion question = {.name = *name, .xid = xid};
    if (!ask(data, &question, err))
        return false;
    *leaf = question.answer == CHUNK_IS ? question.leaf : NULL;
    return true;
}

void chunks_begin(StreamSession *session)
{
    Translate *translate = &session->stream->decoding.translate;
    translate->resolve = session->stream->spec.blueprint->has_chunked ? resolve : NULL;
    translate->resolve_data = session;
}

/* --- moves inside --- */

int moves_step(const char *prefix, size_t bytes)
{
    static const struct {
        const char *prefix;
        int step;
    } MESSAGES[] = {
        {MOVES_PREFIX "compression-start", 1},
        {MOVES_PREFIX "compression-end", -1},
        {MOVES_PREFIX "decompression-start", 1},
        {MOVES_PREFIX "decompression-end", -1},
    };
    for (size_t i = 0; i < sizeof(MESSAGES) / sizeof(*MESSAGES); i++)
        if (strlen(MESSAGES[i].prefix) == bytes && memcmp(MESSAGES[i].prefix, prefix, bytes) == 0)
            return MESSAGES[i].step;
    return 0;
}

/* --- TRUNCATE --- */

bool chunks_truncate_refused(const Leaf *leaf, Err *err)
{
    err_set(err, ERR_DRIFT, "a TRUNCATE of a chunk of %s cannot be applied to a part of %s",
            name_text(&err->arena, &leaf->source), name_text(&err->arena, &leaf->root->target));
    return err_hint(err, "On the target its rows are in other chunks. Begin the table anew: "
                         "\"godwit resync\"; DELETE, or drop_chunks() on both sides, instead of "
                         "TRUNCATE of a chunk.");
}

static bool has_relation(const PgoTruncate *truncate, uint32_t oid)
{
    for (uint32_t i = 0; i < truncate->relation_count; i++)
        if (pgo_truncate_relation(truncate, i) == oid)
            return true;
    return false;
}

bool chunks_truncated_whole(Relmap *relmap, const PgoTruncate *truncate, Err *err)
{
    const Leaf *whole = NULL; /* the chunks of one hypertable stand together */
    for (uint32_t i = 0; i < truncate->relation_count; i++) {
        const Leaf *leaf = relmap_chunk_of(relmap, pgo_truncate_relation(truncate, i));
        if (leaf == NULL || leaf == whole)
            continue;
        if (!has_relation(truncate, leaf->oid))
            return chunks_truncate_refused(leaf, err);
        whole = leaf;
    }
    return true;
}

/* --- answering: the pulse --- */

static bool is_over(Conn *conn, uint32_t xid, bool *over, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    *over = xid == 0;
    if (*over)
        return true;
    if (!pg_one(conn, SQL_CDC_OPEN, PARAMS(arena_int64(&arena, xid)), &rows, err))
        return false;
    *over = !rows_bool(rows, 0, 0);
    return true;
}

static ChunkAnswer judge(const Stream *stream, const Rows *rows, const Leaf **leaf)
{
    if (rows_count(rows) == 0)
        return CHUNK_GONE;
    *leaf = blueprint_chunked(stream->spec.blueprint, rows_oid(rows, 0, 0));
    if (*leaf != NULL)
        return CHUNK_IS;
    return rows_bool(rows, 0, 1) ? CHUNK_ALONG : CHUNK_OTHER;
}

/* Who asked may have gone away since, and the name's memory with him; by now somebody else may
 * ask about another relation. */
static ChunkQuestion look_at_question(Arena *arena, Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    ChunkQuestion question = stream->chunk;
    if (question.name.rel != NULL)
        question.name = (Name){arena_strdup(arena, question.name.schema),
                               arena_strdup(arena, question.name.rel)};
    pthread_mutex_unlock(&stream->mutex);
    return question;
}

/* One that is not there any more may have been merged into another: then its changes count.
 * \return false while the journal was not read yet */
static bool look_into_book(Stream *stream, const ChunkQuestion *question, ChunkAnswer *answer,
                           const Leaf **leaf)
{
    pthread_mutex_lock(&stream->mutex);
    bool read = !stream->watching || stream->watch.read || atomic_load(&stream->watch.failed);
    pthread_mutex_unlock(&stream->mutex);
    if (!read)
        return false;
    *leaf = book_find(stream, question->oid, &question->name);
    if (*leaf != NULL)
        *answer = CHUNK_IS;
    return true;
}

bool chunks_settle(Stream *stream, const ChunkQuestion *question, ChunkAnswer answer,
                   const Leaf *leaf)
{
    pthread_mutex_lock(&stream->mutex);
    bool stands = stream->chunk.answer == CHUNK_ASKED && stream->chunk.ticket == question->ticket;
    if (stands) {
        stream->chunk.answer = answer;
        stream->chunk.leaf = leaf;
        atomic_store(&stream->chunk_asked, false);
    }
    pthread_mutex_unlock(&stream->mutex);
    return stands;
}

bool chunks_answer(Stream *stream, Conn *conn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    bool over = false;
    ChunkQuestion question = look_at_question(&arena, stream);
    if (question.answer != CHUNK_ASKED)
        return true;
    if (!is_over(conn, question.xid, &over, err))
        return false;
    if (!over)
        return true;
    if (!pg_rows(conn, SQL_CDC_CHUNK,
                 PARAMS(arena_int64(&arena, question.oid), question.name.schema, question.name.rel),
                 &rows, err))
        return false;
    const Leaf *leaf = NULL;
    ChunkAnswer answer = judge(stream, rows, &leaf);
    if (answer == CHUNK_GONE && !look_into_book(stream, &question, &answer, &leaf))
        return true;
    (void)chunks_settle(stream, &question, answer, leaf);
    return true;
}
