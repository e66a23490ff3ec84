/*
 * Step end: everything is done, the plan's own steps too: the run is finished.
 */
#include "hook/notify.h"
#include "journal/run_state_table.h"
#include "step/common.h"

extern const StepKind STEP_END;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_needs_kind(builder, step_add_after(builder, &STEP_END, "finish"), "failback.end");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "the run is finished";
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool finished = text_equal(ctx->run->journal.state, RUN_FINISHED);
    observation->state = finished ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return run_event(ctx->run, ctx->target, "finished", NULL, err) &&
           journal_run_state(ctx->target, &ctx->run->journal, RUN_FINISHED, err);
}

const StepKind STEP_END = {
    .name = "end",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Finishes the run.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
