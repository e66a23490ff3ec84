/*
 * What the steps share that read the slot: spool, before the copy is done, and replicate.
 */
#ifndef GODWIT_STEP_REPLICATE_H
#define GODWIT_STEP_REPLICATE_H

#include "cdc/stream.h"
#include "step/step.h"

/** Everything of a stream but what is copied. Texts belong to the run's arena. */
void replicate_spec(const StepCtx *ctx, StreamSpec *spec);

/** Starts a stream that applies nothing: behind the switch, for stream_behind().
 * \return false as stream_start() */
MUSTCHECK bool replicate_look(StepCtx *ctx, Stream **stream, Err *err);

#endif
