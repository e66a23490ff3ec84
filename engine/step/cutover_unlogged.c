/*
 * Step cutover.unlogged: unlogged tables, whose changes no stream carries, are copied again behind
 * the fence. Before what acts on rows (late triggers and keys) stands.
 */
#include "base/units.h"
#include "copy/again.h"
#include "step/common.h"

#include <inttypes.h>

extern const StepKind STEP_CUTOVER_UNLOGGED;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (again_expected(blueprint).leaves > 0)
        step_at(step_add_after(builder, &STEP_CUTOVER_UNLOGGED, "cutover.drain"),
                blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    AgainTotals totals = again_expected(ctx->run->blueprint);
    description->sentence = arena_printf(ctx->arena, "copy %zu unlogged table%s again, %s",
                                         totals.leaves, totals.leaves == 1 ? "" : "s",
                                         units_size_text(ctx->arena, (uint64_t)totals.bytes));
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    AUTO_CONN Conn *target = NULL;
    AgainTotals totals = {0};
    const Blueprint *blueprint = ctx->run->blueprint;
    ConnOptions options = {.purpose = "copy unlogged",
                           .replica_sql = blueprint->target->server.replica_sql,
                           .stop = ctx->run->stop};
    if (!conn_open(&target, &ctx->run->target, &options, err) ||
        !again_copy(blueprint, ctx->source, target, &totals, err))
        return false;
    log_info(&ctx->log, "copied again: %zu unlogged tables, %" PRId64 " rows, %s", totals.leaves,
             totals.rows, units_size_text(ctx->arena, (uint64_t)totals.bytes));
    return true;
}

const StepKind STEP_CUTOVER_UNLOGGED = {
    .name = "cutover.unlogged",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_CHANGES,
    .summary = "Copies unlogged tables again, behind the fence.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
