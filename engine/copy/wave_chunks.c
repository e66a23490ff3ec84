/*
 * Chunks of a wave: one statement locks them, one query reads them.
 */
#include "copy/wave_chunks.h"

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

static void take_chunks(Arena *arena, const Rows *rows, size_t *row, const Leaf *leaf,
                        WaveLeaf *known)
{
    size_t first = *row;
    while (*row < rows_count(rows) && rows_oid(rows, *row, 0) == leaf->oid)
        (*row)++;
    WaveChunk *chunks = arena_array(arena, WaveChunk, *row - first);
    for (size_t r = first; r < *row; r++)
        chunks[r - first] = (WaveChunk){
            .name = {arena_strdup(arena, rows_text(rows, r, 1)),
                     arena_strdup(arena, rows_text(rows, r, 2))},
            .bytes = (uint64_t)rows_int64(rows, r, 3),
        };
    known->chunks = chunks;
    known->chunk_count = *row - first;
}

bool wave_chunks_read(Arena *arena, Conn *keeper, Leaf *const *leaves, size_t count,
                      WaveLeaf *known, bool *still, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str oids = {0};
    *still = true;
    for (size_t i = 0; i < count; i++)
        if (leaves[i]->root->chunked)
            str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',', leaves[i]->oid);
    if (oids.length == 0)
        return true;
    str_append(&oids, "}");
    if (!pg_rows(keeper, SQL_WAVE_CHUNKS, PARAMS(oids.data), &rows, err))
        return err_context(err, "could not read the chunks inside the snapshot");
    for (size_t r = 0; r < rows_count(rows); r++)
        *still = *still && rows_bool(rows, r, 4);
    size_t row = 0;
    for (size_t i = 0; i < count; i++) /* both are in the order of the hypertables' oids */
        if (leaves[i]->root->chunked)
            take_chunks(arena, rows, &row, leaves[i], &known[leaves[i]->index]);
    return true;
}
