/*
 * Step hypertable:T makes a restored, still empty table a hypertable: before its rows come and
 * before any publication could hold it.
 */
#include "timescale/hypertable.h"

#include "step/common.h"

extern const StepKind STEP_HYPERTABLE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation->hypertable == NULL ||
            (relation->merge != NULL && relation->merge != relation))
            continue;
        Step *step =
            step_add(builder, &STEP_HYPERTABLE, name_text(&arena, &relation->target), relation, 0);
        step_at(step, relation->hypertable->pos);
        step_needs_kind(builder, step, "schema_pre");
    }
    return true;
}

static const PlanHypertable *plan_of(const StepCtx *ctx)
{
    const Relation *relation = ctx->step->object;
    return relation->hypertable;
}

/* Before the extension is there, `plan` prints the schema it will be created in. */
static bool make_sql(StepCtx *ctx, const char **sql, Err *err)
{
    const char *schema = NULL;
    if (!hypertable_schema(ctx->arena, ctx->target, &schema, err))
        return false;
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; schema == NULL && i < blueprint->extension_count; i++) {
        if (strcmp(blueprint->extensions[i].name, "timescaledb") == 0)
            schema = blueprint->extensions[i].schema;
    }
    *sql =
        hypertable_sql(ctx->arena, ctx->target, plan_of(ctx), schema == NULL ? "public" : schema);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanHypertable *plan = plan_of(ctx);
    const char *sql = NULL;
    if (!make_sql(ctx, &sql, err))
        return false;
    description->sentence = arena_printf(ctx->arena, "make %s a hypertable by range of %s",
                                         name_text(ctx->arena, &plan->target_table),
                                         name_part_text(ctx->arena, plan->column_name));
    description_add(ctx->arena, description, CONN_TARGET, sql);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const Relation *relation = ctx->step->object;
    HypertableFacts facts;
    if (!hypertable_facts(ctx->arena, ctx->target, plan_of(ctx), &facts, err))
        return false;
    const char *name = name_text(ctx->arena, &relation->target);
    switch (facts.state) {
    case HYPERTABLE_AS_PLANNED:
        observation->state = OBSERVED_SATISFIED;
        return true;
    case HYPERTABLE_DIFFERENT:
        observation->state = OBSERVED_DRIFTED;
        observation->reason = arena_printf(
            ctx->arena, "%s is a hypertable by %s every %s, the plan wants %s every %s", name,
            facts.column, facts.interval, relation->hypertable->column_name,
            relation->hypertable->partition_interval);
        return true;
    case HYPERTABLE_NO_EXTENSION:
    case HYPERTABLE_PLAIN:
        break;
    }
    observation->state = relation->partitioned ? OBSERVED_IMPOSSIBLE : OBSERVED_NEEDED;
    if (relation->partitioned)
        observation->reason = arena_printf(
            ctx->arena, "%s is partitioned on the source, it cannot become a hypertable", name);
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    const char *sql = NULL;
    AUTO_ROWS Rows *rows = NULL;
    return make_sql(ctx, &sql, err) && pg_one(ctx->target, sql, NO_PARAMS, &rows, err);
}

const StepKind STEP_HYPERTABLE = {
    .name = "hypertable",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Makes one empty table a hypertable.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
