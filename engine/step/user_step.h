/*
 * What the steps of the user and the hooks of the cutover share.
 */
#ifndef GODWIT_STEP_USER_STEP_H
#define GODWIT_STEP_USER_STEP_H

#include "cutover/cutover.h"
#include "hook/hook.h"
#include "step/step.h"

/** describe() of a step whose object is a PlanStep. */
MUSTCHECK bool user_describe(StepCtx *ctx, Description *description, Err *err);

/** The call that runs it. \param place_name "steps", "before_fence", ... */
HookCall user_call(StepCtx *ctx, const char *place_name);

#endif
