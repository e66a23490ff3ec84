/*
 * StepBuilder: collects steps and the needs between them while the kinds expand themselves;
 * graph/build.c resolves what was asked by kind or by id.
 */
#ifndef GODWIT_STEP_BUILDER_H
#define GODWIT_STEP_BUILDER_H

#include "step/step.h"

/* "step waits for every step of kind `kind`", "for the step with id `id`": one of them is not NULL;
 * or, with neither, for every step of a phase. */
typedef struct StepNeed {
    Step *step;
    const char *kind;
    const char *id;
    StepPhase phase;
} StepNeed;

/* "every step of the phase waits for step". */
typedef struct StepBefore {
    Step *step;
    StepPhase phase;
} StepBefore;

struct StepBuilder {
    Arena *arena; /* of the graph */
    StepVec steps;
    VEC(StepNeed) needs;
    VEC(StepBefore) befores;
};

#endif
