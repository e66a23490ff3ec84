/*
 * Blockers: who they are comes from pg_stat_activity and pg_prepared_xacts.
 */
#include "copy/blockers.h"

#include "base/clock.h"
#include "base/str.h"
#include "sql_text.h"

#define PATIENCE_MS        (10 * 60 * 1000)
#define PAUSE_MS           1000
#define BLOCKERS_SHOWN     5
#define LOCK_NOT_TO_BE_HAD "55P03"

static bool blockers_text(Conn *source, Str *text, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_WAVE_BLOCKERS, NO_PARAMS, &rows, err))
        return false;
    size_t count = rows_count(rows);
    for (size_t i = 0; i < count && i < BLOCKERS_SHOWN; i++)
        str_appendf(text, "%s%s", i > 0 ? "; " : "", rows_text(rows, i, 0));
    if (count > BLOCKERS_SHOWN)
        str_appendf(text, "; and %zu more", count - BLOCKERS_SHOWN);
    return true;
}

bool blockers_wait(Patience *patience, Conn *source, const char *what, Err *err)
{
    if (strcmp(err->sqlstate, LOCK_NOT_TO_BE_HAD) != 0)
        return false;
    AUTO_STR Str text = {0};
    AUTO_ERR Err looked = {0};
    if (patience->since_ms == 0)
        patience->since_ms = clock_ms();
    patience->attempts++;
    if (!blockers_text(source, &text, &looked))
        return false;
    const char *who = text.length > 0 ? text.data : "a transaction that has ended meanwhile";
    if (clock_ms() - patience->since_ms > PATIENCE_MS) {
        err_context(err, "%s had to wait too long", what);
        err_detail(err, "In the way: %s.", who);
        return err_hint(err, "End these transactions (COMMIT PREPARED or ROLLBACK PREPARED the "
                             "prepared ones), then run \"godwit apply\" again.");
    }
    log_warn(conn_log(source), "%s waits (attempt %d) for: %s", what, patience->attempts, who);
    err_release(err);
    return stop_sleep(conn_stop(source), PAUSE_MS) || stop_error(conn_stop(source), err);
}
