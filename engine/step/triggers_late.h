/*
 * Triggers that have to wait for the drain, and what becomes of them when a cutover was rolled back
 * behind it: they stand on the target, and changes are replicated again.
 */
#ifndef GODWIT_STEP_TRIGGERS_LATE_H
#define GODWIT_STEP_TRIGGERS_LATE_H

#include "step/step.h"

/** Disables on the target what would act on replicated changes, before these come; step
 * triggers_late enables it again. Needs both connections. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool triggers_late_hold(StepCtx *ctx, Err *err);

#endif
