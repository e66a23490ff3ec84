/*
 * Engine: one execution of a run's graph with everything around it: lock, journal, preflight,
 * progress, requests, rollback. Behind `apply`, and behind `cutover` when no engine runs.
 */
#ifndef GODWIT_CMD_ENGINE_H
#define GODWIT_CMD_ENGINE_H

#include "cmd/session.h"

typedef struct EngineOptions {
    const char *until;
    bool exit_at_gate;
    bool failback;          /* goes back to the source */
    SessionChanges changes; /* that are taken over from the plan */
    int64_t refresh;    /* the request (refresh, resync) that is answered once caught up; 0 none */
    const char *resync; /* tables that are copied anew, as late_note() has them; NULL: none */
    bool leave_added;   /* though the plan's ddl.added says add: it could not be taken in */
    const char *step_done;  /* a step of the plan whose outcome nobody knows: it is done; NULL */
    const char *step_again; /* it is run again; NULL */
} EngineOptions;

/** Runs the plan as far as it goes. The session has its plan; everything else is done here.
 * Prints the totals (or that the run was finished long ago) to stdout. */
MUSTCHECK bool engine_run(Session *session, const EngineOptions *options, Err *err);

/** Refuses what `refresh` cannot take in: with ERR_STALE what is no addition, with ERR_RUN when no
 * run goes on. Takes nothing over. The session is inspected. */
MUSTCHECK bool engine_may_refresh(Session *session, Err *err);

/** Releases what a Run holds in this process: stream, wave, cutover. \return false with the
 * stream's error. */
MUSTCHECK bool engine_release_run(Run *run, Err *err);

#endif
