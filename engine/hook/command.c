/*
 * Command: one child process, its lines in our log: bounded, escaped, without secrets.
 */
#include "base/process.h"
#include "base/str.h"
#include "base/units.h"
#include "hook/hook.h"
#include "plan/report.h"
#include "plan/secret.h"

#define LINES_LOGGED 500
#define LINES_KEPT   5
#define LINE_SHOWN   1000
#define SECRET_LEAST 4 /* a shorter password would be found in half of all words */

/* What has become of a child's lines. */
typedef struct Lines {
    const HookCall *call;
    Str kept[LINES_KEPT]; /* the last ones */
    size_t count;
    const char *secrets[3];
    size_t secret_count;
} Lines;

static void add_secret(Lines *lines, const char *secret)
{
    if (secret != NULL && strlen(secret) >= SECRET_LEAST)
        lines->secrets[lines->secret_count++] = secret;
}

/* A command may be given a connection string by the plan's leave, and print it. */
static void mask(const Lines *lines, char *text, size_t length)
{
    for (size_t i = 0; i < lines->secret_count; i++) {
        size_t bytes = strlen(lines->secrets[i]);
        for (char *at = memmem(text, length, lines->secrets[i], bytes); at != NULL;
             at = memmem(at, length - (size_t)(at - text), lines->secrets[i], bytes))
            memset(at, '*', bytes);
    }
    secret_mask(text, length);
}

static void take_line(void *data, const char *line, size_t length)
{
    Lines *lines = data;
    AUTO_ARENA Arena arena = {0};
    char *copy = arena_memdup(&arena, line, length);
    mask(lines, copy, length);
    size_t shown = length < LINE_SHOWN ? length : LINE_SHOWN;
    const char *text = text_printable(&arena, copy, shown, NULL);
    if (length > shown)
        text = arena_printf(&arena, "%s...", text);
    Str *kept = &lines->kept[lines->count % LINES_KEPT];
    str_reset(kept);
    str_append(kept, text);
    LogLevel level = lines->call->is_quiet ? LOG_DEBUG : LOG_INFO;
    if (lines->count < LINES_LOGGED)
        log_message(&lines->call->log, level, "| %s", text);
    else if (lines->count == LINES_LOGGED)
        log_message(&lines->call->log, level, "| (further lines are not shown)");
    lines->count++;
}

static void add_last_lines(const Lines *lines, Err *err)
{
    size_t first = lines->count > LINES_KEPT ? lines->count - LINES_KEPT : 0;
    for (size_t i = first; i < lines->count; i++)
        err_detail(err, "%s", str_text(&lines->kept[i % LINES_KEPT]));
}

static int timeout_ms(const PlanCommand *command)
{
    int64_t ms = command->timeout_us / 1000;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static bool judge(const Lines *lines, const PlanCommand *command, const ProcessResult *result,
                  Err *err)
{
    if (result->exit_status == 0)
        return true;
    if (result->exit_status > 128)
        err_set(err, ERR_TOOL, "the command \"%s\" was ended by signal %d", command->argv[0],
                result->exit_status - 128);
    else
        err_set(err, ERR_TOOL, "the command \"%s\" ended with status %d", command->argv[0],
                result->exit_status);
    add_last_lines(lines, err);
    return false;
}

static bool run(Lines *lines, const PlanCommand *command, Arena *arena, Err *err)
{
    const HookCall *call = lines->call;
    const char *facts = call->input != NULL ? call->input : hook_facts(arena, call);
    ProcessSpec spec = {
        .argv = command->argv,
        .env = hook_environment(arena, call, command, err),
        .input = facts,
        .input_bytes = strlen(facts),
        .directory = call->run->plan->directory,
        .timeout_ms = timeout_ms(command),
        .line = take_line,
        .line_data = lines,
    };
    ProcessResult result = {0};
    if (spec.env == NULL)
        return false;
    if (process_run(arena, &spec, call->stop, &result, err))
        return judge(lines, command, &result, err);
    if (err->code == ERR_TOOL)
        add_last_lines(lines, err);
    return false;
}

bool hook_command(const HookCall *call, const PlanCommand *command, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Lines lines = {.call = call};
    add_secret(&lines, endpoint_password(&arena, &call->run->source));
    add_secret(&lines, endpoint_password(&arena, &call->run->target));
    add_secret(&lines, getenv("PGPASSWORD"));
    bool ok = run(&lines, command, &arena, err);
    for (size_t i = 0; i < LINES_KEPT; i++)
        str_release(&lines.kept[i]);
    return ok;
}
