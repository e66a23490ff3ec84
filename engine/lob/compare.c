/*
 * Comparing large objects: by a hash that each server computes.
 *
 * While the run replicates, an object that changed on the source since it was copied is behind, not
 * different: the target is measured against what the journal says was brought. Still, both servers
 * are measured against each other. Objects of the target that the run did not bring are nobody's
 * business here.
 */
#include "lob/lob_internal.h"
#include "sql_text.h"

#include <inttypes.h>

#define TRIES 10

static void differs(Lob *lob, uint32_t oid, const char *how)
{
    atomic_fetch_add(&lob->different, 1);
    pthread_mutex_lock(&lob->mutex);
    if (lob->named.count < LOB_MAX_NAMED)
        *vec_push(&lob->arena, &lob->named) =
            arena_printf(&lob->arena, "large object %" PRIu32 ": %s", oid, how);
    pthread_mutex_unlock(&lob->mutex);
}

static bool list(Arena *arena, const LobBound *bound, const LobObjectVec *known, Conn *source,
                 OidVec *oids, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_LOB_LIST,
                 PARAMS(arena_int64(arena, bound->first), arena_int64(arena, bound->last), NULL),
                 &rows, err))
        return err_context(err, "could not list large objects");
    size_t k = 0;
    for (size_t r = 0; r < rows_count(rows) || k < known->count;) {
        uint32_t listed = r < rows_count(rows) ? rows_oid(rows, r, 0) : UINT32_MAX;
        uint32_t brought = k < known->count ? known->items[k].oid : UINT32_MAX;
        *vec_push(arena, oids) = listed < brought ? listed : brought;
        r += listed <= brought && r < rows_count(rows);
        k += brought <= listed && k < known->count;
    }
    return true;
}

static void judge(Lob *lob, const LobObject *known, const char *source, const char *target)
{
    atomic_fetch_add(&lob->compared, 1);
    uint32_t oid = known->oid;
    const char *wanted = source;
    if (!lob->still) {
        if (!text_equal(known->hash, source))
            atomic_fetch_add(&lob->behind, 1);
        wanted = known->hash;
    }
    if (text_equal(wanted, target))
        return;
    differs(lob, oid,
            target == NULL   ? "missing on the target"
            : wanted == NULL ? "only on the target"
                             : "not the same");
}

/* What the journal has of these, one for each. */
static bool read_batch(Arena *arena, const Lob *lob, const uint32_t *oids, size_t count,
                       Conn *target, LobObjectVec *known, Err *err)
{
    LobBound bound = {oids[0], oids[count - 1]};
    LobObjectVec found = {0};
    if (!lob_known(arena, lob, &bound, target, &found, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const LobObject *one = lob_find(&found, oids[i]);
        *vec_push(arena, known) =
            (LobObject){.oid = oids[i], .hash = one == NULL ? NULL : one->hash};
    }
    return true;
}

static bool stood_still(const LobObjectVec *before, const LobObjectVec *after)
{
    for (size_t i = 0; i < before->count; i++)
        if (!text_equal(before->items[i].hash, after->items[i].hash))
            return false;
    return true;
}

static bool read_hashes(Arena *arena, Conn *conn, const char *oids, const LobObjectVec *known,
                        LobObjectVec *objects, Err *err)
{
    for (size_t i = 0; i < known->count; i++)
        *vec_push(arena, objects) = (LobObject){.oid = known->items[i].oid};
    return lob_hashes(arena, conn, oids, objects, err);
}

/* An engine may bring objects while another process compares: a look counts only if the journal
 * says the same before and after it. */
static bool compare_batch(Lob *lob, const uint32_t *oids, size_t count, Conn *source, Conn *target,
                          Err *err)
{
    for (int tries = 0;; tries++) {
        AUTO_ARENA Arena arena = {0};
        LobObjectVec known = {0}, here = {0}, there = {0}, after = {0};
        const char *list = lob_oids(&arena, oids, count);
        if (!read_batch(&arena, lob, oids, count, target, &known, err) ||
            !read_hashes(&arena, source, list, &known, &here, err) ||
            !read_hashes(&arena, target, list, &known, &there, err) ||
            !read_batch(&arena, lob, oids, count, target, &after, err))
            return false;
        if (!lob->still && !stood_still(&known, &after) && tries < TRIES)
            continue;
        for (size_t i = 0; i < count; i++)
            judge(lob, &known.items[i], here.items[i].hash, there.items[i].hash);
        return true;
    }
}

bool lob_compare(Lob *lob, Arena *arena, const LobBound *bound, const LobObjectVec *known,
                 Conn *source, Conn *target, Err *err)
{
    OidVec oids = {0};
    if (!list(arena, bound, known, source, &oids, err))
        return false;
    for (size_t from = 0; from < oids.count; from += lob->batch) {
        size_t left = oids.count - from;
        if (!compare_batch(lob, &oids.items[from], left < lob->batch ? left : lob->batch, source,
                           target, err))
            return false;
    }
    return true;
}

const char *const *lob_differences(const Lob *lob, size_t *count)
{
    *count = lob->named.count;
    return lob->named.items;
}

bool lob_compare_all(Lob **lob, Run *run, bool still, Conn *source, Conn *target, Err *err)
{
    size_t ranges = 0;
    return lob_begin(lob, run, LOB_COMPARE, still, source, target, &ranges, err) &&
           lob_all(*lob, source, target, err);
}
