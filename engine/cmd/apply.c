/*
 * godwit apply PLAN: runs the graph, or goes on where it stopped.
 */
#include "cmd/command.h"
#include "cmd/engine.h"

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    EngineOptions engine = {.until = options->until,
                            .exit_at_gate = options->exit_at_gate,
                            .changes = options->accept_changes ? CHANGES_SAFE : CHANGES_REFUSED,
                            .step_done = options->step_done,
                            .step_again = options->step_again};
    return session_plan(&session, options->arguments[0], err) && engine_run(&session, &engine, err);
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
