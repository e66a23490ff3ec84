/*
 * Fences: the database setting, the ending of sessions, the SHARE locks.
 */
#include "cutover/fence.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/units.h"
#include "cutover/cutover.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

#define SESSIONS_END_MS 2000
#define LAST_WAIT_MS    2000
#define LOCK_PAUSE_MS   10
#define GONE_POLL_MS    20

/* Most attempts at the locks are hardly more than a glance: they meet a moment in which no writer
 * is inside a transaction, and until then nobody is held up. Waiting with some locks in hand is a
 * deadlock with every writer that holds a later table and wants an earlier one, which only giving
 * way resolves; it is needed, now and then, where writers are never all outside or one is merely
 * slow. All waits stay below PostgreSQL's default deadlock_timeout, so that no writer becomes the
 * victim. */
#define GLANCE_MS 1
#define GLANCES   20
static const int LONG_WAITS_MS[] = {50, 100, 200, 400, 800};
#define LONG_WAITS (sizeof(LONG_WAITS_MS) / sizeof(LONG_WAITS_MS[0]))

/* ALTER DATABASE takes no parameter for the name. */
static bool database_name(Str *sql, Conn *conn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, "SELECT pg_catalog.current_database()", NO_PARAMS, &rows, err))
        return false;
    ddl_ident(sql, conn, rows_text(rows, 0, 0));
    return true;
}

bool fence_database_read_only(Conn *conn, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER DATABASE ");
    if (!database_name(&sql, conn, err))
        return false;
    str_append(&sql, " SET default_transaction_read_only = on");
    return pg_none(conn, sql.data, NO_PARAMS, err);
}

bool fence_database_previous(Arena *arena, Conn *conn, const char **previous, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_CUTOVER_DATABASE_READ_ONLY, NO_PARAMS, &rows, err))
        return false;
    *previous = rows_count(rows) == 0 ? NULL : arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool fence_database_restore(Conn *conn, const char *previous, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER DATABASE ");
    if (!database_name(&sql, conn, err))
        return false;
    if (previous == NULL) {
        str_append(&sql, " RESET default_transaction_read_only");
    } else {
        str_append(&sql, " SET default_transaction_read_only = ");
        ddl_literal(&sql, conn, previous);
    }
    return pg_none(conn, sql.data, NO_PARAMS, err);
}

void fence_renew_others(Conn *conn)
{
    AUTO_ERR Err err = {0};
    AUTO_ROWS Rows *ended = NULL;
    if (!pg_one(conn, SQL_CUTOVER_TERMINATE_OTHERS, PARAMS("[]"), &ended, &err))
        log_err(conn_log(conn), LOG_WARN, &err);
    else if (rows_int64(ended, 0, 0) > 0)
        log_info(conn_log(conn), "%" PRId64 " sessions that began under the fence were ended",
                 rows_int64(ended, 0, 0));
}

bool fence_end_others(Conn *conn, const char **roles, size_t role_count, int timeout_ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *only = jsontext_list(&arena, roles, role_count);
    int64_t deadline = clock_ms() + timeout_ms;
    for (;;) {
        AUTO_ROWS Rows *ended = NULL;
        AUTO_ROWS Rows *others = NULL;
        if (!pg_one(conn, SQL_CUTOVER_TERMINATE_OTHERS, PARAMS(only), &ended, err) ||
            !pg_rows(conn, SQL_CUTOVER_OTHERS, PARAMS(only), &others, err))
            return false;
        if (rows_count(others) == 0)
            return true;
        if (clock_ms() > deadline)
            return err_set(err, ERR_RUN, "session %s of %s (%s) on the %s does not end",
                           rows_text(others, 0, 0), rows_text(others, 0, 1),
                           rows_text(others, 0, 2), conn_side_name(conn_side(conn)));
        if (!stop_sleep(conn_stop(conn), GONE_POLL_MS))
            return stop_error(conn_stop(conn), err);
    }
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const Relation *const *)a)->oid;
    uint32_t right = (*(const Relation *const *)b)->oid;
    return left < right ? -1 : left > right;
}

void fence_lock_sql(Str *sql, const Conn *conn, const Blueprint *blueprint)
{
    AUTO_ARENA Arena arena = {0};
    const Relation **sorted = arena_array(&arena, const Relation *, blueprint->relation_count);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        sorted[i] = &blueprint->relations[i];
    qsort(sorted, blueprint->relation_count, sizeof(*sorted), by_oid);
    str_append(sql, "LOCK TABLE ");
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (i > 0)
            str_append(sql, ", ");
        ddl_qname(sql, conn, &sorted[i]->source);
    }
    str_append(sql, " IN SHARE MODE");
}

/* One attempt. The transaction stays open when it succeeds. */
static bool lock_once(Conn *conn, const char *sql, int timeout_ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *timeout = arena_printf(&arena, "SET LOCAL lock_timeout = %d", timeout_ms);
    if (pg_begin(conn, NULL, err) && pg_none(conn, timeout, NO_PARAMS, err) &&
        pg_none(conn, sql, NO_PARAMS, err))
        return true;
    pg_rollback(conn);
    return false;
}

static bool lock_is_busy(const Err *err)
{
    return strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

bool fence_lock_source(Conn *conn, const Run *run, Err *err)
{
    const PlanCutover *cutover = &run->plan->cutover;
    AUTO_STR Str sql = {0};
    fence_lock_sql(&sql, conn, run->blueprint);
    int64_t deadline = clock_ms() + cutover->grace_us / 1000;
    bool last = false;
    for (size_t tries = 1;; tries++) {
        AUTO_ERR Err attempt = {0};
        bool is_long = tries % GLANCES == 0;
        int wait_ms = is_long ? LONG_WAITS_MS[tries / GLANCES % LONG_WAITS] : GLANCE_MS;
        atomic_store(&run->cutover->began_ms, clock_ms());
        if (lock_once(conn, sql.data, last ? LAST_WAIT_MS : wait_ms, &attempt))
            return true;
        if (!lock_is_busy(&attempt))
            return err_move(err, &attempt);
        if (last || (clock_ms() > deadline && cutover->terminate_count == 0)) {
            err_move(err, &attempt);
            err_context(err,
                        "the write fence could not be put up within cutover.stop_writes.grace");
            return err_hint(
                err,
                "A long transaction holds a selected table. Find it in pg_stat_activity, or name "
                "its role in cutover.stop_writes.terminate.");
        }
        if (clock_ms() > deadline) {
            last = true;
            if (!fence_end_others(conn, cutover->terminate, cutover->terminate_count,
                                  SESSIONS_END_MS, err))
                return false;
        }
        if (is_long)
            log_info(conn_log(conn), "the write fence waits for a lock; trying again");
        if (!stop_sleep(conn_stop(conn), LOCK_PAUSE_MS))
            return stop_error(conn_stop(conn), err);
    }
}

bool fence_no_prepared(Conn *conn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_CUTOVER_PREPARED, NO_PARAMS, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    err_set(err, ERR_RUN, "prepared transaction \"%s\" of %s is open on the source since %s",
            rows_text(rows, 0, 0), rows_text(rows, 0, 1), rows_text(rows, 0, 2));
    return err_hint(err, "It could commit behind the fence: COMMIT PREPARED or ROLLBACK PREPARED "
                         "it, then try again.");
}
