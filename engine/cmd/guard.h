/*
 * Guard: what DDL on the source means for the run while it replicates. The stream's pulse tells
 * that the shape of some table moved; the guard compares what is selected now with what the graph
 * was made of, and follows the plan's `ddl`. Decisions and failures: docs/adr/0021.
 */
#ifndef GODWIT_CMD_GUARD_H
#define GODWIT_CMD_GUARD_H

#include "cdc/stream.h"
#include "step/run.h"

/* Zeroed, with `leave_added`, it is ready. */
typedef struct Guard {
    bool leave_added;    /* what is new could not be taken in: reported only, until more comes */
    uint64_t seen;       /* StreamStatus.shapes */
    int64_t again_ms;    /* look again then; 0: no need */
    const char *told;    /* additions that were reported */
    const char *altered; /* the structure that stops the run */
    Err unpublished;     /* what does, too; guard_answer() hands it over */
    /* The same while the way back is kept open, of the target. */
    uint64_t seen_back;
    const char *altered_back;
} Guard;

/** Looks, when there is reason to. Does nothing once the cutover began: it compares by itself,
 * under its locks. While the way back is kept open it looks at the target. \param arena of the
 * session \param target for findings */
void guard_tick(Guard *guard, Arena *arena, Run *run, Conn *target, const StreamStatus *status);

/** Says what came to the source and is left out. */
void guard_warn_added(const LogCtx *ctx, const char *names);

/** The graph ended with `failure`: when a step of it met a name that is not there, looks whether
 * the source was altered, and answers that. To be called before guard_answer(). Parameters as for
 * guard_tick(). */
void guard_failed(Guard *guard, Arena *arena, Run *run, Conn *target, const Err *failure);

/** The error of a run that was stopped because of what was altered. */
void guard_answer(Guard *guard, const Run *run, Err *failure);

#endif
