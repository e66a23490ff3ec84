/*
 * Canonical: a plan as JSON with one spelling for everything, from the filled struct: keys sorted,
 * defaults filled in, no blanks, sizes and intervals in the largest unit that divides them. Blind
 * to comments, layout and order of keys; what is hashed for the fingerprint and kept for diffs.
 */
#include "plan/canonical_timescale.h"
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
    if (!endpoint->pause_jobs) /* plans from before the key keep their fingerprint */
        json_bool(json, "pause_jobs", false);
    json_text(json, "service", endpoint->service);
    json_close(json, '}');
}

static void put_filters(Json *json, const PlanSelect *select)
{
    json_open(json, "columns", '[');
    for (size_t i = 0; i < select->columns_count; i++) {
        json_open(json, NULL, '{');
        put_texts(json, "include", select->columns[i].include, select->columns[i].include_count);
        json_text(json, "table", select->columns[i].table.selector.text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_select(Json *json, const PlanSelect *select)
{
    json_open(json, "select", '{');
    put_filters(json, select);
    put_selectors(json, "exclude", &select->exclude);
    json_open(json, "map", '[');
    for (size_t i = 0; i < select->map_count; i++) {
        json_open(json, NULL, '{');
        json_bool(json, "merge", select->map[i].merge);
        json_text(json, "source", select->map[i].source.selector.text);
        json_text(json, "target", select->map[i].target);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "rows", '[');
    for (size_t i = 0; i < select->rows_count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "table", select->rows[i].table.selector.text);
        json_text(json, "where", select->rows[i].where);
        json_close(json, '}');
    }
    json_close(json, ']');
    put_selectors(json, "schema_only", &select->schema_only);
    put_selectors(json, "schemas", &select->schemas);
    put_selectors(json, "tables", &select->tables);
    json_close(json, '}');
}

static void put_roles(Json *json, const PlanRoles *roles)
{
    json_open(json, "roles", '{');
    json_bool(json, "copy", roles->copy);
    json_open(json, "exclude", '[');
    for (size_t i = 0; i < roles->exclude.count; i++)
        json_text(json, NULL, roles->exclude.items[i].selector.text);
    json_close(json, ']');
    json_bool(json, "grant_to_target_user", roles->grant_to_target_user);
    json_open(json, "map", '[');
    for (size_t i = 0; i < roles->map_count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "source", roles->map[i].source);
        json_text(json, "target", roles->map[i].target);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_text(json, "passwords", schema_word("roles", "passwords", (uint32_t)roles->passwords));
    json_bool(json, "settings", roles->settings);
    json_close(json, '}');
}

static void put_schema(Json *json, const PlanSchema *schema)
{
    json_open(json, "schema", '{');
    json_text(json, "comments", schema->comments ? "copy" : "omit");
    json_text(json, "database_settings", schema->database_settings ? "copy" : "omit");
    json_text(json, "existing", schema_word("schema", "existing", (uint32_t)schema->existing));
    json_text(json, "foreign_keys",
              schema->foreign_keys_validated ? "validate" : "not_valid_then_validate");
    json_text(json, "ownership", schema->owner_is_target_user ? "target_user" : "keep");
    json_text(json, "privileges", schema->privileges ? "copy" : "omit");
    json_close(json, '}');
}

static void put_command(Json *json, Arena *arena, const char *key, const PlanCommand *command)
{
    json_open(json, key, '{');
    put_texts(json, "env", command->env, command->env_count);
    put_texts(json, "run", command->argv, command->argc);
    put_interval(json, arena, "timeout", command->timeout_us);
    json_close(json, '}');
}

static void put_step(Json *json, Arena *arena, const PlanStep *step)
{
    json_open(json, NULL, '{');
    put_texts(json, "before", step->before, step->before_count);
    if (step->action == PLAN_STEP_COMMAND)
        put_command(json, arena, "command", &step->command);
    if (step->done_if_sql != NULL) {
        json_open(json, "done_if", '{');
        json_text(json, "server",
                  schema_word("steps[].done_if", "server", (uint32_t)step->done_if_server));
        json_text(json, "sql", step->done_if_sql);
        json_close(json, '}');
    }
    json_text(json, "id", step->id);
    put_texts(json, "needs", step->needs, step->needs_count);
    if (step->action == PLAN_STEP_SQL) {
        json_open(json, "sql", '{');
        json_text(json, "file", step->sql_file);
        json_text(json, "server", schema_word("steps[].sql", "server", (uint32_t)step->sql_server));
        json_text(json, "statement", step->sql_statement);
        json_close(json, '}');
    }
    put_texts(json, "verify", step->verify, step->verify_count);
    json_close(json, '}');
}

static void put_steps(Json *json, Arena *arena, const char *key, const PlanSteps *steps)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < steps->count; i++)
        put_step(json, arena, &steps->items[i]);
    json_close(json, ']');
}

static void put_waivers(Json *json, const char *key, const PlanWaiver *waivers, size_t count)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "code", waivers[i].code);
        json_text(json, "object", waivers[i].object);
        json_text(json, "reason", waivers[i].reason);
        json_text(json, "until", waivers[i].until);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_copy(Json *json, Arena *arena, const PlanCopy *copy)
{
    json_open(json, "copy", '{');
    json_bool(json, "data", copy->data);
    json_text(json, "format", schema_word("copy", "format", (uint32_t)copy->format));
    json_number(json, "index_jobs", copy->index_jobs);
    if (copy->max_snapshot_age_us == 0)
        json_text(json, "max_snapshot_age", NULL);
    else
        put_interval(json, arena, "max_snapshot_age", copy->max_snapshot_age_us);
    json_bool(json, "refresh_materialized_views", copy->refresh_materialized_views);
    put_size(json, arena, "split_tables_larger_than", copy->split_bytes);
    json_number(json, "table_jobs", copy->table_jobs);
    json_bool(json, "vacuum", copy->vacuum);
    json_close(json, '}');
}

static void put_cutover(Json *json, Arena *arena, const PlanCutover *cutover)
{
    json_open(json, "cutover", '{');
    put_steps(json, arena, "after_drain", &cutover->after_drain);
    json_open(json, "approval", '{');
    put_texts(json, "approvers", cutover->approvers, cutover->approvers_count);
    json_bool(json, "not_runner", cutover->not_runner);
    json_bool(json, "required", cutover->approval_required);
    put_interval(json, arena, "valid_for", cutover->approval_valid_us);
    json_close(json, '}');
    put_steps(json, arena, "before_fence", &cutover->before_fence);
    json_open(json, "gates", '{');
    put_size(json, arena, "max_lag_bytes", cutover->max_lag_bytes);
    put_interval(json, arena, "max_lag_time", cutover->max_lag_us);
    put_texts(json, "require", cutover->require, cutover->require_count);
    put_interval(json, arena, "stable_for", cutover->stable_us);
    json_close(json, '}');
    put_interval(json, arena, "max_downtime", cutover->max_downtime_us);
    put_steps(json, arena, "on_rollback", &cutover->on_rollback);
    json_open(json, "sequences", '{');
    json_number(json, "margin", cutover->sequence_margin);
    json_close(json, '}');
    json_open(json, "stop_writes", '{');
    put_interval(json, arena, "grace", cutover->grace_us);
    json_text(json, "method",
              schema_word("cutover.stop_writes", "method", (uint32_t)cutover->method));
    put_command(json, arena, "run", &cutover->run);
    put_texts(json, "terminate", cutover->terminate, cutover->terminate_count);
    put_command(json, arena, "undo", &cutover->undo);
    json_close(json, '}');
    put_steps(json, arena, "switch", &cutover->on_switch);
    json_close(json, '}');
}

static void put_identities(Json *json, const PlanReplication *replication)
{
    json_open(json, "replica_identity", '{');
    json_open(json, "tables", '[');
    for (size_t i = 0; i < replication->identity_count; i++) {
        const PlanIdentity *item = &replication->identities[i];
        json_open(json, NULL, '{');
        put_texts(json, "columns", item->columns, item->column_count);
        json_bool(json, "full", item->using_index == NULL && item->column_count == 0);
        json_text(json, "table", item->table.selector.text);
        json_text(json, "using_index", item->using_index);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_text(json, "when_missing", replication->identity_set ? "set" : "check");
    json_close(json, '}');
}

static void put_spool(Json *json, Arena *arena, const PlanReplication *replication)
{
    if (replication->spool_directory == NULL)
        return;
    json_open(json, "spool", '{');
    json_text(json, "directory", replication->spool_directory);
    if (replication->spool_limit_bytes > 0)
        put_size(json, arena, "limit", replication->spool_limit_bytes);
    json_close(json, '}');
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
    json_text(json, "plugin", schema_word("replication", "plugin", (uint32_t)replication->plugin));
    json_open(json, "publications", '[');
    for (size_t i = 0; i < replication->publication_count; i++) {
        const PlanPublication *item = &replication->publications[i];
        json_open(json, NULL, '{');
        json_text(json, "existing", item->adopt ? "adopt" : "fail");
        json_text(json, "name", item->name);
        put_selectors(json, "tables", &item->tables);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "publish", '[');
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++) {
        if ((replication->publish & (uint32_t)KINDS[i].bit) != 0)
            json_text(json, NULL, KINDS[i].word);
    }
    json_close(json, ']');
    put_identities(json, replication);
    json_open(json, "slot", '{');
    if (replication->slot_failover)
        json_bool(json, "failover", true);
    if (replication->max_retained_wal_bytes == 0)
        json_text(json, "max_retained_wal", NULL);
    else
        put_size(json, arena, "max_retained_wal", replication->max_retained_wal_bytes);
    json_text(json, "on_limit",
              schema_word("replication.slot", "on_limit", (uint32_t)replication->on_limit));
    json_close(json, '}');
    put_spool(json, arena, replication);
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

static void put_failback(Json *json, Arena *arena, const PlanFailback *failback)
{
    json_open(json, "failback", '{');
    json_text(json, "if_unavailable", failback->goes_without ? "continue" : "stop");
    put_interval(json, arena, "keep_for", failback->keep_for_us);
    json_bool(json, "prepare", failback->prepare);
    json_close(json, '}');
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
    put_waivers(&json, "attest", plan->attests, plan->attest_count);
    canonical_aggregates(&json, arena, plan);
    put_copy(&json, arena, &plan->copy);
    put_cutover(&json, arena, &plan->cutover);
    if (plan->ddl.add || plan->ddl.pause_relation) { /* fingerprints of plans without stay */
        json_open(&json, "ddl", '{');
        json_text(&json, "added", schema_word("ddl", "added", plan->ddl.add));
        json_text(&json, "altered", schema_word("ddl", "altered", plan->ddl.pause_relation));
        json_close(&json, '}');
    }
    json_open(&json, "extensions", '{');
    json_text(&json, "create", plan->extensions.create_missing ? "missing" : "none");
    put_texts(&json, "exclude", plan->extensions.exclude, plan->extensions.exclude_count);
    json_text(&json, "version", plan->extensions.same_version ? "same" : "default");
    json_close(&json, '}');
    if (plan->failback.prepare)
        put_failback(&json, arena, &plan->failback);
    canonical_hypertables(&json, arena, plan);
    canonical_jobs(&json, arena, plan);
    json_open(&json, "limits", '{');
    put_size(&json, arena, "memory", plan->memory_bytes);
    if (plan->verify_rows_per_second > 0)
        json_number(&json, "verify_rows_per_second", plan->verify_rows_per_second);
    json_close(&json, '}');
    json_text(&json, "name", plan->name);
    if (plan->notify.argc > 0)
        put_command(&json, arena, "notify", &plan->notify);
    put_replication(&json, arena, &plan->replication);
    put_roles(&json, &plan->roles);
    put_schema(&json, &plan->schema);
    put_select(&json, &plan->select);
    put_endpoint(&json, "source", &plan->source);
    put_steps(&json, arena, "steps", &plan->steps);
    put_endpoint(&json, "target", &plan->target);
    if (plan->mirror) {
        json_open(&json, "timescaledb", '{');
        json_bool(&json, "mirror", true);
        json_close(&json, '}');
    }
    json_open(&json, "tools", '{');
    json_text(&json, "pg_bin", plan->pg_bin);
    json_close(&json, '}');
    put_verifies(&json, plan);
    json_number(&json, "version", 1);
    put_waivers(&json, "waive", plan->waivers, plan->waiver_count);
    json_close(&json, '}');
    return str_dup(arena, &out);
}
