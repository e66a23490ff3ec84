/*
 * The mirror: hypertables of the source as if the plan had described them. What is found there
 * becomes the same description that an entry of `hypertables` gives, so that all that follows (what
 * is printed, made, checked, compared) knows one kind only. An entry of the plan for such a table
 * is put over it, key by key. What the description cannot say is told, never dropped in silence.
 */
#include "base/str.h"
#include "blueprint/mirror_internal.h"

#include <string.h>

static const char *function_text(Build *build, const Name *function)
{
    return function->rel == NULL ? NULL : build_name(build, function);
}

static void fill_dimensions(Build *build, const Name *table, PlanHypertable *to)
{
    size_t count = 0;
    const CatDimension *dimensions = catalog_dimensions(build->source, table, &count);
    if (count == 0)
        return;
    to->column_name = dimensions[0].column_name;
    to->partition_interval = dimensions[0].interval;
    to->interval_is_integer = dimensions[0].interval_is_integer;
    to->partition_func = function_text(build, &dimensions[0].partition_func);
    to->integer_now_func = function_text(build, &dimensions[0].integer_now_func);
    to->dimension_count = count - 1;
    to->dimensions = arena_array(build->arena, PlanDimension, count);
    for (size_t i = 1; i < count; i++)
        to->dimensions[i - 1] = (PlanDimension){
            .column_name = dimensions[i].column_name,
            .partition_interval = dimensions[i].interval,
            .interval_is_integer = dimensions[i].interval_is_integer,
            .number_partitions = dimensions[i].number_partitions,
            .partition_func = function_text(build, &dimensions[i].partition_func),
            .pos = build->plan->mirror_pos,
        };
}

/* --- policies --- */

void mirror_not(Build *build, const char *what, const char *hint)
{
    build_find(build, DIAG_MIRROR_LEFT_OUT, build->plan->mirror_pos, 1, "%s", what);
    build_hint(build, "%s", hint);
}

/* Keys of a configuration by the release of TimescaleDB that knows them first. */
static const struct {
    const char *key;
    int from;
} CONFIG_KEYS[] = {
    {"buckets_per_batch", 219},    {"compress_after_refresh", 229},
    {"include_tiered_data", 218},  {"max_batches_per_execution", 219},
    {"refresh_newest_first", 220},
};

void build_config_keys(Build *build, PlanPos pos, const char *what, const char *keys)
{
    int release = build_target_release(build);
    for (size_t i = 0; i < sizeof(CONFIG_KEYS) / sizeof(*CONFIG_KEYS); i++) {
        if (keys == NULL || release == 0 || release >= CONFIG_KEYS[i].from ||
            strstr(keys, CONFIG_KEYS[i].key) == NULL)
            continue;
        build_find(build, DIAG_TARGET_RELEASE, pos, 1,
                   "%s has %s, which TimescaleDB knows from %d.%d on", what, CONFIG_KEYS[i].key,
                   CONFIG_KEYS[i].from / 100, CONFIG_KEYS[i].from % 100);
        build_hint(build, "It stands in the configuration and counts for nothing until the "
                          "target's TimescaleDB is updated.");
    }
}

PlanPolicy mirror_policy(Build *build, const CatJob *job)
{
    if (job->further != NULL &&
        job->table.rel != NULL) /* what a job of the user's own knows is its own */
        build_config_keys(build, build->plan->mirror_pos,
                          arena_printf(build->arena, "job %lld (%s of %s)", (long long)job->id,
                                       job->procedure.rel, build_name(build, &job->table)),
                          job->further);
    PlanPolicy policy = {
        .schedule_interval = job->schedule_interval,
        .initial_start = job->initial_start,
        .timezone = job->timezone,
        .max_runtime = job->max_runtime,
        .retry_period = job->retry_period,
        .scheduled = job->scheduled,
        .more = job->more,
        .pos = build->plan->mirror_pos,
    };
    if (job->max_retries >= 0) {
        uint32_t *retries = arena_new(build->arena, uint32_t);
        *retries = (uint32_t)job->max_retries;
        policy.max_retries = retries;
    }
    return policy;
}

const CatJob *mirror_job_of(const Build *build, const Name *table, const char *procedure)
{
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (job->table.rel != NULL && name_equal(&job->table, table) &&
            strcmp(job->procedure.rel, procedure) == 0)
            return job;
    }
    return NULL;
}

const PlanColumnstore *mirror_columnstore(Build *build, const Name *table)
{
    const CatColumnstore *from = catalog_columnstore(build->source, table);
    const CatJob *job = mirror_job_of(build, table, "policy_compression");
    if (from == NULL)
        return NULL;
    PlanColumnstore *columnstore = arena_new(build->arena, PlanColumnstore);
    *columnstore = (PlanColumnstore){
        .segmentby = from->segmentby,
        .segmentby_count = from->segmentby_count,
        .orderby = from->orderby,
        .orderby_count = from->orderby_count,
        .chunk_interval = from->chunk_interval,
        .policy = {.scheduled = true, .pos = build->plan->mirror_pos},
    };
    if (job != NULL) {
        columnstore->after = job->age;
        columnstore->after_is_integer = job->age_is_integer;
        columnstore->created_before = job->created_before;
        columnstore->policy = mirror_policy(build, job);
    }
    return columnstore;
}

/* What such a policy has that add_retention_policy() gives it need not be set again: setting it
 * costs a policy by creation time its check.
 * \note Source: DEFAULT_RETENTION_* in TimescaleDB's tsl/src/bgw_policy/retention_api.c. */
static void drop_usual_limits(PlanPolicy *policy)
{
    if (policy->max_retries == NULL && text_equal(policy->max_runtime, "00:05:00") &&
        text_equal(policy->retry_period, "00:05:00"))
        policy->max_runtime = policy->retry_period = NULL;
}

const PlanRetention *mirror_retention(Build *build, const Name *table)
{
    const CatJob *job = mirror_job_of(build, table, "policy_retention");
    if (job == NULL)
        return NULL;
    PlanRetention *retention = arena_new(build->arena, PlanRetention);
    *retention = (PlanRetention){
        .drop_after = job->age,
        .drop_after_is_integer = job->age_is_integer,
        .drop_created_before = job->created_before,
        .policy = mirror_policy(build, job),
    };
    if (retention->drop_created_before != NULL)
        drop_usual_limits(&retention->policy);
    return retention;
}

static void fill_reorder(Build *build, const Name *table, PlanHypertable *to)
{
    const CatJob *job = mirror_job_of(build, table, "policy_reorder");
    if (job == NULL)
        return;
    PlanReorder *reorder = arena_new(build->arena, PlanReorder);
    *reorder = (PlanReorder){.index = job->index_name, .policy = mirror_policy(build, job)};
    to->reorder = reorder;
}

/* --- the whole --- */

static const PlanHypertable *plan_entry(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->plan->hypertable_count; i++)
        if (name_equal(&build->plan->hypertables[i].target_table, target))
            return &build->plan->hypertables[i];
    return NULL;
}

/* What the plan says of the table goes before what it is on the source. */
static void put_over(PlanHypertable *to, const PlanHypertable *plan)
{
    bool same = text_equal(to->column_name, plan->column_name);
    to->column_name = plan->column_name;
    if (plan->partition_interval != NULL || !same) {
        to->partition_interval = plan->partition_interval;
        to->interval_is_integer = plan->interval_is_integer;
    }
    if (plan->partition_func != NULL || !same)
        to->partition_func = plan->partition_func;
    if (plan->integer_now_func != NULL || !same)
        to->integer_now_func = plan->integer_now_func;
    if (plan->dimension_count > 0) {
        to->dimensions = plan->dimensions;
        to->dimension_count = plan->dimension_count;
    }
    to->create_default_indexes = plan->create_default_indexes;
    to->from_partitioned = plan->from_partitioned;
    to->columnstore = plan->columnstore != NULL ? plan->columnstore : to->columnstore;
    to->retention = plan->retention != NULL ? plan->retention : to->retention;
    to->reorder = plan->reorder != NULL ? plan->reorder : to->reorder;
    to->pos = plan->pos;
}

static const PlanHypertable *mirrored(Build *build, const CatRelation *from, const Name *target)
{
    PlanHypertable *to = arena_new(build->arena, PlanHypertable);
    *to = (PlanHypertable){.target_table = *target, .pos = build->plan->mirror_pos};
    fill_dimensions(build, &from->name, to);
    to->columnstore = mirror_columnstore(build, &from->name);
    to->retention = mirror_retention(build, &from->name);
    fill_reorder(build, &from->name, to);
    const PlanHypertable *plan = plan_entry(build, target);
    if (plan != NULL)
        put_over(to, plan);
    return to;
}

static bool is_taken(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->hypertables.count; i++)
        if (name_equal(&build->hypertables.items[i]->target_table, target))
            return true;
    return false;
}

void build_mirror(Build *build)
{
    for (size_t i = 0; build->plan->mirror && i < build->source->relations_count; i++) {
        const CatRelation *from = build->source->by_name[i];
        if (from->is_hypertable && build_mark(build, from)->selected)
            *vec_push(build->arena, &build->hypertables) =
                mirrored(build, from, &build_place(build, from)->target);
    }
    for (size_t i = 0; i < build->plan->hypertable_count; i++)
        if (!is_taken(build, &build->plan->hypertables[i].target_table))
            *vec_push(build->arena, &build->hypertables) = &build->plan->hypertables[i];
}

const PlanPos *build_first_hypertable(const Build *build)
{
    return build->hypertables.count == 0 ? NULL : &build->hypertables.items[0]->pos;
}
