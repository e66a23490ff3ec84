/*
 * Watch, the rows of a batch: one COPY for each hypertable, and what the journal knows of it, in
 * one transaction.
 */
#include "cdc/chunk_book.h"

#include "copy/part.h"
#include "pg/copy_through.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

/* Those of one hypertable: they come in one COPY. */
typedef struct Together {
    const Leaf *leaf;
    const Name *names[WATCH_TOGETHER];
    size_t count;
} Together;

static bool copy_rows(WatchSession *session, const Together *chunks, int64_t *rows, Err *err)
{
    AUTO_STR Str from = {0};
    AUTO_STR Str into = {0};
    CopyThrough through = {0};
    part_chunks_sql(&from, session->reader, chunks->leaf, chunks->names, chunks->count);
    part_target_sql(&into, session->target, chunks->leaf, false);
    if (!copy_through(session->reader, from.data, session->target, into.data, &through, err))
        return err_context(err, "could not copy chunks of %s",
                           name_text(&err->arena, &chunks->leaf->source));
    *rows = through.rows;
    return true;
}

/* \param from the first of the batch of this hypertable */
static Together together(const WatchBatch *batch, size_t from)
{
    Together chunks = {.leaf = batch->items[from]->leaf};
    for (size_t i = from; i < batch->count; i++)
        if (batch->items[i]->leaf == chunks.leaf)
            chunks.names[chunks.count++] = &batch->items[i]->name;
    return chunks;
}

static bool is_first_of_its(const WatchBatch *batch, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (batch->items[i]->leaf == batch->items[at]->leaf)
            return false;
    return true;
}

static bool copy_all(WatchSession *session, const WatchBatch *batch, int64_t *rows, Err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!is_first_of_its(batch, i))
            continue;
        const Together chunks = together(batch, i);
        if (!copy_rows(session, &chunks, &rows[i], err))
            return false;
    }
    return true;
}

static const WatchItem *item_of(const WatchBatch *batch, uint32_t oid)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i]->oid == oid)
            return batch->items[i];
    BUG("a chunk was written down that is none of the batch");
}

static bool record(WatchSession *session, const WatchBatch *batch, const ChunkFacts *facts,
                   Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const StreamSpec *spec = &session->stream->spec;
    if (!pg_rows(session->target, SQL_JOURNAL_CHUNK_DONE,
                 PARAMS(arena_int64(&arena, spec->run_id), facts->json,
                        lsn_text(batch->position).text, arena_int64(&arena, spec->epoch)),
                 &rows, err))
        return false;
    if (rows_count(rows) != batch->count)
        return err_set(err, ERR_LOCKED, "another engine has taken this run");
    for (size_t r = 0; r < rows_count(rows); r++) {
        const WatchItem *item = item_of(batch, rows_oid(rows, r, 0));
        WatchChunk chunk = {.oid = item->oid,
                            .sync_lsn = batch->position,
                            .leaf = item->leaf,
                            .bounds = rows_text(rows, r, 1),
                            .name = item->name};
        watch_note(session->stream, &chunk);
    }
    return true;
}

static void tell(const WatchSession *session, const WatchBatch *batch, const int64_t *rows)
{
    const LogCtx *log = &session->stream->spec.log;
    LsnText position = lsn_text(batch->position);
    for (size_t i = 0; i < batch->count; i++) {
        const char *table = batch->items[i]->leaf->source.rel;
        size_t count = together(batch, i).count;
        if (!is_first_of_its(batch, i))
            continue;
        if (count == 1)
            log_info(log, "chunk %s of %s is taken in: %" PRId64 " rows, its changes from %s on",
                     batch->items[i]->name.rel, table, rows[i], position.text);
        else
            log_info(log,
                     "%zu chunks of %s are taken in: %" PRId64 " rows, their changes from %s on",
                     count, table, rows[i], position.text);
    }
}

/* Durable when it returns: what is copied stays known for as long as the stream lives. */
bool watch_copy(WatchSession *session, const WatchBatch *batch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    int64_t rows[WATCH_TOGETHER] = {0};
    ChunkFacts facts;
    if (!book_facts(&arena, session->reader, watch_oids(&arena, batch->items, batch->count), &facts,
                    err) ||
        !pg_script(session->target, "BEGIN; SET LOCAL synchronous_commit = local", err) ||
        !book_are_fresh(session, batch, &facts, err) || !copy_all(session, batch, rows, err) ||
        !record(session, batch, &facts, err) || !pg_commit(session->target, err))
        return false;
    tell(session, batch, rows);
    return true;
}
