/*
 * The graph of a failback: a cutover in the other direction, by the cutover's own steps. Its run is
 * the way back, whose source is the plan's target. Two steps have a body of their own: what starts
 * the stream and what ends it; they bear the names by which the others wait for them.
 */
#include "step/failback_graph.h"

#include "cdc/stream.h"
#include "step/common.h"
#include "step/finish.h"
#include "step/leg.h"

extern const StepKind STEP_CATCHUP;
extern const StepKind STEP_GATES;
extern const StepKind STEP_CUTOVER_PREPARE;
extern const StepKind STEP_CUTOVER_TARGET_FENCE;
extern const StepKind STEP_CUTOVER_SOURCE_FENCE;
extern const StepKind STEP_CUTOVER_DRAIN;
extern const StepKind STEP_CUTOVER_SEQUENCES;
extern const StepKind STEP_CUTOVER_VERIFY;
extern const StepKind STEP_CUTOVER_SWITCH;
extern const StepKind STEP_CUTOVER_UNFENCE;
extern const StepKind STEP_FAILBACK_PREPARE;
extern const StepKind STEP_FAILBACK_ARM;
extern const StepKind STEP_HOOK_STEP;
static const StepKind REPLICATE, FINISH;

static bool replicate_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add(builder, &REPLICATE, NULL, NULL, 0), blueprint->plan->failback.pos);
    return true;
}

static bool replicate_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = arena_printf(
        ctx->arena, "apply the target's changes to the source from slot %s", ctx->run->slot_name);
    return true;
}

static bool replicate_apply(StepCtx *ctx, Err *err)
{
    Stream *stream = NULL;
    if (!leg_stream(ctx->run, ctx->source, &stream, err))
        return false;
    run_publish_stream(ctx->run, stream);
    return true;
}

static const StepKind REPLICATE = {
    .name = "replicate",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SERVICE | STEP_SESSION | STEP_CHANGES,
    .summary = "Applies the target's changes to the source until the switch.",
    .expand = replicate_expand,
    .describe = replicate_describe,
    .observe = observe_until_switch,
    .apply = replicate_apply,
    .verify = verify_in_apply,
};

static bool finish_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add_after(builder, &FINISH, "cutover.unfence");
    return true;
}

static bool finish_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "end the stream back to the source";
    return true;
}

static bool finish_observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)ctx;
    (void)err;
    observation->state = OBSERVED_NEEDED;
    return true;
}

static bool finish_apply(StepCtx *ctx, Err *err)
{
    return finish_stream(ctx, err);
}

static const StepKind FINISH = {
    .name = "finish",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE | STEP_CHANGES,
    .summary = "Ends the stream back to the source.",
    .expand = finish_expand,
    .describe = finish_describe,
    .observe = finish_observe,
    .apply = finish_apply,
    .verify = verify_in_apply,
};

const StepKind *const FAILBACK_KINDS[] = {
    &REPLICATE,
    &STEP_CATCHUP,
    &STEP_GATES,
    &STEP_FAILBACK_PREPARE,
    &STEP_CUTOVER_PREPARE,
    &STEP_CUTOVER_TARGET_FENCE,
    &STEP_CUTOVER_SOURCE_FENCE,
    &STEP_CUTOVER_DRAIN,
    &STEP_CUTOVER_SEQUENCES,
    &STEP_CUTOVER_VERIFY,
    &STEP_FAILBACK_ARM,
    &STEP_CUTOVER_SWITCH,
    &STEP_CUTOVER_UNFENCE,
    &FINISH,
    &STEP_HOOK_STEP,
    NULL,
};
