/*
 * What the ends of both ways share.
 */
#ifndef GODWIT_STEP_FINISH_H
#define GODWIT_STEP_FINISH_H

#include "step/step.h"

/** Looks at what came behind the switch, then ends the run's stream.
 * \return false as behind_switch_look() */
MUSTCHECK bool finish_stream(StepCtx *ctx, Err *err);

#endif
