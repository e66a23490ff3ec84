/*
 * The graph as text, dot, mermaid or json. Deterministic.
 */
#ifndef GODWIT_REPORT_GRAPH_TEXT_H
#define GODWIT_REPORT_GRAPH_TEXT_H

#include "base/str.h"
#include "graph/build.h"

/** Appends the graph in a format: "text", "dot", "mermaid" or "json".
 * \param path of the plan, for positions in json */
void graph_print(Str *out, const Graph *graph, const char *path, const char *format);

/** How a phase is called. */
const char *phase_name(StepPhase phase);

#endif
