/*
 * Journal: what the run knows of the source and does not take: partitions that went,
 * tables that are paused.
 */
#include "journal/journal.h"

#include "base/jsontext.h"
#include "sql_text.h"

bool journal_partitions(Arena *arena, Conn *target, int64_t run, JournalPartition **partitions,
                        size_t *count, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_PARTITIONS, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *count = rows_count(rows);
    *partitions = arena_array(arena, JournalPartition, *count + 1);
    for (size_t i = 0; i < *count; i++)
        (*partitions)[i] = (JournalPartition){
            .oid = rows_oid(rows, i, 0),
            .root = rows_oid(rows, i, 1),
            .source = {arena_strdup(arena, rows_text(rows, i, 2)),
                       arena_strdup(arena, rows_text(rows, i, 3))},
            .target = {arena_strdup(arena, rows_text(rows, i, 4)),
                       arena_strdup(arena, rows_text(rows, i, 5))},
            .bounds = arena_strdup(arena, rows_text(rows, i, 6)),
            .shared = rows_bool(rows, i, 7),
            .gone = rows_bool(rows, i, 8),
        };
    return true;
}

bool journal_partitions_know(Conn *target, int64_t run, const JournalPartition *partitions,
                             size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *array = json_array();
    if (count == 0) {
        json_decref(array);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const JournalPartition *one = &partitions[i];
        json_array_append_new(array, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s?, s:b}", "oid",
                                               (json_int_t)one->oid, "root", (json_int_t)one->root,
                                               "schema", one->source.schema, "rel", one->source.rel,
                                               "target_schema", one->target.schema, "target_rel",
                                               one->target.rel, "bounds", one->bounds, "shared",
                                               one->shared));
    }
    return pg_none(target, SQL_JOURNAL_PARTITIONS_KNOW,
                   PARAMS(arena_int64(&arena, run), jsontext_compact(&arena, array)), err);
}

bool journal_partitions_gone(Conn *target, int64_t run, const uint32_t *oids, size_t count,
                             Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char **texts = arena_array(&arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        texts[i] = arena_int64(&arena, oids[i]);
    return pg_none(target, SQL_JOURNAL_PARTITIONS_GONE,
                   PARAMS(arena_int64(&arena, run), jsontext_list(&arena, texts, count)), err);
}

bool journal_paused(Arena *arena, Conn *target, int64_t run, JournalPaused **paused, size_t *count,
                    Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_PAUSED, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *count = rows_count(rows);
    *paused = arena_array(arena, JournalPaused, *count + 1);
    for (size_t i = 0; i < *count; i++)
        (*paused)[i] = (JournalPaused){
            .source = {arena_strdup(arena, rows_text(rows, i, 0)),
                       arena_strdup(arena, rows_text(rows, i, 1))},
            .target = {arena_strdup(arena, rows_text(rows, i, 2)),
                       arena_strdup(arena, rows_text(rows, i, 3))},
            .oid = rows_oid(rows, i, 4),
            .why = arena_strdup(arena, rows_text(rows, i, 5)),
            .remedy = arena_strdup(arena, rows_text(rows, i, 6)),
            .since = arena_strdup(arena, rows_text(rows, i, 7)),
        };
    return true;
}

bool journal_pause(Conn *target, int64_t run, const JournalPaused *paused, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_PAUSE,
                   PARAMS(arena_int64(&arena, run), paused->source.schema, paused->source.rel,
                          paused->target.schema, paused->target.rel,
                          arena_int64(&arena, paused->oid), paused->why, paused->remedy),
                   err);
}

bool journal_resume(Conn *target, int64_t run, const Name *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_RESUME,
                   PARAMS(arena_int64(&arena, run), source->schema, source->rel), err);
}
