/*
 * A pass over the large objects: ranges, what is to be done in each, and the batches that do it.
 * Reading is in one snapshot a batch, writing in one transaction with the journal's rows.
 */
#include "lob/lob_internal.h"
#include "sql_text.h"

#include <inttypes.h>

#define BATCH_LEAST     50
#define BATCH_MOST      1000
#define LOCK_SHARE      4 /* of the lock table, for all workers together */
#define LAST_OID        UINT32_MAX
#define SOURCE_SNAPSHOT "ISOLATION LEVEL REPEATABLE READ READ ONLY"

/* What one range needs. */
typedef struct Work {
    OidVec copy;
    OidVec look;
    OidVec gone;
} Work;

void lob_free(Lob *lob)
{
    if (lob == NULL)
        return;
    pthread_mutex_destroy(&lob->mutex);
    arena_release(&lob->arena);
    mem_free(lob);
}

static void lob_free_scope(Lob **lob)
{
    lob_free(*lob);
}

static size_t batch_objects(const Run *run, const LobPowers *target)
{
    int64_t room = target->lock_room / LOCK_SHARE / (int64_t)run->plan->copy.table_jobs;
    if (room < BATCH_LEAST)
        return BATCH_LEAST;
    return room > BATCH_MOST ? BATCH_MOST : (size_t)room;
}

static bool divide(Lob *lob, Conn *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_LOB_RANGES, PARAMS(arena_int64(&arena, (int64_t)lob->batch)), &rows,
                 err))
        return err_context(err, "could not list large objects");
    for (size_t r = 0; r < rows_count(rows); r++) {
        uint32_t first = r == 0 ? 0 : rows_oid(rows, r, 0);
        if (r > 0)
            lob->bounds.items[r - 1].last = first - 1;
        *vec_push(&lob->arena, &lob->bounds) = (LobBound){first, LAST_OID};
    }
    if (lob->bounds.count == 0)
        *vec_push(&lob->arena, &lob->bounds) = (LobBound){0, LAST_OID};
    return true;
}

bool lob_begin(Lob **out, Run *run, LobPass pass, bool still, Conn *source, Conn *target,
               size_t *ranges, Err *err)
{
    __attribute__((cleanup(lob_free_scope))) Lob *lob = mem_resize(NULL, sizeof(Lob));
    LobPowers here = {0}, there = {0};
    *lob = (Lob){.run = run, .pass = pass, .still = still};
    pthread_mutex_init(&lob->mutex, NULL);
    if (!lob_powers(source, &here, err) || !lob_powers(target, &there, err))
        return false;
    lob->reads_pages = here.reads_pages;
    lob->batch = batch_objects(run, &there);
    if (pass != LOB_COMPARE &&
        !roles_read(&lob->arena, run->blueprint, source, target, &lob->roles, err))
        return false;
    if (!divide(lob, source, err))
        return false;
    *ranges = lob->bounds.count;
    lob_free(*out);
    *out = lob;
    lob = NULL;
    return true;
}

/* --- what is to be done --- */

bool lob_known(Arena *arena, const Lob *lob, const LobBound *bound, Conn *target,
               LobObjectVec *known, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_LOB_KNOWN,
                 PARAMS(arena_int64(arena, lob->run->journal.id), arena_int64(arena, bound->first),
                        arena_int64(arena, bound->last)),
                 &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        *vec_push(arena, known) = (LobObject){
            .oid = rows_oid(rows, r, 0),
            .size = rows_int64(rows, r, 1),
            .hash = arena_strdup(arena, rows_text(rows, r, 2)),
            .access = arena_strdup(arena, rows_text(rows, r, 3)),
            .horizon = arena_strdup(arena, rows_text(rows, r, 4)),
        };
    return true;
}

/* The oldest horizon of what is known; NULL: nothing is. */
static const char *oldest(const LobObjectVec *known)
{
    const char *least = NULL;
    for (size_t i = 0; i < known->count; i++) {
        const char *one = known->items[i].horizon;
        if (least == NULL || strtoull(one, NULL, 10) < strtoull(least, NULL, 10))
            least = one;
    }
    return least;
}

/* Objects with a page that is newer than the horizon. */
static bool read_changed(const Lob *lob, Arena *arena, const LobBound *bound, const char *horizon,
                         Conn *source, Rows **rows, Err *err)
{
    if (lob->pass != LOB_AGAIN || !lob->reads_pages || horizon == NULL)
        return true;
    return pg_rows(
        source, SQL_LOB_CHANGED,
        PARAMS(arena_int64(arena, bound->first), arena_int64(arena, bound->last), horizon), rows,
        err);
}

static void decide(const Lob *lob, Arena *arena, const LobObjectVec *known, const Rows *listed,
                   const Rows *changed, Work *work)
{
    size_t k = 0, c = 0, changes = changed == NULL ? 0 : rows_count(changed);
    for (size_t r = 0; r < rows_count(listed); r++) {
        uint32_t oid = rows_oid(listed, r, 0);
        for (; k < known->count && known->items[k].oid < oid; k++)
            *vec_push(arena, &work->gone) = known->items[k].oid;
        while (c < changes && rows_oid(changed, c, 0) < oid)
            c++;
        if (k == known->count || known->items[k].oid != oid) {
            *vec_push(arena, &work->copy) = oid;
            continue;
        }
        k++;
        bool page = c < changes && rows_oid(changed, c, 0) == oid;
        if (lob->pass == LOB_AGAIN && (!lob->reads_pages || page || rows_bool(listed, r, 1)))
            *vec_push(arena, &work->look) = oid;
    }
    for (; k < known->count; k++)
        *vec_push(arena, &work->gone) = known->items[k].oid;
}

/* --- doing it --- */

/* The fence's own session sees what the others would have to wait for; its transaction stays. */
static bool snapshot_begin(const Lob *lob, Conn *source, Err *err)
{
    return (lob->still && lob->pass == LOB_AGAIN) || pg_begin(source, SOURCE_SNAPSHOT, err);
}

static void snapshot_end(const Lob *lob, Conn *source)
{
    if (!lob->still || lob->pass != LOB_AGAIN)
        pg_rollback(source);
}

static bool remove_gone(Lob *lob, Arena *arena, const OidVec *gone, Conn *target, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (gone->count == 0 || lob->pass == LOB_COPY)
        return true;
    const char *run = arena_int64(arena, lob->run->journal.id);
    const char *oids = lob_oids(arena, gone->items, gone->count);
    if (pg_begin(target, NULL, err) &&
        pg_one(target, SQL_LOB_UNLINK, PARAMS(run, oids), &rows, err) &&
        pg_none(target, SQL_LOB_FORGET, PARAMS(run, oids), err) && pg_commit(target, err)) {
        atomic_fetch_add(&lob->deleted, (long long)gone->count);
        return true;
    }
    pg_rollback(target);
    return err_context(err, "could not remove large objects");
}

/* What was written must read back as what was read. */
static bool prove(Arena *arena, Conn *target, const char *oids, const LobObjectVec *read, Err *err)
{
    LobObjectVec written = {0};
    for (size_t i = 0; i < read->count; i++)
        *vec_push(arena, &written) = (LobObject){.oid = read->items[i].oid};
    if (!lob_hashes(arena, target, oids, &written, err))
        return false;
    for (size_t i = 0; i < read->count; i++)
        if (!text_equal(read->items[i].hash, written.items[i].hash))
            return err_set(err, ERR_RUN,
                           "large object %" PRIu32 " does not read back as it was written",
                           read->items[i].oid);
    return true;
}

static bool write_batch(Lob *lob, Arena *arena, Conn *source, Conn *target, LobObjectVec *objects,
                        Err *err)
{
    OidVec there = {0};
    AUTO_ROWS Rows *unlinked = NULL;
    AUTO_ROWS Rows *created = NULL;
    for (size_t i = 0; i < objects->count; i++)
        *vec_push(arena, &there) = objects->items[i].oid;
    const char *oids = lob_oids(arena, there.items, there.count);
    return pg_begin(target, NULL, err) &&
           pg_one(target, SQL_LOB_UNLINK, PARAMS(arena_int64(arena, lob->run->journal.id), oids),
                  &unlinked, err) &&
           pg_one(target, SQL_LOB_CREATE, PARAMS(oids), &created, err) &&
           lob_transfer(arena, lob->run, source, target, oids, objects, err) &&
           prove(arena, target, oids, objects, err) &&
           lob_give_access(arena, lob, source, target, oids, objects, err) &&
           lob_record(arena, lob, target, objects, err) && pg_commit(target, err);
}

static bool copy_batch(Lob *lob, const uint32_t *oids, size_t count, Conn *source, Conn *target,
                       Err *err)
{
    AUTO_ARENA Arena arena = {0};
    LobObjectVec objects = {0};
    const char *list = lob_oids(&arena, oids, count);
    bool ok = snapshot_begin(lob, source, err) &&
              lob_attributes(&arena, source, list, &objects, err) &&
              (objects.count == 0 || write_batch(lob, &arena, source, target, &objects, err));
    if (!ok)
        pg_rollback(target);
    snapshot_end(lob, source);
    for (size_t i = 0; ok && i < objects.count; i++)
        atomic_fetch_add(&lob->bytes, (long long)objects.items[i].size);
    atomic_fetch_add(&lob->copied, ok ? (long long)objects.count : 0);
    return ok;
}

/* Sizes first: a batch is one transaction, and of large ones few are enough. */
static bool copy_all(Lob *lob, Arena *arena, const OidVec *copy, Conn *source, Conn *target,
                     Err *err)
{
    LobObjectVec sizes = {0};
    if (copy->count == 0)
        return true;
    bool ok = snapshot_begin(lob, source, err) &&
              lob_attributes(arena, source, lob_oids(arena, copy->items, copy->count), &sizes, err);
    snapshot_end(lob, source);
    for (size_t from = 0; ok && from < copy->count;) {
        size_t to = from;
        int64_t bytes = 0;
        while (to < copy->count && to - from < lob->batch &&
               (to == from || bytes < LOB_BATCH_BYTES)) {
            const LobObject *object = lob_find(&sizes, copy->items[to++]);
            bytes += object == NULL ? 0 : object->size;
        }
        ok = copy_batch(lob, &copy->items[from], to - from, source, target, err);
        from = to;
    }
    return ok;
}

/* Objects that may have changed: those that did not are only given the newer horizon. */
static bool look_again(Lob *lob, Arena *arena, const LobObjectVec *known, Work *work, Conn *source,
                       Conn *target, Err *err)
{
    LobObjectVec now = {0}, same = {0};
    OidVec changed = {0};
    if (work->look.count == 0)
        return true;
    const char *oids = lob_oids(arena, work->look.items, work->look.count);
    bool ok = snapshot_begin(lob, source, err) && lob_attributes(arena, source, oids, &now, err) &&
              lob_hashes(arena, source, oids, &now, err);
    snapshot_end(lob, source);
    if (!ok)
        return false;
    for (size_t i = 0; i < now.count; i++) {
        const LobObject *before = lob_find(known, now.items[i].oid);
        bool alike = text_equal(before->hash, now.items[i].hash) &&
                     text_equal(before->access, now.items[i].access);
        if (alike)
            *vec_push(arena, &same) = now.items[i];
        else
            *vec_push(arena, &changed) = now.items[i].oid;
    }
    atomic_fetch_add(&lob->compared, (long long)now.count);
    return (same.count == 0 || lob_record(arena, lob, target, &same, err)) &&
           copy_all(lob, arena, &changed, source, target, err);
}

bool lob_range(Lob *lob, size_t range, Arena *arena, Conn *source, Conn *target, Err *err)
{
    const LobBound *bound = &lob->bounds.items[range];
    LobObjectVec known = {0};
    AUTO_ROWS Rows *listed = NULL;
    AUTO_ROWS Rows *changed = NULL;
    Work work = {0};
    if (!lob_known(arena, lob, bound, target, &known, err))
        return false;
    if (lob->pass == LOB_COMPARE)
        return lob_compare(lob, arena, bound, &known, source, target, err);
    const char *horizon = oldest(&known);
    /* Changes are read before the list: what is written between the two is newer than any. */
    if (!read_changed(lob, arena, bound, horizon, source, &changed, err) ||
        !pg_rows(source, SQL_LOB_LIST,
                 PARAMS(arena_int64(arena, bound->first), arena_int64(arena, bound->last), horizon),
                 &listed, err))
        return err_context(err, "could not list large objects");
    decide(lob, arena, &known, listed, changed, &work);
    return remove_gone(lob, arena, &work.gone, target, err) &&
           look_again(lob, arena, &known, &work, source, target, err) &&
           copy_all(lob, arena, &work.copy, source, target, err);
}

bool lob_all(Lob *lob, Conn *source, Conn *target, Err *err)
{
    for (size_t i = 0; i < lob->bounds.count; i++) {
        AUTO_ARENA Arena arena = {0};
        if (!lob_range(lob, i, &arena, source, target, err))
            return false;
    }
    return true;
}

bool lob_remove_all(Conn *target, int64_t run, Err *err)
{
    for (;;) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ROWS Rows *rows = NULL;
        AUTO_ROWS Rows *unlinked = NULL;
        OidVec oids = {0};
        const char *id = arena_int64(&arena, run);
        if (!pg_rows(target, SQL_LOB_FIRST, PARAMS(id, arena_int64(&arena, BATCH_LEAST)), &rows,
                     err))
            return false;
        if (rows_count(rows) == 0)
            return true;
        for (size_t r = 0; r < rows_count(rows); r++)
            *vec_push(&arena, &oids) = rows_oid(rows, r, 0);
        const char *list = lob_oids(&arena, oids.items, oids.count);
        if (pg_begin(target, NULL, err) &&
            pg_one(target, SQL_LOB_UNLINK, PARAMS(id, list), &unlinked, err) &&
            pg_none(target, SQL_LOB_FORGET, PARAMS(id, list), err) && pg_commit(target, err))
            continue;
        pg_rollback(target);
        return err_context(err, "could not remove large objects");
    }
}

LobTotals lob_totals(const Lob *lob)
{
    return (LobTotals){
        .copied = atomic_load(&lob->copied),
        .bytes = atomic_load(&lob->bytes),
        .deleted = atomic_load(&lob->deleted),
        .compared = atomic_load(&lob->compared),
        .behind = atomic_load(&lob->behind),
        .differences = atomic_load(&lob->different),
    };
}
