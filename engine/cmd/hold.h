/*
 * Hold: a run is held to what was reviewed: what a pinned plan pins is gathered, and compared with
 * what is there now.
 */
#ifndef GODWIT_CMD_HOLD_H
#define GODWIT_CMD_HOLD_H

#include "cmd/pinned.h"
#include "cmd/session.h"

/** Reads what a pinned plan pins: both catalogs' definitions, the journal, the graph, the files
 * that the plan names. After session_journal() and session_inspect(). */
MUSTCHECK bool hold_facts(Arena *arena, Session *session, PinnedFacts *facts, Err *err);

/** Refuses with ERR_STALE, saying what moved since the session's plan was pinned: the engine, the
 * plan or a file it names, a database, a definition, the journal, a step. In a run that this very
 * pinned plan began, what the run itself changes (the target, the journal, replica identities) is
 * no move, and behind its switch nothing is.
 * \return true at once when the session has no pinned plan */
MUSTCHECK bool session_hold(Session *session, Err *err);

/** The hash of the session's pinned plan, NULL when it has none. */
const char *session_pin(const Session *session);

#endif
