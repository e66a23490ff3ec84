/*
 * Facts: what a command gets to know: environment and standard input. No secret is among them.
 */
#include "hook/hook.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "base/vec.h"
#include "cdc/stream.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

typedef VEC(const char *) TextVec;

static json_t *server_facts(Arena *arena, const Endpoint *endpoint)
{
    AUTO_ERR Err ignored = {0};
    const char *host = "";
    const char *port = "";
    const char *dbname = "";
    if (!endpoint_describe(arena, endpoint, &host, &port, &dbname, &ignored))
        return json_object();
    return json_pack("{s:s, s:s, s:s}", "host", host, "port", *port != '\0' ? port : "5432",
                     "dbname", dbname);
}

const char *hook_facts(Arena *arena, const HookCall *call)
{
    const Run *run = call->run;
    json_t *facts =
        json_pack("{s:i, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "v", 1, "plan",
                  run->plan->name, "run", (json_int_t)run->journal.id, "step", call->step, "phase",
                  call->phase, "place", call->place, "fingerprint", run->plan->fingerprint,
                  "source", server_facts(arena, &run->source), "target",
                  server_facts(arena, &run->target), "downtime_ms", (json_int_t)call->downtime_ms);
    StreamStatus status = {0};
    if (run_stream_status(call->run, &status)) {
        json_object_set_new(facts, "lag_bytes", json_integer((json_int_t)status.lag_bytes));
        json_object_set_new(facts, "lag_seconds", json_real((double)status.lag_us / 1e6));
    }
    const char *text = jsontext_compact(arena, facts);
    return arena_printf(arena, "%s\n", text);
}

static void add(Arena *arena, TextVec *env, const char *name, const char *value)
{
    *vec_push(arena, env) = arena_printf(arena, "%s=%s", name, value);
}

const char *const *hook_environment(Arena *arena, const HookCall *call, const PlanCommand *command,
                                    Err *err)
{
    TextVec env = {0};
    const char *path = getenv("PATH");
    add(arena, &env, "PATH", path != NULL ? path : DEFAULT_PATH);
    for (size_t i = 0; i < command->env_count; i++) {
        const char *value = getenv(command->env[i]);
        if (value == NULL) {
            err_set(err, ERR_TOOL, "the variable %s, which the plan names for \"%s\", is not set",
                    command->env[i], command->argv[0]);
            return NULL;
        }
        add(arena, &env, command->env[i], value);
    }
    const Run *run = call->run;
    add(arena, &env, "GODWIT_PLAN", run->plan->name);
    add(arena, &env, "GODWIT_RUN", arena_int64(arena, run->journal.id));
    add(arena, &env, "GODWIT_STEP", call->step);
    add(arena, &env, "GODWIT_PHASE", call->phase);
    add(arena, &env, "GODWIT_PLACE", call->place);
    *vec_push(arena, &env) = NULL;
    return env.items;
}

/* --- before a run ---------------------------------------------------------------------------- */

static void add_missing(Str *missing, const PlanCommand *command, const char *owner)
{
    for (size_t i = 0; i < command->env_count; i++) {
        if (getenv(command->env[i]) == NULL)
            str_appendf(missing, "%s%s (%s)", missing->length > 0 ? ", " : "", command->env[i],
                        owner);
    }
}

static void add_steps(Str *missing, const PlanSteps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        add_missing(missing, &steps->items[i].command, steps->items[i].id);
}

bool hook_variables(const Plan *plan, Err *err)
{
    AUTO_STR Str missing = {0};
    const PlanCutover *cutover = &plan->cutover;
    add_steps(&missing, &plan->steps);
    add_steps(&missing, &cutover->before_fence);
    add_steps(&missing, &cutover->after_drain);
    add_steps(&missing, &cutover->on_switch);
    add_steps(&missing, &cutover->on_rollback);
    add_missing(&missing, &cutover->run, "cutover.stop_writes");
    add_missing(&missing, &plan->notify, "notify");
    if (missing.length == 0)
        return true;
    err_set(err, ERR_PREFLIGHT, "variables that the plan names for its commands are not set: %s",
            missing.data);
    return err_hint(err, "A command gets PATH and the variables in its env, nothing else: export "
                         "them, or take them out of the plan.");
}
