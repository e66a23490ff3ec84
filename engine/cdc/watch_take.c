/*
 * Watch, one chunk: the order is all. The lock, the publication, the snapshot with its position,
 * the commit; then what was committed before must be applied, and only then the rows come.
 */
#include "cdc/chunk_book.h"

#include "base/clock.h"
#include "cdc/mark.h"
#include "copy/part.h"
#include "pg/copy.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

#define WATCH_PIECE_BYTES   ((size_t)64 * 1024)
#define WATCH_POLL_MS       5
#define TELL_EVERY_MS       30000
#define LISTS_COLUMNS_SINCE 150000

static bool over(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

/* --- published, under a lock --- */

static bool lock(Conn *conn, const Name *name, const char *mode, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "LOCK TABLE ONLY ");
    ddl_qname(&sql, conn, name);
    str_appendf(&sql, " IN %s MODE", mode);
    return pg_none(conn, sql.data, NO_PARAMS, err);
}

/* Published without one, the application's own UPDATE would fail from the commit on. */
static bool has_identity(WatchSession *session, const WatchItem *item, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const PlanReplication *plan = &session->stream->spec.blueprint->plan->replication;
    if ((plan->publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) == 0)
        return true;
    if (!pg_rows(session->publisher, SQL_COPY_UNIDENTIFIED,
                 PARAMS(arena_printf(&arena, "{%" PRIu32 "}", item->oid)), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    err_set(err, ERR_RUN, "chunk %s has no replica identity", name_text(&err->arena, &item->name));
    err_detail(err, "Published as it is, its own UPDATE and DELETE would fail on the source.");
    return err_hint(err,
                    "Give it one as %s has: ALTER TABLE ... REPLICA IDENTITY; then apply again.",
                    name_text(&err->arena, &item->leaf->source));
}

static void add_sql(Str *sql, const WatchSession *session, const WatchItem *item)
{
    const Conn *conn = session->publisher;
    const Relation *relation = item->leaf->root;
    str_append(sql, "ALTER PUBLICATION ");
    ddl_ident(sql, conn, session->stream->spec.chunk_publications[relation->index]);
    str_append(sql, " ADD TABLE ONLY ");
    ddl_qname(sql, conn, &item->name);
    bool lists = relation->list != NULL && conn_version(conn) >= LISTS_COLUMNS_SINCE;
    for (size_t i = 0; lists && i < relation->column_count; i++) {
        str_append(sql, i == 0 ? " (" : ", ");
        ddl_ident(sql, conn, relation->columns[i].name);
    }
    str_append(sql, lists ? ")" : "");
}

static bool add(WatchSession *session, const WatchItem *item, Err *err)
{
    AUTO_STR Str sql = {0};
    if (!has_identity(session, item, err))
        return false;
    add_sql(&sql, session, item);
    return pg_none(session->publisher, sql.data, NO_PARAMS, err);
}

/* For the session that has the fence's locks: they keep everybody else from it. */
static bool leave_to_fence(WatchSession *session, const WatchItem *item, Err *err)
{
    AUTO_STR Str sql = {0};
    Stream *stream = session->stream;
    if (!has_identity(session, item, err))
        return false;
    add_sql(&sql, session, item);
    pthread_mutex_lock(&stream->mutex);
    *vec_push(&stream->watch.arena, &stream->watch.unpublished) =
        str_dup(&stream->watch.arena, &sql);
    pthread_mutex_unlock(&stream->mutex);
    return true;
}

/* The first statement takes the snapshot: what lies below the position and has ended is in it. */
static bool begin_reading(WatchSession *session, const WatchItem *item, Lsn *position, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_begin(session->reader, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
        !pg_one(session->reader, "SELECT pg_catalog.pg_current_wal_insert_lsn()", NO_PARAMS, &rows,
                err))
        return false;
    *position = rows_lsn(rows, 0, 0);
    return lock(session->reader, &item->name, "ROW SHARE", err);
}

/* The heartbeat comes through the stream behind the position: then all below it is applied. */
static bool publish(WatchSession *session, const WatchItem *item, Lsn *position, Err *err)
{
    Lsn ignored = 0;
    return (item->listed || add(session, item, err)) &&
           begin_reading(session, item, position, err) &&
           mark_emit(session->publisher, session->stream->spec.run_mark, NULL, &ignored, err) &&
           pg_commit(session->publisher, err);
}

static bool lock_out(WatchSession *session, const WatchItem *item, Err *err)
{
    return pg_begin(session->publisher, NULL, err) &&
           lock(session->publisher, &item->name, "SHARE ROW EXCLUSIVE", err);
}

static bool is_gone(const Err *err)
{
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0;
}

static bool is_held(const Err *err)
{
    return strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

/* Our own fence's locks stand: nobody can write, and nothing can be published. */
static bool is_locked_by_us(const WatchSession *session, bool still)
{
    return still && session->stream->spec.blueprint->plan->cutover.method == PLAN_STOP_LOCK;
}

/* \param position 0: it is taken, or must wait, as `taken` says */
static bool open_chunk(WatchSession *session, const WatchItem *item, bool still, Lsn *position,
                       WatchTaken *taken, Err *err)
{
    AUTO_ERR Err refused = {0};
    *position = 0;
    if (is_locked_by_us(session, still))
        return (item->listed || leave_to_fence(session, item, err)) &&
               begin_reading(session, item, position, err);
    if (lock_out(session, item, &refused))
        return publish(session, item, position, err);
    pg_rollback(session->publisher);
    *taken = WATCH_TAKEN;
    if (is_gone(&refused))
        return true;
    *taken = WATCH_LATER;
    if (!is_held(&refused))
        return err_move(err, &refused);
    if (clock_ms() - session->told_ms > TELL_EVERY_MS) {
        session->told_ms = clock_ms();
        log_warn(&session->stream->spec.log,
                 "chunk %s cannot be taken in yet, somebody holds it: %s", item->name.rel,
                 refused.message);
    }
    return true;
}

/* --- what was committed before is applied --- */

typedef enum Before { BEFORE_OPEN, BEFORE_APPLIED, BEFORE_PUT_OFF } Before;

/* Apply that waits for a chunk has applied all before: of this one, or of another that would
 * otherwise wait for this one's end. */
static Before look_before(Stream *stream, uint32_t oid, Lsn position)
{
    pthread_mutex_lock(&stream->mutex);
    bool applied = stream->covered >= position ||
                   (stream->watch.wanted != 0 && stream->watch.wanted_lsn >= position);
    bool other = stream->watch.wanted != oid && watch_is_wanted(&stream->watch);
    pthread_mutex_unlock(&stream->mutex);
    return applied ? BEFORE_APPLIED : other ? BEFORE_PUT_OFF : BEFORE_OPEN;
}

static bool wait_before(Stream *stream, uint32_t oid, Lsn position, Before *before, Err *err)
{
    atomic_fetch_add(&stream->waiters, 1);
    *before = look_before(stream, oid, position);
    bool ok = true;
    while (ok && *before == BEFORE_OPEN) {
        ok = over(stream)
                 ? err_set(err, ERR_RUN, "the stream ends")
                 : stop_sleep(&stream->stop, WATCH_POLL_MS) || stop_error(&stream->stop, err);
        *before = look_before(stream, oid, position);
    }
    atomic_fetch_sub(&stream->waiters, 1);
    return ok;
}

/* --- its rows --- */

static bool pass_rows(Conn *source, Conn *target, char *piece, Err *err)
{
    for (;;) {
        size_t bytes = 0;
        if (!copy_out_read(source, piece, WATCH_PIECE_BYTES, &bytes, err))
            return false;
        if (bytes == 0)
            return true;
        if (!copy_in_write(target, piece, bytes, err))
            return false;
    }
}

static bool end_copies(const WatchItem *item, Conn *source, Conn *target, int64_t *rows, Err *err)
{
    int64_t read = 0;
    if (!copy_out_end(source, &read, err)) {
        copy_in_abort(target, "the source's rows could not be read to their end", err);
        return false;
    }
    if (!copy_in_end(target, rows, err))
        return false;
    return read == *rows || err_set(err, ERR_ROW_COUNT,
                                    "%s: %" PRId64 " rows were read from the source, %" PRId64
                                    " written to the target",
                                    name_text(&err->arena, &item->name), read, *rows);
}

static bool copy_rows(WatchSession *session, const WatchItem *item, int64_t *rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str from = {0};
    AUTO_STR Str into = {0};
    char *piece = arena_alloc(&arena, WATCH_PIECE_BYTES);
    const PartRange range = {.by = PART_BY_NONE, .chunk = &item->name};
    part_source_sql(&from, session->reader, item->leaf, &range);
    part_target_sql(&into, session->target, item->leaf, false);
    if (!copy_out_begin(session->reader, from.data, err))
        return false;
    if (!copy_in_begin(session->target, into.data, err)) {
        copy_out_abort(session->reader);
        return false;
    }
    if (!pass_rows(session->reader, session->target, piece, err)) {
        copy_in_abort(session->target, "the source's rows could not be read to their end", err);
        copy_out_abort(session->reader);
        return false;
    }
    return end_copies(item, session->reader, session->target, rows, err);
}

static bool record(WatchSession *session, const WatchItem *item, const ChunkFacts *facts,
                   Lsn position, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const StreamSpec *spec = &session->stream->spec;
    if (!pg_rows(session->target, SQL_JOURNAL_CHUNK_DONE,
                 PARAMS(arena_int64(&arena, spec->run_id), facts->json, lsn_text(position).text,
                        arena_int64(&arena, spec->epoch)),
                 &rows, err))
        return false;
    if (rows_count(rows) != 1)
        return err_set(err, ERR_LOCKED, "another engine has taken this run");
    WatchChunk chunk = {.oid = item->oid,
                        .sync_lsn = position,
                        .leaf = item->leaf,
                        .bounds = rows_text(rows, 0, 1),
                        .name = item->name};
    watch_note(session->stream, &chunk);
    return true;
}

/* Durable when it returns: what is copied stays known for as long as the stream lives. */
static bool copy_chunk(WatchSession *session, const WatchItem *item, Lsn position, int64_t *rows,
                       Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str oid = {0};
    ChunkFacts facts;
    str_appendf(&oid, "{%" PRIu32 "}", item->oid);
    return book_facts(&arena, session->reader, oid.data, &facts, err) &&
           pg_script(session->target, "BEGIN; SET LOCAL synchronous_commit = local", err) &&
           book_is_fresh(session, item, &facts, err) && copy_rows(session, item, rows, err) &&
           record(session, item, &facts, position, err) && pg_commit(session->target, err);
}

bool watch_take(WatchSession *session, const WatchItem *item, bool still, WatchTaken *taken,
                Err *err)
{
    Stream *stream = session->stream;
    Lsn position = 0;
    int64_t rows = 0;
    Before before = BEFORE_OPEN;
    if (!open_chunk(session, item, still, &position, taken, err))
        return err_context(err, "taking in chunk %s", name_text(&err->arena, &item->name));
    if (position == 0)
        return true;
    watch_note(stream, &(WatchChunk){.oid = item->oid, .sync_lsn = position});
    *taken = WATCH_PUT_OFF;
    bool ok = wait_before(stream, item->oid, position, &before, err);
    if (ok && before == BEFORE_APPLIED) {
        *taken = WATCH_TAKEN;
        ok = copy_chunk(session, item, position, &rows, err);
    }
    pg_rollback(session->reader); /* it only read */
    if (!ok)
        return err_context(err, "taking in chunk %s", name_text(&err->arena, &item->name));
    if (before != BEFORE_APPLIED)
        return true;
    watch_note(
        stream,
        &(WatchChunk){.oid = item->oid, .sync_lsn = position, .copied = true, .leaf = item->leaf});
    log_info(&stream->spec.log,
             "chunk %s of %s is taken in: %" PRId64 " rows, its changes from %s on", item->name.rel,
             item->leaf->source.rel, rows, lsn_text(position).text);
    return true;
}
