/*
 * Step cutover.prepare: what can be done before the downtime begins: the session of the fence, the
 * marker, and a live look at the rows touched since verification.
 */
#include "copy/again.h"
#include "cutover/cutover.h"
#include "cutover/fence.h"
#include "step/common.h"
#include "step/enum_labels.h"
#include "step/source_structure.h"

extern const StepKind STEP_CUTOVER_PREPARE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CUTOVER_PREPARE, "gates");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "approval");
    step_needs_kind(builder, step, "large_objects.refresh");
    step_needs_kind(builder, step, "failback.prepare");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    (void)ctx;
    description->sentence =
        "look again at rows touched since verification; open what the fence needs";
    return true;
}

/* A finding of preflight, which may be days ago; and the target's roles came later. */
static bool sides_can_be_closed(StepCtx *ctx, Err *err)
{
    const Plan *plan = ctx->run->plan;
    PlanStopWrites method = plan->cutover.method;
    for (size_t i = 0; i < plan->waiver_count; i++) {
        if (text_equal(plan->waivers[i].code, "G213"))
            return true;
    }
    return ((method != PLAN_STOP_LOCK && method != PLAN_STOP_READ_ONLY) ||
            fence_no_own_settings(ctx->source, err)) &&
           fence_no_own_settings(ctx->target, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return sides_can_be_closed(ctx, err) && none_is_paused(ctx->run->blueprint, err) &&
           source_structure_stands(ctx, err) && enum_labels_stand(ctx, err) &&
           again_check(ctx->run->blueprint, ctx->target, &ctx->log, err) &&
           cutover_prepare(ctx->run, err) &&
           cutover_verify_kept(ctx->run, ctx->source, ctx->target, err) &&
           cutover_verify_moved(ctx->run, ctx->source, ctx->target, true, err);
}

const StepKind STEP_CUTOVER_PREPARE = {
    .name = "cutover.prepare",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Does before the downtime what can be done before it.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
