/*
 * Findings of preflight on the command line: run it, print, decide.
 */
#ifndef GODWIT_CMD_FINDINGS_H
#define GODWIT_CMD_FINDINGS_H

#include "cmd/session.h"
#include "preflight/preflight.h"

/** Runs preflight; warnings and errors go to the log.
 * \return false with ERR_PREFLIGHT when there is an error finding. */
MUSTCHECK bool findings_preflight(Session *session, bool resuming, Err *err);

typedef struct FindingsScope {
    bool resuming;
    bool tries;        /* powers of the target's user are tried and rolled back */
    int64_t sample_us; /* how long the workload is watched */
} FindingsScope;

/** Runs preflight without printing. */
MUSTCHECK bool findings_collect(Session *session, const FindingsScope *scope,
                                PreflightReport *report, Err *err);

#endif
