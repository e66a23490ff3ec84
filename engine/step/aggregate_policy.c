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
    for (size_t i = 0; i < blueprint->aggregate_count; i++) {
        const PlanAggregate *aggregate = blueprint->aggregates[i];
        if (aggregate->refresh == NULL)
            continue;
        Step *step = step_add(builder, &STEP_AGGREGATE_POLICY,
                              name_text(&arena, &aggregate->target_view), aggregate, 0);
        step_at(step, aggregate->refresh->policy.pos);
        step_needs_kind(builder, step, "cutover.unfence");
        step_needs_kind(builder, step, "aggregate.refresh");
        step_needs_kind(builder, step, "aggregate.carry");
    }
    return true;
}

static const char *sentence(StepCtx *ctx)
{
    const PlanAggregate *aggregate = ctx->step->object;
    return arena_printf(ctx->arena, "add the refresh policy of %s",
                        name_text(ctx->arena, &aggregate->target_view));
}

static SqlList statements(StepCtx *ctx, const TsTarget *target)
{
    return aggregate_policy_sql(ctx->arena, ctx->target, ctx->step->object, target);
}

static bool find(StepCtx *ctx, bool *there, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    return aggregate_policy_find(ctx->target, &aggregate->target_view, there, err);
}

static const CommunityFeature REFRESH = {
    .sentence = sentence,
    .statements = statements,
    .find = find,
};

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    return community_describe(ctx, &REFRESH, description, err);
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    return community_observe(ctx, &REFRESH, observation, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return community_apply(ctx, &REFRESH, err);
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
