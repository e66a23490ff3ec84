/*
 * Step cutover.source_fence: writes on the source stop, by the plan's method. The downtime begins.
 */
#include "cutover/cutover.h"
#include "cutover/fence.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_SOURCE_FENCE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CUTOVER_SOURCE_FENCE, "cutover.target_fence");
    step_needs_kind(builder, step, "cutover.chunks");
    step_at(step, blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const PlanCutover *cutover = &ctx->run->plan->cutover;
    AUTO_STR Str sql = {0};
    switch (cutover->method) {
    case PLAN_STOP_LOCK:
        description->sentence =
            "fence the source: SHARE locks on every selected relation, held until the switch";
        fence_lock_sql(&sql, ctx->source, ctx->run->blueprint);
        description_add(ctx->arena, description, CONN_SOURCE, sql.data);
        break;
    case PLAN_STOP_READ_ONLY:
        description->sentence =
            "fence the source: the database becomes read-only, other sessions are ended";
        description_add(ctx->arena, description, CONN_SOURCE,
                        "ALTER DATABASE (the source) SET default_transaction_read_only = on; end "
                        "other sessions");
        break;
    case PLAN_STOP_MANUAL:
        description->sentence =
            "the operator has stopped the writes on the source (stop_writes.method: manual)";
        break;
    case PLAN_STOP_COMMAND:
        description->sentence = "run the command that stops the writes on the source";
        break;
    }
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return cutover_fence_source(ctx->run, ctx->source, ctx->target, err);
}

static bool verify(StepCtx *ctx, Err *err)
{
    if (ctx->run->plan->cutover.method != PLAN_STOP_LOCK ||
        conn_in_transaction(ctx->run->cutover->fence))
        return true;
    return err_set(err, ERR_RUN, "the source's fence does not stand");
}

const StepKind STEP_CUTOVER_SOURCE_FENCE = {
    .name = "cutover.source_fence",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE |
             STEP_CHANGES,
    .summary = "Stops writes on the source; the downtime begins.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify,
};
