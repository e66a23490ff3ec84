/*
 * Graph: steps and the needs between them, in an order in which every step stands behind what it
 * needs.
 */
#ifndef GODWIT_GRAPH_BUILD_H
#define GODWIT_GRAPH_BUILD_H

#include "step/step.h"

typedef struct Graph {
    Arena arena;
    Step **steps; /* topological order; Step.index is the place in it */
    size_t count;
} Graph;

/** Asks every kind to expand itself over the blueprint, resolves needs, orders.
 * \param kinds ends with NULL: STEP_KINDS, or a test's own
 * \return false with ERR_PLAN for a cycle (printed whole), or what expand() set. */
MUSTCHECK bool graph_build(Graph *graph, const StepKind *const *kinds, const Blueprint *blueprint,
                           Err *err);
void graph_release(Graph *graph);

/** The step with this id, NULL if there is none. */
Step *graph_find(const Graph *graph, const char *id);

#endif
