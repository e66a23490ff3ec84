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

/** Runs preflight without printing. \param sample_us how long the workload is watched */
MUSTCHECK bool findings_collect(Session *session, bool resuming, int64_t sample_us,
                                PreflightReport *report, Err *err);

#endif
