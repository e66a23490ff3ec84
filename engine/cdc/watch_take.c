/*
 * Watch, taking in: the order is all. The locks, the publication, the snapshot with its position,
 * the commit; then what was committed before must be applied, and only then the rows come.
 *
 * Who waits for a lock holds none, and who holds some does not wait: a writer that is at several
 * chunks never stands behind us for longer than one lock is waited for, and never in a circle.
 */
#include "cdc/watch_take.h"

#include "base/clock.h"
#include "cdc/mark.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

#define WATCH_POLL_MS       5
#define TELL_EVERY_MS       30000
#define LISTS_COLUMNS_SINCE 150000
/* What goes in one transaction of the target, and keeps its locks that long; one at least. */
#define WATCH_TOGETHER_BYTES (INT64_C(64) * 1024 * 1024)

static bool over(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

char *watch_oids(Arena *arena, WatchItem *const *items, size_t count)
{
    AUTO_STR Str oids = {0};
    for (size_t i = 0; i < count; i++)
        str_appendf(&oids, "%c%" PRIu32, i == 0 ? '{' : ',', items[i]->oid);
    str_append(&oids, count == 0 ? "{}" : "}");
    return str_dup(arena, &oids);
}

/* --- published, under locks --- */

/* \param how the mode, and what else */
static bool lock(Conn *conn, const WatchBatch *batch, const char *how, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < batch->count; i++) {
        str_append(&sql, i == 0 ? "LOCK TABLE ONLY " : ", ONLY ");
        ddl_qname(&sql, conn, &batch->items[i]->name);
    }
    str_appendf(&sql, " IN %s", how);
    return pg_none(conn, sql.data, NO_PARAMS, err);
}

static const Leaf *leaf_of(const WatchBatch *batch, const char *schema, const char *rel)
{
    for (size_t i = 0; i < batch->count; i++) {
        const WatchItem *item = batch->items[i];
        if (strcmp(item->name.rel, rel) == 0 && strcmp(item->name.schema, schema) == 0)
            return item->leaf;
    }
    BUG("a chunk came back that was not asked for");
}

/* Published without one, the application's own UPDATE would fail from the commit on. */
static bool have_identity(WatchSession *session, const WatchBatch *batch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const PlanReplication *plan = &session->stream->spec.blueprint->plan->replication;
    if ((plan->publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) == 0)
        return true;
    if (!pg_rows(session->publisher, SQL_COPY_UNIDENTIFIED,
                 PARAMS(watch_oids(&arena, batch->items, batch->count)), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    const Name name = {arena_strdup(&arena, rows_text(rows, 0, 0)),
                       arena_strdup(&arena, rows_text(rows, 0, 1))};
    const Leaf *leaf = leaf_of(batch, name.schema, name.rel);
    err_set(err, ERR_RUN, "chunk %s has no replica identity", name_text(&err->arena, &name));
    err_detail(err, "Published as it is, its own UPDATE and DELETE would fail on the source.");
    return err_hint(err,
                    "Give it one as %s has: ALTER TABLE ... REPLICA IDENTITY; then apply again.",
                    name_text(&err->arena, &leaf->source));
}

static const char *publication_of(const WatchSession *session, const WatchItem *item)
{
    return session->stream->spec.chunk_publications[item->leaf->root->index];
}

static void add_table(Str *sql, const Conn *conn, const WatchItem *item)
{
    const Relation *relation = item->leaf->root;
    str_append(sql, "TABLE ONLY ");
    ddl_qname(sql, conn, &item->name);
    bool lists = relation->list != NULL && conn_version(conn) >= LISTS_COLUMNS_SINCE;
    for (size_t i = 0; lists && i < relation->column_count; i++) {
        str_append(sql, i == 0 ? " (" : ", ");
        ddl_ident(sql, conn, relation->columns[i].name);
    }
    str_append(sql, lists ? ")" : "");
}

/* Of one publication: those of the batch that it is to list, from `from` on; nothing when they are
 * an earlier one's, or listed. */
static void add_sql(Str *sql, const WatchSession *session, const WatchBatch *batch, size_t from)
{
    const Conn *conn = session->publisher;
    const char *publication = publication_of(session, batch->items[from]);
    for (size_t i = 0; i < from; i++)
        if (!batch->items[i]->listed &&
            text_equal(publication_of(session, batch->items[i]), publication))
            return;
    for (size_t i = from; i < batch->count; i++) {
        const WatchItem *item = batch->items[i];
        if (item->listed || !text_equal(publication_of(session, item), publication))
            continue;
        if (sql->length == 0) {
            str_append(sql, "ALTER PUBLICATION ");
            ddl_ident(sql, conn, publication);
            str_append(sql, " ADD ");
        } else {
            str_append(sql, ", ");
        }
        add_table(sql, conn, item);
    }
}

/* For the session that has the fence's locks: they keep everybody else from it. */
static void leave_to_fence(WatchSession *session, const Str *sql)
{
    Stream *stream = session->stream;
    pthread_mutex_lock(&stream->mutex);
    *vec_push(&stream->watch.arena, &stream->watch.unpublished) =
        str_dup(&stream->watch.arena, sql);
    pthread_mutex_unlock(&stream->mutex);
}

/* \param later by the fence's session */
static bool add(WatchSession *session, const WatchBatch *batch, bool later, Err *err)
{
    if (!have_identity(session, batch, err))
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        AUTO_STR Str sql = {0};
        if (!batch->items[i]->listed)
            add_sql(&sql, session, batch, i);
        if (sql.length > 0 && later)
            leave_to_fence(session, &sql);
        else if (sql.length > 0 && !pg_none(session->publisher, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

/* The first statement takes the snapshot: what lies below the position and has ended is in it. */
static bool begin_reading(WatchSession *session, const WatchBatch *batch, Lsn *position, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_begin(session->reader, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
        !pg_one(session->reader, "SELECT pg_catalog.pg_current_wal_insert_lsn()", NO_PARAMS, &rows,
                err))
        return false;
    *position = rows_lsn(rows, 0, 0);
    return lock(session->reader, batch, "ROW SHARE MODE", err);
}

/* The heartbeat comes through the stream behind the position: then all below it is applied. */
static bool publish(WatchSession *session, const WatchBatch *batch, Lsn *position, Err *err)
{
    Lsn ignored = 0;
    return add(session, batch, false, err) && begin_reading(session, batch, position, err) &&
           mark_emit(session->publisher, session->stream->spec.run_mark, NULL, &ignored, err) &&
           pg_commit(session->publisher, err);
}

/* What is large goes by itself: the others are not to wait for it, nor its writers for them. */
static bool keep_small(WatchSession *session, WatchBatch *batch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    int64_t bytes = 0;
    size_t count = 0;
    if (batch->count == 1)
        return true;
    if (!pg_rows(session->publisher, SQL_WATCH_SIZES,
                 PARAMS(watch_oids(&arena, batch->items, batch->count)), &rows, err))
        return false;
    for (; count < batch->count; count++) {
        size_t row = rows_place(rows, 0, batch->items[count]->oid);
        bytes += row < rows_count(rows) ? rows_int64(rows, row, 1) : 0;
        if (count > 0 && bytes > WATCH_TOGETHER_BYTES)
            break;
    }
    batch->count = count;
    return true;
}

static bool lock_out(WatchSession *session, const WatchBatch *batch, Err *err)
{
    return pg_begin(session->publisher, NULL, err) &&
           lock(session->publisher, batch,
                batch->count > 1 ? "SHARE ROW EXCLUSIVE MODE NOWAIT" : "SHARE ROW EXCLUSIVE MODE",
                err);
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

static void put_later(WatchSession *session, WatchItem *item, const Err *refused)
{
    item->later = true;
    if (clock_ms() - session->told_ms <= TELL_EVERY_MS)
        return;
    session->told_ms = clock_ms();
    log_warn(&session->stream->spec.log, "chunk %s cannot be taken in yet, somebody holds it: %s",
             item->name.rel, refused->message);
}

/* \param batch its position stays 0 when it could not be had: one item is then done or for later */
static bool open_batch(WatchSession *session, WatchBatch *batch, Err *err)
{
    AUTO_ERR Err refused = {0};
    WatchItem *item = batch->items[0];
    Lsn position = 0;
    if (lock_out(session, batch, &refused) && keep_small(session, batch, &refused) &&
        publish(session, batch, &position, &refused)) {
        batch->position = position;
        return true;
    }
    pg_rollback(session->publisher);
    pg_rollback(session->reader);
    if (!is_gone(&refused) && !is_held(&refused))
        return err_move(err, &refused);
    if (batch->count > 1) { /* somebody came between: by itself it is waited for */
        batch->count = 1;
        return open_batch(session, batch, err);
    }
    item->done = is_gone(&refused);
    if (!item->done)
        put_later(session, item, &refused);
    return true;
}

static bool open_behind_fence(WatchSession *session, WatchBatch *batch, Err *err)
{
    return add(session, batch, true, err) && begin_reading(session, batch, &batch->position, err);
}

/* --- what was committed before is applied --- */

typedef enum Before { BEFORE_OPEN, BEFORE_APPLIED, BEFORE_PUT_OFF } Before;

static bool has(const WatchBatch *batch, uint32_t oid)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i]->oid == oid)
            return true;
    return false;
}

/* Apply that waits for a chunk has applied all before: of one of these, or of another that would
 * otherwise wait for their end. */
static Before look_before(Stream *stream, const WatchBatch *batch)
{
    Lsn position = batch->position;
    pthread_mutex_lock(&stream->mutex);
    uint32_t wanted = stream->watch.wanted;
    bool applied =
        stream->covered >= position || (wanted != 0 && stream->watch.wanted_lsn >= position);
    bool other = watch_is_wanted(&stream->watch) && !has(batch, wanted);
    pthread_mutex_unlock(&stream->mutex);
    return applied ? BEFORE_APPLIED : other ? BEFORE_PUT_OFF : BEFORE_OPEN;
}

static bool wait_before(Stream *stream, const WatchBatch *batch, Before *before, Err *err)
{
    atomic_fetch_add(&stream->waiters, 1);
    *before = look_before(stream, batch);
    bool ok = true;
    while (ok && *before == BEFORE_OPEN) {
        ok = over(stream)
                 ? err_set(err, ERR_RUN, "the stream ends")
                 : stop_sleep(&stream->stop, WATCH_POLL_MS) || stop_error(&stream->stop, err);
        *before = look_before(stream, batch);
    }
    atomic_fetch_sub(&stream->waiters, 1);
    return ok;
}

static void note(Stream *stream, const WatchBatch *batch, bool copied)
{
    for (size_t i = 0; i < batch->count; i++) {
        const WatchItem *item = batch->items[i];
        watch_note(stream, &(WatchChunk){.oid = item->oid,
                                         .sync_lsn = batch->position,
                                         .copied = copied,
                                         .leaf = copied ? item->leaf : NULL});
        batch->items[i]->listed = true;
        batch->items[i]->done = copied;
    }
}

/* \param put_off receives whether apply waits for another one */
static bool take_opened(WatchSession *session, const WatchBatch *batch, bool *put_off, Err *err)
{
    Stream *stream = session->stream;
    Before before = BEFORE_OPEN;
    note(stream, batch, false);
    bool ok = wait_before(stream, batch, &before, err);
    *put_off = before == BEFORE_PUT_OFF;
    if (ok && !*put_off)
        ok = watch_copy(session, batch, err);
    pg_rollback(session->reader); /* it only read */
    if (ok && !*put_off)
        note(stream, batch, true);
    return ok;
}

/* --- which go together --- */

/* Those that nobody is at; what is gone is done. */
static bool free_ones(WatchSession *session, WatchItem *const *items, size_t count,
                      WatchBatch *batch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(session->publisher, SQL_WATCH_FREE, PARAMS(watch_oids(&arena, items, count)),
                 &rows, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t row = rows_place(rows, 0, items[i]->oid);
        bool there = row < rows_count(rows) && rows_oid(rows, row, 0) == items[i]->oid;
        items[i]->done = !there;
        if (there && rows_bool(rows, row, 1))
            batch->items[batch->count++] = items[i];
    }
    return true;
}

/* \param batch receives none when all are gone */
static bool choose(WatchSession *session, WatchItem *const *items, size_t count, bool first,
                   WatchBatch *batch, Err *err)
{
    if (!free_ones(session, items, count, batch, err))
        return false;
    bool has_first = batch->count > 0 && batch->items[0] == items[0];
    if ((batch->count == 0 || (first && !has_first)) && !items[0]->done) {
        batch->items[0] = items[0];
        batch->count = 1;
    }
    return true;
}

static bool take(WatchSession *session, WatchItem *const *items, WatchBatch *batch, size_t count,
                 bool first, bool still, bool *put_off, Err *err)
{
    if (is_locked_by_us(session, still)) {
        memcpy(batch->items, items, count * sizeof(*items));
        batch->count = count;
        if (!open_behind_fence(session, batch, err))
            return false;
    } else if (!choose(session, items, count, first, batch, err) ||
               (batch->count > 0 && !open_batch(session, batch, err))) {
        return false;
    }
    return batch->position == 0 || take_opened(session, batch, put_off, err);
}

bool watch_take(WatchSession *session, WatchItem *const *items, size_t count, bool first,
                bool still, bool *go_on, Err *err)
{
    WatchBatch batch = {0};
    bool put_off = false;
    bool ok = take(session, items, &batch, count, first, still, &put_off, err);
    *go_on = !put_off;
    if (ok)
        return true;
    const WatchItem *item = batch.count > 0 ? batch.items[0] : items[0];
    const char *name = name_text(&err->arena, &item->name);
    return batch.count > 1
               ? err_context(err, "taking in chunk %s and %zu more", name, batch.count - 1)
               : err_context(err, "taking in chunk %s", name);
}
