/*
 * Canonical text of hypertables with their dimensions and policies, of continuous aggregates and
 * jobs. What is not given does not stand in it, so that a plan without them keeps its fingerprint.
 */
#include "plan/canonical_timescale.h"

static void put_texts(Json *json, const char *key, const char *const *items, size_t count)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < count; i++)
        json_text(json, NULL, items[i]);
    json_close(json, ']');
}

/* A policy's keys stand beside those of its section, all in alphabetical order: in three pieces,
 * since some of a section's own come between. */
static void put_policy_limits(Json *json, const PlanPolicy *policy)
{
    if (policy->max_retries != NULL)
        json_number(json, "max_retries", *policy->max_retries);
    json_text(json, "max_runtime", policy->max_runtime);
}

static void put_policy_start(Json *json, const PlanPolicy *policy)
{
    json_text(json, "initial_start", policy->initial_start);
    put_policy_limits(json, policy);
}

static void put_policy_schedule(Json *json, const PlanPolicy *policy)
{
    json_text(json, "retry_period", policy->retry_period);
    json_text(json, "schedule_interval", policy->schedule_interval);
    json_bool(json, "scheduled", policy->scheduled);
}

static void put_policy(Json *json, const PlanPolicy *policy)
{
    put_policy_start(json, policy);
    put_policy_schedule(json, policy);
    json_text(json, "timezone", policy->timezone);
}

static void put_columnstore(Json *json, const PlanColumnstore *columnstore)
{
    if (columnstore == NULL)
        return;
    json_open(json, "columnstore", '{');
    json_text(json, "after", columnstore->after);
    json_text(json, "created_before", columnstore->created_before);
    put_policy_start(json, &columnstore->policy);
    put_texts(json, "orderby", columnstore->orderby, columnstore->orderby_count);
    put_policy_schedule(json, &columnstore->policy);
    put_texts(json, "segmentby", columnstore->segmentby, columnstore->segmentby_count);
    json_text(json, "timezone", columnstore->policy.timezone);
    json_close(json, '}');
}

static void put_reorder(Json *json, const PlanReorder *reorder)
{
    if (reorder == NULL)
        return;
    json_open(json, "reorder", '{');
    json_text(json, "index", reorder->index);
    put_policy(json, &reorder->policy);
    json_close(json, '}');
}

static void put_retention(Json *json, const PlanRetention *retention)
{
    if (retention == NULL)
        return;
    json_open(json, "retention", '{');
    json_text(json, "drop_after", retention->drop_after);
    json_text(json, "drop_created_before", retention->drop_created_before);
    put_policy(json, &retention->policy);
    json_close(json, '}');
}

static void put_dimensions(Json *json, const PlanHypertable *table)
{
    if (table->dimension_count == 0)
        return;
    json_open(json, "dimensions", '[');
    for (size_t i = 0; i < table->dimension_count; i++) {
        const PlanDimension *dimension = &table->dimensions[i];
        bool hash = dimension->number_partitions > 0;
        json_open(json, NULL, '{');
        json_open(json, hash ? "by_hash" : "by_range", '{');
        json_text(json, "column_name", dimension->column_name);
        if (hash)
            json_number(json, "number_partitions", dimension->number_partitions);
        json_text(json, "partition_func", dimension->partition_func);
        if (!hash)
            json_text(json, "partition_interval", dimension->partition_interval);
        json_close(json, '}');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static const char *offset_text(const char *offset)
{
    return offset == NULL ? "unbounded" : offset;
}

static void put_refresh(Json *json, const PlanRefresh *refresh)
{
    if (refresh == NULL)
        return;
    json_open(json, "refresh", '{');
    if (refresh->buckets_per_batch != NULL)
        json_number(json, "buckets_per_batch", *refresh->buckets_per_batch);
    json_text(json, "end_offset", offset_text(refresh->end_offset));
    if (refresh->include_tiered_data != NULL)
        json_bool(json, "include_tiered_data", *refresh->include_tiered_data);
    json_text(json, "initial_start", refresh->policy.initial_start);
    if (refresh->max_batches_per_execution != NULL)
        json_number(json, "max_batches_per_execution", *refresh->max_batches_per_execution);
    put_policy_limits(json, &refresh->policy);
    if (refresh->refresh_newest_first != NULL)
        json_bool(json, "refresh_newest_first", *refresh->refresh_newest_first);
    put_policy_schedule(json, &refresh->policy);
    json_text(json, "start_offset", offset_text(refresh->start_offset));
    json_text(json, "timezone", refresh->policy.timezone);
    json_close(json, '}');
}

void canonical_aggregates(Json *json, Arena *arena, const Plan *plan)
{
    if (plan->aggregate_count == 0)
        return;
    json_open(json, "continuous_aggregates", '[');
    for (size_t i = 0; i < plan->aggregate_count; i++) {
        const PlanAggregate *aggregate = &plan->aggregates[i];
        json_open(json, NULL, '{');
        put_columnstore(json, aggregate->columnstore);
        json_text(json, "data", aggregate->carry ? "carry" : "rebuild");
        json_bool(json, "materialized_only", aggregate->materialized_only);
        json_text(json, "query", aggregate->query);
        put_refresh(json, aggregate->refresh);
        put_retention(json, aggregate->retention);
        json_text(json, "target_view", name_text(arena, &aggregate->target_view));
        json_close(json, '}');
    }
    json_close(json, ']');
}

void canonical_jobs(Json *json, Arena *arena, const Plan *plan)
{
    if (plan->job_count == 0)
        return;
    json_open(json, "jobs", '[');
    for (size_t i = 0; i < plan->job_count; i++) {
        const PlanJob *job = &plan->jobs[i];
        json_open(json, NULL, '{');
        json_text(json, "config", job->config);
        put_policy_start(json, &job->policy);
        json_text(json, "procedure", name_text(arena, &job->procedure));
        put_policy_schedule(json, &job->policy);
        json_text(json, "timezone", job->policy.timezone);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void canonical_hypertables(Json *json, Arena *arena, const Plan *plan)
{
    json_open(json, "hypertables", '[');
    for (size_t i = 0; i < plan->hypertable_count; i++) {
        const PlanHypertable *table = &plan->hypertables[i];
        json_open(json, NULL, '{');
        json_open(json, "by_range", '{');
        json_text(json, "column_name", table->column_name);
        json_text(json, "partition_func", table->partition_func);
        json_text(json, "partition_interval", table->partition_interval);
        json_close(json, '}');
        put_columnstore(json, table->columnstore);
        json_bool(json, "create_default_indexes", table->create_default_indexes);
        put_dimensions(json, table);
        if (table->from_partitioned)
            json_bool(json, "from_partitioned", true);
        if (table->integer_now_func != NULL)
            json_text(json, "integer_now_func", table->integer_now_func);
        put_reorder(json, table->reorder);
        put_retention(json, table->retention);
        json_text(json, "target_table", name_text(arena, &table->target_table));
        json_close(json, '}');
    }
    json_close(json, ']');
}
