/*
 * The states of a run, and the edges between them. journal_run_state() is the one function that
 * moves them.
 */
#ifndef GODWIT_JOURNAL_RUN_STATE_TABLE_H
#define GODWIT_JOURNAL_RUN_STATE_TABLE_H

#define RUN_RUNNING     "running"
#define RUN_CUTOVER     "cutover"
#define RUN_SWITCHED    "switched"
#define RUN_FINISHED    "finished"
#define RUN_FAILBACK    "failback"
#define RUN_FAILED_BACK "failed_back"

typedef struct RunStateEdge {
    const char *from;
    const char *to;
    const char *comment;
} RunStateEdge;

/** Ends with NULLs. */
extern const RunStateEdge RUN_STATE_EDGES[];

#endif
