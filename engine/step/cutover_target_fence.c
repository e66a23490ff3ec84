/*
 * Step cutover.target_fence: nobody but this run may write to the target until the switch.
 */
#include "cutover/cutover.h"
#include "cutover/fence.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_TARGET_FENCE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_CUTOVER_TARGET_FENCE, "cutover.prepare"),
            blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = "fence the target: others may not write";
    description_add(
        ctx->arena, description, CONN_TARGET,
        "ALTER DATABASE (the target) SET default_transaction_read_only = on; end other sessions");
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return cutover_fence_target(ctx->run, ctx->source, ctx->target, err);
}

static bool verify(StepCtx *ctx, Err *err)
{
    const char *setting = NULL;
    if (!fence_database_previous(ctx->arena, ctx->target, &setting, err))
        return false;
    return text_equal(setting, "on") || err_set(err, ERR_RUN, "the target's fence does not stand");
}

const StepKind STEP_CUTOVER_TARGET_FENCE = {
    .name = "cutover.target_fence",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE |
             STEP_CHANGES,
    .summary = "Keeps others from writing to the target.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify,
};
