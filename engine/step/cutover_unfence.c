/*
 * Step cutover.unfence: the target takes writes. The downtime ends. Behind the point of no return.
 */
#include "cutover/cutover.h"
#include "journal/run_state_table.h"
#include "step/common.h"

extern const StepKind STEP_CUTOVER_UNFENCE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_CUTOVER_UNFENCE, "cutover.switch"),
            blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = "unfence the target: it takes writes, the downtime ends";
    description_add(ctx->arena, description, CONN_TARGET,
                    "ALTER DATABASE (the target) RESET default_transaction_read_only");
    return true;
}

static bool target_fenced(StepCtx *ctx, bool *fenced, Err *err)
{
    JournalFence *fences = NULL;
    size_t count = 0;
    *fenced = false;
    Conn *book = run_book(ctx->run, ctx->source, ctx->target);
    if (!journal_fences(ctx->arena, book, run_main(ctx->run)->journal.id, &fences, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        *fenced = *fenced || fences[i].side == conn_side(ctx->target);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    bool fenced = false;
    observation->state = OBSERVED_NEEDED;
    if (!run_is_switched(ctx->run))
        return true;
    if (!target_fenced(ctx, &fenced, err))
        return false;
    observation->state = fenced ? OBSERVED_NEEDED : OBSERVED_SATISFIED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    if (!cutover_unfence_target(ctx->run, ctx->source, ctx->target, err))
        return false;
    log_info(&ctx->log, "the %s takes writes; downtime %lld ms",
             conn_side_name(conn_side(ctx->target)), atomic_load(&ctx->run->counters.downtime_ms));
    return true;
}

const StepKind STEP_CUTOVER_UNFENCE = {
    .name = "cutover.unfence",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE | STEP_CHANGES,
    .summary = "Opens the target for writes; the downtime ends.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
