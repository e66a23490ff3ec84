/*
 * Again: whether an engine goes on by itself after a failure. A lost connection, a server that
 * restarts, the lost session of the run's lock are what a new `godwit apply` mends: the engine
 * gives up everything it holds and begins anew in its own process, after a wait that grows.
 *
 * Not so: before the run was begun (a server that cannot be reached at the start is exit 5 at
 * once), after a cutover was taken back (it is approved anew), when another engine or `godwit
 * unlock` took the run over meanwhile (the run's epoch tells), and once AGAIN_PERIOD_MS went by
 * without AGAIN_LIVED_MS of a run. See docs/adr/0017.
 */
#ifndef GODWIT_CMD_AGAIN_H
#define GODWIT_CMD_AGAIN_H

#include "cmd/session.h"

#define AGAIN_PERIOD_MS ((int64_t)2 * 60 * 1000)
#define AGAIN_LIVED_MS  ((int64_t)30 * 1000)

typedef struct Again {
    int64_t epoch;    /* that this process took last; 0: the run is not begun */
    int64_t began_ms; /* the graph that ended last */
    int64_t since_ms; /* the first failure of this row of them; 0: none */
    unsigned attempt;
    bool passing; /* what ended the graph passes by itself */
} Again;

/** Whether this failure passes by itself: the server or the way to it was not there for a moment.
 * Asked before the error gets the code of a cutover that was taken back. */
bool again_passes(const Stop *stop, const Err *failure);

/** Whether the engine begins anew after this failure, which is what ended it. */
bool again_may(const Again *again, const Stop *stop, const Err *failure);

/** Refuses with ERR_RUN a run that somebody else took over since this process had it. */
MUSTCHECK bool again_is_ours(const Again *again, const Session *session, Err *err);

/** Tells the failure, waits; the lock is kept unless it is lost. \return false with the failure
 * when it has lasted too long, or with the stop's error. */
MUSTCHECK bool again_wait(Again *again, Session *session, Err *err);

#endif
