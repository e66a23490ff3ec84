/*
 * Step preflight: every check of `godwit check`, before anything is written. The command that
 * starts the run has made them (the journal itself is written only when they passed), so here the
 * step is always satisfied; `plan` prints what is checked.
 */
#include "step/common.h"

extern const StepKind STEP_PREFLIGHT;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add(builder, &STEP_PREFLIGHT, NULL, NULL, 0);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence =
        "check both servers; \"godwit check\" prints every finding with its remedy";
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    observation->state = ctx->run->journal.id != 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

const StepKind STEP_PREFLIGHT = {
    .name = "preflight",
    .phase = PHASE_PREFLIGHT,
    .flags = 0,
    .summary = "Checks both servers before anything is written.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = verify_in_apply,
};
