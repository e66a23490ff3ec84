/*
 * Fill: from the bound structs to the Plan. Copies into the plan's arena, reads sizes and
 * intervals, compiles selectors, and puts in the defaults that stand in the table
 * (PlanKey.fallback).
 */
#include "plan/layers.h"

#include "base/str.h"
#include "base/units.h"
#include "plan/schema.h"

typedef struct Fill {
    Plan *plan;
    Arena *arena;
    const Node *root;
} Fill;

static const char *fallback(const char *path, const char *key)
{
    const char *text = schema_key(schema_at(path), key)->fallback;
    if (text == NULL)
        BUG("%s.%s has no default", path, key);
    return text;
}

static uint32_t count_or_default(const uint32_t *given, const char *path, const char *key)
{
    uint32_t value = 0;
    if (given != NULL)
        return *given;
    if (!units_uint32_parse(fallback(path, key), &value))
        BUG("the default of %s.%s is not a number", path, key);
    return value;
}

static bool bool_or_default(const bool *given, const char *path, const char *key)
{
    return given != NULL ? *given : text_equal(fallback(path, key), "true");
}

static uint32_t word_or_default(const uint32_t *given, const char *path, const char *key)
{
    if (given != NULL)
        return *given;
    const PlanMapping *mapping = schema_at(path);
    const cyaml_schema_value_t *schema = &mapping->fields[schema_find(mapping, key)].value;
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (text_equal(schema->enumeration.strings[i].str, fallback(path, key)))
            return (uint32_t)schema->enumeration.strings[i].val;
    }
    BUG("the default of %s.%s is not one of its words", path, key);
}

static uint64_t size_of(const char *text)
{
    uint64_t bytes = 0;
    if (!units_size_parse(text, &bytes))
        BUG("\"%s\" passed the walker as a size", text);
    return bytes;
}

static uint64_t size_or_default(const char *given, const char *path, const char *key)
{
    return size_of(given != NULL ? given : fallback(path, key));
}

static int64_t interval_or_default(const char *given, const char *path, const char *key)
{
    int64_t us = 0;
    if (!units_interval_parse(given != NULL ? given : fallback(path, key), &us))
        BUG("\"%s\" passed the walker as an interval", given);
    return us;
}

static const char **texts(Fill *fill, char *const *items, uint32_t count)
{
    const char **copy = arena_array(fill->arena, const char *, count);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = arena_strdup(fill->arena, items[i]);
    return copy;
}

static PlanSelectors selectors(Fill *fill, const BoundSelector *items, uint32_t count,
                               const Node *list, bool schema)
{
    PlanSelectors out = {.items = arena_array(fill->arena, PlanSelector, count), .count = count};
    const Node *node = list == NULL ? NULL : list->first;
    for (uint32_t i = 0; i < count; i++, node = node->next) {
        AUTO_ERR Err err = {0};
        size_t column = 0;
        PlanSelector *item = &out.items[i];
        bool ok =
            schema ? selector_schema(fill->arena, items[i].match, &item->selector, &column, &err)
                   : selector_relation(fill->arena, items[i].match, &item->selector, &column, &err);
        if (!ok)
            BUG("\"%s\" passed the walker as a selector: %s", items[i].match, err.message);
        item->optional = items[i].optional != NULL && *items[i].optional;
        const Node *match = node_get(node, "match");
        item->pos = match != NULL ? match->pos : node->pos;
    }
    return out;
}

static PlanEndpoint endpoint(Fill *fill, const BoundEndpoint *bound, const char *path)
{
    static const BoundExpect NOTHING = {0};
    const BoundExpect *expect = bound->expect != NULL ? bound->expect : &NOTHING;
    return (PlanEndpoint){
        .kind = schema_word(path, "kind", bound->kind),
        .service = arena_strdup(fill->arena, bound->service),
        .conninfo_env = arena_strdup(fill->arena, bound->conninfo_env),
        .conninfo = arena_strdup(fill->arena, bound->conninfo),
        .passfile = arena_strdup(fill->arena, bound->passfile),
        .expect = {.host = arena_strdup(fill->arena, expect->host),
                   .dbname = arena_strdup(fill->arena, expect->dbname),
                   .port = expect->port == NULL ? 0 : *expect->port},
        .max_connections = bound->max_connections == NULL ? 0 : *bound->max_connections,
        .pos = node_get(fill->root, path)->key->pos,
    };
}

static void fill_hypertables(Fill *fill, const BoundPlan *bound)
{
    Plan *plan = fill->plan;
    const Node *list = node_get(fill->root, "hypertables");
    const Node *node = list == NULL ? NULL : list->first;
    plan->hypertable_count = bound->hypertables_count;
    plan->hypertables = arena_array(fill->arena, PlanHypertable, bound->hypertables_count);
    for (uint32_t i = 0; i < bound->hypertables_count; i++, node = node->next) {
        const BoundHypertable *from = &bound->hypertables[i];
        const char *interval = from->by_range.partition_interval;
        PlanHypertable *to = &plan->hypertables[i];
        *to = (PlanHypertable){
            .column_name = arena_strdup(fill->arena, from->by_range.column_name),
            .partition_interval = arena_strdup(fill->arena, interval),
            .interval_is_integer = interval != NULL && format_is_integer(interval),
            .partition_func = arena_strdup(fill->arena, from->by_range.partition_func),
            .create_default_indexes = bool_or_default(from->create_default_indexes, "hypertables[]",
                                                      "create_default_indexes"),
            .pos = node_get(node, "target_table")->pos,
        };
        if (!name_parse(fill->arena, from->target_table, &to->target_table))
            BUG("\"%s\" passed the walker as a relation", from->target_table);
    }
}

static void fill_replication(Fill *fill, const BoundReplication *given)
{
    static const BoundReplication NOTHING = {0};
    static const BoundSlot NO_SLOT = {0};
    const BoundReplication *from = given != NULL ? given : &NOTHING;
    const BoundSlot *slot = from->slot != NULL ? from->slot : &NO_SLOT;
    const Node *node = node_get(fill->root, "replication");
    fill->plan->replication = (PlanReplication){
        .publish = from->publish != NULL ? *from->publish : PLAN_PUBLISH_ALL,
        .heartbeat_us = interval_or_default(from->heartbeat, "replication", "heartbeat"),
        .max_retained_wal_bytes =
            slot->max_retained_wal == NULL ? 0 : size_of(slot->max_retained_wal),
        .on_limit =
            (PlanWalLimitAction)word_or_default(slot->on_limit, "replication.slot", "on_limit"),
        .pos = node != NULL ? node->key->pos : (PlanPos){0},
    };
}

static void fill_copy(Fill *fill, const BoundCopy *given)
{
    static const BoundCopy NOTHING = {0};
    const BoundCopy *from = given != NULL ? given : &NOTHING;
    fill->plan->copy = (PlanCopy){
        .table_jobs = count_or_default(from->table_jobs, "copy", "table_jobs"),
        .index_jobs = count_or_default(from->index_jobs, "copy", "index_jobs"),
        .split_bytes =
            size_or_default(from->split_tables_larger_than, "copy", "split_tables_larger_than"),
        .format = (PlanCopyFormat)word_or_default(from->format, "copy", "format"),
        .vacuum = bool_or_default(from->vacuum, "copy", "vacuum"),
        .refresh_materialized_views =
            bool_or_default(from->refresh_materialized_views, "copy", "refresh_materialized_views"),
    };
}

static void fill_verifies(Fill *fill, const BoundPlan *bound)
{
    Plan *plan = fill->plan;
    if (bound->verify_count == 0) {
        plan->verify_count = 1;
        plan->verifies = arena_new(fill->arena, PlanVerify);
        plan->verifies[0] = (PlanVerify){.id = "all", .method = PLAN_VERIFY_CHECKSUM};
        return;
    }
    const Node *node = node_get(fill->root, "verify")->first;
    plan->verify_count = bound->verify_count;
    plan->verifies = arena_array(fill->arena, PlanVerify, bound->verify_count);
    for (uint32_t i = 0; i < bound->verify_count; i++, node = node->next) {
        const BoundVerify *from = &bound->verify[i];
        plan->verifies[i] = (PlanVerify){
            .id = arena_strdup(fill->arena, from->id),
            .method = (PlanVerifyMethod)word_or_default(from->method, "verify[]", "method"),
            .tables =
                selectors(fill, from->tables, from->tables_count, node_get(node, "tables"), false),
            .where = arena_strdup(fill->arena, from->where),
            .pos = node_get(node, "id")->pos,
        };
    }
}

static void fill_approval(Fill *fill, const BoundApproval *given)
{
    static const BoundApproval NOTHING = {0};
    const BoundApproval *from = given != NULL ? given : &NOTHING;
    const char *const path = "cutover.approval";
    PlanCutover *to = &fill->plan->cutover;
    to->approval_required = bool_or_default(from->required, path, "required");
    to->approval_valid_us = interval_or_default(from->valid_for, path, "valid_for");
    to->approvers = texts(fill, from->approvers, from->approvers_count);
    to->approvers_count = from->approvers_count;
    to->not_runner = bool_or_default(from->not_runner, path, "not_runner");
}

static void fill_gates(Fill *fill, const BoundGates *given)
{
    static const BoundGates NOTHING = {0};
    const BoundGates *from = given != NULL ? given : &NOTHING;
    const char *const path = "cutover.gates";
    PlanCutover *to = &fill->plan->cutover;
    to->max_lag_bytes = size_or_default(from->max_lag_bytes, path, "max_lag_bytes");
    to->max_lag_us = interval_or_default(from->max_lag_time, path, "max_lag_time");
    to->stable_us = interval_or_default(from->stable_for, path, "stable_for");
    to->require = texts(fill, from->require, from->require_count);
    to->require_count = from->require_count;
}

static void fill_stop_writes(Fill *fill, const BoundStopWrites *given)
{
    static const BoundStopWrites NOTHING = {0};
    const BoundStopWrites *from = given != NULL ? given : &NOTHING;
    const char *const path = "cutover.stop_writes";
    PlanCutover *to = &fill->plan->cutover;
    to->method = (PlanStopWrites)word_or_default(from->method, path, "method");
    to->grace_us = interval_or_default(from->grace, path, "grace");
    to->terminate = texts(fill, from->terminate, from->terminate_count);
    to->terminate_count = from->terminate_count;
}

static void fill_cutover(Fill *fill, const BoundCutover *given)
{
    static const BoundCutover NOTHING = {0};
    const BoundCutover *from = given != NULL ? given : &NOTHING;
    const Node *node = node_get(fill->root, "cutover");
    PlanCutover *to = &fill->plan->cutover;
    fill_gates(fill, from->gates);
    fill_approval(fill, from->approval);
    fill_stop_writes(fill, from->stop_writes);
    to->max_downtime_us = interval_or_default(from->max_downtime, "cutover", "max_downtime");
    to->sequence_margin = count_or_default(from->sequences != NULL ? from->sequences->margin : NULL,
                                           "cutover.sequences", "margin");
    to->pos = node != NULL ? node->key->pos : (PlanPos){0};
}

/* Caps that leave room for the jobs, the stream and what stands beside them. */
static void fill_caps(Plan *plan)
{
    if (plan->source.max_connections == 0)
        plan->source.max_connections = plan->copy.table_jobs + 8;
    if (plan->target.max_connections == 0)
        plan->target.max_connections = 2 * (plan->copy.table_jobs + plan->copy.index_jobs) + 12;
}

void plan_fill(Plan *plan, const BoundPlan *bound, const Node *root)
{
    Fill fill = {.plan = plan, .arena = &plan->arena, .root = root};
    const Node *select = node_get(root, "select");
    const BoundSelect *from = &bound->select;
    plan->name = arena_strdup(&plan->arena, bound->name);
    plan->source = endpoint(&fill, &bound->source, "source");
    plan->target = endpoint(&fill, &bound->target, "target");
    plan->pg_bin = arena_strdup(&plan->arena, bound->tools != NULL ? bound->tools->pg_bin : NULL);
    plan->select.schemas =
        selectors(&fill, from->schemas, from->schemas_count, node_get(select, "schemas"), true);
    plan->select.tables =
        selectors(&fill, from->tables, from->tables_count, node_get(select, "tables"), false);
    plan->select.exclude =
        selectors(&fill, from->exclude, from->exclude_count, node_get(select, "exclude"), false);
    fill_hypertables(&fill, bound);
    fill_replication(&fill, bound->replication);
    fill_copy(&fill, bound->copy);
    fill_caps(plan);
    plan->apply = (PlanApply){
        .lanes =
            count_or_default(bound->apply != NULL ? bound->apply->lanes : NULL, "apply", "lanes"),
        .on_conflict = (PlanConflict)word_or_default(
            bound->apply != NULL ? bound->apply->on_conflict : NULL, "apply", "on_conflict"),
    };
    plan->memory_bytes =
        size_or_default(bound->limits != NULL ? bound->limits->memory : NULL, "limits", "memory");
    fill_verifies(&fill, bound);
    fill_cutover(&fill, bound->cutover);
}
