/*
 * What the steps share that read the slot: spool, before the copy is done, and replicate.
 */
#ifndef GODWIT_STEP_REPLICATE_H
#define GODWIT_STEP_REPLICATE_H

#include "cdc/stream.h"
#include "step/step.h"

/** Everything of a stream but what is copied. Texts belong to the run's arena. */
void replicate_spec(const StepCtx *ctx, StreamSpec *spec);

#endif
