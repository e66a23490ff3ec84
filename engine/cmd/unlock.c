/*
 * godwit unlock PLAN: ends the session of a dead engine that still holds the run's lock.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "sql_text.h"

#include <inttypes.h>

/* An engine that still lives and loses its lock would take it again: the run is not its own any
 * more. */
static bool disown(Session *session, Err *err)
{
    return session_journal(session, err) &&
           (session->journal.id == 0 ||
            pg_none(session->target, SQL_JOURNAL_RUN_DISOWN,
                    PARAMS(arena_int64(&session->arena, session->journal.id)), err));
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    AUTO_ROWS Rows *rows = NULL;
    LockHolder holder = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, false, true, false, err) ||
        !run_lock_holder(&session.arena, session.target, session.plan.name, &holder, err))
        return false;
    if (holder.pid == 0) {
        printf("nobody holds the lock of run \"%s\"\n", session.plan.name);
        return true;
    }
    fprintf(stderr, "session %" PRId64 " of %s from %s holds the lock since %s (%s)\n", holder.pid,
            holder.user, holder.address, holder.since, holder.application);
    if (!session_confirm(options, "End it? An engine that still lives stops at once.", err) ||
        !disown(&session, err) ||
        !pg_one(session.target, "SELECT pg_catalog.pg_terminate_backend($1::integer)",
                PARAMS(arena_int64(&session.arena, holder.pid)), &rows, err))
        return false;
    printf("ended session %" PRId64 "\n", holder.pid);
    return true;
}

extern const Command COMMAND_UNLOCK;
const Command COMMAND_UNLOCK = {
    .name = "unlock",
    .arguments = "PLAN",
    .summary = "ends a dead engine's session that still holds the lock; asks",
    .touches = "a lock on the target",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_YES, OPTION_NONE},
    .run = run,
};
