/*
 * Step cutover.verify: the rows touched since their last clean look are compared, behind the fence.
 */
#include "cutover/cutover.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_VERIFY;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CUTOVER_VERIFY, "cutover.sequences");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "cutover.large_objects");
    step_needs_kind(builder, step, "cutover.unlogged");
    step_needs_kind(builder, step, "triggers_late");
    step_needs_kind(builder, step, "foreign_keys_late");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    (void)ctx;
    description->sentence = "compare the rows touched since their last clean look";
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    if (!cutover_verify_moved(ctx->run, ctx->source, ctx->target, false, err))
        return false;
    log_info(&ctx->log, "compared: 0 differences");
    return true;
}

const StepKind STEP_CUTOVER_VERIFY = {
    .name = "cutover.verify",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Compares what moved since verification, behind the fence.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
