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
static bool make_sql(StepCtx *ctx, SqlList *list, Err *err)
{
    const char *schema = NULL;
    if (!timescaledb_schema(ctx->arena, ctx->target, &schema, err))
        return false;
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; schema == NULL && i < blueprint->extension_count; i++) {
        if (strcmp(blueprint->extensions[i].name, "timescaledb") == 0)
            schema = blueprint->extensions[i].schema;
    }
    *list =
        hypertable_sql(ctx->arena, ctx->target, plan_of(ctx), schema == NULL ? "public" : schema);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanHypertable *plan = plan_of(ctx);
    SqlList list = {0};
    if (!make_sql(ctx, &list, err))
        return false;
    AUTO_STR Str hashes = {0};
    for (size_t i = 0; i < plan->dimension_count; i++)
        str_appendf(&hashes, ", by %s of %s",
                    plan->dimensions[i].number_partitions > 0 ? "hash" : "range",
                    name_part_text(ctx->arena, plan->dimensions[i].column_name));
    description->sentence =
        arena_printf(ctx->arena, "make %s a hypertable by range of %s%s",
                     name_text(ctx->arena, &plan->target_table),
                     name_part_text(ctx->arena, plan->column_name), str_text(&hashes));
    for (size_t i = 0; i < list.count; i++)
        description_add(ctx->arena, description, CONN_TARGET, list.items[i]);
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
        observation->reason =
            arena_printf(ctx->arena, "%s is a hypertable by %s, the plan wants %s", name,
                         facts.shown, facts.wanted);
        return true;
    case HYPERTABLE_NO_EXTENSION:
    case HYPERTABLE_PLAIN:
        break;
    }
    observation->state = OBSERVED_NEEDED;
    return true;
}

/* In one transaction: a hypertable that lacks a dimension cannot get it once it has rows. */
static bool apply(StepCtx *ctx, Err *err)
{
    SqlList list = {0};
    return make_sql(ctx, &list, err) && ts_run(ctx->target, &list, err);
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
