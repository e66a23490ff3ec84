/*
 * Options: one table for all commands; a command names the ones it takes.
 */
#ifndef GODWIT_CMD_OPTIONS_H
#define GODWIT_CMD_OPTIONS_H

#include "base/err.h"

typedef enum OptionId {
    OPTION_NONE,
    OPTION_FORMAT,
    OPTION_YES,
    OPTION_ALL,
    OPTION_TARGET_ONLY,
    OPTION_UNTIL,
    OPTION_EXIT_AT_GATE,
    OPTION_ACCEPT_CHANGES,
    OPTION_STEP_DONE,
    OPTION_STEP_AGAIN,
    OPTION_OUT,
    OPTION_DETAILED_EXITCODE,
    OPTION_CONNECT,
    OPTION_SCRIPT,
    OPTION_FIX,
    OPTION_SAMPLE,
    OPTION_WATCH,
    OPTION_SOURCE_ENV,
    OPTION_TARGET_ENV,
    OPTION_NAME,
    OPTION_LOG_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_COLOR,
    OPTION_HELP,
} OptionId;

typedef struct Options {
    const char *arguments[64];
    int argument_count;
    const char *format; /* the command's default when not given */
    const char *until;
    const char *step_done;
    const char *step_again;
    const char *out;
    const char *source_env;
    const char *target_env;
    const char *name;
    const char *log_format;
    const char *log_level;
    const char *color;
    bool yes;
    bool all;
    bool target_only;
    bool exit_at_gate;
    bool accept_changes;
    bool detailed_exitcode;
    bool connect;
    const char *sample;
    bool script;
    bool fix;
    bool watch;
    bool help;
} Options;

struct Command;

/** Whether this word asks for help, in front of a command or behind one. */
bool options_is_help(const char *word);

/** Parses what follows the command's name. A word that begins with "-" is an option.
 * \return false with ERR_USAGE: which option, and what the command takes. */
MUSTCHECK bool options_parse(const struct Command *command, int argc, char **argv, Options *options,
                             Err *err);

/** Appends a command's options to help text on stdout. */
void options_help(const struct Command *command);

#endif
