/*
 * Step control_schema: the journal on the target. Made by the command that takes the run's lock,
 * since every other step records itself there.
 */
#include "step/common.h"

#include "sql_text.h"

extern const StepKind STEP_CONTROL_SCHEMA;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add_after(builder, &STEP_CONTROL_SCHEMA, "preflight");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = "make schema \"godwit\", the run's journal, on the target";
    description_add(ctx->arena, description, CONN_TARGET, SQL_CONTROL);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    bool exists = false;
    if (!journal_exists(ctx->target, &exists, err))
        return false;
    observation->state = exists ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return journal_create(ctx->target, err);
}

const StepKind STEP_CONTROL_SCHEMA = {
    .name = "control_schema",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_TARGET,
    .summary = "Makes the journal on the target.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
