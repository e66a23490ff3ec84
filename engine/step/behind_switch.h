/*
 * What was written on the old primary behind the switch: looked for before the slot goes.
 */
#ifndef GODWIT_STEP_BEHIND_SWITCH_H
#define GODWIT_STEP_BEHIND_SWITCH_H

#include "step/step.h"

/** Reads the slot up to now, with the run's stream or one of its own that applies nothing. What is
 * there is told by relation and journalled (E110); what was told before, by this engine or an
 * earlier one, is told again and is no error.
 * \return false with ERR_RUN when something came that nobody was told of yet; with what reading
 *         the slot gives. */
MUSTCHECK bool behind_switch_look(StepCtx *ctx, Err *err);

#endif
