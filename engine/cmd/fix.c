/*
 * Fix: the statements are shown before they are run, as they are run.
 */
#include "cmd/fix.h"

#include "plan/report.h"

/* A statement that waits for a lock makes production wait behind it: not for long. */
#define FIX_LOCK_TIMEOUT_MS 3000

static size_t show(Session *session, const PreflightReport *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->findings.count; i++) {
        const Finding *finding = &report->findings.items[i];
        if (!finding->fixable)
            continue;
        count++;
        const char *heading = arena_printf(&session->arena, "%s %s on the %s", finding->code,
                                           finding->object, finding_side_name(finding));
        fprintf(stderr, "-- %s\n%s\n",
                text_printable(&session->arena, heading, strlen(heading), NULL), finding->remedy);
    }
    return count;
}

static bool open_for_fix(Session *session, ConnSide side, Conn **conn, Err *err)
{
    const Endpoint *endpoint =
        side == CONN_SOURCE ? &session->source_endpoint : &session->target_endpoint;
    return *conn != NULL || conn_open(conn, endpoint,
                                      &(ConnOptions){.purpose = "fix",
                                                     .lock_timeout_ms = FIX_LOCK_TIMEOUT_MS,
                                                     .stop = &session->stop},
                                      err);
}

static bool fix_side(Session *session, const PreflightReport *report, ConnSide side, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    for (size_t i = 0; i < report->findings.count; i++) {
        const Finding *finding = &report->findings.items[i];
        AUTO_ERR Err failed = {0};
        if (!finding->fixable || finding->side != side)
            continue;
        if (!open_for_fix(session, side, &conn, err))
            return false;
        if (pg_script(conn, finding->remedy, &failed)) {
            fprintf(stderr, "fixed %s %s\n", finding->code, finding->object);
            continue;
        }
        if (!conn_is_ok(conn))
            return err_move(err, &failed);
        fprintf(stderr, "could not fix %s %s: %s\n", finding->code, finding->object,
                failed.message);
    }
    return true;
}

bool fix_findings(Session *session, const PreflightReport *report, const Options *options, Err *err)
{
    size_t count = show(session, report);
    if (count == 0) {
        fputs("nothing here is safe to fix by itself; --script prints every remedy\n", stderr);
        return true;
    }
    return session_confirm(options, "Run these statements?", err) &&
           fix_side(session, report, CONN_SOURCE, err) &&
           fix_side(session, report, CONN_TARGET, err);
}
