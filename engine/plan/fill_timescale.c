/*
 * Fill of what TimescaleDB is to have: hypertables, their dimensions, columnstore, policies,
 * continuous aggregates, jobs. What was not given stays NULL: TimescaleDB has defaults of its own,
 * which differ by version.
 */
#include "plan/fill_internal.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "plan/format.h"

typedef struct Fill {
    Plan *plan;
    Arena *arena;
} Fill;

static bool is_integer(const char *text)
{
    return text != NULL && format_is_integer(text);
}

static Name name_of(Fill *fill, const char *text)
{
    Name name;
    if (!name_parse(fill->arena, text, &name))
        BUG("\"%s\" passed the walker as a relation", text);
    return name;
}

/* NULL-terminated. */
static const char **texts(Fill *fill, char *const *items, uint32_t count)
{
    const char **copy = arena_array(fill->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = arena_strdup(fill->arena, items[i]);
    return copy;
}

static const uint32_t *number_or_none(Fill *fill, const uint32_t *from)
{
    if (from == NULL)
        return NULL;
    uint32_t *to = arena_new(fill->arena, uint32_t);
    *to = *from;
    return to;
}

static const bool *bool_or_none(Fill *fill, const bool *from)
{
    if (from == NULL)
        return NULL;
    bool *to = arena_new(fill->arena, bool);
    *to = *from;
    return to;
}

static PlanPolicy policy(Fill *fill, const BoundPolicy *from, const char *path, const Node *node)
{
    return (PlanPolicy){
        .schedule_interval = arena_strdup(fill->arena, from->schedule_interval),
        .initial_start = arena_strdup(fill->arena, from->initial_start),
        .timezone = arena_strdup(fill->arena, from->timezone),
        .max_runtime = arena_strdup(fill->arena, from->max_runtime),
        .max_retries = number_or_none(fill, from->max_retries),
        .retry_period = arena_strdup(fill->arena, from->retry_period),
        .scheduled = bool_or_default(from->scheduled, path, "scheduled"),
        .pos = node->key != NULL ? node->key->pos : node->pos,
    };
}

static const PlanColumnstore *columnstore(Fill *fill, const BoundColumnstore *from,
                                          const char *path, const Node *node)
{
    if (from == NULL)
        return NULL;
    PlanColumnstore *to = arena_new(fill->arena, PlanColumnstore);
    *to = (PlanColumnstore){
        .segmentby = texts(fill, from->segmentby, from->segmentby_count),
        .segmentby_count = from->segmentby_count,
        .orderby = texts(fill, from->orderby, from->orderby_count),
        .orderby_count = from->orderby_count,
        .after = arena_strdup(fill->arena, from->after),
        .after_is_integer = is_integer(from->after),
        .created_before = arena_strdup(fill->arena, from->created_before),
        .policy = policy(fill, &from->policy, path, node),
    };
    return to;
}

static const PlanRetention *retention(Fill *fill, const BoundRetention *from, const char *path,
                                      const Node *node)
{
    if (from == NULL)
        return NULL;
    PlanRetention *to = arena_new(fill->arena, PlanRetention);
    *to = (PlanRetention){
        .drop_after = arena_strdup(fill->arena, from->drop_after),
        .drop_after_is_integer = is_integer(from->drop_after),
        .drop_created_before = arena_strdup(fill->arena, from->drop_created_before),
        .policy = policy(fill, &from->policy, path, node),
    };
    return to;
}

static const PlanReorder *reorder(Fill *fill, const BoundReorder *from, const Node *node)
{
    if (from == NULL)
        return NULL;
    PlanReorder *to = arena_new(fill->arena, PlanReorder);
    *to = (PlanReorder){
        .index = arena_strdup(fill->arena, from->index),
        .policy = policy(fill, &from->policy, "hypertables[].reorder", node),
    };
    return to;
}

static PlanDimension dimension(Fill *fill, const BoundDimension *from, const Node *node)
{
    const BoundByHash *hash = from->by_hash;
    const BoundByRange *range = from->by_range;
    PlanDimension to = {.pos = node->pos};
    if (hash != NULL) {
        to.column_name = arena_strdup(fill->arena, hash->column_name);
        to.number_partitions = hash->number_partitions;
        to.partition_func = arena_strdup(fill->arena, hash->partition_func);
    } else {
        to.column_name = arena_strdup(fill->arena, range->column_name);
        to.partition_interval = arena_strdup(fill->arena, range->partition_interval);
        to.interval_is_integer = is_integer(range->partition_interval);
        to.partition_func = arena_strdup(fill->arena, range->partition_func);
    }
    return to;
}

static void fill_dimensions(Fill *fill, const BoundHypertable *from, const Node *node,
                            PlanHypertable *to)
{
    const Node *list = node_get(node, "dimensions");
    const Node *entry = list == NULL ? NULL : list->first;
    to->dimension_count = from->dimensions_count;
    to->dimensions = arena_array(fill->arena, PlanDimension, from->dimensions_count);
    for (uint32_t i = 0; i < from->dimensions_count; i++, entry = entry->next)
        to->dimensions[i] = dimension(fill, &from->dimensions[i], entry);
}

static void fill_hypertable(Fill *fill, const BoundHypertable *from, const Node *node,
                            PlanHypertable *to)
{
    const char *const path = "hypertables[]";
    *to = (PlanHypertable){
        .column_name = arena_strdup(fill->arena, from->by_range.column_name),
        .partition_interval = arena_strdup(fill->arena, from->by_range.partition_interval),
        .interval_is_integer = is_integer(from->by_range.partition_interval),
        .partition_func = arena_strdup(fill->arena, from->by_range.partition_func),
        .create_default_indexes =
            bool_or_default(from->create_default_indexes, path, "create_default_indexes"),
        .integer_now_func = arena_strdup(fill->arena, from->integer_now_func),
        .from_partitioned = bool_or_default(from->from_partitioned, path, "from_partitioned"),
        .columnstore = columnstore(fill, from->columnstore, "hypertables[].columnstore",
                                   node_get(node, "columnstore")),
        .retention = retention(fill, from->retention, "hypertables[].retention",
                               node_get(node, "retention")),
        .reorder = reorder(fill, from->reorder, node_get(node, "reorder")),
        .pos = node_get(node, "target_table")->pos,
    };
    to->target_table = name_of(fill, from->target_table);
    fill_dimensions(fill, from, node, to);
}

/* NULL: the window has no such end. */
static const char *offset(Fill *fill, const char *text)
{
    return text_equal(text, "unbounded") ? NULL : arena_strdup(fill->arena, text);
}

/* As the policy's configuration has them. NULL: none is given. */
static const char *refresh_more(Arena *arena, const PlanRefresh *refresh)
{
    json_t *more = json_object();
    if (refresh->buckets_per_batch != NULL)
        json_object_set_new(more, "buckets_per_batch", json_integer(*refresh->buckets_per_batch));
    if (refresh->max_batches_per_execution != NULL)
        json_object_set_new(more, "max_batches_per_execution",
                            json_integer(*refresh->max_batches_per_execution));
    if (refresh->refresh_newest_first != NULL)
        json_object_set_new(more, "refresh_newest_first",
                            json_boolean(*refresh->refresh_newest_first));
    if (refresh->include_tiered_data != NULL)
        json_object_set_new(more, "include_tiered_data",
                            json_boolean(*refresh->include_tiered_data));
    bool any = json_object_size(more) > 0;
    const char *text = jsontext_compact(arena, more);
    return any ? text : NULL;
}

static const PlanRefresh *refresh(Fill *fill, const BoundRefresh *from, const Node *node)
{
    if (from == NULL)
        return NULL;
    PlanRefresh *to = arena_new(fill->arena, PlanRefresh);
    *to = (PlanRefresh){
        .start_offset = offset(fill, from->start_offset),
        .start_is_integer = is_integer(from->start_offset),
        .end_offset = offset(fill, from->end_offset),
        .end_is_integer = is_integer(from->end_offset),
        .buckets_per_batch = number_or_none(fill, from->buckets_per_batch),
        .max_batches_per_execution = number_or_none(fill, from->max_batches_per_execution),
        .refresh_newest_first = bool_or_none(fill, from->refresh_newest_first),
        .include_tiered_data = bool_or_none(fill, from->include_tiered_data),
        .policy = policy(fill, &from->policy, "continuous_aggregates[].refresh", node),
    };
    to->policy.more = refresh_more(fill->arena, to);
    return to;
}

static void fill_aggregates(Fill *fill, const BoundPlan *bound, const Node *root)
{
    const Node *list = node_get(root, "continuous_aggregates");
    const Node *node = list == NULL ? NULL : list->first;
    Plan *plan = fill->plan;
    plan->aggregate_count = bound->continuous_aggregates_count;
    plan->aggregates = arena_array(fill->arena, PlanAggregate, plan->aggregate_count);
    for (size_t i = 0; i < plan->aggregate_count; i++, node = node->next) {
        const BoundAggregate *from = &bound->continuous_aggregates[i];
        const char *path = "continuous_aggregates[]";
        plan->aggregates[i] = (PlanAggregate){
            .target_view = name_of(fill, from->target_view),
            .query = arena_strdup(fill->arena, from->query),
            .materialized_only =
                bool_or_default(from->materialized_only, path, "materialized_only"),
            .carry = from->data != NULL && *from->data != 0,
            .refresh = refresh(fill, from->refresh, node_get(node, "refresh")),
            .columnstore =
                columnstore(fill, from->columnstore, "continuous_aggregates[].columnstore",
                            node_get(node, "columnstore")),
            .retention = retention(fill, from->retention, "continuous_aggregates[].retention",
                                   node_get(node, "retention")),
            .pos = node_get(node, "target_view")->pos,
        };
    }
}

static void fill_jobs(Fill *fill, const BoundPlan *bound, const Node *root)
{
    const Node *list = node_get(root, "jobs");
    const Node *node = list == NULL ? NULL : list->first;
    Plan *plan = fill->plan;
    plan->job_count = bound->jobs_count;
    plan->jobs = arena_array(fill->arena, PlanJob, plan->job_count);
    for (size_t i = 0; i < plan->job_count; i++, node = node->next) {
        const BoundJob *from = &bound->jobs[i];
        plan->jobs[i] = (PlanJob){
            .procedure = name_of(fill, from->procedure),
            .config = arena_strdup(fill->arena, from->config),
            .policy = policy(fill, &from->policy, "jobs[]", node_get(node, "procedure")),
        };
    }
}

void fill_timescale(Plan *plan, const BoundPlan *bound, const Node *root)
{
    Fill fill = {.plan = plan, .arena = &plan->arena};
    fill_aggregates(&fill, bound, root);
    fill_jobs(&fill, bound, root);
    plan->mirror = bound->timescaledb != NULL &&
                   bool_or_default(bound->timescaledb->mirror, "timescaledb", "mirror");
    if (plan->mirror)
        plan->mirror_pos = node_at(root, "timescaledb.mirror")->pos;
    const Node *list = node_get(root, "hypertables");
    const Node *node = list == NULL ? NULL : list->first;
    plan->hypertable_count = bound->hypertables_count;
    plan->hypertables = arena_array(fill.arena, PlanHypertable, bound->hypertables_count);
    for (uint32_t i = 0; i < bound->hypertables_count; i++, node = node->next)
        fill_hypertable(&fill, &bound->hypertables[i], node, &plan->hypertables[i]);
}
