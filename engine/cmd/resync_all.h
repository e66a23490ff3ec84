/*
 * Resync of everything: the way on when the slot is lost.
 */
#ifndef GODWIT_CMD_RESYNC_ALL_H
#define GODWIT_CMD_RESYNC_ALL_H

#include "cmd/session.h"

/** Asks; drops what is left of the slot, empties every selected table on the target and forgets
 * what was copied and applied, in one transaction. Schema, indexes, keys, identities and
 * publications stay; the next `apply` makes a slot and copies anew. The plan must be loaded.
 * \return false with ERR_LOCKED (an engine runs), ERR_RUN (no run, or it is switched), ERR_STALE,
 * ERR_USAGE (not confirmed), ERR_SQL, ERR_LOST */
MUSTCHECK bool resync_all(Session *session, const Options *options, Err *err);

#endif
