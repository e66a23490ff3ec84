/*
 * Options: the table, parsing, help.
 */
#include "cmd/options.h"

#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"

#include <stddef.h>

typedef struct OptionRow {
    OptionId id;
    const char *name;
    const char *value; /* what usage calls the value; NULL: a flag */
    size_t member;     /* offset in Options */
    const char *help;
} OptionRow;

#define ROW(id, name, value, member, help)                                                         \
    {                                                                                              \
        id, name, value, offsetof(Options, member), help                                           \
    }

static const OptionRow ROWS[] = {
    ROW(OPTION_FORMAT, "--format", "FORMAT", format, "how the result is printed"),
    ROW(OPTION_ALL, "--all", NULL, all, "everything that is selected"),
    ROW(OPTION_TARGET_ONLY, "--target-only", NULL, target_only,
        "the source is gone for good: tell what stays there, touch only the target"),
    ROW(OPTION_YES, "--yes", NULL, yes, "do not ask (never replaces a required approval)"),
    ROW(OPTION_UNTIL, "--until", "STEP", until,
        "stop when this step, or all steps of this kind, are done"),
    ROW(OPTION_EXIT_AT_GATE, "--exit-at-gate", NULL, exit_at_gate,
        "leave at a gate (8) or a missing approval (6) instead of waiting"),
    ROW(OPTION_ACCEPT_CHANGES, "--accept-changes", NULL, accept_changes,
        "go on with a changed plan when only safe keys changed"),
    ROW(OPTION_STEP_DONE, "--step-done", "STEP", step_done,
        "take a step of the plan as done that was running when its engine died"),
    ROW(OPTION_STEP_AGAIN, "--step-again", "STEP", step_again, "run such a step again"),
    ROW(OPTION_OUT, "--out", "FILE", out, "write to a file: a pinned plan, or a drafted one"),
    ROW(OPTION_SOURCE_ENV, "--source-env", "VAR", source_env,
        "the variable that holds the source's connection string"),
    ROW(OPTION_TARGET_ENV, "--target-env", "VAR", target_env,
        "the target's, to be looked at too: names that clash, extensions"),
    ROW(OPTION_NAME, "--name", "NAME", name, "name of the migration; otherwise the database's"),
    ROW(OPTION_DETAILED_EXITCODE, "--detailed-exitcode", NULL, detailed_exitcode,
        "exit 2 when there are changes to make"),
    ROW(OPTION_CONNECT, "--connect", NULL, connect, "read both servers"),
    ROW(OPTION_SCRIPT, "--script", NULL, script, "print the remedies only"),
    ROW(OPTION_FIX, "--fix", NULL, fix, "run the remedies that are safe, after asking"),
    ROW(OPTION_SAMPLE, "--sample", "TIME", sample,
        "how long the workload is watched (2s; 0s: not at all)"),
    ROW(OPTION_WATCH, "--watch", NULL, watch, "print again every two seconds"),
    ROW(OPTION_LOG_FORMAT, "--log-format", "text|json", log_format, "how log lines look"),
    ROW(OPTION_LOG_LEVEL, "--log-level", "LEVEL", log_level, "debug, info, warn or error"),
    ROW(OPTION_COLOR, "--color", "WHEN", color, "auto, always or never"),
    ROW(OPTION_HELP, "--help", NULL, help, "this text; -h, too"),
};

#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static bool is_common(OptionId id)
{
    return id == OPTION_LOG_FORMAT || id == OPTION_LOG_LEVEL || id == OPTION_COLOR ||
           id == OPTION_HELP;
}

static bool takes(const Command *command, OptionId id)
{
    if (is_common(id) || (id == OPTION_FORMAT && command->formats != NULL))
        return true;
    for (const OptionId *option = command->options; option != NULL && *option != OPTION_NONE;
         option++) {
        if (*option == id)
            return true;
    }
    return false;
}

static const OptionRow *find_row(const Command *command, const char *text, size_t length)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strlen(ROWS[i].name) == length && strncmp(ROWS[i].name, text, length) == 0 &&
            takes(command, ROWS[i].id))
            return &ROWS[i];
    }
    return NULL;
}

static bool in_alternatives(const char *alternatives, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = alternatives; at != NULL; at = strchr(at, '|')) {
        if (*at == '|')
            at++;
        if (strncmp(at, value, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool check_values(const Command *command, const Options *options, Err *err)
{
    LogLevel ignored = LOG_INFO;
    if (command->formats != NULL && !in_alternatives(command->formats, options->format))
        return err_set(err, ERR_USAGE, "--format of \"%s\" is one of %s, not \"%s\"", command->name,
                       command->formats, options->format);
    if (options->log_format != NULL && !in_alternatives("text|json", options->log_format))
        return err_set(err, ERR_USAGE, "--log-format is text or json, not \"%s\"",
                       options->log_format);
    if (options->log_level != NULL && !log_level_parse(options->log_level, &ignored))
        return err_set(err, ERR_USAGE, "--log-level is debug, info, warn or error, not \"%s\"",
                       options->log_level);
    if (options->color != NULL && !in_alternatives("auto|always|never", options->color))
        return err_set(err, ERR_USAGE, "--color is auto, always or never, not \"%s\"",
                       options->color);
    return true;
}

static bool check_arguments(const Command *command, const Options *options, Err *err)
{
    if (options->help || (options->argument_count >= command->min_arguments &&
                          options->argument_count <= command->max_arguments))
        return true;
    err_set(err, ERR_USAGE, "\"%s\" takes %s", command->name,
            *command->arguments != '\0' ? command->arguments : "no arguments");
    return err_hint(err, "Usage: godwit %s %s [options]", command->name, command->arguments);
}

bool options_is_help(const char *word)
{
    return text_equal(word, "--help") || text_equal(word, "-h");
}

/* --name, --name=value or --name value; returns how many words were used, 0 on error. */
static int parse_option(const Command *command, int left, char **words, Options *options, Err *err)
{
    if (options_is_help(words[0])) {
        options->help = true;
        return 1;
    }
    const char *equals = strchr(words[0], '=');
    size_t length = equals != NULL ? (size_t)(equals - words[0]) : strlen(words[0]);
    const OptionRow *row = find_row(command, words[0], length);
    if (row == NULL) {
        err_set(err, ERR_USAGE, "\"%s\" has no option %.*s", command->name, (int)length, words[0]);
        err_hint(err, "\"godwit help %s\" lists its options.", command->name);
        return 0;
    }
    char *member = (char *)options + row->member;
    if (row->value == NULL) {
        if (equals != NULL) {
            err_set(err, ERR_USAGE, "%s takes no value", row->name);
            return 0;
        }
        memcpy(member, &(bool){true}, sizeof(bool));
        return 1;
    }
    const char *value = equals != NULL ? equals + 1 : left > 1 ? words[1] : NULL;
    if (value == NULL) {
        err_set(err, ERR_USAGE, "%s wants a value: %s", row->name, row->value);
        return 0;
    }
    memcpy(member, &value, sizeof(value));
    return equals != NULL ? 1 : 2;
}

bool options_parse(const Command *command, int argc, char **argv, Options *options, Err *err)
{
    *options = (Options){0};
    if (command->formats != NULL) {
        size_t length = strcspn(command->formats, "|");
        static char first[32]; /* a format's name; one command a process */
        snprintf(first, sizeof(first), "%.*s", (int)length, command->formats);
        options->format = first;
    }
    for (int i = 0; i < argc;) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            int used = parse_option(command, argc - i, argv + i, options, err);
            if (used == 0)
                return false;
            i += used;
            continue;
        }
        if (options->argument_count ==
            (int)(sizeof(options->arguments) / sizeof(options->arguments[0])))
            return err_set(err, ERR_USAGE, "too many arguments");
        options->arguments[options->argument_count++] = argv[i++];
    }
    return check_values(command, options, err) && check_arguments(command, options, err);
}

void options_help(const Command *command)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const OptionRow *row = &ROWS[i];
        if (!takes(command, row->id))
            continue;
        const char *value = row->id == OPTION_FORMAT ? command->formats : row->value;
        printf("  %-20s %-24s %s\n", row->name, value != NULL ? value : "", row->help);
    }
}
