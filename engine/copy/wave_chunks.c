/*
 * Chunks of a wave: one statement locks them, one query reads them.
 */
#include "copy/wave_chunks.h"

#include "copy/leaves.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

bool wave_chunks_lock(Conn *keeper, Leaf *const *leaves, size_t count, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < count; i++) {
        if (!leaves[i]->root->chunked)
            continue;
        str_append(&sql, sql.length == 0 ? "LOCK TABLE " : ", ");
        ddl_qname(&sql, keeper, &leaves[i]->source);
    }
    if (sql.length == 0)
        return true;
    str_append(&sql, " IN ROW SHARE MODE");
    return pg_none(keeper, sql.data, NO_PARAMS, err);
}

/* Rows of copy_chunks.sql: by oid. */
static bool is_published(const Rows *listed, uint32_t oid)
{
    size_t at = rows_place(listed, 1, oid);
    return at < rows_count(listed) && rows_oid(listed, at, 1) == oid && rows_bool(listed, at, 4);
}

/* \param listed NULL: all chunks are the wave's */
static void take_chunks(Arena *arena, const Rows *rows, const Rows *listed, size_t *row,
                        const Leaf *leaf, WaveLeaf *known)
{
    size_t first = *row;
    size_t taken = 0;
    while (*row < rows_count(rows) && rows_oid(rows, *row, 0) == leaf->oid)
        (*row)++;
    WaveChunk *chunks = arena_array(arena, WaveChunk, *row - first + 1);
    for (size_t r = first; r < *row; r++) {
        uint32_t oid = rows_oid(rows, r, 5);
        if (listed != NULL && !is_published(listed, oid))
            continue;
        chunks[taken++] = (WaveChunk){
            .oid = oid,
            .name = {arena_strdup(arena, rows_text(rows, r, 1)),
                     arena_strdup(arena, rows_text(rows, r, 2))},
            .bytes = (uint64_t)rows_int64(rows, r, 3),
        };
    }
    known->chunks = chunks;
    known->chunk_count = taken;
}

/* As the snapshot shows them, too. */
static bool read_listed(const Run *run, Conn *keeper, const char *oids, Rows **listed, Err *err)
{
    AUTO_STR Str names = {0};
    const Blueprint *blueprint = run->blueprint;
    if (blueprint->chunk_way != CHUNKS_BY_WATCH)
        return true;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const char *name = blueprint->publications[i].name;
        list_append(&names, name != NULL ? name : run->publication_name);
    }
    list_end(&names);
    return pg_rows(keeper, SQL_COPY_CHUNKS, PARAMS(oids, names.data), listed, err);
}

bool wave_chunks_read(Arena *arena, const Run *run, Conn *keeper, Leaf *const *leaves, size_t count,
                      WaveLeaf *known, bool *still, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *listed = NULL;
    AUTO_STR Str oids = {0};
    *still = true;
    for (size_t i = 0; i < count; i++)
        if (leaves[i]->root->chunked)
            str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',', leaves[i]->oid);
    if (oids.length == 0)
        return true;
    str_append(&oids, "}");
    if (!pg_rows(keeper, SQL_WAVE_CHUNKS, PARAMS(oids.data), &rows, err) ||
        !read_listed(run, keeper, oids.data, &listed, err))
        return err_context(err, "could not read the chunks inside the snapshot");
    for (size_t r = 0; r < rows_count(rows); r++)
        *still = *still && rows_bool(rows, r, 4);
    size_t row = 0;
    for (size_t i = 0; i < count; i++) /* both are in the order of the hypertables' oids */
        if (leaves[i]->root->chunked)
            take_chunks(arena, rows, listed, &row, leaves[i], &known[leaves[i]->index]);
    return true;
}

/* \param chunks of the wave; NULL: there are none */
static bool read_facts(Arena *arena, Conn *keeper, const char *chunks, const char **facts, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *facts = "[]";
    if (chunks == NULL)
        return true;
    if (!pg_one(keeper, SQL_COPY_CHUNK_FACTS, PARAMS(chunks), &rows, err))
        return err_context(err, "could not read what the chunks may hold");
    *facts = arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool wave_chunks_record(const Run *run, Conn *keeper, Conn *target, Leaf *const *leaves,
                        size_t count, const WaveLeaf *known, Lsn sync_lsn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str tables = {0};
    AUTO_STR Str chunks = {0};
    const char *facts = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!leaves[i]->root->chunked)
            continue;
        const WaveLeaf *wave = &known[leaves[i]->index];
        str_appendf(&tables, "%c%" PRIu32, tables.length == 0 ? '{' : ',', leaves[i]->oid);
        for (size_t c = 0; c < wave->chunk_count; c++)
            str_appendf(&chunks, "%c%" PRIu32, chunks.length == 0 ? '{' : ',', wave->chunks[c].oid);
    }
    if (tables.length == 0)
        return true;
    str_append(&tables, "}");
    str_append(&chunks, chunks.length == 0 ? "" : "}");
    bool watched = run->blueprint->chunk_way == CHUNKS_BY_WATCH;
    const char *id = arena_int64(&arena, run->journal.id);
    return read_facts(&arena, keeper, chunks.length == 0 ? NULL : chunks.data, &facts, err) &&
           pg_none(target, SQL_JOURNAL_CHUNKS_FORGET, PARAMS(id, tables.data), err) &&
           pg_none(target, SQL_JOURNAL_CHUNKS_ADD,
                   PARAMS(id, facts, watched ? lsn_text(sync_lsn).text : "0/0"), err);
}
