/*
 * Journal: leaves, waves, parts and lanes.
 */
#include "journal/journal.h"

#include "base/jsontext.h"
#include "sql_text.h"

bool journal_leaves(Arena *arena, Conn *target, int64_t run, JournalLeaf **leaves, size_t *count,
                    Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_LEAVES, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *count = rows_count(rows);
    *leaves = arena_array(arena, JournalLeaf, *count);
    for (size_t i = 0; i < *count; i++) {
        JournalLeaf *leaf = &(*leaves)[i];
        leaf->source.schema = arena_strdup(arena, rows_text(rows, i, 0));
        leaf->source.rel = arena_strdup(arena, rows_text(rows, i, 1));
        leaf->state = rows_char(rows, i, 2);
        leaf->wave = rows_int64(rows, i, 3);
        leaf->sync_lsn = rows_lsn(rows, i, 4);
        leaf->rows = rows_int64(rows, i, 5);
        leaf->bytes = rows_int64(rows, i, 6);
        leaf->published = arena_strdup(arena, rows_text(rows, i, 7));
    }
    return true;
}

/* Names as one JSON array: a wave is opened by one statement, however many leaves it has. */
static char *names_json(Arena *arena, const Name *names, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_pack("{s:s, s:s}", "schema", names[i].schema, "rel", names[i].rel));
    return jsontext_compact(arena, array);
}

static bool wave_open(Arena *arena, Conn *target, int64_t run, const char *leaves, Lsn sync_lsn,
                      int64_t *wave, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *id = arena_int64(arena, run);
    if (!pg_one(target, SQL_JOURNAL_WAVE_NEXT, PARAMS(id), &rows, err))
        return false;
    *wave = rows_int64(rows, 0, 0);
    return pg_none(
        target, SQL_JOURNAL_WAVE_OPEN,
        PARAMS(id, arena_int64(arena, *wave), arena_strdup(arena, lsn_text(sync_lsn).text), leaves),
        err);
}

bool journal_wave_open(Conn *target, int64_t run, const Name *leaves, size_t count, Lsn sync_lsn,
                       int64_t *wave, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (!pg_begin(target, NULL, err))
        return false;
    if (!wave_open(&arena, target, run, names_json(&arena, leaves, count), sync_lsn, wave, err)) {
        pg_rollback(target);
        return false;
    }
    return pg_commit(target, err);
}

bool journal_leaves_published(Conn *target, int64_t run, const Name *leaves,
                              const char *const *published, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s?}", "schema", leaves[i].schema,
                                               "rel", leaves[i].rel, "published", published[i]));
    return pg_none(target, SQL_JOURNAL_LEAVES_PUBLISHED,
                   PARAMS(arena_int64(&arena, run), jsontext_compact(&arena, array)), err);
}

bool journal_leaves_stream(Conn *target, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_LEAVES_STREAM, PARAMS(arena_int64(&arena, run)), err);
}

bool journal_leaves_again(Conn *target, int64_t run, const Name *leaves, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_LEAVES_AGAIN,
                   PARAMS(arena_int64(&arena, run), names_json(&arena, leaves, count)), err);
}

bool journal_leaves_gone(Conn *target, int64_t run, const Name *leaves, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_LEAVES_GONE,
                   PARAMS(arena_int64(&arena, run), names_json(&arena, leaves, count)), err);
}

bool journal_replicating(Conn *target, int64_t run, bool *replicating, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_REPLICATING, PARAMS(arena_int64(&arena, run)), &rows, err))
        return false;
    *replicating = rows_bool(rows, 0, 0);
    return true;
}

bool journal_part_done(Conn *target, int64_t run, const Name *leaf, int64_t wave, int part,
                       const char *range, int64_t rows_read, int64_t rows_written, int64_t bytes,
                       Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_PART_DONE,
                   PARAMS(arena_int64(&arena, run), leaf->schema, leaf->rel,
                          arena_int64(&arena, wave), arena_int64(&arena, part), range,
                          arena_int64(&arena, rows_read), arena_int64(&arena, rows_written),
                          arena_int64(&arena, bytes)),
                   err);
}

bool journal_leaf_state(Conn *target, int64_t run, const Name *leaf, char state, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char letter[2] = {state, '\0'};
    return pg_none(target, SQL_JOURNAL_LEAF_STATE,
                   PARAMS(arena_int64(&arena, run), leaf->schema, leaf->rel, letter), err);
}

bool journal_leaf_copied(Conn *target, int64_t run, const Name *leaf, int64_t wave, size_t parts,
                         Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_LEAF_COPIED,
                PARAMS(arena_int64(&arena, run), leaf->schema, leaf->rel, arena_int64(&arena, wave),
                       arena_int64(&arena, (int64_t)parts)),
                &rows, err))
        return false;
    if (rows_bool(rows, 0, 0))
        return true;
    return err_set(err, ERR_LOST, "parts of %s did not survive a crash of the target",
                   name_text(&arena, leaf));
}

bool journal_lane_create(Conn *target, int64_t run, int lane, Lsn start, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(
        target, SQL_JOURNAL_LANE_CREATE,
        PARAMS(arena_int64(&arena, run), arena_int64(&arena, lane), lsn_text(start).text), err);
}

bool journal_lane_place(Conn *target, int64_t run, Lsn position, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_LANE_PLACE,
                   PARAMS(arena_int64(&arena, run), lsn_text(position).text), err);
}

bool journal_lanes_read(Arena *arena, Conn *target, int64_t run, JournalLane **lanes, size_t *count,
                        const char **routing, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_LANES_READ, PARAMS(arena_int64(arena, run)), &rows, err))
        return err_context(err, "could not read the applied positions");
    *count = rows_count(rows);
    *lanes = arena_array(arena, JournalLane, *count + 1);
    *routing = NULL;
    for (size_t i = 0; i < *count; i++) {
        (*lanes)[i] = (JournalLane){
            .id = (int)rows_int64(rows, i, 0),
            .applied = rows_lsn(rows, i, 1),
            .commit_unix_us = rows_int64(rows, i, 2),
            .epoch = rows_int64(rows, i, 3),
            .transactions = rows_int64(rows, i, 4),
            .changes = rows_int64(rows, i, 5),
        };
        if (i == 0 && rows_text(rows, i, 6) != NULL)
            *routing = arena_strdup(arena, rows_text(rows, i, 6));
    }
    return true;
}

bool journal_lanes_set(Conn *target, int64_t run, int64_t epoch, Lsn position, unsigned count,
                       const char *routing, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_LANES_SET,
                PARAMS(arena_int64(&arena, run), arena_int64(&arena, epoch),
                       arena_strdup(&arena, lsn_text(position).text), arena_int64(&arena, count),
                       routing),
                &rows, err))
        return false;
    return rows_int64(rows, 0, 0) == 1 ||
           err_set(err, ERR_LOCKED, "another engine moves this run's position");
}

bool journal_take_epoch(Conn *target, int64_t run, int64_t *epoch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_EPOCH_TAKE, PARAMS(arena_int64(&arena, run)), &rows, err))
        return false;
    *epoch = rows_int64(rows, 0, 0);
    return true;
}
