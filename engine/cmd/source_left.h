/*
 * SourceLeft: what a run has left on a source that is not there to be cleaned up.
 */
#ifndef GODWIT_CMD_SOURCE_LEFT_H
#define GODWIT_CMD_SOURCE_LEFT_H

#include "cmd/session.h"

/** Prints what stays on the source, as the journal knows it, and with a spool what stays on this
 * machine. Needs the target's session only. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool source_left_tell(Session *session, Err *err);

#endif
