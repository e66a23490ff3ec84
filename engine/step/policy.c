/*
 * Step policy:columnstore.T, policy:reorder.T, policy:retention.T add one policy of TimescaleDB to
 * a hypertable, or to the rows of a continuous aggregate. Behind the switch, when the target takes
 * writes: before it nothing of a policy exists there, so that none can run; retention comes last.
 */
#include "timescale/aggregate.h"

#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_POLICY;

/* What a step is about. */
typedef struct Policy {
    const PlanHypertable *table;
    PolicyKind kind;
} Policy;

static PlanPos pos_of(const PlanHypertable *plan, PolicyKind kind)
{
    if (kind == POLICY_COLUMNSTORE)
        return plan->columnstore->policy.pos;
    return kind == POLICY_REORDER ? plan->reorder->policy.pos : plan->retention->policy.pos;
}

static void add(StepBuilder *builder, const PlanHypertable *table, PolicyKind kind)
{
    AUTO_ARENA Arena arena = {0};
    const char *name = name_text(&arena, &table->target_table);
    Policy *policy = arena_new(builder->arena, Policy);
    *policy = (Policy){.table = table, .kind = kind};
    Step *step = step_add(builder, &STEP_POLICY,
                          arena_printf(&arena, "%s.%s", policy_name(kind), name), policy, 0);
    step_at(step, pos_of(table, kind));
    step_needs_kind(builder, step, "cutover.unfence");
    step_needs_kind(builder, step, "aggregate.refresh"); /* reads what they drop or convert */
    step_needs_kind(builder, step, "aggregate.carry");
    if (table->is_aggregate)
        step_needs_kind(builder, step, "aggregate.policy"); /* what converts asks for it */
    for (int earlier = 0; earlier < (int)kind; earlier++)
        if (policy_is_wanted(table, (PolicyKind)earlier))
            step_needs_id(
                builder, step,
                arena_printf(&arena, "policy:%s.%s", policy_name((PolicyKind)earlier), name));
}

static void add_all(StepBuilder *builder, const PlanHypertable *table)
{
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++)
        if (policy_is_wanted(table, (PolicyKind)kind))
            add(builder, table, (PolicyKind)kind);
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (community_is_first(&blueprint->relations[i]))
            add_all(builder, blueprint->relations[i].hypertable);
    for (size_t i = 0; i < blueprint->aggregate_count; i++) {
        PlanHypertable *table = arena_new(builder->arena, PlanHypertable);
        *table = aggregate_as_table(blueprint->aggregates[i]);
        add_all(builder, table);
    }
    return true;
}

static const char *sentence(StepCtx *ctx)
{
    const Policy *policy = ctx->step->object;
    return arena_printf(ctx->arena, "add the %s policy of %s", policy_name(policy->kind),
                        name_text(ctx->arena, &policy->table->target_table));
}

static SqlList statements(StepCtx *ctx, const TsTarget *target)
{
    const Policy *policy = ctx->step->object;
    return policy_sql(ctx->arena, ctx->target, policy->table, policy->kind, target);
}

static bool find(StepCtx *ctx, bool *there, Err *err)
{
    const Policy *policy = ctx->step->object;
    const char *config = NULL;
    bool done = policy_find(ctx->arena, ctx->target, &policy->table->target_table, policy->kind,
                            &config, err);
    *there = config != NULL;
    return done;
}

static const CommunityFeature POLICY = {
    .sentence = sentence,
    .statements = statements,
    .find = find,
};

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    return community_describe(ctx, &POLICY, description, err);
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    return community_observe(ctx, &POLICY, observation, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return community_apply(ctx, &POLICY, err);
}

const StepKind STEP_POLICY = {
    .name = "policy",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Adds one policy to a hypertable or aggregate, behind the switch.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
