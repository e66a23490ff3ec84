/*
 * Step aggregate:V makes one continuous aggregate over its hypertable while that is empty: what
 * TimescaleDB refuses is seen before any row is copied. It stays empty till behind the switch. What
 * it makes is marked in the same transaction, so that a reset and a later run know it. Whether rows
 * of the source's can be carried into it is seen here, too.
 */
#include "timescale/aggregate.h"

#include "journal/made.h"
#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"
#include "timescale/carry.h"

extern const StepKind STEP_AGGREGATE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->aggregate_count; i++) {
        const PlanAggregate *aggregate = blueprint->aggregates[i];
        Step *step = step_add(builder, &STEP_AGGREGATE, name_text(&arena, &aggregate->target_view),
                              aggregate, 0);
        step_at(step, aggregate->pos);
        step_needs_kind(builder, step, "schema_pre");
        step_needs_kind(builder, step, "hypertable");
        step_needs_kind(builder, step, "columnstore");
        community_needs_read(builder, step, blueprint, aggregate, "aggregate");
    }
    return true;
}

static bool make_sql(StepCtx *ctx, SqlList *list, Err *err)
{
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    *list = aggregate_sql(ctx->arena, ctx->target, ctx->step->object, &target);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    SqlList list = {0};
    if (!make_sql(ctx, &list, err))
        return false;
    description->sentence = arena_printf(ctx->arena, "make continuous aggregate %s, empty",
                                         name_text(ctx->arena, &aggregate->target_view));
    description_add(ctx->arena, description, CONN_TARGET, "BEGIN");
    for (size_t i = 0; i < list.count; i++)
        description_add(ctx->arena, description, CONN_TARGET, list.items[i]);
    description_add(ctx->arena, description, CONN_TARGET, "COMMIT");
    return true;
}

/* Whether it bears the mark of this plan. */
static bool is_made(StepCtx *ctx, uint32_t oid, bool *made, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!journal_made(ctx->target, ctx->run->plan->name, &rows, err))
        return false;
    *made = made_has(rows, CAT_CLASS_RELATION, oid, NULL);
    return true;
}

static const char *why_drifted(StepCtx *ctx, AggregateState state, bool made)
{
    const PlanAggregate *aggregate = ctx->step->object;
    const char *name = name_text(ctx->arena, &aggregate->target_view);
    if (state == AGGREGATE_OTHER)
        return arena_printf(ctx->arena, "%s is there and is no continuous aggregate", name);
    if (state == AGGREGATE_DIFFERENT)
        return arena_printf(ctx->arena, "%s has materialized_only %s, the plan wants %s", name,
                            aggregate->materialized_only ? "false" : "true",
                            aggregate->materialized_only ? "true" : "false");
    if (state == AGGREGATE_NO_STORE)
        return arena_printf(ctx->arena, "%s has no columnstore, the plan wants one", name);
    if (!made && ctx->run->plan->schema.existing != PLAN_EXISTING_ADOPT)
        return arena_printf(ctx->arena, "%s is there and was not made by this plan", name);
    return NULL;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    AggregateState state = AGGREGATE_MISSING;
    uint32_t oid = 0;
    bool may = false;
    bool made = false;
    observation->state = OBSERVED_NEEDED;
    if (!community_may_look(ctx, observation, &may, err))
        return false;
    if (!may)
        return true;
    if (!aggregate_find(ctx->target, ctx->step->object, &state, &oid, err))
        return false;
    if (state == AGGREGATE_MISSING)
        return true;
    if (!is_made(ctx, oid, &made, err))
        return false;
    observation->reason = why_drifted(ctx, state, made);
    observation->state = observation->reason == NULL ? OBSERVED_SATISFIED : OBSERVED_DRIFTED;
    return true;
}

static bool may_carry(StepCtx *ctx, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    const char *name = name_text(ctx->arena, &aggregate->target_view);
    const char *why = NULL;
    CarryPlace source = {0};
    CarryPlace target = {0};
    if (!aggregate->carry)
        return true;
    if (!carry_place(ctx->arena, ctx->source, &aggregate->target_view, &source, err) ||
        !carry_place(ctx->arena, ctx->target, &aggregate->target_view, &target, err))
        return false;
    if (source.rows.rel == NULL || target.rows.rel == NULL)
        why = "it is no continuous aggregate on both sides";
    else if (!source.may_read)
        why = arena_printf(ctx->arena, "who connects may not read %s on the source",
                           name_text(ctx->arena, &source.rows));
    else
        why = carry_misfit(ctx->arena, &source, &target);
    if (why == NULL)
        return true;
    err_set(err, ERR_RUN, "rows of %s cannot be carried over: %s", name, why);
    return err_hint(err, "Write the aggregate as it is on the source, or data: rebuild. Nothing "
                         "was copied yet.");
}

static bool make(StepCtx *ctx, const SqlList *list, Err *err)
{
    AggregateState state = AGGREGATE_MISSING;
    uint32_t oid = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!pg_none(ctx->target, list->items[i], NO_PARAMS, err))
            return false;
    if (!may_carry(ctx, err) || !aggregate_find(ctx->target, ctx->step->object, &state, &oid, err))
        return false;
    return journal_made_add(ctx->target, ctx->run->plan->name, ctx->run->journal.mark,
                            arena_printf(ctx->arena, "{%d}", CAT_CLASS_RELATION),
                            arena_printf(ctx->arena, "{%u}", oid), err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    SqlList list = {0};
    if (!make_sql(ctx, &list, err))
        return false;
    if (pg_begin(ctx->target, "READ WRITE", err) && make(ctx, &list, err) &&
        pg_commit(ctx->target, err))
        return true;
    pg_rollback(ctx->target);
    return false;
}

static bool undo(StepCtx *ctx, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    AggregateState state = AGGREGATE_MISSING;
    uint32_t oid = 0;
    bool made = false;
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    if (target.license == NULL)
        return true;
    if (!aggregate_find(ctx->target, aggregate, &state, &oid, err) ||
        !is_made(ctx, oid, &made, err))
        return false;
    if (!made || state == AGGREGATE_OTHER)
        return true;
    AUTO_STR Str sql = {0};
    str_append(&sql, "DROP MATERIALIZED VIEW ");
    ddl_qname(&sql, ctx->target, &aggregate->target_view);
    return pg_none(ctx->target, sql.data, NO_PARAMS, err);
}

const StepKind STEP_AGGREGATE = {
    .name = "aggregate",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET,
    .summary = "Makes one continuous aggregate, empty.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .undo = undo,
};
