/*
 * Policy: SQL and facts.
 */
#include "timescale/policy.h"

#include "base/str.h"
#include "sql_text.h"

#include <stdlib.h>

#define RELEASE_NEWEST 9999

/* From then on alter_job() takes a retention by creation time.
 * \note Source: TimescaleDB's issue 9446; 2.26.3 takes it, too. */
#define CREATED_ALTERED_FROM 227

/* --- what is called how, and since when --- */

typedef struct ColumnstoreWords {
    int from, before; /* releases */
    const char *enable, *segmentby, *orderby, *interval;
    const char *policy; /* up to the table */
    const char *after, *created_before;
} ColumnstoreWords;

static const ColumnstoreWords COLUMNSTORE_WORDS[] = {
    {0, 218, "timescaledb.compress", "timescaledb.compress_segmentby",
     "timescaledb.compress_orderby", "timescaledb.compress_chunk_time_interval",
     "SELECT |add_compression_policy(", "compress_after", "compress_created_before"},
    {218, RELEASE_NEWEST, "timescaledb.enable_columnstore", "timescaledb.segmentby",
     "timescaledb.orderby", "timescaledb.compress_chunk_time_interval",
     "CALL |add_columnstore_policy(", "after", "created_before"},
};

static const ColumnstoreWords *columnstore_words(const TsTarget *target)
{
    size_t i = 0;
    while (i + 1 < sizeof(COLUMNSTORE_WORDS) / sizeof(COLUMNSTORE_WORDS[0]) &&
           target->release >= COLUMNSTORE_WORDS[i].before)
        i++;
    return &COLUMNSTORE_WORDS[i];
}

static const struct {
    const char *name;
    const char *procedure; /* of its job, in every version */
} POLICIES[POLICY_KIND_COUNT] = {
    [POLICY_COLUMNSTORE] = {"columnstore", "policy_compression"},
    [POLICY_REORDER] = {"reorder", "policy_reorder"},
    [POLICY_RETENTION] = {"retention", "policy_retention"},
};

const char *policy_name(PolicyKind kind)
{
    return POLICIES[kind].name;
}

bool policy_is_wanted(const PlanHypertable *plan, PolicyKind kind)
{
    const PlanColumnstore *columnstore = plan->columnstore;
    switch (kind) {
    case POLICY_COLUMNSTORE:
        return columnstore != NULL &&
               (columnstore->after != NULL || columnstore->created_before != NULL);
    case POLICY_REORDER:
        return plan->reorder != NULL;
    case POLICY_RETENTION:
        return plan->retention != NULL;
    case POLICY_KIND_COUNT:
        break;
    }
    return false;
}

/* --- the target --- */

static int release_of(const char *version)
{
    char *rest = NULL;
    if (version == NULL)
        return RELEASE_NEWEST;
    long major = strtol(version, &rest, 10);
    long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return (int)(major * 100 + minor);
}

bool ts_target(Arena *arena, Conn *conn, const Blueprint *blueprint, TsTarget *target, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *target = (TsTarget){.schema = "public", .release = RELEASE_NEWEST};
    if (!pg_rows(conn, SQL_TIMESCALE_TARGET, NO_PARAMS, &rows, err))
        return false;
    if (rows_count(rows) > 0) {
        target->schema = arena_strdup(arena, rows_text(rows, 0, 0));
        target->release = release_of(rows_text(rows, 0, 1));
        target->license = arena_strdup(arena, rows_text(rows, 0, 2));
        return true;
    }
    for (size_t i = 0; i < blueprint->extension_count; i++) {
        if (strcmp(blueprint->extensions[i].name, "timescaledb") != 0)
            continue;
        target->schema = blueprint->extensions[i].schema;
        target->release = release_of(blueprint->extensions[i].version);
    }
    return true;
}

/* --- settings --- */

/* The setting is a text that holds a list of SQL's own. */
static void append_setting(Str *sql, const Conn *conn, const char *setting, const Str *list)
{
    if (list->length == 0)
        return;
    str_appendf(sql, ", %s = ", setting);
    ddl_literal(sql, conn, list->data);
}

SqlList columnstore_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                        const TsTarget *target)
{
    const ColumnstoreWords *words = columnstore_words(target);
    const PlanColumnstore *columnstore = plan->columnstore;
    SqlList list = {0};
    AUTO_STR Str segments = {0};
    AUTO_STR Str order = {0};
    ddl_ident_list(&segments, conn, columnstore->segmentby, columnstore->segmentby_count);
    for (size_t i = 0; i < columnstore->orderby_count; i++)
        str_appendf(&order, "%s%s", i > 0 ? ", " : "", columnstore->orderby[i]);
    AUTO_STR Str sql = {0};
    str_append(&sql, plan->is_aggregate ? "ALTER MATERIALIZED VIEW " : "ALTER TABLE ");
    ddl_qname(&sql, conn, &plan->target_table);
    str_appendf(&sql, " SET (%s", words->enable);
    append_setting(&sql, conn, words->segmentby, &segments);
    append_setting(&sql, conn, words->orderby, &order);
    if (columnstore->chunk_interval != NULL) {
        str_appendf(&sql, ", %s = ", words->interval);
        ddl_literal(&sql, conn, columnstore->chunk_interval);
    }
    str_append(&sql, ")");
    sql_list_add(arena, &list, &sql);
    return list;
}

/* --- policies --- */

static void append_text(Str *sql, const Conn *conn, const char *key, const char *type,
                        const char *value)
{
    if (value == NULL)
        return;
    str_appendf(sql, ", %s => ", key);
    ddl_literal(sql, conn, value);
    str_append(sql, type);
}

static void append_age(Str *sql, const Conn *conn, const char *key, const char *value,
                       bool is_integer)
{
    if (value == NULL)
        return;
    str_appendf(sql, ", %s => ", key);
    ts_span(sql, conn, value, is_integer);
}

static void append_schedule(Str *sql, const Conn *conn, const PlanPolicy *policy, bool interval)
{
    if (interval)
        append_text(sql, conn, "schedule_interval", "::interval", policy->schedule_interval);
    append_text(sql, conn, "initial_start", "::timestamptz", policy->initial_start);
    append_text(sql, conn, "timezone", "", policy->timezone);
    str_append(sql, ")");
}

/* "SELECT |f(": the bar stands for the schema. */
static void append_call(Str *sql, const Conn *conn, const TsTarget *target, const char *call,
                        const Name *table)
{
    size_t head = strcspn(call, "|");
    str_append_bytes(sql, call, head);
    ddl_ident(sql, conn, target->schema);
    str_appendf(sql, ".%s", call + head + 1);
    ts_relation(sql, conn, table);
}

static const PlanPolicy *append_add(Str *sql, const Conn *conn, const PlanHypertable *plan,
                                    PolicyKind kind, const TsTarget *target)
{
    const Name *table = &plan->target_table;
    if (kind == POLICY_COLUMNSTORE) {
        const ColumnstoreWords *words = columnstore_words(target);
        const PlanColumnstore *columnstore = plan->columnstore;
        append_call(sql, conn, target, words->policy, table);
        append_age(sql, conn, words->after, columnstore->after, columnstore->after_is_integer);
        append_age(sql, conn, words->created_before, columnstore->created_before, false);
        append_schedule(sql, conn, &columnstore->policy, true);
        return &columnstore->policy;
    }
    if (kind == POLICY_RETENTION) {
        const PlanRetention *retention = plan->retention;
        append_call(sql, conn, target, "SELECT |add_retention_policy(", table);
        append_age(sql, conn, "drop_after", retention->drop_after,
                   retention->drop_after_is_integer);
        append_age(sql, conn, "drop_created_before", retention->drop_created_before, false);
        append_schedule(sql, conn, &retention->policy, true);
        return &retention->policy;
    }
    append_call(sql, conn, target, "SELECT |add_reorder_policy(", table);
    append_text(sql, conn, "index_name", "", plan->reorder->index);
    append_schedule(sql, conn, &plan->reorder->policy, false);
    return &plan->reorder->policy;
}

void policy_schedule(Str *sql, const Conn *conn, const PlanPolicy *policy)
{
    append_schedule(sql, conn, policy, true);
}

static void append_limits(Str *given, const Conn *conn, const PlanPolicy *policy)
{
    append_text(given, conn, "max_runtime", "::interval", policy->max_runtime);
    if (policy->max_retries != NULL)
        str_appendf(given, ", max_retries => %u", *policy->max_retries);
    append_text(given, conn, "retry_period", "::interval", policy->retry_period);
}

/* \note Source: alter_job() forgets the time zone of a job unless it is told (tsl/src/bgw_policy/
 * job_api.c, job_alter). */
static void append_timezone(Str *given, const Conn *conn, const PlanPolicy *policy)
{
    append_text(given, conn, "timezone", "", policy->timezone);
}

void policy_more(Str *sql, const Conn *conn, const PlanPolicy *policy)
{
    if (policy->more == NULL)
        return;
    str_append(sql, ", config => j.config || ");
    ddl_literal(sql, conn, policy->more);
    str_append(sql, "::jsonb");
    append_timezone(sql, conn, policy);
}

void policy_altered(Str *sql, const Conn *conn, const PlanPolicy *policy, const char *add,
                    bool pause, const TsTarget *target)
{
    AUTO_STR Str given = {0};
    append_limits(&given, conn, policy);
    if (pause && !policy->scheduled)
        str_append(&given, ", scheduled => false");
    if (given.length > 0)
        append_timezone(&given, conn, policy);
    str_append(sql, "SELECT ");
    if (given.length == 0) {
        str_append(sql, add);
        return;
    }
    ts_function(sql, conn, target->schema, "alter_job");
    str_appendf(sql, "%s%s)", add, given.data);
}

/* The view of jobs calls an aggregate by its materialization up to 2.19. */
#define OF_AGGREGATE                                                                               \
    " JOIN _timescaledb_catalog.continuous_agg a"                                                  \
    " ON j.config ->> 'hypertable_id' = a.mat_hypertable_id::text WHERE a.user_view_schema"

/* Of such a policy each alter_job() is refused by the check of its configuration, which looks for
 * drop_after; without the check it is taken. */
static bool is_by_creation(const PlanHypertable *plan, PolicyKind kind)
{
    return kind == POLICY_RETENTION && plan->retention->drop_created_before != NULL;
}

/* What add_..._policy() does not take; nor does add_columnstore_policy() keep the time zone that it
 * takes (seen in 2.23). */
static void append_alter(Str *sql, const Conn *conn, const PlanHypertable *plan,
                         const PlanPolicy *policy, PolicyKind kind, const TsTarget *target)
{
    AUTO_STR Str given = {0};
    append_limits(&given, conn, policy);
    if (kind == POLICY_REORDER)
        append_text(&given, conn, "schedule_interval", "::interval", policy->schedule_interval);
    if (!policy->scheduled)
        str_append(&given, ", scheduled => false");
    if (policy->more != NULL)
        policy_more(&given, conn, policy);
    else if (given.length > 0 || kind == POLICY_COLUMNSTORE)
        append_timezone(&given, conn, policy);
    if (given.length == 0)
        return;
    if (is_by_creation(plan, kind) && target->release < CREATED_ALTERED_FROM)
        str_append(&given, ", check_config => 0::regproc");
    str_append(sql, "SELECT ");
    ts_function(sql, conn, target->schema, "alter_job");
    str_appendf(sql, "j.job_id%s) FROM timescaledb_information.jobs j%s = ", given.data,
                plan->is_aggregate ? OF_AGGREGATE : " WHERE j.hypertable_schema");
    ddl_literal(sql, conn, plan->target_table.schema);
    str_append(sql, plan->is_aggregate ? " AND a.user_view_name = " : " AND j.hypertable_name = ");
    ddl_literal(sql, conn, plan->target_table.rel);
    str_appendf(sql, " AND j.proc_name = '%s'", POLICIES[kind].procedure);
}

SqlList policy_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan, PolicyKind kind,
                   const TsTarget *target)
{
    SqlList list = {0};
    AUTO_STR Str sql = {0};
    const PlanPolicy *policy = append_add(&sql, conn, plan, kind, target);
    sql_list_add(arena, &list, &sql);
    str_reset(&sql);
    append_alter(&sql, conn, plan, policy, kind, target);
    if (sql.length > 0)
        sql_list_add(arena, &list, &sql);
    return list;
}

/* --- facts --- */

bool columnstore_is_on(Conn *conn, const Name *table, bool *on, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_TIMESCALE_COLUMNSTORE, PARAMS(table->schema, table->rel), &rows, err))
        return false;
    *on = rows_count(rows) > 0 && rows_bool(rows, 0, 0);
    return true;
}

bool policy_find(Arena *arena, Conn *conn, const Name *table, PolicyKind kind, const char **config,
                 Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_TIMESCALE_POLICY,
                 PARAMS(table->schema, table->rel, POLICIES[kind].procedure), &rows, err))
        return false;
    *config = rows_count(rows) == 0 ? NULL : arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}
