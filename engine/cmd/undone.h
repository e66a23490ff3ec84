/*
 * Undone: what the plan has behind the switch and no engine has come to, for who gives a run up.
 */
#ifndef GODWIT_CMD_UNDONE_H
#define GODWIT_CMD_UNDONE_H

#include "cmd/session.h"

typedef VEC(const char *) UndoneVec;

/** Names the steps of a switched run that the journal does not have as done, and that neither a
 * cleanup does nor anybody else would: hooks of `switch`, policies, jobs, validations, steps of the
 * plan. Reads both catalogs. \param undone texts, owned by the session's arena
 * \return false with what session_inspect() or a query sets */
MUSTCHECK bool undone_find(Session *session, UndoneVec *undone, Err *err);

#endif
