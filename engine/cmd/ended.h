/*
 * Ended: what commands say of a plan whose run was cleaned up. Its tombstone tells what `apply`
 * goes by: behind a finished run there is nothing to do under this name.
 */
#ifndef GODWIT_CMD_ENDED_H
#define GODWIT_CMD_ENDED_H

#include "cmd/session.h"

/** Looks for the tombstone of a finished run. After session_journal().
 * \param sentence NULL when a run is there, or a new one may begin \return false with ERR_SQL,
 * ERR_LOST. */
MUSTCHECK bool ended_look(Session *session, const char **sentence, Err *err);

/** Sets the error of a command that needs a run where there is none. \param hint what to do where
 * a new run may begin; NULL: nothing is said \return false. */
bool ended_no_run(Session *session, const char *hint, Err *err);

#endif
