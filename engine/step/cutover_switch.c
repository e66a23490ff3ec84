/*
 * Step cutover.switch: the point of no return: the source is closed to writers, then the run is
 * switched.
 */
#include "cutover/cutover.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_SWITCH;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CUTOVER_SWITCH, "privileges");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "failback.arm");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence =
        "switch: the source becomes read-only, its sessions are ended, the locks fall";
    if (ctx->run->plan->cutover.method != PLAN_STOP_MANUAL)
        description_add(ctx->arena, description, CONN_SOURCE,
                        "ALTER DATABASE (the source) SET default_transaction_read_only = on; end "
                        "other sessions");
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return cutover_switch(ctx->run, ctx->source, ctx->target, err);
}

static bool verify(StepCtx *ctx, Err *err)
{
    return run_is_switched(ctx->run) || err_set(err, ERR_RUN, "the run is not switched");
}

const StepKind STEP_CUTOVER_SWITCH = {
    .name = "cutover.switch",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE |
             STEP_CHANGES,
    .summary = "The point of no return.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify,
};
