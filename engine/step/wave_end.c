/*
 * Step wave_end: gives locks and snapshot back once everything is copied, and makes sure that the
 * target has it on disk.
 */
#include "copy/wave.h"
#include "hook/notify.h"
#include "step/common.h"

extern const StepKind STEP_WAVE_END;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    Step *step = step_add_after(builder, &STEP_WAVE_END, "copy");
    step_needs_kind(builder, step, "wave"); /* a selection without tables has no copy */
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = arena_strdup(ctx->arena, "release locks and snapshot on the source");
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    size_t left = 0;
    if (run_is_switched(ctx->run))
        return true;
    observation->state = OBSERVED_NEEDED;
    if (ctx->run->wave != NULL)
        return true;
    if (!wave_leaves_left(ctx->run, ctx->target, &left, err))
        return false;
    if (left == 0)
        observation->state = OBSERVED_SATISFIED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    size_t left = 0;
    wave_end(&ctx->run->wave);
    /* The parts' commits did not wait for the disk; this one does, and with it all before it. */
    if (!run_event(ctx->run, ctx->target, "copied", NULL, err) ||
        !wave_leaves_left(ctx->run, ctx->target, &left, err))
        return false;
    if (left == 0)
        return true;
    err_set(err, ERR_RUN, "%zu copied table%s did not survive a crash of the target", left,
            left == 1 ? "" : "s");
    return err_hint(err, "Run \"godwit apply\" again: they are copied under a new snapshot.");
}

const StepKind STEP_WAVE_END = {
    .name = "wave_end",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Releases the locks and the snapshot of the copy.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
