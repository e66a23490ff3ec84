/*
 * Fix: running the remedies that are safe to run.
 */
#ifndef GODWIT_CMD_FIX_H
#define GODWIT_CMD_FIX_H

#include "cmd/session.h"
#include "preflight/preflight.h"

/** Shows the statements of the findings that are fixable, asks, runs each on its side with a short
 * lock timeout; one that fails is told and the next is tried.
 * \return false with ERR_USAGE when the answer is no, or the error of a connection. */
MUSTCHECK bool fix_findings(Session *session, const PreflightReport *report, const Options *options,
                            Err *err);

#endif
