/*
 * godwit schema: the plan language as JSON Schema.
 */
#include "cmd/command.h"
#include "plan/plan.h"

static bool run(const Options *options, Err *err)
{
    (void)options;
    (void)err;
    AUTO_ARENA Arena arena = {0};
    fputs(plan_schema_json(&arena), stdout);
    return true;
}

extern const Command COMMAND_SCHEMA;
const Command COMMAND_SCHEMA = {
    .name = "schema",
    .arguments = "",
    .summary = "prints the plan language as JSON Schema (draft-07)",
    .touches = "nothing",
    .run = run,
};
