/*
 * Canonical: a plan as JSON with one spelling for everything, from the filled struct: keys sorted,
 * defaults filled in, no blanks, sizes and intervals in the largest unit that divides them. Blind
 * to comments, layout and order of keys; what is hashed for the fingerprint and kept for diffs.
 */
#include "plan/layers.h"

#include "plan/json.h"
#include "plan/schema.h"

#include <inttypes.h>

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

static void put_units(Json *json, Arena *arena, const char *key, uint64_t value, const Unit *unit)
{
    while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
        unit++;
    json_text(json, key, arena_printf(arena, "%" PRIu64 "%s", value / unit->factor, unit->name));
}

static void put_size(Json *json, Arena *arena, const char *key, uint64_t bytes)
{
    static const Unit UNITS[] = {{"TB", UINT64_C(1) << 40},
                                 {"GB", UINT64_C(1) << 30},
                                 {"MB", UINT64_C(1) << 20},
                                 {"kB", UINT64_C(1) << 10},
                                 {"B", 1}};
    put_units(json, arena, key, bytes, UNITS);
}

static void put_interval(Json *json, Arena *arena, const char *key, int64_t us)
{
    static const Unit UNITS[] = {{"d", UINT64_C(86400000000)},
                                 {"h", UINT64_C(3600000000)},
                                 {"min", 60000000},
                                 {"s", 1000000},
                                 {"ms", 1000},
                                 {"us", 1}};
    put_units(json, arena, key, (uint64_t)us, UNITS);
}

static void put_texts(Json *json, const char *key, const char *const *items, size_t count)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < count; i++)
        json_text(json, NULL, items[i]);
    json_close(json, ']');
}

static void put_selectors(Json *json, const char *key, const PlanSelectors *selectors)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < selectors->count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "match", selectors->items[i].selector.text);
        json_bool(json, "optional", selectors->items[i].optional);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_endpoint(Json *json, const char *key, const PlanEndpoint *endpoint)
{
    json_open(json, key, '{');
    json_text(json, "conninfo", endpoint->conninfo);
    json_text(json, "conninfo_env", endpoint->conninfo_env);
    json_open(json, "expect", '{');
    json_text(json, "dbname", endpoint->expect.dbname);
    json_text(json, "host", endpoint->expect.host);
    json_number(json, "port", endpoint->expect.port);
    json_close(json, '}');
    json_text(json, "kind", endpoint->kind);
    json_number(json, "max_connections", endpoint->max_connections);
    json_text(json, "passfile", endpoint->passfile);
    json_text(json, "service", endpoint->service);
    json_close(json, '}');
}

static void put_copy(Json *json, Arena *arena, const PlanCopy *copy)
{
    json_open(json, "copy", '{');
    json_text(json, "format", schema_word("copy", "format", (uint32_t)copy->format));
    json_number(json, "index_jobs", copy->index_jobs);
    json_bool(json, "refresh_materialized_views", copy->refresh_materialized_views);
    put_size(json, arena, "split_tables_larger_than", copy->split_bytes);
    json_number(json, "table_jobs", copy->table_jobs);
    json_bool(json, "vacuum", copy->vacuum);
    json_close(json, '}');
}

static void put_cutover(Json *json, Arena *arena, const PlanCutover *cutover)
{
    json_open(json, "cutover", '{');
    json_open(json, "approval", '{');
    put_texts(json, "approvers", cutover->approvers, cutover->approvers_count);
    json_bool(json, "not_runner", cutover->not_runner);
    json_bool(json, "required", cutover->approval_required);
    put_interval(json, arena, "valid_for", cutover->approval_valid_us);
    json_close(json, '}');
    json_open(json, "gates", '{');
    put_size(json, arena, "max_lag_bytes", cutover->max_lag_bytes);
    put_interval(json, arena, "max_lag_time", cutover->max_lag_us);
    put_texts(json, "require", cutover->require, cutover->require_count);
    put_interval(json, arena, "stable_for", cutover->stable_us);
    json_close(json, '}');
    put_interval(json, arena, "max_downtime", cutover->max_downtime_us);
    json_open(json, "sequences", '{');
    json_number(json, "margin", cutover->sequence_margin);
    json_close(json, '}');
    json_open(json, "stop_writes", '{');
    put_interval(json, arena, "grace", cutover->grace_us);
    json_text(json, "method",
              schema_word("cutover.stop_writes", "method", (uint32_t)cutover->method));
    put_texts(json, "terminate", cutover->terminate, cutover->terminate_count);
    json_close(json, '}');
    json_close(json, '}');
}

static void put_hypertables(Json *json, Arena *arena, const Plan *plan)
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
        json_bool(json, "create_default_indexes", table->create_default_indexes);
        json_text(json, "target_table", name_text(arena, &table->target_table));
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_replication(Json *json, Arena *arena, const PlanReplication *replication)
{
    static const struct {
        PlanPublish bit;
        const char *word;
    } KINDS[] = {{PLAN_PUBLISH_DELETE, "delete"},
                 {PLAN_PUBLISH_INSERT, "insert"},
                 {PLAN_PUBLISH_TRUNCATE, "truncate"},
                 {PLAN_PUBLISH_UPDATE, "update"}};
    json_open(json, "replication", '{');
    put_interval(json, arena, "heartbeat", replication->heartbeat_us);
    json_text(json, "plugin", "pgoutput");
    json_open(json, "publish", '[');
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++) {
        if ((replication->publish & (uint32_t)KINDS[i].bit) != 0)
            json_text(json, NULL, KINDS[i].word);
    }
    json_close(json, ']');
    json_open(json, "slot", '{');
    if (replication->max_retained_wal_bytes == 0)
        json_text(json, "max_retained_wal", NULL);
    else
        put_size(json, arena, "max_retained_wal", replication->max_retained_wal_bytes);
    json_text(json, "on_limit",
              schema_word("replication.slot", "on_limit", (uint32_t)replication->on_limit));
    json_close(json, '}');
    json_close(json, '}');
}

static void put_verifies(Json *json, const Plan *plan)
{
    json_open(json, "verify", '[');
    for (size_t i = 0; i < plan->verify_count; i++) {
        const PlanVerify *verify = &plan->verifies[i];
        json_open(json, NULL, '{');
        json_text(json, "id", verify->id);
        json_text(json, "method", schema_word("verify[]", "method", (uint32_t)verify->method));
        put_selectors(json, "tables", &verify->tables);
        json_text(json, "where", verify->where);
        json_close(json, '}');
    }
    json_close(json, ']');
}

char *plan_canonical(Arena *arena, const Plan *plan)
{
    AUTO_STR Str out = {0};
    Json json = {.out = &out};
    json_open(&json, NULL, '{');
    json_open(&json, "apply", '{');
    json_number(&json, "lanes", plan->apply.lanes);
    json_text(&json, "on_conflict",
              schema_word("apply", "on_conflict", (uint32_t)plan->apply.on_conflict));
    json_close(&json, '}');
    put_copy(&json, arena, &plan->copy);
    put_cutover(&json, arena, &plan->cutover);
    put_hypertables(&json, arena, plan);
    json_open(&json, "limits", '{');
    put_size(&json, arena, "memory", plan->memory_bytes);
    json_close(&json, '}');
    json_text(&json, "name", plan->name);
    put_replication(&json, arena, &plan->replication);
    json_open(&json, "schema", '{');
    json_text(&json, "existing", "fail");
    json_close(&json, '}');
    json_open(&json, "select", '{');
    put_selectors(&json, "exclude", &plan->select.exclude);
    put_selectors(&json, "schemas", &plan->select.schemas);
    put_selectors(&json, "tables", &plan->select.tables);
    json_close(&json, '}');
    put_endpoint(&json, "source", &plan->source);
    put_endpoint(&json, "target", &plan->target);
    json_open(&json, "tools", '{');
    json_text(&json, "pg_bin", plan->pg_bin);
    json_close(&json, '}');
    put_verifies(&json, plan);
    json_number(&json, "version", 1);
    json_close(&json, '}');
    return str_dup(arena, &out);
}
