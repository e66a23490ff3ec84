/*
 * godwit version.
 */
#include "cmd/command.h"

static bool run(const Options *options, Err *err)
{
    (void)options;
    (void)err;
    printf("godwit %s\n", GODWIT_VERSION);
    return true;
}

extern const Command COMMAND_VERSION;
const Command COMMAND_VERSION = {
    .name = "version",
    .arguments = "",
    .summary = "prints the version",
    .touches = "nothing",
    .run = run,
};
