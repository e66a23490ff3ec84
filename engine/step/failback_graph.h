/*
 * The graph of a failback; graph_build() takes its kinds instead of STEP_KINDS, with the blueprint
 * of the way back.
 */
#ifndef GODWIT_STEP_FAILBACK_GRAPH_H
#define GODWIT_STEP_FAILBACK_GRAPH_H

#include "step/step.h"

/* Ends with NULL. */
extern const StepKind *const FAILBACK_KINDS[];

#endif
