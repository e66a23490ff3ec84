/*
 * Step cutover.sequences: every sequence is set on the target, read back and compared.
 */
#include "cutover/cutover.h"
#include "cutover/sequences.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_SEQUENCES;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_CUTOVER_SEQUENCES, "cutover.drain"),
            blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence =
        arena_printf(ctx->arena, "set %zu sequences, read them back and compare",
                     ctx->run->blueprint->sequence_count);
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    size_t set = 0;
    if (!sequences_move(ctx->run, ctx->source, ctx->target, &set, err))
        return false;
    log_info(&ctx->log, "%zu sequences set", set);
    return true;
}

static bool verify(StepCtx *ctx, Err *err)
{
    return sequences_check(ctx->run, ctx->source, ctx->target, err);
}

const StepKind STEP_CUTOVER_SEQUENCES = {
    .name = "cutover.sequences",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE |
             STEP_CHANGES,
    .summary = "Sets every sequence and reads it back.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify,
};
