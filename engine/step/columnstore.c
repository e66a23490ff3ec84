/*
 * Step columnstore:T sets a hypertable's columnstore while it is empty. Its policy is another
 * step's, behind the switch.
 */
#include "timescale/policy.h"

#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_COLUMNSTORE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (!community_is_first(relation) || relation->hypertable->columnstore == NULL)
            continue;
        const char *name = name_text(&arena, &relation->target);
        Step *step = step_add(builder, &STEP_COLUMNSTORE, name, relation, 0);
        step_at(step, relation->hypertable->columnstore->policy.pos);
        step_needs_id(builder, step, arena_printf(&arena, "hypertable:%s", name));
    }
    return true;
}

static const PlanHypertable *plan_of(const StepCtx *ctx)
{
    const Relation *relation = ctx->step->object;
    return relation->hypertable;
}

static const char *sentence(StepCtx *ctx)
{
    return arena_printf(ctx->arena, "set the columnstore of %s",
                        name_text(ctx->arena, &plan_of(ctx)->target_table));
}

static SqlList statements(StepCtx *ctx, const TsTarget *target)
{
    return columnstore_sql(ctx->arena, ctx->target, plan_of(ctx), target);
}

static bool find(StepCtx *ctx, bool *there, Err *err)
{
    return columnstore_is_on(ctx->target, &plan_of(ctx)->target_table, there, err);
}

static const CommunityFeature COLUMNSTORE = {
    .sentence = sentence,
    .statements = statements,
    .find = find,
};

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    return community_describe(ctx, &COLUMNSTORE, description, err);
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    return community_observe(ctx, &COLUMNSTORE, observation, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return community_apply(ctx, &COLUMNSTORE, err);
}

const StepKind STEP_COLUMNSTORE = {
    .name = "columnstore",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Sets the columnstore of one empty hypertable.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
