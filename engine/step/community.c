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

void community_needs_read(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                          const PlanAggregate *aggregate, const char *kind)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->aggregate_count; i++)
        if (aggregate_reads(aggregate, blueprint->aggregates[i]))
            step_needs_id(builder, step,
                          arena_printf(&arena, "%s:%s", kind,
                                       name_text(&arena, &blueprint->aggregates[i]->target_view)));
}

static bool is_wanted(const Blueprint *blueprint)
{
    bool wanted = blueprint->aggregate_count + blueprint->job_count > 0;
    for (size_t i = 0; i < blueprint->relation_count && !wanted; i++) {
        const PlanHypertable *table = blueprint->relations[i].hypertable;
        wanted = table != NULL &&
                 (table->columnstore != NULL || table->retention != NULL || table->reorder != NULL);
    }
    return wanted;
}

bool community_is_there(StepCtx *ctx, Err *err)
{
    Observation seen = {0};
    bool may = false;
    if (!is_wanted(ctx->run->blueprint))
        return true;
    if (!community_may_look(ctx, &seen, &may, err))
        return false;
    if (seen.state != OBSERVED_IMPOSSIBLE)
        return true;
    err_set(err, ERR_RUN, "columnstore, policies, aggregates and jobs of the plan: %s",
            seen.reason);
    return err_hint(err,
                    "Leave them out, or install the community edition on the target and run "
                    "ALTER SYSTEM SET timescaledb.license = 'timescale'. Nothing was copied yet.");
}

static bool statements(StepCtx *ctx, const CommunityFeature *feature, SqlList *list, Err *err)
{
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    *list = feature->statements(ctx, &target);
    return true;
}

bool community_describe(StepCtx *ctx, const CommunityFeature *feature, Description *description,
                        Err *err)
{
    SqlList list = {0};
    if (!statements(ctx, feature, &list, err))
        return false;
    description->sentence = feature->sentence(ctx);
    for (size_t i = 0; i < list.count; i++)
        description_add(ctx->arena, description, CONN_TARGET, list.items[i]);
    return true;
}

bool community_observe(StepCtx *ctx, const CommunityFeature *feature, Observation *observation,
                       Err *err)
{
    bool may = false;
    bool there = false;
    observation->state = OBSERVED_NEEDED;
    if (!community_may_look(ctx, observation, &may, err) ||
        (may && !feature->find(ctx, &there, err)))
        return false;
    if (there)
        observation->state = OBSERVED_SATISFIED;
    return true;
}

bool community_observe_recorded(StepCtx *ctx, Observation *observation, Err *err)
{
    bool may = false;
    observation->state = OBSERVED_NEEDED;
    if (!community_may_look(ctx, observation, &may, err))
        return false;
    if (may && ctx->recorded_done)
        observation->state = OBSERVED_SATISFIED;
    return true;
}

bool community_apply(StepCtx *ctx, const CommunityFeature *feature, Err *err)
{
    SqlList list = {0};
    return statements(ctx, feature, &list, err) && ts_run(ctx->target, &list, err);
}

bool community_patiently(StepCtx *ctx, bool (*work)(StepCtx *ctx, Err *err), Err *err)
{
    AUTO_ERR Err ignored = {0};
    AUTO_ROWS Rows *before = NULL;
    AUTO_ROWS Rows *after = NULL;
    if (!pg_one(ctx->target, "SELECT pg_catalog.current_setting('lock_timeout')", NO_PARAMS,
                &before, err) ||
        !pg_none(ctx->target, "SET lock_timeout = 0", NO_PARAMS, err))
        return false;
    bool done = work(ctx, err);
    if (!pg_one(ctx->target, "SELECT pg_catalog.set_config('lock_timeout', $1, false)",
                PARAMS(rows_text(before, 0, 0)), &after, done ? err : &ignored))
        return false;
    return done;
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
