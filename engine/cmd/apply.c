/*
 * godwit apply PLAN: runs the graph, or goes on where it stopped.
 */
#include "cmd/command.h"
#include "cmd/engine.h"
#include "journal/made.h"

static const char QUESTION[] =
    "schema.existing is replace: what an earlier run of this plan made on the target is dropped, "
    "with its rows, and made anew. Go on?";

/* \param there whether a new run would find something that it drops */
static bool find_replaced(Session *session, bool *there, Err *err)
{
    AUTO_ROWS Rows *made = NULL;
    if (!session_connect(session, false, true, true, err) || !session_journal(session, err) ||
        !journal_made(session->target, session->plan.name, &made, err))
        return false;
    *there = session->journal.id == 0 && made != NULL && rows_count(made) > 0;
    return true;
}

/* Nothing else that apply does destroys. Where nobody can be asked the plan's word counts, which
 * was reviewed. */
static bool may_replace(Session *session, const Options *options, Err *err)
{
    bool there = false;
    if (options->yes || session->plan.schema.existing != PLAN_EXISTING_REPLACE ||
        !session_can_ask())
        return true;
    if (!find_replaced(session, &there, err))
        return false;
    conn_close(session->target);
    session->target = NULL;
    return !there || session_confirm(options, QUESTION, err);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    EngineOptions engine = {.until = options->until,
                            .exit_at_gate = options->exit_at_gate,
                            .changes = options->accept_changes ? CHANGES_SAFE : CHANGES_REFUSED,
                            .step_done = options->step_done,
                            .step_again = options->step_again};
    return session_plan(&session, options->arguments[0], err) &&
           may_replace(&session, options, err) && engine_run(&session, &engine, err);
}

extern const Command COMMAND_APPLY;
const Command COMMAND_APPLY = {
    .name = "apply",
    .arguments = "PLAN",
    .summary = "runs the migration; resumes where it stopped; waits at gates",
    .touches = "writes to both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_UNTIL, OPTION_EXIT_AT_GATE, OPTION_ACCEPT_CHANGES,
                                  OPTION_STEP_DONE, OPTION_STEP_AGAIN, OPTION_YES, OPTION_NONE},
    .run = run,
};
