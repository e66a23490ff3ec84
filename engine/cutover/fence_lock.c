/*
 * The SHARE locks of the source's fence: in which order, and how long each attempt waits.
 *
 * Waiting for one table with others in hand is a deadlock with every writer that holds the one and
 * wants another, and only giving way resolves it. So:
 * - Most attempts are glances of a millisecond: they hold up nobody, and meet a moment in which no
 *   writer is inside a transaction.
 * - Between them an attempt waits, table by table. The table that it could not have goes to the
 *   front: what writers touch first is then locked first, with nothing else in hand, so those
 *   inside finish and new ones wait at the door. Where writers are never all outside, a few such
 *   attempts find the order that lets them out.
 * All waits stay below PostgreSQL's default deadlock_timeout, so that no writer becomes the victim.
 */
#include "base/clock.h"
#include "cutover/cutover.h"
#include "cutover/fence.h"
#include "pg/ddl.h"

#define GLANCE_MS       1
#define GLANCES         6
#define PAUSE_MS        10
#define LAST_WAIT_MS    2000
#define SESSIONS_END_MS 2000
#define REMIND_MS       2000

static const int WAITS_MS[] = {200, 400, 800};
#define WAITS (sizeof(WAITS_MS) / sizeof(WAITS_MS[0]))

/* Who writes a large object writes to these. They come last: nobody waits for them long. */
static const Name LARGE_OBJECTS[] = {{"pg_catalog", "pg_largeobject_metadata"},
                                     {"pg_catalog", "pg_largeobject"}};
#define LARGE_OBJECTS_COUNT (sizeof(LARGE_OBJECTS) / sizeof(LARGE_OBJECTS[0]))

typedef struct LockOrder {
    const Name **relations;
    size_t count;
} LockOrder;

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const Relation *const *)a)->oid;
    uint32_t right = (*(const Relation *const *)b)->oid;
    return left < right ? -1 : left > right;
}

static LockOrder order_by_oid(Arena *arena, const Blueprint *blueprint, bool large_objects)
{
    size_t count = blueprint->relation_count;
    LockOrder order = {.relations = arena_array(arena, const Name *, count + LARGE_OBJECTS_COUNT)};
    const Relation **relations = arena_array(arena, const Relation *, count);
    for (size_t i = 0; i < count; i++)
        relations[i] = &blueprint->relations[i];
    if (count > 0)
        qsort(relations, count, sizeof(*relations), by_oid);
    for (size_t i = 0; i < count; i++)
        order.relations[order.count++] = &relations[i]->source;
    for (size_t i = 0; large_objects && i < LARGE_OBJECTS_COUNT; i++)
        order.relations[order.count++] = &LARGE_OBJECTS[i];
    return order;
}

static void order_to_front(LockOrder *order, size_t at)
{
    const Name *moved = order->relations[at];
    for (; at > 0; at--)
        order->relations[at] = order->relations[at - 1];
    order->relations[0] = moved;
}

static void lock_sql(Str *sql, const Conn *conn, const Name **relations, size_t count)
{
    str_append(sql, "LOCK TABLE ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            str_append(sql, ", ");
        ddl_qname(sql, conn, relations[i]);
    }
    str_append(sql, " IN SHARE MODE");
}

void fence_lock_sql(Str *sql, const Conn *conn, const Blueprint *blueprint)
{
    AUTO_ARENA Arena arena = {0};
    LockOrder order = order_by_oid(&arena, blueprint, false);
    lock_sql(sql, conn, order.relations, order.count);
}

static bool attempt_begin(Conn *conn, int timeout_ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *timeout = arena_printf(&arena, "SET LOCAL lock_timeout = %d", timeout_ms);
    return pg_begin(conn, NULL, err) && pg_none(conn, timeout, NO_PARAMS, err);
}

/* The transaction stays open when an attempt succeeds. */
static bool glance(Conn *conn, const LockOrder *order, Err *err)
{
    AUTO_STR Str sql = {0};
    lock_sql(&sql, conn, order->relations, order->count);
    if (attempt_begin(conn, GLANCE_MS, err) && pg_none(conn, sql.data, NO_PARAMS, err))
        return true;
    pg_rollback(conn);
    return false;
}

static bool wait_in_turn(Conn *conn, LockOrder *order, int timeout_ms, Err *err)
{
    bool ok = attempt_begin(conn, timeout_ms, err);
    for (size_t i = 0; ok && i < order->count; i++) {
        AUTO_STR Str sql = {0};
        lock_sql(&sql, conn, &order->relations[i], 1);
        ok = pg_none(conn, sql.data, NO_PARAMS, err);
        if (!ok)
            order_to_front(order, i);
    }
    if (!ok)
        pg_rollback(conn);
    return ok;
}

static bool lock_is_busy(const Err *err)
{
    return strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

static bool attempt(Conn *conn, const Run *run, LockOrder *order, size_t tries, Err *err)
{
    atomic_store(&run->cutover->began_ms, clock_ms());
    if (tries % GLANCES != 0)
        return glance(conn, order, err);
    return wait_in_turn(conn, order, WAITS_MS[tries / GLANCES % WAITS], err);
}

static bool grace_is_over(Err *err, Err *last)
{
    err_move(err, last);
    err_context(err, "the write fence could not be put up within cutover.stop_writes.grace");
    return err_hint(err, "A long transaction holds a selected table. Find it in pg_stat_activity, "
                         "or name its role in cutover.stop_writes.terminate.");
}

/* After the grace: the sessions that the plan gives up, then one attempt more. */
static bool end_and_lock(Conn *conn, const Run *run, LockOrder *order, Err *busy, Err *err)
{
    const PlanCutover *cutover = &run->plan->cutover;
    AUTO_ERR Err last = {0};
    if (cutover->terminate_count == 0)
        return grace_is_over(err, busy);
    if (!fence_end_others(conn, cutover->terminate, cutover->terminate_count, SESSIONS_END_MS, err))
        return false;
    atomic_store(&run->cutover->began_ms, clock_ms());
    return wait_in_turn(conn, order, LAST_WAIT_MS, &last) || grace_is_over(err, &last);
}

static bool lock_in_order(Conn *conn, const Run *run, LockOrder order, Err *err)
{
    int64_t began = clock_ms();
    int64_t reminded = began;
    for (size_t tries = 1;; tries++) {
        AUTO_ERR Err busy = {0};
        if (attempt(conn, run, &order, tries, &busy))
            return true;
        if (!lock_is_busy(&busy))
            return err_move(err, &busy);
        int64_t now = clock_ms();
        if (now - began > run->plan->cutover.grace_us / 1000)
            return end_and_lock(conn, run, &order, &busy, err);
        if (now - reminded > REMIND_MS) {
            log_info(conn_log(conn), "the write fence waits for writers; trying again");
            reminded = now;
        }
        if (!stop_sleep(conn_stop(conn), PAUSE_MS))
            return stop_error(conn_stop(conn), err);
    }
}

bool fence_lock_source(Conn *conn, const Run *run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return lock_in_order(
        conn, run, order_by_oid(&arena, run->blueprint, run->cutover->locks_large_objects), err);
}

bool fence_lock_large_objects(Conn *conn, const Run *run, Err *err)
{
    static const Blueprint NO_TABLES = {0};
    AUTO_ARENA Arena arena = {0};
    return !run->cutover->locks_large_objects ||
           lock_in_order(conn, run, order_by_oid(&arena, &NO_TABLES, true), err);
}
