/*
 * Blockers: the transactions of the source that a new slot or a lock has to wait for, and the
 * patience with them: try, name who stands in the way, give everything back, try again.
 */
#ifndef GODWIT_COPY_BLOCKERS_H
#define GODWIT_COPY_BLOCKERS_H

#include "pg/query.h"

/* How long one attempt may wait for a lock or a transaction: while it waits, others queue behind
 * our locks. Builds for tests, where transactions are short, come to the second attempt sooner. */
#ifdef GODWIT_FAULTS
#define BLOCKERS_LOCK_TIMEOUT_MS 3000
#else
#define BLOCKERS_LOCK_TIMEOUT_MS 10000
#endif

typedef struct Patience {
    int attempts;
    int64_t since_ms; /* monotonic; 0: not begun */
} Patience;

/** Decides about a failed attempt: when a transaction stood in the way (sqlstate 55P03) and
 * patience is left, names the blockers in the log, waits and returns true with `err` unset.
 * \param source a connection for looking who it is \param what "the snapshot of wave 1"
 * \return false: `err` stays set (detail: the blockers), or is the stop's. */
MUSTCHECK bool blockers_wait(Patience *patience, Conn *source, const char *what, Err *err);

#endif
