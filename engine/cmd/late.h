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

/** Takes over what moved: additions as they are, and partitions that went on the source, or are
 * other tables under the same name now. Those that went may be forgotten once the target has none
 * of that name any more; the others are copied anew. \param now,recorded structures \return false
 * with ERR_STALE when the target still has one, or more moved than partitions, ERR_SQL, ERR_LOST */
MUSTCHECK bool late_moves(const Blueprint *blueprint, Conn *target, int64_t run,
                          const char *recorded, const char *now, Err *err);

#endif
