/*
 * godwit help [COMMAND].
 */
#include "cmd/command.h"

static bool run(const Options *options, Err *err)
{
    const Command *command = NULL;
    if (options->argument_count == 1) {
        command = command_find(options->arguments[0]);
        if (command == NULL)
            return err_set(err, ERR_USAGE, "there is no command \"%s\"", options->arguments[0]) ||
                   err_hint(err, "\"godwit help\" lists the commands.");
    }
    command_help(command);
    return true;
}

extern const Command COMMAND_HELP;
const Command COMMAND_HELP = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "lists the commands, or a command's options",
    .touches = "nothing",
    .max_arguments = 1,
    .run = run,
};
