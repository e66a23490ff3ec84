/*
 * Whether the source still is what the run was made for, at the two moments of a cutover that
 * matter.
 */
#ifndef GODWIT_STEP_SOURCE_STRUCTURE_H
#define GODWIT_STEP_SOURCE_STRUCTURE_H

#include "step/step.h"

/** Before the downtime: a table, a partition, a column that came meanwhile is not on the target,
 * and what went is still there; neither shows in the stream while no row of it changes. \return
 * false with ERR_STALE when it moved */
MUSTCHECK bool source_structure_stands(StepCtx *ctx, Err *err);

/** Behind the source's fence: that nothing came, went or was attached between the comparison and
 * the fence. One query while no table of the source moved at all. \return false with ERR_STALE */
MUSTCHECK bool source_structure_still(StepCtx *ctx, Err *err);

#endif
