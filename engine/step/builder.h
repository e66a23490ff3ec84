/*
 * StepBuilder: collects steps and the needs between them while the kinds expand themselves;
 * graph/build.c resolves what was asked by kind or by id.
 */
#ifndef GODWIT_STEP_BUILDER_H
#define GODWIT_STEP_BUILDER_H

#include "step/step.h"

/* "step waits for every step of kind `kind`" or "for the step with id `id`": one of them is not
 * NULL. */
typedef struct StepNeed {
    Step *step;
    const char *kind;
    const char *id;
} StepNeed;

struct StepBuilder {
    Arena *arena; /* of the graph */
    StepVec steps;
    VEC(StepNeed) needs;
};

#endif
