/*
 * Shared by the steps of community features: see the header.
 */
#include "step/community.h"

#include "pg/query.h"
#include "step/common.h"
#include "timescale/aggregate.h"

bool community_is_first(const Relation *relation)
{
    return relation->hypertable != NULL && (relation->merge == NULL || relation->merge == relation);
}

void community_needs_read(StepBuilder *builder, Step *step, const Plan *plan,
                          const PlanAggregate *aggregate, const char *kind)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < plan->aggregate_count; i++)
        if (aggregate_reads(aggregate, &plan->aggregates[i]))
            step_needs_id(builder, step,
                          arena_printf(&arena, "%s:%s", kind,
                                       name_text(&arena, &plan->aggregates[i].target_view)));
}

void community_describe(StepCtx *ctx, Description *description, const SqlList *list)
{
    for (size_t i = 0; i < list->count; i++)
        description_add(ctx->arena, description, CONN_TARGET, list->items[i]);
}

bool community_may_look(StepCtx *ctx, Observation *observation, bool *may, Err *err)
{
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    *may = target.license != NULL && strcmp(target.license, "timescale") == 0;
    if (target.license == NULL || *may)
        return true;
    observation->state = OBSERVED_IMPOSSIBLE;
    observation->reason =
        arena_printf(ctx->arena,
                     "the target's TimescaleDB has timescaledb.license = %s, which has no such "
                     "feature",
                     target.license);
    return true;
}

bool community_run(StepCtx *ctx, const SqlList *list, Err *err)
{
    bool done = pg_script(ctx->target, "BEGIN READ WRITE", err);
    for (size_t i = 0; i < list->count && done; i++)
        done = pg_script(ctx->target, list->items[i], err); /* some give rows, some do not */
    if (done && pg_commit(ctx->target, err))
        return true;
    pg_rollback(ctx->target);
    return false;
}
