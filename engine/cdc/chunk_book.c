/*
 * Chunk book: the source says what chunks are, the journal keeps it and compares.
 */
#include "cdc/chunk_book.h"

#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

/* --- facts --- */

bool book_facts(Arena *arena, Conn *source, const char *oids, ChunkFacts *facts, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(source, SQL_COPY_CHUNK_FACTS, PARAMS(oids), &rows, err))
        return err_context(err, "reading what chunks of the source may hold");
    facts->json = arena_strdup(arena, rows_text(rows, 0, 0));
    facts->there = arena_strdup(arena, rows_text(rows, 0, 1));
    return true;
}

static const char *one(Arena *arena, uint32_t oid)
{
    return arena_printf(arena, "{%" PRIu32 "}", oid);
}

/* --- what is known --- */

bool book_read(WatchSession *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    Stream *stream = session->stream;
    if (!pg_rows(session->target, SQL_JOURNAL_CHUNKS,
                 PARAMS(arena_int64(&arena, stream->spec.run_id)), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        WatchChunk chunk = {
            .oid = rows_oid(rows, r, 0),
            .sync_lsn = rows_lsn(rows, r, 1),
            .copied = true,
            .leaf = blueprint_chunked(stream->spec.blueprint, rows_oid(rows, r, 2)),
            .bounds = rows_text(rows, r, 3),
            .name = {rows_text(rows, r, 4), rows_text(rows, r, 5)},
        };
        watch_note(stream, &chunk);
    }
    pthread_mutex_lock(&stream->mutex);
    stream->watch.read = true;
    pthread_mutex_unlock(&stream->mutex);
    return true;
}

static bool is_named(const WatchChunk *chunk, const Name *name)
{
    return chunk->name.rel != NULL && name_equal(&chunk->name, name);
}

const Leaf *book_find(Stream *stream, uint32_t oid, const Name *name)
{
    WatchChunk known = {0};
    if (oid != 0)
        return watch_look_up(stream, oid, &known) ? known.leaf : NULL;
    const Leaf *leaf = NULL;
    pthread_mutex_lock(&stream->mutex);
    for (size_t i = 0; leaf == NULL && i < stream->watch.chunks.count; i++)
        if (is_named(&stream->watch.chunks.items[i], name))
            leaf = stream->watch.chunks.items[i].leaf;
    pthread_mutex_unlock(&stream->mutex);
    return leaf;
}

bool book_add(WatchSession *session, const WatchItem *items, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str oids = {0};
    ChunkFacts facts;
    Stream *stream = session->stream;
    for (size_t i = 0; i < count; i++)
        str_appendf(&oids, "%c%" PRIu32, i == 0 ? '{' : ',', items[i].oid);
    if (count == 0)
        return true;
    str_append(&oids, "}");
    if (!book_facts(&arena, session->publisher, oids.data, &facts, err) ||
        !pg_none(session->target, SQL_JOURNAL_CHUNKS_ADD,
                 PARAMS(arena_int64(&arena, stream->spec.run_id), facts.json, "0/0"), err))
        return false;
    for (size_t i = 0; i < count; i++) {
        WatchChunk chunk = {.oid = items[i].oid,
                            .copied = true,
                            .leaf = items[i].leaf,
                            .bounds = items[i].bounds,
                            .name = items[i].name};
        watch_note(stream, &chunk);
    }
    return true;
}

/* --- merged, split --- */

static bool stale(const WatchItem *item, const char *what, Err *err)
{
    const char *table = name_text(&err->arena, &item->leaf->source);
    err_set(err, ERR_STALE, "chunk %s of %s %s", name_text(&err->arena, &item->name), table, what);
    err_detail(err, "merge_chunks(), split_chunk() and compression that merges chunks move rows "
                    "between chunks, and the stream tells nothing of it.");
    return err_hint(err, "\"godwit resync\" of %s copies it anew.", table);
}

/* Where the stream brings a chunk from its first row nothing follows from a split. */
bool book_moved(WatchSession *session, const WatchItem *item, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    ChunkFacts facts;
    Stream *stream = session->stream;
    const char *run = arena_int64(&arena, stream->spec.run_id);
    if (!book_facts(&arena, session->publisher, one(&arena, item->oid), &facts, err) ||
        !pg_rows(session->target, SQL_JOURNAL_CHUNK_MOVED,
                 PARAMS(run, facts.json, facts.there,
                        stream->spec.chunk_publications == NULL ? "true" : "false"),
                 &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return stale(item,
                     "was merged with one that was not known yet, or split: some of its rows would "
                     "be lost or come twice",
                     err);
    WatchChunk chunk = {0};
    (void)watch_look_up(stream, item->oid, &chunk);
    chunk.bounds = rows_text(rows, 0, 1);
    watch_note(stream, &chunk);
    log_info(&stream->spec.log, "chunk %s of %s was merged with known ones, or split",
             item->name.rel, item->leaf->source.rel);
    return true;
}

/* --- fresh --- */

/* The column whose ranges make chunks; NULL: it is put through a function. */
static const char *range_column(const WatchSession *session, const Leaf *leaf)
{
    size_t count = 0;
    const CatDimension *dimensions =
        catalog_dimensions(session->stream->spec.blueprint->source, &leaf->source, &count);
    bool plain = count == 1 && dimensions[0].partition_func.rel == NULL;
    return plain ? dimensions[0].column_name : NULL;
}

static void limits_sql(Str *sql, Conn *conn, const WatchItem *item, const char *column)
{
    str_append(sql, "SELECT pg_catalog.min(");
    ddl_ident(sql, conn, column);
    str_append(sql, "), pg_catalog.max(");
    ddl_ident(sql, conn, column);
    str_append(sql, ") FROM ");
    ddl_qname(sql, conn, &item->name);
}

static void within_sql(Str *sql, Conn *conn, const WatchItem *item, const char *column,
                       const Rows *limits)
{
    str_append(sql, "SELECT FROM ");
    ddl_qname(sql, conn, &item->leaf->root->target);
    str_append(sql, " WHERE ");
    ddl_ident(sql, conn, column);
    str_append(sql, " BETWEEN ");
    ddl_literal(sql, conn, rows_text(limits, 0, 0));
    str_append(sql, " AND ");
    ddl_literal(sql, conn, rows_text(limits, 0, 1));
    str_append(sql, " LIMIT 1");
}

/* \param there whether the target has rows between the chunk's first and last one */
static bool has_rows(WatchSession *session, const WatchItem *item, bool *there, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_STR Str within = {0};
    AUTO_ROWS Rows *limits = NULL;
    AUTO_ROWS Rows *rows = NULL;
    const char *column = range_column(session, item->leaf);
    *there = false;
    if (column == NULL)
        return true;
    limits_sql(&sql, session->reader, item, column);
    if (!pg_one(session->reader, sql.data, NO_PARAMS, &limits, err))
        return false;
    if (rows_text(limits, 0, 0) == NULL)
        return true;
    within_sql(&within, session->target, item, column, limits);
    if (!pg_rows(session->target, within.data, NO_PARAMS, &rows, err))
        return false;
    *there = rows_count(rows) > 0;
    return true;
}

static bool is_fresh(WatchSession *session, const WatchItem *item, const ChunkFacts *facts,
                     Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *clash = NULL;
    bool there = false;
    const char *run = arena_int64(&arena, session->stream->spec.run_id);
    if (!pg_rows(session->target, SQL_JOURNAL_CHUNK_CLASH, PARAMS(run, facts->json, facts->there),
                 &clash, err) ||
        (rows_count(clash) > 0 && !has_rows(session, item, &there, err)))
        return false;
    if (!there)
        return true;
    Name before = {rows_text(clash, 0, 0), rows_text(clash, 0, 1)};
    return stale(item,
                 arena_printf(&arena,
                              "stands where %s was, which is copied and not there any more: its "
                              "rows are on the target, and some would come twice",
                              name_text(&arena, &before)),
                 err);
}

/* Hardly ever one stands in another's place: one question for all, then one for each. */
bool book_are_fresh(WatchSession *session, const WatchBatch *batch, const ChunkFacts *facts,
                    Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *clash = NULL;
    const char *run = arena_int64(&arena, session->stream->spec.run_id);
    if (!pg_rows(session->target, SQL_JOURNAL_CHUNK_CLASH, PARAMS(run, facts->json, facts->there),
                 &clash, err))
        return false;
    for (size_t i = 0; rows_count(clash) > 0 && i < batch->count; i++) {
        ChunkFacts own;
        const WatchItem *item = batch->items[i];
        if (!book_facts(&arena, session->reader, one(&arena, item->oid), &own, err) ||
            !is_fresh(session, item, &own, err))
            return false;
    }
    return true;
}
