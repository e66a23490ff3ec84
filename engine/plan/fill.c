/*
 * Fill: from the bound structs to the Plan. Copies into the plan's arena, reads sizes and
 * intervals, compiles selectors, and puts in the defaults that stand in the table
 * (PlanKey.fallback).
 */
#include "plan/fill_internal.h"

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

bool bool_or_default(const bool *given, const char *path, const char *key)
{
    return given != NULL ? *given : text_equal(fallback(path, key), "true");
}

uint32_t word_or_default(const uint32_t *given, const char *path, const char *key)
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

/* NULL-terminated. */
static const char **texts(Fill *fill, char *const *items, uint32_t count)
{
    const char **copy = arena_array(fill->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = arena_strdup(fill->arena, items[i]);
    return copy;
}

typedef bool Compile(Arena *arena, const char *text, Selector *selector, size_t *column, Err *err);

static PlanSelector selector(Fill *fill, const char *text, bool optional, const Node *node,
                             Compile *compile)
{
    AUTO_ERR Err err = {0};
    size_t column = 0;
    PlanSelector out = {.optional = optional, .pos = node->pos};
    if (!compile(fill->arena, text, &out.selector, &column, &err))
        BUG("\"%s\" passed the walker as a selector: %s", text, err.message);
    *vec_push(fill->arena, &fill->plan->compiled) = out.selector;
    return out;
}

static PlanSelectors selectors(Fill *fill, const BoundSelector *items, uint32_t count,
                               const Node *list, Compile *compile)
{
    PlanSelectors out = {.items = arena_array(fill->arena, PlanSelector, count), .count = count};
    const Node *node = list == NULL ? NULL : list->first;
    for (uint32_t i = 0; i < count; i++, node = node->next) {
        const Node *match = node_get(node, "match");
        out.items[i] =
            selector(fill, items[i].match, items[i].optional != NULL && *items[i].optional,
                     match != NULL ? match : node, compile);
    }
    return out;
}

/* ---- endpoints ------------------------------------------------------------------------------ */

/* Where a key of the plan's top stands; line 0 when it is not given. */
static PlanPos key_pos(const Fill *fill, const char *key)
{
    const Node *node = node_get(fill->root, key);
    return node != NULL ? node->key->pos : (PlanPos){0};
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
        .pause_jobs = bound->pause_jobs == NULL || *bound->pause_jobs,
        .pos = node_get(fill->root, path)->key->pos,
    };
}

static void fill_publications(Fill *fill, const BoundReplication *from, const Node *replication)
{
    const Node *list = node_get(replication, "publications");
    const Node *node = list == NULL ? NULL : list->first;
    PlanReplication *to = &fill->plan->replication;
    to->publication_count = from->publications_count;
    to->publications = arena_array(fill->arena, PlanPublication, from->publications_count);
    for (uint32_t i = 0; i < from->publications_count; i++, node = node->next) {
        const BoundPublication *item = &from->publications[i];
        to->publications[i] = (PlanPublication){
            .name = arena_strdup(fill->arena, item->name),
            .adopt = word_or_default(item->existing, "replication.publications[]", "existing") == 1,
            .tables = selectors(fill, item->tables, item->tables_count, node_get(node, "tables"),
                                selector_relation),
            .pos = node_get(node, "name")->pos,
        };
    }
}

static void fill_identities(Fill *fill, const BoundReplicaIdentity *given, const Node *replication)
{
    static const BoundReplicaIdentity NOTHING = {0};
    const BoundReplicaIdentity *from = given != NULL ? given : &NOTHING;
    const Node *list = node_get(node_get(replication, "replica_identity"), "tables");
    const Node *node = list == NULL ? NULL : list->first;
    PlanReplication *to = &fill->plan->replication;
    to->identity_set =
        word_or_default(from->when_missing, "replication.replica_identity", "when_missing") == 1;
    to->identity_count = from->tables_count;
    to->identities = arena_array(fill->arena, PlanIdentity, from->tables_count);
    for (uint32_t i = 0; i < from->tables_count; i++, node = node->next) {
        const BoundIdentity *item = &from->tables[i];
        to->identities[i] = (PlanIdentity){
            .table = selector(fill, item->table, false, node_get(node, "table"), selector_relation),
            .using_index = arena_strdup(fill->arena, item->using_index),
            .columns = texts(fill, item->columns, item->columns_count),
            .column_count = item->columns_count,
            .pos = node_get(node, "table")->pos,
        };
    }
}

static void fill_replication(Fill *fill, const BoundReplication *given)
{
    static const BoundReplication NOTHING = {0};
    static const BoundSlot NO_SLOT = {0};
    static const BoundSpool NO_SPOOL = {0};
    const BoundReplication *from = given != NULL ? given : &NOTHING;
    const BoundSlot *slot = from->slot != NULL ? from->slot : &NO_SLOT;
    const BoundSpool *spool = from->spool != NULL ? from->spool : &NO_SPOOL;
    const Node *node = node_get(fill->root, "replication");
    fill->plan->replication = (PlanReplication){
        .plugin = (PlanPlugin)word_or_default(from->plugin, "replication", "plugin"),
        .publish = from->publish != NULL ? *from->publish : PLAN_PUBLISH_ALL,
        .heartbeat_us = interval_or_default(from->heartbeat, "replication", "heartbeat"),
        .max_retained_wal_bytes =
            slot->max_retained_wal == NULL ? 0 : size_of(slot->max_retained_wal),
        .on_limit =
            (PlanWalLimitAction)word_or_default(slot->on_limit, "replication.slot", "on_limit"),
        .slot_failover = slot->failover != NULL && *slot->failover,
        .spool_directory = arena_strdup(&fill->plan->arena, spool->directory),
        .spool_limit_bytes = spool->limit == NULL ? 0 : size_of(spool->limit),
        .pos = key_pos(fill, "replication"),
    };
    fill_publications(fill, from, node);
    fill_identities(fill, from->replica_identity, node);
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
        .data = bool_or_default(from->data, "copy", "data"),
        .max_snapshot_age_us =
            from->max_snapshot_age == NULL
                ? 0
                : interval_or_default(from->max_snapshot_age, "copy", "max_snapshot_age"),
        .pos = key_pos(fill, "copy"),
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
            .tables = selectors(fill, from->tables, from->tables_count, node_get(node, "tables"),
                                selector_relation),
            .where = arena_strdup(fill->arena, from->where),
            .pos = node_get(node, "id")->pos,
        };
    }
}

/* ---- what people add ------------------------------------------------------------------------ */

static PlanCommand command(Fill *fill, const BoundCommand *from)
{
    return (PlanCommand){
        .argv = texts(fill, from->run, from->run_count),
        .argc = from->run_count,
        .timeout_us = interval_or_default(from->timeout, "steps[].command", "timeout"),
        .env = texts(fill, from->env, from->env_count),
        .env_count = from->env_count,
    };
}

static PlanStep step(Fill *fill, const BoundStep *from, const Node *node)
{
    static const BoundStepSql NO_SQL = {0};
    static const BoundCommand NO_COMMAND = {0};
    static const BoundDoneIf NO_QUERY = {0};
    const BoundStepSql *sql = from->sql != NULL ? from->sql : &NO_SQL;
    const BoundDoneIf *done_if = from->done_if != NULL ? from->done_if : &NO_QUERY;
    return (PlanStep){
        .id = arena_strdup(fill->arena, from->id),
        .needs = texts(fill, from->needs, from->needs_count),
        .needs_count = from->needs_count,
        .before = texts(fill, from->before, from->before_count),
        .before_count = from->before_count,
        .action = from->sql != NULL       ? PLAN_STEP_SQL
                  : from->command != NULL ? PLAN_STEP_COMMAND
                                          : PLAN_STEP_VERIFY,
        .sql_server = (PlanServer)sql->server,
        .sql_file = arena_strdup(fill->arena, sql->file),
        .sql_statement = arena_strdup(fill->arena, sql->statement),
        .command = command(fill, from->command != NULL ? from->command : &NO_COMMAND),
        .verify = texts(fill, from->verify, from->verify_count),
        .verify_count = from->verify_count,
        .done_if_server = (PlanServer)done_if->server,
        .done_if_sql = arena_strdup(fill->arena, done_if->sql),
        .pos = node_get(node, "id")->pos,
    };
}

static PlanSteps steps(Fill *fill, const BoundStep *items, uint32_t count, const Node *list)
{
    PlanSteps out = {.items = arena_array(fill->arena, PlanStep, count), .count = count};
    const Node *node = list == NULL ? NULL : list->first;
    for (uint32_t i = 0; i < count; i++, node = node->next)
        out.items[i] = step(fill, &items[i], node);
    return out;
}

static void fill_notify(Fill *fill, const BoundNotify *from)
{
    if (from == NULL)
        return;
    fill->plan->notify = (PlanCommand){
        .argv = texts(fill, from->command, from->command_count),
        .argc = from->command_count,
        .timeout_us = interval_or_default(from->timeout, "notify", "timeout"),
        .env = texts(fill, from->env, from->env_count),
        .env_count = from->env_count,
    };
}

static PlanWaiver *waivers(Fill *fill, const BoundWaiver *items, uint32_t count, const char *key)
{
    PlanWaiver *out = arena_array(fill->arena, PlanWaiver, count);
    const Node *list = node_get(fill->root, key);
    const Node *node = list == NULL ? NULL : list->first;
    for (uint32_t i = 0; i < count; i++, node = node->next)
        out[i] = (PlanWaiver){
            .code = arena_strdup(fill->arena, items[i].code),
            .object = arena_strdup(fill->arena, items[i].object),
            .reason = arena_strdup(fill->arena, items[i].reason),
            .until = arena_strdup(fill->arena, items[i].until),
            .pos = node_get(node, "code")->pos,
            .until_pos = node_get(node, "until")->pos,
        };
    return out;
}

/* ---- cutover -------------------------------------------------------------------------------- */

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
    to->run = (PlanCommand){
        .argv = texts(fill, from->run, from->run_count),
        .argc = from->run_count,
        .timeout_us = to->grace_us,
        .env = texts(fill, from->env, from->env_count),
        .env_count = from->env_count,
    };
    to->undo = to->run;
    to->undo.argv = texts(fill, from->undo, from->undo_count);
    to->undo.argc = from->undo_count;
}

static void fill_cutover(Fill *fill, const BoundCutover *given)
{
    static const BoundCutover NOTHING = {0};
    const BoundCutover *from = given != NULL ? given : &NOTHING;
    const Node *node = node_get(fill->root, "cutover");
    PlanCutover *to = &fill->plan->cutover;
    to->before_fence =
        steps(fill, from->before_fence, from->before_fence_count, node_get(node, "before_fence"));
    to->after_drain =
        steps(fill, from->after_drain, from->after_drain_count, node_get(node, "after_drain"));
    to->on_switch = steps(fill, from->switch_, from->switch__count, node_get(node, "switch"));
    to->on_rollback =
        steps(fill, from->on_rollback, from->on_rollback_count, node_get(node, "on_rollback"));
    fill_gates(fill, from->gates);
    fill_approval(fill, from->approval);
    fill_stop_writes(fill, from->stop_writes);
    to->max_downtime_us = interval_or_default(from->max_downtime, "cutover", "max_downtime");
    to->sequence_margin = count_or_default(from->sequences != NULL ? from->sequences->margin : NULL,
                                           "cutover.sequences", "margin");
    to->pos = key_pos(fill, "cutover");
}

/* Caps that leave room for the jobs, the stream and what stands beside them. */
static void fill_caps(Plan *plan)
{
    if (plan->source.max_connections == 0)
        plan->source.max_connections =
            (plan->copy.table_jobs > 1 ? plan->copy.table_jobs : 2) + plan_beside_source(plan);
    if (plan->target.max_connections == 0)
        plan->target.max_connections = 2 * (plan->copy.table_jobs + plan->copy.index_jobs) + 4 +
                                       plan_beside_target(plan) + plan->apply.lanes;
}

static void fill_filters(Fill *fill, const BoundSelect *from, const Node *select)
{
    PlanSelect *to = &fill->plan->select;
    const Node *list = node_get(select, "rows");
    const Node *node = list == NULL ? NULL : list->first;
    to->rows_count = from->rows_count;
    to->rows = arena_array(fill->arena, PlanRowFilter, from->rows_count);
    for (uint32_t i = 0; i < from->rows_count; i++, node = node->next)
        to->rows[i] = (PlanRowFilter){
            .table = selector(fill, from->rows[i].table, false, node_get(node, "table"),
                              selector_relation),
            .where = arena_strdup(fill->arena, from->rows[i].where),
            .pos = node_get(node, "where")->pos,
        };
    list = node_get(select, "columns");
    node = list == NULL ? NULL : list->first;
    to->columns_count = from->columns_count;
    to->columns = arena_array(fill->arena, PlanColumnList, from->columns_count);
    for (uint32_t i = 0; i < from->columns_count; i++, node = node->next)
        to->columns[i] = (PlanColumnList){
            .table = selector(fill, from->columns[i].table, false, node_get(node, "table"),
                              selector_relation),
            .include = texts(fill, from->columns[i].include, from->columns[i].include_count),
            .include_count = from->columns[i].include_count,
            .pos = node_get(node, "include")->pos,
        };
}

static void fill_select(Fill *fill, const BoundSelect *from)
{
    PlanSelect *to = &fill->plan->select;
    const Node *select = node_get(fill->root, "select");
    to->schemas = selectors(fill, from->schemas, from->schemas_count, node_get(select, "schemas"),
                            selector_schema);
    to->tables = selectors(fill, from->tables, from->tables_count, node_get(select, "tables"),
                           selector_relation);
    to->exclude = selectors(fill, from->exclude, from->exclude_count, node_get(select, "exclude"),
                            selector_relation);
    to->schema_only = selectors(fill, from->schema_only, from->schema_only_count,
                                node_get(select, "schema_only"), selector_relation);
    fill_filters(fill, from, select);
    const Node *list = node_get(select, "map");
    const Node *node = list == NULL ? NULL : list->first;
    to->map_count = from->map_count;
    to->map = arena_array(fill->arena, PlanMap, from->map_count);
    for (uint32_t i = 0; i < from->map_count; i++, node = node->next)
        to->map[i] = (PlanMap){
            .source = selector(fill, from->map[i].source, false, node_get(node, "source"),
                               selector_relation),
            .target = arena_strdup(fill->arena, from->map[i].target),
            .merge = bool_or_default(from->map[i].merge, "select.map[]", "merge"),
            .pos = node_get(node, "target")->pos,
        };
}

static void fill_roles(Fill *fill, const BoundRoles *given)
{
    static const BoundRoles NOTHING = {0};
    const BoundRoles *from = given != NULL ? given : &NOTHING;
    const Node *roles = node_get(fill->root, "roles");
    const Node *list = node_get(roles, "exclude");
    const Node *node = list == NULL ? NULL : list->first;
    PlanRoles *to = &fill->plan->roles;
    *to = (PlanRoles){
        .copy = bool_or_default(from->copy, "roles", "copy"),
        .passwords = (PlanPasswords)word_or_default(from->passwords, "roles", "passwords"),
        .exclude = {.items = arena_array(fill->arena, PlanSelector, from->exclude_count),
                    .count = from->exclude_count},
        .settings = bool_or_default(from->settings, "roles", "settings"),
        .grant_to_target_user =
            bool_or_default(from->grant_to_target_user, "roles", "grant_to_target_user"),
        .map = arena_array(fill->arena, PlanRoleMap, from->map_count),
        .map_count = from->map_count,
        .pos = key_pos(fill, "roles"),
    };
    for (uint32_t i = 0; i < from->exclude_count; i++, node = node->next)
        to->exclude.items[i] = selector(fill, from->exclude[i], true, node, selector_schema);
    list = node_get(roles, "map");
    node = list == NULL ? NULL : list->first;
    for (uint32_t i = 0; i < from->map_count; i++, node = node->next)
        to->map[i] = (PlanRoleMap){
            .source = arena_strdup(fill->arena, from->map[i].source),
            .target = arena_strdup(fill->arena, from->map[i].target),
            .pos = node_get(node, "source")->pos,
        };
}

static void fill_extensions(Fill *fill, const BoundExtensions *given)
{
    static const BoundExtensions NOTHING = {0};
    const BoundExtensions *from = given != NULL ? given : &NOTHING;
    fill->plan->extensions = (PlanExtensions){
        .create_missing = word_or_default(from->create, "extensions", "create") == 0,
        .same_version = word_or_default(from->version, "extensions", "version") == 0,
        .exclude = texts(fill, from->exclude, from->exclude_count),
        .exclude_count = from->exclude_count,
        .pos = key_pos(fill, "extensions"),
    };
}

static void fill_schema(Fill *fill, const BoundSchema *given)
{
    static const BoundSchema NOTHING = {0};
    const BoundSchema *from = given != NULL ? given : &NOTHING;
    fill->plan->schema = (PlanSchema){
        .existing = (PlanExisting)word_or_default(from->existing, "schema", "existing"),
        .owner_is_target_user = word_or_default(from->ownership, "schema", "ownership") == 1,
        .privileges = word_or_default(from->privileges, "schema", "privileges") == 1,
        .foreign_keys_validated =
            word_or_default(from->foreign_keys, "schema", "foreign_keys") == 1,
        .database_settings =
            word_or_default(from->database_settings, "schema", "database_settings") == 1,
        .comments = word_or_default(from->comments, "schema", "comments") == 1,
        .pos = key_pos(fill, "schema"),
    };
}

static void fill_failback(Fill *fill, const BoundFailback *given)
{
    static const BoundFailback NOTHING = {0};
    const BoundFailback *from = given != NULL ? given : &NOTHING;
    fill->plan->failback = (PlanFailback){
        .prepare = bool_or_default(from->prepare, "failback", "prepare"),
        .keep_for_us = interval_or_default(from->keep_for, "failback", "keep_for"),
        .goes_without = word_or_default(from->if_unavailable, "failback", "if_unavailable") == 1,
        .pos = key_pos(fill, "failback"),
    };
}

void plan_fill(Plan *plan, const BoundPlan *bound, const Node *root)
{
    Fill fill = {.plan = plan, .arena = &plan->arena, .root = root};
    plan->name = arena_strdup(&plan->arena, bound->name);
    plan->source = endpoint(&fill, &bound->source, "source");
    plan->target = endpoint(&fill, &bound->target, "target");
    plan->pg_bin = arena_strdup(&plan->arena, bound->tools != NULL ? bound->tools->pg_bin : NULL);
    fill_select(&fill, &bound->select);
    fill_roles(&fill, bound->roles);
    fill_extensions(&fill, bound->extensions);
    fill_schema(&fill, bound->schema);
    fill_timescale(plan, bound, root);
    fill_replication(&fill, bound->replication);
    fill_copy(&fill, bound->copy);
    plan->apply = (PlanApply){
        .lanes =
            count_or_default(bound->apply != NULL ? bound->apply->lanes : NULL, "apply", "lanes"),
        .on_conflict = (PlanConflict)word_or_default(
            bound->apply != NULL ? bound->apply->on_conflict : NULL, "apply", "on_conflict"),
    };
    plan->ddl = (PlanDdl){
        .add = word_or_default(bound->ddl != NULL ? bound->ddl->added : NULL, "ddl", "added") == 1,
        .pause_relation =
            word_or_default(bound->ddl != NULL ? bound->ddl->altered : NULL, "ddl", "altered") == 1,
    };
    fill_caps(plan);
    plan->memory_bytes =
        size_or_default(bound->limits != NULL ? bound->limits->memory : NULL, "limits", "memory");
    if (bound->limits != NULL && bound->limits->verify_rows_per_second != NULL)
        plan->verify_rows_per_second = *bound->limits->verify_rows_per_second;
    fill_verifies(&fill, bound);
    fill_cutover(&fill, bound->cutover);
    fill_failback(&fill, bound->failback);
    plan->steps = steps(&fill, bound->steps, bound->steps_count, node_get(root, "steps"));
    fill_notify(&fill, bound->notify);
    plan->waivers = waivers(&fill, bound->waive, bound->waive_count, "waive");
    plan->waiver_count = bound->waive_count;
    plan->attests = waivers(&fill, bound->attest, bound->attest_count, "attest");
    plan->attest_count = bound->attest_count;
}
