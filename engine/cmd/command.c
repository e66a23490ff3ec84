/*
 * Command: the way from argv to a command, and of its error to stderr and the exit status. The only
 * place that prints errors.
 */
#include "cmd/command.h"

#include "base/color.h"
#include "base/log.h"
#include "base/str.h"
#include "plan/suggest.h"

#include <signal.h>
#include <unistd.h>

/* Whatever has several lines stays one block. */
static void print_lines(const char *label, const char *text)
{
    int width = (int)strlen(label);
    for (const char *line = text; line != NULL && *line != '\0';) {
        int length = (int)strcspn(line, "\n");
        fprintf(stderr, "  %*s %.*s\n", width, line == text ? label : "", length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_error(const Err *err)
{
    AUTO_STR Str code = {0};
    color_append(&code, STDERR_FILENO, COLOR_OF_ERROR, err_code_name(err->code));
    fprintf(stderr, "godwit: %s: %s\n", code.data, err->message);
    if (err->file != NULL && err->line > 0)
        fprintf(stderr, "  plan: %s:%u:%u\n", err->file, err->line, err->column);
    if (err->step != NULL)
        fprintf(stderr, "  step: %s\n", err->step);
    if (err->detail != NULL)
        print_lines("detail:", err->detail);
    if (err->hint != NULL)
        print_lines("hint:", err->hint);
}

const Command *command_find(const char *name)
{
    for (const Command *const *command = COMMANDS; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

void command_help(const Command *command)
{
    if (command == NULL) {
        printf("godwit moves a PostgreSQL database, live, into PostgreSQL or TimescaleDB, from one "
               "plan file.\n\n"
               "Usage: godwit COMMAND [arguments] [options]\n\n");
        for (const Command *const *row = COMMANDS; *row != NULL; row++)
            printf("  %-9s %-10s %s\n", (*row)->name, (*row)->arguments, (*row)->summary);
        printf("\n\"godwit help COMMAND\" shows a command's options. Exit statuses: "
               "docs/operations.md.\n");
        return;
    }
    printf("Usage: godwit %s %s [options]\n\n%s\nTouches: %s.\n\n", command->name,
           command->arguments, command->summary, command->touches);
    options_help(command);
}

/* Named by the plan language and by what people read of it; each has something near it here. */
static const struct {
    const char *name;
    const char *instead;
} LATER[] = {
    {"rehearse",
     "\"godwit check\" estimates copy and WAL; a copy of the plan with another name, that "
     "names throw-away servers, goes the whole way there."},
    {"report", "\"godwit status PLAN --format json\" has the run's figures; \"godwit verify PLAN "
               "--format json\" what both sides hold."},
};

static const char *later_instead(const char *word)
{
    for (size_t i = 0; word != NULL && i < sizeof(LATER) / sizeof(LATER[0]); i++) {
        if (strcmp(LATER[i].name, word) == 0)
            return LATER[i].instead;
    }
    return NULL;
}

static bool usage_error(const char *word, Err *err)
{
    const char *instead = later_instead(word);
    if (instead != NULL) {
        err_set(err, ERR_USAGE, "\"%s\" is not in this version", word);
        return err_hint(err, "%s", instead);
    }
    if (word == NULL)
        err_set(err, ERR_USAGE, "no command given");
    else
        err_set(err, ERR_USAGE, "there is no command \"%s\"", word);
    Suggest suggest = suggest_begin(word != NULL ? word : "");
    for (const Command *const *command = COMMANDS; word != NULL && *command != NULL; command++)
        suggest_offer(&suggest, (*command)->name);
    if (suggest.best != NULL)
        return err_hint(err, "did you mean \"%s\"? \"godwit help\" lists the commands.",
                        suggest.best);
    return err_hint(err, "\"godwit help\" lists the commands.");
}

/* A wrong word is refused once it is known that no option goes before it. */
static bool start_color(const char *option, Err *err)
{
    ColorWhen when = COLOR_AUTO;
    const char *wanted = option != NULL ? option : getenv("GODWIT_COLOR");
    bool known = wanted == NULL || *wanted == '\0' || color_parse(wanted, &when);
    color_init(when);
    return known ||
           err_set(err, ERR_USAGE, "GODWIT_COLOR is auto, always or never, not \"%s\"", wanted);
}

static bool start_log(const Options *options, Err *err)
{
    LogLevel level = LOG_INFO;
    const char *wanted =
        options->log_level != NULL ? options->log_level : getenv("GODWIT_LOG_LEVEL");
    if (wanted != NULL && *wanted != '\0' && !log_level_parse(wanted, &level))
        return err_set(err, ERR_USAGE, "GODWIT_LOG_LEVEL is debug, info, warn or error, not \"%s\"",
                       wanted);
    log_init(level, text_equal(options->log_format, "json"));
    return true;
}

/* What is asked for before there is a command is one, too. */
static const char *command_word(const char *word)
{
    if (options_is_help(word))
        return "help";
    return text_equal(word, "--version") ? "version" : word;
}

static bool run(int argc, char **argv, Err *err)
{
    const char *word = argc < 2 ? NULL : command_word(argv[1]);
    const Command *command = word == NULL ? NULL : command_find(word);
    if (command == NULL)
        return usage_error(word, err);
    Options options;
    if (!options_parse(command, argc - 2, argv + 2, &options, err))
        return false;
    if (options.help) {
        command_help(command);
        return true;
    }
    return start_color(options.color, err) && start_log(&options, err) &&
           command->run(&options, err);
}

int command_main(int argc, char **argv)
{
    AUTO_ERR Err err = {0};
    AUTO_ERR Err later = {0};
    signal(SIGPIPE, SIG_IGN);
    if (!start_color(NULL, &later)) /* a wrong command line is told in colour, too */
        color_init(COLOR_AUTO);
    bool ok = run(argc, argv, &err);
    if (fflush(stdout) != 0 && ok)
        ok = err_set(&err, ERR_IO, "could not write the result to standard output");
    if (ok)
        return 0;
    /* "There are changes" is an answer, not an error. */
    if (err.code != ERR_PENDING)
        print_error(&err);
    return err_exit_status(err.code);
}
