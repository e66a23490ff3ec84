/*
 * Command: one subcommand of godwit. Each stands in a file of its own (cmd/<name>.c) and is listed
 * in cmd/command_table.c; options are one table for all of them (cmd/options.h).
 */
#ifndef GODWIT_CMD_COMMAND_H
#define GODWIT_CMD_COMMAND_H

#include "cmd/options.h"

typedef struct Command {
    const char *name;
    const char *arguments; /* as usage shows them: "PLAN" */
    const char *summary;   /* one line */
    const char *touches;   /* "nothing", "reads both", ... */
    int min_arguments;
    int max_arguments;
    const OptionId *options; /* those it takes, besides the common ones; ends with OPTION_NONE */
    const char
        *formats; /* values --format takes, "|"-separated, the first is the default; NULL: none */
    /** Runs it. Prints its result to stdout. \return false with the error that decides the exit
     * status. */
    bool (*run)(const Options *options, Err *err);
} Command;

/** Ends with a NULL name. */
extern const Command *const COMMANDS[];

/** Finds a command by its name; NULL if there is none. */
const Command *command_find(const char *name);

/** Parses the command line, runs the command, prints an error, gives the exit status. */
int command_main(int argc, char **argv);

/** Prints a command's usage and options, or everything (command NULL). */
void command_help(const Command *command);

#endif
