/*
 * Executor: runs every ready step on a pool of workers up to the plan's job counts, longest first.
 * A failed step stops what depends on it, lets what is running finish, and all failures are
 * reported.
 *
 * The calling (main) thread schedules and calls `tick`.
 */
#ifndef GODWIT_GRAPH_EXECUTE_H
#define GODWIT_GRAPH_EXECUTE_H

#include "graph/build.h"

typedef enum StepState {
    STEP_WAITING,
    STEP_RUNNING,
    STEP_DONE,
    STEP_FAILED,
    STEP_BLOCKED /* something it needs failed, or the run stops */
} StepState;

/* What progress may read, on the main thread, during a tick. */
typedef struct ExecuteView {
    const Graph *graph;
    const StepState *states; /* by Step.index */
    Run *run;
    int64_t started_ms; /* monotonic */
} ExecuteView;

typedef struct ExecuteOptions {
    const char *until; /* run this step and what it needs, then end; NULL: everything */
    void (*tick)(void *data, const ExecuteView *view); /* about 5 times a second; NULL: none */
    void *tick_data;
} ExecuteOptions;

/** Runs the graph to its end, a failure, or a stop.
 * \return false with the first failure (its step noted); others are logged. */
MUSTCHECK bool graph_execute(const Graph *graph, Run *run, const ExecuteOptions *options, Err *err);

#endif
