/*
 * Checks of large objects: may they be read, can who writes them be stopped, are their oids free on
 * the target, and does the cutover have to read all of them.
 */
#include "preflight/check.h"

#include "base/units.h"
#include "sql_text.h"

#include <inttypes.h>

#define WRITES_REFUSED_FROM                                                                        \
    160000 /* a read-only session may not write large objects from here on */

typedef struct LargeObjects {
    int64_t count;
    int64_t unreadable;
    uint64_t bytes;
    bool reads_pages;
    bool locks;
} LargeObjects;

static bool read_powers(Conn *conn, LargeObjects *found, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_LOB_POWERS, NO_PARAMS, &rows, err))
        return err_context(err, "could not look at the large objects");
    *found = (LargeObjects){
        .count = rows_int64(rows, 0, 0),
        .unreadable = rows_int64(rows, 0, 1),
        .bytes = (uint64_t)rows_int64(rows, 0, 2),
        .reads_pages = rows_bool(rows, 0, 3),
        .locks = rows_bool(rows, 0, 4),
    };
    return true;
}

static void tell(Check *check, const LargeObjects *found)
{
    check_add(check, CODE_LARGE_OBJECTS, FINDING_INFO, &check->source, "large objects",
              check_text(check, "there are %" PRId64 ", %s on disk", found->count,
                         units_size_text(check->arena, found->bytes)),
              "All of the database are brought, under the same oids; no stream carries them: what "
              "changed is looked for before the downtime and once more in it.",
              "-- those that nothing refers to any more need not come: vacuumlo");
}

static void check_read(Check *check, const LargeObjects *found)
{
    if (found->unreadable > 0)
        check_add(check, CODE_LARGE_OBJECTS_READ, FINDING_ERROR, &check->source, "large objects",
                  check_text(check, "%" PRId64 " may not be read", found->unreadable),
                  "They could not be copied.",
                  "-- as their owner: GRANT SELECT ON LARGE OBJECT ... TO the user; or grant the "
                  "user the role that owns them");
}

static void check_stopped(Check *check, const LargeObjects *found)
{
    PlanStopWrites method = check->plan->cutover.method;
    bool old = check->source.catalog->server.version < WRITES_REFUSED_FROM;
    if (found->locks || !(method == PLAN_STOP_LOCK || (method == PLAN_STOP_READ_ONLY && old)))
        return;
    check_add(check, CODE_LARGE_OBJECTS_FENCE, FINDING_ERROR, &check->source,
              "cutover.stop_writes.method",
              check_text(check, "%s does not stop who writes large objects",
                         method == PLAN_STOP_LOCK ? "lock" : "read_only before PostgreSQL 16"),
              "Only a superuser may lock pg_largeobject; a write behind the fence would be lost.",
              old ? "-- set cutover.stop_writes.method to command or manual, or run the source's "
                    "side as a superuser"
                  : "-- set cutover.stop_writes.method to read_only, or run the source's side as a "
                    "superuser");
}

static void check_blind(Check *check, const LargeObjects *found)
{
    if (!found->reads_pages)
        check_add(check, CODE_LARGE_OBJECTS_BLIND, FINDING_WARNING, &check->source,
                  "pg_largeobject",
                  check_text(check, "may not be read: the downtime includes hashing %s",
                             units_size_text(check->arena, found->bytes)),
                  "Which large objects changed shows in pg_largeobject alone.",
                  "-- as a superuser: GRANT SELECT ON pg_catalog.pg_largeobject TO the user");
}

static bool check_there(Check *check, Err *err)
{
    AUTO_ROWS Rows *there = NULL;
    AUTO_ROWS Rows *clash = NULL;
    if (check->input->resuming)
        return true;
    if (!pg_one(check->target.conn, SQL_PREFLIGHT_LARGE_OBJECTS, NO_PARAMS, &there, err) ||
        !pg_one(check->source.conn, SQL_PREFLIGHT_LARGE_OBJECTS_OF, PARAMS(rows_text(there, 0, 0)),
                &clash, err))
        return err_context(err, "could not compare the oids of large objects");
    if (rows_int64(clash, 0, 0) > 0)
        check_add(check, CODE_LARGE_OBJECTS_THERE, FINDING_ERROR, &check->target, "large objects",
                  check_text(check, "%" PRId64 " have oids of the source's, the first is %" PRIu32,
                             rows_int64(clash, 0, 0), rows_oid(clash, 0, 1)),
                  "A large object keeps its oid, since tables refer to it by that.",
                  "-- if nobody needs them: SELECT lo_unlink(oid) of these on the target");
    return true;
}

bool probe_large_objects(Check *check, Err *err)
{
    LargeObjects found = {0};
    if (!check->plan->copy.data)
        return true;
    if (!read_powers(check->source.conn, &found, err))
        return false;
    if (found.count == 0)
        return true;
    tell(check, &found);
    check_read(check, &found);
    check_stopped(check, &found);
    check_blind(check, &found);
    return check_there(check, err);
}
