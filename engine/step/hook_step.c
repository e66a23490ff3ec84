/*
 * Step `hook`: the plan's hooks of the cutover, in their order:
 *
 *     cutover.prepare -> before_fence -> cutover.target_fence ... cutover.verify -> after_drain
 *     -> cutover.switch -> cutover.unfence -> switch -> finish
 *
 * They belong to an attempt, not to the run: each attempt runs them all. The first of before_fence
 * begins the attempt (state `cutover`), so that whoever comes after a dead engine takes back what
 * they did. Hooks of on_rollback are shown as `on_rollback` and run by the way back.
 */
#include "base/str.h"
#include "plan/step_names.h"
#include "step/builder.h"
#include "step/common.h"
#include "step/user_step.h"

extern const StepKind STEP_HOOK_STEP, STEP_ROLLBACK_HOOK;
static const StepKind BEFORE_FENCE, AFTER_DRAIN, ON_SWITCH;

static Step *find_kind(const StepBuilder *builder, const char *kind)
{
    for (size_t i = 0; i < builder->steps.count; i++) {
        if (text_equal(builder->steps.items[i]->kind->name, kind))
            return builder->steps.items[i];
    }
    return NULL;
}

static Step *add_hook(StepBuilder *builder, const StepKind *kind, const PlanStep *given)
{
    Step *step = step_add(builder, kind, NULL, given, 0);
    step->id = given->id;
    return step_at(step, given->pos);
}

/* A chain from one built-in step to the next. */
static void add_chain(StepBuilder *builder, const StepKind *kind, const PlanSteps *hooks,
                      const char *from, const char *to)
{
    Step *last = NULL;
    for (size_t i = 0; i < hooks->count; i++) {
        Step *step = add_hook(builder, kind, &hooks->items[i]);
        if (last == NULL)
            step_needs_kind(builder, step, from);
        else
            step_needs(builder, step, last);
        last = step;
    }
    Step *next = last == NULL ? NULL : find_kind(builder, to);
    if (next != NULL)
        step_needs(builder, next, last);
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    const PlanCutover *cutover = &blueprint->plan->cutover;
    add_chain(builder, &BEFORE_FENCE, &cutover->before_fence, "cutover.prepare",
              "cutover.target_fence");
    add_chain(builder, &AFTER_DRAIN, &cutover->after_drain, "cutover.verify", "cutover.switch");
    add_chain(builder, &ON_SWITCH, &cutover->on_switch, "cutover.unfence", "finish");
    return true;
}

/* Only what lies before the switch can be taken back: nothing waits for these, nothing needs them.
 */
static bool expand_rollback(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    const PlanSteps *hooks = &blueprint->plan->cutover.on_rollback;
    for (size_t i = 0; i < hooks->count; i++) {
        Step *step = add_hook(builder, &STEP_ROLLBACK_HOOK, &hooks->items[i]);
        if (hooks->items[i].action != PLAN_STEP_VERIFY)
            continue;
        err_set(err, ERR_PLAN, "hook \"%s\": a hook of on_rollback cannot verify", step->id);
        err->line = step->pos.line;
        err->column = step->pos.column;
        return err_hint(err, "After a rollback replication goes on: a step with verify, or "
                             "\"godwit verify\", compares.");
    }
    return true;
}

static bool apply_before_fence(StepCtx *ctx, Err *err)
{
    HookCall call = user_call(ctx, "before_fence");
    return cutover_begin(ctx->run, ctx->source, ctx->target, err) &&
           hook_run(&call, ctx->step->object, err);
}

static bool apply_after_drain(StepCtx *ctx, Err *err)
{
    HookCall call = user_call(ctx, "after_drain");
    call.behind_drain = true;
    return hook_run(&call, ctx->step->object, err);
}

static bool apply_switch(StepCtx *ctx, Err *err)
{
    HookCall call = user_call(ctx, "switch");
    return hook_run(&call, ctx->step->object, err);
}

/* Run by the first engine that comes here, again by the next one if that died in it. */
static bool observe_recorded(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool done = run_is_switched(ctx->run) && ctx->recorded_done;
    observation->state = done ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool observe_nothing(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)ctx;
    (void)err;
    observation->state = OBSERVED_SATISFIED;
    observation->reason = "only when the cutover is rolled back";
    return true;
}

#define HOOK_FLAGS (STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE | STEP_HOOK)

static const StepKind BEFORE_FENCE = {
    .name = "hook",
    .phase = PHASE_CUTOVER,
    .flags = HOOK_FLAGS | STEP_SESSION,
    .summary = "Runs a hook before writes stop.",
    .expand = expand,
    .describe = user_describe,
    .observe = observe_until_switch,
    .apply = apply_before_fence,
    .verify = verify_in_apply,
};

static const StepKind AFTER_DRAIN = {
    .name = "hook",
    .phase = PHASE_CUTOVER,
    .flags = HOOK_FLAGS | STEP_SESSION | STEP_DOWNTIME,
    .summary = "Runs a hook behind the drain.",
    .expand = expand,
    .describe = user_describe,
    .observe = observe_until_switch,
    .apply = apply_after_drain,
    .verify = verify_in_apply,
};

static const StepKind ON_SWITCH = {
    .name = "hook",
    .phase = PHASE_CUTOVER,
    .flags = HOOK_FLAGS,
    .summary = "Runs a hook once the target takes writes.",
    .expand = expand,
    .describe = user_describe,
    .observe = observe_recorded,
    .apply = apply_switch,
    .verify = verify_in_apply,
};

const StepKind STEP_HOOK_STEP = {
    .name = "hook",
    .phase = PHASE_CUTOVER,
    .flags = HOOK_FLAGS,
    .per_object = true,
    .summary = "hooks of the cutover: SQL, commands, verifications",
    .expand = expand,
    .describe = user_describe,
    .observe = observe_recorded,
    .apply = apply_switch,
    .verify = verify_in_apply,
};

const StepKind STEP_ROLLBACK_HOOK = {
    .name = "on_rollback",
    .phase = PHASE_CUTOVER,
    .flags = STEP_ON_ROLLBACK | STEP_HOOK,
    .per_object = true,
    .summary = "hooks that run when the cutover is rolled back",
    .expand = expand_rollback,
    .describe = user_describe,
    .observe = observe_nothing,
    .apply = verify_in_apply,
    .verify = verify_in_apply,
};
