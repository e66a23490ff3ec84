/*
 * What the ends of both ways share.
 */
#ifndef GODWIT_STEP_FINISH_H
#define GODWIT_STEP_FINISH_H

#include "step/step.h"

/** Ends the run's stream. \return false with ERR_RUN when changes came behind the switch. */
MUSTCHECK bool finish_stream(StepCtx *ctx, Err *err);

#endif
