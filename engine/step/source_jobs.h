/*
 * What the steps that end a run share with the one that paused the source's jobs.
 */
#ifndef GODWIT_STEP_SOURCE_JOBS_H
#define GODWIT_STEP_SOURCE_JOBS_H

#include "step/step.h"

/** Lets the jobs run again that the journal says the run has paused; one that is not there any more
 * is left out, with a warning. Idempotent. Needs both connections.
 * \return false with ERR_SQL, ERR_LOST or the stop's error. */
MUSTCHECK bool source_jobs_restore(StepCtx *ctx, Err *err);

#endif
