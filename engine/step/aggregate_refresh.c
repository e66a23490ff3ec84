/*
 * Step aggregate.refresh:V fills one continuous aggregate behind the switch, when no replicated
 * change comes any more, from old to new in bounded ranges. Where it came to stands in the journal:
 *
 * - killed within a range: the server ends the range, or has rolled it back; the next engine waits
 *   for that. It is refreshed again, which changes nothing that is right already.
 * - killed between a range and its row: the same.
 * - killed behind the row: the next engine goes on with the next range.
 *
 * Before the policies, retention above all: what they drop or convert is in the aggregate then.
 */
#include "timescale/aggregate.h"

#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_AGGREGATE_REFRESH;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->aggregate_count; i++) {
        const PlanAggregate *aggregate = blueprint->aggregates[i];
        Step *step = step_add(builder, &STEP_AGGREGATE_REFRESH,
                              name_text(&arena, &aggregate->target_view), aggregate, 0);
        step_at(step, aggregate->pos);
        step_needs_kind(builder, step, "cutover.unfence");
        community_needs_read(builder, step, blueprint, aggregate, "aggregate.refresh");
        community_needs_read(builder, step, blueprint, aggregate, "aggregate.carry");
    }
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    const AggregateRange all = {0};
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    description->sentence =
        arena_printf(ctx->arena, "refresh continuous aggregate %s, range by range",
                     name_text(ctx->arena, &aggregate->target_view));
    description_add(ctx->arena, description, CONN_TARGET,
                    aggregate_refresh_sql(ctx->arena, ctx->target, ctx->run->blueprint, aggregate,
                                          &all, &target));
    return true;
}

static bool refresh(StepCtx *ctx, const TsTarget *target, const AggregateRanges *ranges, size_t at,
                    Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    const char *name = name_text(ctx->arena, &aggregate->target_view);
    const AggregateRange *range = &ranges->items[at];
    const char *sql = aggregate_refresh_sql(ctx->arena, ctx->target, ctx->run->blueprint, aggregate,
                                            range, target);
    if (!pg_none(ctx->target, sql, NO_PARAMS, err))
        return err_context(err, "could not refresh %s", name);
    if (range->until == NULL) {
        log_info(&ctx->log, "%s is refreshed", name);
        return true;
    }
    log_info(&ctx->log, "%s is refreshed up to %s, range %zu of %zu", name, range->until, at + 1,
             ranges->count);
    return journal_gate(ctx->target, ctx->run->journal.id, ctx->step->id, range->until, err);
}

static bool refresh_ranges(StepCtx *ctx, Err *err)
{
    AggregateRanges ranges = {0};
    const char *done = NULL;
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err) ||
        !journal_gate_detail(ctx->arena, ctx->target, ctx->run->journal.id, ctx->step->id, &done,
                             err) ||
        !aggregate_ranges(ctx->arena, ctx->target, ctx->run->blueprint, ctx->step->object, done,
                          &ranges, err))
        return false;
    for (size_t i = 0; i < ranges.count; i++)
        if (!refresh(ctx, &target, &ranges, i, err))
            return false;
    return true;
}

/* Nobody waits behind a refresh but other refreshes. */
static bool apply(StepCtx *ctx, Err *err)
{
    return community_patiently(ctx, refresh_ranges, err);
}

const StepKind STEP_AGGREGATE_REFRESH = {
    .name = "aggregate.refresh",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Fills one continuous aggregate, range by range, behind the switch.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = community_observe_recorded,
    .apply = apply,
    .verify = verify_in_apply,
};
