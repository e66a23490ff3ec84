/*
 * godwit refresh PLAN: takes in what was added to the selection since the run began. The engine
 * that runs does it; without one this process does, as far as caught up.
 */
#include "cmd/command.h"
#include "cmd/engine.h"

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    EngineOptions engine = {.until = "catchup", .changes = CHANGES_ADDED};
    return session_plan(&session, options->arguments[0], err) && engine_run(&session, &engine, err);
}

extern const Command COMMAND_REFRESH;
const Command COMMAND_REFRESH = {
    .name = "refresh",
    .arguments = "PLAN",
    .summary = "takes in relations that were added to the selection",
    .touches = "writes to both servers, or asks the running engine",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
