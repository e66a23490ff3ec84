/*
 * Step aggregate.policy:V adds the refresh policy of one continuous aggregate, once all aggregates
 * are filled: before the switch nothing of a policy exists on the target.
 */
#include "timescale/aggregate.h"

#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_AGGREGATE_POLICY;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    const Plan *plan = blueprint->plan;
    for (size_t i = 0; i < plan->aggregate_count; i++) {
        const PlanAggregate *aggregate = &plan->aggregates[i];
        if (aggregate->refresh == NULL)
            continue;
        Step *step = step_add(builder, &STEP_AGGREGATE_POLICY,
                              name_text(&arena, &aggregate->target_view), aggregate, 0);
        step_at(step, aggregate->refresh->policy.pos);
        step_needs_kind(builder, step, "cutover.unfence");
        step_needs_kind(builder, step, "aggregate.refresh");
    }
    return true;
}

static bool make_sql(StepCtx *ctx, SqlList *list, Err *err)
{
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    *list = aggregate_policy_sql(ctx->arena, ctx->target, ctx->step->object, &target);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    SqlList list = {0};
    if (!make_sql(ctx, &list, err))
        return false;
    description->sentence = arena_printf(ctx->arena, "add the refresh policy of %s",
                                         name_text(ctx->arena, &aggregate->target_view));
    community_describe(ctx, description, &list);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    bool may = false;
    bool found = false;
    observation->state = OBSERVED_NEEDED;
    if (!community_may_look(ctx, observation, &may, err))
        return false;
    if (!may)
        return true;
    if (!aggregate_policy_find(ctx->target, &aggregate->target_view, &found, err))
        return false;
    observation->state = found ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    SqlList list = {0};
    return make_sql(ctx, &list, err) && community_run(ctx, &list, err);
}

const StepKind STEP_AGGREGATE_POLICY = {
    .name = "aggregate.policy",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Adds the refresh policy of one continuous aggregate, behind the switch.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
