/*
 * Fences: the database setting and the ending of sessions. The SHARE locks are in fence_lock.c.
 */
#include "cutover/fence.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/units.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

#define GONE_POLL_MS  20
#define BEGUN_WAIT_MS 1000

const char *fence_method_name(PlanStopWrites method)
{
    static const char *const NAMES[] = {
        [PLAN_STOP_LOCK] = "lock",
        [PLAN_STOP_READ_ONLY] = "read_only",
        [PLAN_STOP_MANUAL] = "manual",
        [PLAN_STOP_COMMAND] = "command",
    };
    return NAMES[method];
}

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

bool fence_no_own_settings(Conn *conn, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_CUTOVER_OWN_SETTINGS, NO_PARAMS, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    str_append(&sql, "ALTER ROLE ");
    ddl_ident(&sql, conn, rows_text(rows, 0, 0));
    if (rows_bool(rows, 0, 1)) {
        str_append(&sql, " IN DATABASE ");
        if (!database_name(&sql, conn, err))
            return false;
    }
    str_append(&sql, " RESET default_transaction_read_only;");
    err_set(
        err, ERR_PREFLIGHT,
        "role %s has default_transaction_read_only = off: it would write to the %s when that is "
        "closed",
        rows_text(rows, 0, 0), conn_side_name(conn_side(conn)));
    return err_hint(err, "Nothing is fenced. On the %s: %s Or waive G213 in the plan.",
                    conn_side_name(conn_side(conn)), sql.data);
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

bool fence_open_sql(Str *sql, Conn *conn, Err *err)
{
    str_append(sql, "BEGIN READ WRITE; ALTER DATABASE ");
    if (!database_name(sql, conn, err))
        return false;
    str_append(sql, " RESET default_transaction_read_only; COMMIT;");
    return true;
}

/* A session that was beginning when the setting changed may have read the old one, and be in no
 * list of sessions: it would live with it. Those that begin later know the new one. */
static bool wait_until_begun(Conn *conn, int timeout_ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *pids = "[]";
    int64_t deadline = clock_ms() + timeout_ms;
    for (;;) {
        AUTO_ROWS Rows *rows = NULL;
        if (!pg_one(conn, SQL_CUTOVER_BEGINNING, PARAMS(pids), &rows, err))
            return false;
        pids = arena_strdup(&arena, rows_text(rows, 0, 0));
        if (strcmp(pids, "[]") == 0)
            return true;
        if (clock_ms() > deadline)
            return err_set(err, ERR_RUN,
                           "sessions are beginning on the %s and do not come to it: %s",
                           conn_side_name(conn_side(conn)), pids);
        if (!stop_sleep(conn_stop(conn), GONE_POLL_MS))
            return stop_error(conn_stop(conn), err);
    }
}

void fence_renew_others(Conn *conn)
{
    AUTO_ERR Err err = {0};
    AUTO_ERR Err slow = {0};
    AUTO_ROWS Rows *ended = NULL;
    if (!wait_until_begun(conn, BEGUN_WAIT_MS, &slow))
        log_err(conn_log(conn), LOG_WARN, &slow);
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
    if (role_count == 0 && !wait_until_begun(conn, timeout_ms, err))
        return false;
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
