/*
 * The graph of a failback: a cutover in the other direction, by the cutover's own steps. Its run is
 * the way back, whose source is the plan's target. Two steps have a body of their own: what starts
 * the stream and what ends it; they bear the names by which the others wait for them.
 */
#include "step/failback_graph.h"

#include "cdc/stream.h"
#include "cutover/cutover.h"
#include "lob/lob.h"
#include "step/common.h"
#include "step/finish.h"
#include "step/leg.h"

#include <inttypes.h>

extern const StepKind STEP_CATCHUP;
extern const StepKind STEP_GATES;
extern const StepKind STEP_CUTOVER_PREPARE;
extern const StepKind STEP_CUTOVER_TARGET_FENCE;
extern const StepKind STEP_CUTOVER_SOURCE_FENCE;
extern const StepKind STEP_CUTOVER_DRAIN;
extern const StepKind STEP_CUTOVER_UNLOGGED;
extern const StepKind STEP_CUTOVER_SEQUENCES;
extern const StepKind STEP_CUTOVER_VERIFY;
extern const StepKind STEP_CUTOVER_SWITCH;
extern const StepKind STEP_CUTOVER_UNFENCE;
extern const StepKind STEP_FAILBACK_PREPARE;
extern const StepKind STEP_FAILBACK_ARM;
extern const StepKind STEP_HOOK_STEP;
static const StepKind REPLICATE, LARGE_OBJECTS, FINISH;

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
    if (!leg_stream(ctx->run, ctx->source, false, &stream, err))
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

/* --- large objects -------------------------------------------------------------------------- */

static bool objects_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (blueprint->plan->copy.data)
        step_add_after(builder, &LARGE_OBJECTS, "cutover.drain");
    return true;
}

static bool objects_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "look whether the large objects of both sides are the same";
    return true;
}

static bool objects_differ(StepCtx *ctx, Err *err)
{
    size_t count = 0;
    LobTotals totals = lob_totals(ctx->run->lob);
    const char *const *named = lob_differences(ctx->run->lob, &count);
    for (size_t i = 0; i < count; i++)
        log_error(&ctx->log, "%s", named[i]);
    if (totals.differences == 0)
        return true;
    err_set(err, ERR_DIFFERENCE, "%" PRId64 " large objects differ, and none comes back",
            totals.differences);
    return err_hint(err, "No stream carries them. Bring those that are named to the source by hand "
                         "(lo_from_bytea() and lo_unlink(), as the source's superuser), then run "
                         "\"godwit failback\" again.");
}

/* Behind the fence, whose session alone may read them where it has locked them. */
static bool objects_apply(StepCtx *ctx, Err *err)
{
    LobPowers here = {0};
    LobPowers there = {0};
    const Cutover *cutover = ctx->run->cutover;
    Conn *source = cutover->locks_large_objects ? cutover->fence : ctx->source;
    if (!lob_powers(source, &here, err) || !lob_powers(ctx->target, &there, err))
        return false;
    if (here.count == 0 && there.count == 0)
        return true;
    return lob_compare_all(&ctx->run->lob, ctx->run, true, source, ctx->target, err) &&
           objects_differ(ctx, err);
}

static const StepKind LARGE_OBJECTS = {
    .name = "cutover.large_objects",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Refuses to leave changed large objects behind.",
    .expand = objects_expand,
    .describe = objects_describe,
    .observe = observe_until_switch,
    .apply = objects_apply,
    .verify = verify_in_apply,
};

/* --- the end --------------------------------------------------------------------------------- */

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
    &LARGE_OBJECTS,
    &STEP_CUTOVER_UNLOGGED,
    &STEP_CUTOVER_SEQUENCES,
    &STEP_CUTOVER_VERIFY,
    &STEP_FAILBACK_ARM,
    &STEP_CUTOVER_SWITCH,
    &STEP_CUTOVER_UNFENCE,
    &FINISH,
    &STEP_HOOK_STEP,
    NULL,
};
