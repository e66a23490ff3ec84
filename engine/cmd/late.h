/*
 * Late: tables that are copied while the run replicates: what `resync` names, checked against the
 * selection and noted in the journal.
 */
#ifndef GODWIT_CMD_LATE_H
#define GODWIT_CMD_LATE_H

#include "cmd/session.h"

/** Refuses what cannot be copied anew: with ERR_USAGE what is not selected (with the nearest name),
 * with ERR_RUN what is merged, or has no rows of its own. \param argument the tables, a JSON array
 * of texts */
MUSTCHECK bool late_check(const Blueprint *blueprint, const char *argument, Err *err);

/** Notes in the journal that the tables are to be copied anew. \param argument NULL: none
 * \return false with the errors of late_check(), ERR_SQL, ERR_LOST. */
MUSTCHECK bool late_note(const Blueprint *blueprint, Conn *target, int64_t run,
                         const char *argument, Err *err);

typedef struct LateMoves {
    const char *recorded; /* structures, without what is paused or is taken in again */
    const char *now;
    const char *whole;  /* what is recorded then */
    const char *resync; /* as of late_note() */
} LateMoves;

/** Takes over what moved: additions as they are, and partitions that went on the source, or are
 * other tables under the same name now. Those that went are forgotten once the target has none of
 * their rows any more (cmd/gone.h); the others are copied anew. \return false with ERR_STALE when
 * the target still has some, or more moved than partitions, ERR_SQL, ERR_LOST */
MUSTCHECK bool late_moves(const Blueprint *blueprint, Conn *target, int64_t run,
                          const LateMoves *late, Err *err);

#endif
