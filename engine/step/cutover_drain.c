/*
 * Step cutover.drain: a marker goes into the source's WAL behind the fence and must arrive through
 * apply. A number alone never ends a run.
 */
#include "cdc/mark.h"
#include "cutover/cutover.h"
#include "step/common.h"
#include "step/source_structure.h"

extern const StepKind STEP_CUTOVER_DRAIN;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_CUTOVER_DRAIN, "cutover.source_fence"),
            blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = "send a marker through the stream and wait until it was applied";
    description_add(ctx->arena, description, CONN_SOURCE,
                    mark_statements(conn_version(ctx->source)));
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return cutover_drain(ctx->run, ctx->source, err) && source_structure_still(ctx, err);
}

const StepKind STEP_CUTOVER_DRAIN = {
    .name = "cutover.drain",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Waits until everything written before the fence was applied.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
