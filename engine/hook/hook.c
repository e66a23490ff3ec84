/*
 * Hook: which action a step has, what is checked before it runs, and how `plan` shows it.
 */
#include "hook/hook.h"

#include "base/str.h"
#include "base/units.h"

/* What runs is what was reviewed; on the way back an old hook is better than none. */
static bool files_stand(const HookCall *call, Err *err)
{
    const char *changed = plan_changed_file(call->run->plan);
    if (changed == NULL)
        return true;
    if (call->is_patient) {
        log_warn(&call->log, "\"%s\" changed since the plan was read", changed);
        return true;
    }
    err_set(err, ERR_STALE, "\"%s\" changed since the plan was read", changed);
    return err_hint(err, "What runs is what was reviewed: put the file back, or run \"godwit "
                         "apply\" again, which compares the plan with the run's.");
}

bool hook_run(const HookCall *call, const PlanStep *step, Err *err)
{
    bool done = false;
    if (!files_stand(call, err) || !hook_done_if(call, step, &done, err))
        return false;
    if (done) {
        log_info(&call->log, "done_if says that it is done");
        return true;
    }
    switch (step->action) {
    case PLAN_STEP_SQL:
        return hook_sql(call, step, err);
    case PLAN_STEP_COMMAND:
        return hook_command(call, &step->command, err);
    case PLAN_STEP_VERIFY:
        return hook_verify(call, step, err);
    }
    BUG("a step without an action");
}

/* As a shell would need it, for reading only. */
static void add_argument(Str *out, const char *argument)
{
    bool plain = *argument != '\0' && strpbrk(argument, " \t\n\"'\\$`*?[]{}()<>|&;#~!") == NULL;
    str_appendf(out, plain ? " %s" : " '%s'", argument);
}

static const char *command_text(Arena *arena, const PlanCommand *command)
{
    AUTO_STR Str out = {0};
    str_append(&out, "run");
    for (size_t i = 0; i < command->argc; i++)
        add_argument(&out, command->argv[i]);
    str_appendf(&out, ", at most %s", units_interval_text(arena, command->timeout_us));
    return str_dup(arena, &out);
}

static const char *verify_text(Arena *arena, const PlanStep *step)
{
    AUTO_STR Str out = {0};
    str_append(&out, "verify");
    for (size_t i = 0; i < step->verify_count; i++)
        str_appendf(&out, "%s %s", i > 0 ? "," : "", step->verify[i]);
    return str_dup(arena, &out);
}

bool hook_describe(Arena *arena, const Plan *plan, const PlanStep *step, const char **sentence,
                   const char **sql, Err *err)
{
    *sql = NULL;
    switch (step->action) {
    case PLAN_STEP_SQL:
        *sentence = arena_printf(arena, "run %s",
                                 step->sql_file != NULL ? step->sql_file : "SQL of the plan");
        return hook_sql_text(arena, plan, step, sql, err);
    case PLAN_STEP_COMMAND:
        *sentence = command_text(arena, &step->command);
        return true;
    case PLAN_STEP_VERIFY:
        *sentence = verify_text(arena, step);
        return true;
    }
    BUG("a step without an action");
}
