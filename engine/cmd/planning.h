/*
 * Planning: makes a dry run out of a session: every step observed and described, the findings of
 * preflight at the steps they would stop, what drifted since the run was last applied.
 */
#ifndef GODWIT_CMD_PLANNING_H
#define GODWIT_CMD_PLANNING_H

#include "cmd/session.h"
#include "report/dry_run.h"

/** After session_journal() and session_inspect(). Reads both servers; everything it makes belongs
 * to the session. */
MUSTCHECK bool planning_make(Session *session, DryRun *dry, Err *err);

/** The same without a step, where there is nothing to do. After session_catalogs(). \param sentence
 * what became of the run */
void planning_ended(Session *session, DryRun *dry, const char *sentence);

/* Where a finding of preflight stands in a dry run. */
typedef struct FindingPlace {
    const char *code;
    const char *kind; /* of the step that it would stop */
} FindingPlace;

/** Sorted by code; a code that is not there stands at preflight itself. */
extern const FindingPlace FINDING_PLACES[];
extern const size_t FINDING_PLACE_COUNT;

#endif
