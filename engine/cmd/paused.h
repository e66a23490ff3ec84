/*
 * Paused: tables that were altered on the source while they are replicated, where the plan's
 * ddl.altered says pause_relation. They are left out of the blueprint, so of every step, and their
 * changes out of the stream; the rest goes on. `resync` takes one in again: by a copy, when the
 * target's table is as the source's is now. Decisions and failures: docs/adr/0024.
 */
#ifndef GODWIT_CMD_PAUSED_H
#define GODWIT_CMD_PAUSED_H

#include "cmd/session.h"

/** Reads which tables are paused; those that session->resync names are to be taken in again.
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool paused_read(Session *session, Err *err);

/** Adds what was altered since, if the plan wants it and the rest stands without it.
 * \param recorded,now structures */
void paused_add(Session *session, const char *recorded, const char *now);

/** A structure without what is paused, or is taken in again. */
const char *paused_rest(Session *session, const char *structure);

/** Findings about a plan that names a table which is left out for a while are nobody's mistake. */
void paused_forgive(const Session *session, PlanFindings *findings);

/** Notes in the journal what is paused, before anything of it is left out of the stream. */
MUSTCHECK bool paused_note(const Session *session, Err *err);

/** Whether what is to be taken in again may be: the target's table is like the source's, or is not
 * there. The session is inspected. \return false with ERR_STALE that says what to do, ERR_SQL,
 * ERR_LOST. */
MUSTCHECK bool paused_may_resume(const Session *session, Err *err);

/** Takes it in: its leaves are copied anew, and it is paused no more. What paused_may_resume() let
 * pass, and only behind the recorded structure has it. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool paused_resume(const Session *session, Err *err);

/** Adds the relations of the source that are paused, with the partitions that they have, to those
 * that the stream leaves out. */
void paused_oids(Session *session);

/** What is done about a stream that ended because a table has another structure in it: pauses that.
 * \param why the stream's error \return whether it is paused; false when the plan does not say so,
 * or it cannot be */
bool paused_by_stream(Session *session, const Run *run, const Relation *relation, const Err *why);

#endif
