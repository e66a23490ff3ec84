/*
 * Labels of enum types: no change of rows tells of ALTER TYPE.
 */
#ifndef GODWIT_STEP_ENUM_LABELS_H
#define GODWIT_STEP_ENUM_LABELS_H

#include "step/step.h"

/** Whether the target has every label of the enum types that selected columns are made of, in the
 * source's order. One that was renamed on the source is another text in rows that no change
 * touches; one that was added could not be written behind the switch.
 * \return false with ERR_STALE that lists the types */
MUSTCHECK bool enum_labels_stand(StepCtx *ctx, Err *err);

#endif
