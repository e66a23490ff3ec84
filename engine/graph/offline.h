/*
 * Offline: the graph of a plan alone. What stands for objects that only a server knows is one step
 * `kind:*`; what the plan names (hypertables, verifications, steps of its own) has its own name.
 */
#ifndef GODWIT_GRAPH_OFFLINE_H
#define GODWIT_GRAPH_OFFLINE_H

#include "graph/build.h"

/** Builds the graph over one object of each sort instead of catalogs; its steps can be printed, not
 * run. \param arena must live as long as the graph
 * \return false as graph_build() */
MUSTCHECK bool graph_build_offline(Graph *graph, Arena *arena, const StepKind *const *kinds,
                                   const Plan *plan, Err *err);

#endif
