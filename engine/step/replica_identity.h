/*
 * What the steps that end a run share with the one that set replica identities.
 */
#ifndef GODWIT_STEP_REPLICA_IDENTITY_H
#define GODWIT_STEP_REPLICA_IDENTITY_H

#include "step/step.h"

/** Takes back on the source what the journal says was set there, and drops the indexes that were
 * made for it; one that somebody else has changed since is left as it is, with a warning. The
 * target's tables get what the source's had. Idempotent. Needs both connections.
 * \return false with ERR_SQL, ERR_LOST or the stop's error. */
MUSTCHECK bool identity_restore(StepCtx *ctx, Err *err);

#endif
