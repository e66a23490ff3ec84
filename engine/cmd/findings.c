/*
 * Findings of preflight on the command line.
 */
#include "cmd/findings.h"

#include <unistd.h>

bool findings_collect(Session *session, const FindingsScope *scope, PreflightReport *report,
                      Err *err)
{
    PreflightInput input = {.plan = &session->plan,
                            .source = &session->source_catalog,
                            .target = &session->target_catalog,
                            .blueprint = &session->blueprint,
                            .source_conn = session->source,
                            .target_conn = session->target,
                            .source_endpoint = &session->source_endpoint,
                            .target_endpoint = &session->target_endpoint,
                            .resuming = scope->resuming,
                            .run = &session->journal,
                            .tries = scope->tries,
                            .sample_us = scope->sample_us};
    return preflight_run(&input, report, err);
}

bool findings_preflight(Session *session, bool resuming, Err *err)
{
    PreflightReport report = {0};
    bool ok = findings_collect(session, &(FindingsScope){.resuming = resuming, .tries = true},
                               &report, err);
    for (size_t i = 0; ok && i < report.findings.count; i++) {
        const Finding *finding = &report.findings.items[i];
        if (finding->severity != FINDING_INFO)
            fputs(preflight_finding_text(&report.arena, finding, STDERR_FILENO), stderr);
    }
    if (ok && report.errors > 0) {
        ok = err_set(err, ERR_PREFLIGHT,
                     "%zu finding%s of preflight block%s the run; nothing was written",
                     report.errors, report.errors == 1 ? "" : "s", report.errors == 1 ? "s" : "");
        err_hint(err, "Fix what is listed above, then try again; \"godwit check --script\" prints "
                      "the fixes.");
    }
    preflight_release(&report);
    return ok;
}
