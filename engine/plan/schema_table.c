/*
 * The plan language, version 1: per mapping its fields (for libcyaml) and its keys (all else), row
 * by row in the same order. A new key is one row in each; a key of the language that this version
 * does not carry out is IGNORED here and marked is_later there.
 */
#include "plan/schema.h"

#include "plan/bound.h"
#include "plan/plan.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL

#define IS_STRING(key, flags, type, member)                                                        \
    CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, CYAML_UNLIMITED)
#define IS_WORD(key, type, member, words)                                                          \
    CYAML_FIELD_ENUM_PTR(key, OPTIONAL | CYAML_FLAG_STRICT, type, member, words, COUNT(words))
#define IS_LIST(key, type, member, entry, least)                                                   \
    CYAML_FIELD_SEQUENCE(key, OPTIONAL | CYAML_FLAG_POINTER, type, member, entry, least, 100000)
#define IS_LATER(key) CYAML_FIELD_IGNORE(key, OPTIONAL)

#define MEBIBYTE (UINT64_C(1) << 20)
#define SECOND   UINT64_C(1000000)

/* ---- words ---------------------------------------------------------------------------------- */

static const cyaml_strval_t EXISTING[] = {
    {"fail", 0},
};

static const cyaml_strval_t ON_LIMIT[] = {
    {"alarm", PLAN_ON_LIMIT_ALARM},
    {"stop_and_drop_slot", PLAN_ON_LIMIT_DROP_SLOT},
};

static const cyaml_strval_t PLUGIN[] = {
    {"pgoutput", 0},
};

static const cyaml_strval_t PUBLISH[] = {
    {"insert", PLAN_PUBLISH_INSERT},
    {"update", PLAN_PUBLISH_UPDATE},
    {"delete", PLAN_PUBLISH_DELETE},
    {"truncate", PLAN_PUBLISH_TRUNCATE},
};

static const cyaml_strval_t FORMAT[] = {
    {"auto", PLAN_FORMAT_AUTO},
    {"binary", PLAN_FORMAT_BINARY},
    {"text", PLAN_FORMAT_TEXT},
};

static const cyaml_strval_t ON_CONFLICT[] = {
    {"stop", PLAN_CONFLICT_STOP},
    {"skip", PLAN_CONFLICT_SKIP},
    {"upsert", PLAN_CONFLICT_UPSERT},
};

static const cyaml_strval_t METHOD[] = {
    {"count", PLAN_VERIFY_COUNT},
    {"checksum", PLAN_VERIFY_CHECKSUM},
};

static const cyaml_strval_t STOP_METHOD[] = {
    {"lock", PLAN_STOP_LOCK},
    {"read_only", PLAN_STOP_READ_ONLY},
    {"manual", PLAN_STOP_MANUAL},
};

static const cyaml_strval_t SOURCE_KINDS[] = {
    {"self_hosted", 0}, {"rds", 1},   {"aurora", 2}, {"neon", 3},
    {"supabase", 4},    {"azure", 5}, {"mst", 6},
};

static const cyaml_strval_t TARGET_KINDS[] = {
    {"self_hosted", 0}, {"rds", 1},   {"aurora", 2}, {"neon", 3},
    {"supabase", 4},    {"azure", 5}, {"mst", 6},    {"tiger_cloud", 7},
};

/* ---- mappings ------------------------------------------------------------------------------- */

static const cyaml_schema_value_t TEXT_VALUE = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t EXPECT_FIELDS[] = {
    IS_STRING("host", OPTIONAL, BoundExpect, host),
    CYAML_FIELD_UINT_PTR("port", OPTIONAL, BoundExpect, port),
    IS_STRING("dbname", OPTIONAL, BoundExpect, dbname),
    CYAML_FIELD_END,
};

static const PlanKey EXPECT_KEYS[] = {
    {.key = "host", .doc = "Host name as the connection string gives it."},
    {.key = "port", .doc = "Port.", .min = 1, .max = 65535},
    {.key = "dbname", .doc = "Database name."},
    {.key = NULL},
};

static const cyaml_schema_field_t SOURCE_FIELDS[] = {
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, BoundEndpoint, kind, SOURCE_KINDS,
                     COUNT(SOURCE_KINDS)),
    IS_STRING("service", OPTIONAL, BoundEndpoint, service),
    IS_STRING("conninfo_env", OPTIONAL, BoundEndpoint, conninfo_env),
    IS_STRING("conninfo", OPTIONAL, BoundEndpoint, conninfo),
    IS_STRING("passfile", OPTIONAL, BoundEndpoint, passfile),
    CYAML_FIELD_MAPPING_PTR("expect", OPTIONAL, BoundEndpoint, expect, EXPECT_FIELDS),
    CYAML_FIELD_UINT_PTR("max_connections", OPTIONAL, BoundEndpoint, max_connections),
    IS_LATER("pause_jobs"),
    CYAML_FIELD_END,
};

static const PlanKey SOURCE_KEYS[] = {
    {.key = "kind", .doc = "What the server is; its powers are probed, not assumed."},
    {.key = "service", .doc = "A service of libpq's service file.", .in_choice = true},
    {.key = "conninfo_env",
     .doc = "Name of the environment variable that holds the connection string.",
     .format = FORMAT_VARIABLE,
     .in_choice = true},
    {.key = "conninfo",
     .doc = "A connection string without a password.",
     .format = FORMAT_CONNINFO,
     .in_choice = true},
    {.key = "passfile", .doc = "A password file, as libpq's; relative to the plan."},
    {.key = "expect", .doc = "Refuse any other server: clones share the system identifier."},
    {.key = "max_connections",
     .doc = "A hard cap on connections for this run. Default: table_jobs + 8.",
     .min = 2,
     .max = 10000},
    {.key = "pause_jobs", .doc = "Pause the jobs of a TimescaleDB source.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t TARGET_FIELDS[] = {
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, BoundEndpoint, kind, TARGET_KINDS,
                     COUNT(TARGET_KINDS)),
    IS_STRING("service", OPTIONAL, BoundEndpoint, service),
    IS_STRING("conninfo_env", OPTIONAL, BoundEndpoint, conninfo_env),
    IS_STRING("conninfo", OPTIONAL, BoundEndpoint, conninfo),
    IS_STRING("passfile", OPTIONAL, BoundEndpoint, passfile),
    CYAML_FIELD_MAPPING_PTR("expect", OPTIONAL, BoundEndpoint, expect, EXPECT_FIELDS),
    CYAML_FIELD_UINT_PTR("max_connections", OPTIONAL, BoundEndpoint, max_connections),
    CYAML_FIELD_END,
};

static const PlanKey TARGET_KEYS[] = {
    {.key = "kind", .doc = "What the server is; its powers are probed, not assumed."},
    {.key = "service", .doc = "A service of libpq's service file.", .in_choice = true},
    {.key = "conninfo_env",
     .doc = "Name of the environment variable that holds the connection string.",
     .format = FORMAT_VARIABLE,
     .in_choice = true},
    {.key = "conninfo",
     .doc = "A connection string without a password.",
     .format = FORMAT_CONNINFO,
     .in_choice = true},
    {.key = "passfile", .doc = "A password file, as libpq's; relative to the plan."},
    {.key = "expect", .doc = "Refuse any other server: clones share the system identifier."},
    {.key = "max_connections",
     .doc = "A hard cap on connections for this run. Default: 2 x (table_jobs + index_jobs) + 12.",
     .min = 2,
     .max = 10000},
    {.key = NULL},
};

static const cyaml_schema_field_t TOOLS_FIELDS[] = {
    IS_STRING("pg_bin", OPTIONAL, BoundTools, pg_bin),
    CYAML_FIELD_END,
};

static const PlanKey TOOLS_KEYS[] = {
    {.key = "pg_bin",
     .doc = "Directory of pg_dump and pg_restore; found by itself when not given."},
    {.key = NULL},
};

/* A plain text stands for {match: text}. */
static const cyaml_schema_field_t SCHEMA_SELECTOR_FIELDS[] = {
    IS_STRING("match", REQUIRED, BoundSelector, match),
    CYAML_FIELD_BOOL_PTR("optional", OPTIONAL, BoundSelector, optional),
    CYAML_FIELD_END,
};

static const PlanKey SCHEMA_SELECTOR_KEYS[] = {
    {.key = "match",
     .doc = "A schema, or a pattern (after ~) over schema names.",
     .format = FORMAT_SCHEMA},
    {.key = "optional", .doc = "Matching nothing is then no error.", .fallback = "false"},
    {.key = NULL},
};

static const cyaml_schema_value_t SCHEMA_SELECTOR_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundSelector, SCHEMA_SELECTOR_FIELDS)};

static const cyaml_schema_field_t TABLE_SELECTOR_FIELDS[] = {
    IS_STRING("match", REQUIRED, BoundSelector, match),
    CYAML_FIELD_BOOL_PTR("optional", OPTIONAL, BoundSelector, optional),
    CYAML_FIELD_END,
};

static const PlanKey TABLE_SELECTOR_KEYS[] = {
    {.key = "match",
     .doc = "A relation, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "optional", .doc = "Matching nothing is then no error.", .fallback = "false"},
    {.key = NULL},
};

static const cyaml_schema_value_t TABLE_SELECTOR_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundSelector, TABLE_SELECTOR_FIELDS)};

static const cyaml_schema_field_t SELECT_FIELDS[] = {
    IS_LIST("schemas", BoundSelect, schemas, &SCHEMA_SELECTOR_VALUE, 1),
    IS_LIST("tables", BoundSelect, tables, &TABLE_SELECTOR_VALUE, 1),
    IS_LIST("exclude", BoundSelect, exclude, &TABLE_SELECTOR_VALUE, 1),
    IS_LATER("schema_only"),
    IS_LATER("rows"),
    IS_LATER("columns"),
    IS_LATER("map"),
    CYAML_FIELD_END,
};

static const PlanKey SELECT_KEYS[] = {
    {.key = "schemas", .doc = "Schemas whose relations are all taken.", .in_choice = true},
    {.key = "tables", .doc = "Relations that are taken.", .in_choice = true},
    {.key = "exclude", .doc = "Relations that are left out, whatever took them."},
    {.key = "schema_only", .doc = "Structure without rows.", .is_later = true},
    {.key = "rows", .doc = "Row filters.", .is_later = true},
    {.key = "columns", .doc = "Column lists.", .is_later = true},
    {.key = "map", .doc = "Other names on the target.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t BY_RANGE_FIELDS[] = {
    IS_STRING("column_name", REQUIRED, BoundByRange, column_name),
    IS_STRING("partition_interval", OPTIONAL, BoundByRange, partition_interval),
    IS_STRING("partition_func", OPTIONAL, BoundByRange, partition_func),
    CYAML_FIELD_END,
};

static const PlanKey BY_RANGE_KEYS[] = {
    {.key = "column_name", .doc = "The partitioning column."},
    {.key = "partition_interval",
     .doc = "Width of a chunk: an interval, or a number for an integer column. Default: "
            "TimescaleDB's.",
     .format = FORMAT_PARTITION},
    {.key = "partition_func",
     .doc = "A function of the column to partition by, schema.name.",
     .format = FORMAT_RELATION},
    {.key = NULL},
};

static const cyaml_schema_field_t HYPERTABLE_FIELDS[] = {
    IS_STRING("target_table", REQUIRED, BoundHypertable, target_table),
    CYAML_FIELD_MAPPING("by_range", REQUIRED, BoundHypertable, by_range, BY_RANGE_FIELDS),
    CYAML_FIELD_BOOL_PTR("create_default_indexes", OPTIONAL, BoundHypertable,
                         create_default_indexes),
    IS_LATER("dimensions"),
    IS_LATER("integer_now_func"),
    IS_LATER("from_partitioned"),
    IS_LATER("columnstore"),
    IS_LATER("retention"),
    IS_LATER("reorder"),
    CYAML_FIELD_END,
};

static const PlanKey HYPERTABLE_KEYS[] = {
    {.key = "target_table",
     .doc = "The table, as it is named on the target.",
     .format = FORMAT_RELATION},
    {.key = "by_range", .doc = "The range dimension."},
    {.key = "create_default_indexes",
     .doc = "Let TimescaleDB add its own index on the partitioning column.",
     .fallback = "false"},
    {.key = "dimensions", .doc = "Further dimensions.", .is_later = true},
    {.key = "integer_now_func", .doc = "The clock of an integer dimension.", .is_later = true},
    {.key = "from_partitioned",
     .doc = "The source is a declaratively partitioned table.",
     .is_later = true},
    {.key = "columnstore", .doc = "Columnstore settings and policy.", .is_later = true},
    {.key = "retention", .doc = "Retention policy.", .is_later = true},
    {.key = "reorder", .doc = "Reorder policy.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_value_t HYPERTABLE_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundHypertable, HYPERTABLE_FIELDS)};

static const cyaml_schema_field_t SCHEMA_FIELDS[] = {
    IS_WORD("existing", BoundSchema, existing, EXISTING),
    IS_LATER("ownership"),
    IS_LATER("privileges"),
    IS_LATER("foreign_keys"),
    IS_LATER("database_settings"),
    IS_LATER("comments"),
    CYAML_FIELD_END,
};

static const char *const SCHEMA_EXISTING_LATER[] = {"adopt", "replace", NULL};

static const PlanKey SCHEMA_KEYS[] = {
    {.key = "existing",
     .doc = "What to do when an object is already on the target.",
     .fallback = "fail",
     .later = SCHEMA_EXISTING_LATER},
    {.key = "ownership", .doc = "Who owns the objects on the target.", .is_later = true},
    {.key = "privileges", .doc = "Whether privileges are copied.", .is_later = true},
    {.key = "foreign_keys", .doc = "How foreign keys are validated.", .is_later = true},
    {.key = "database_settings",
     .doc = "Whether settings of the database are copied.",
     .is_later = true},
    {.key = "comments", .doc = "Whether comments are copied.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t SLOT_FIELDS[] = {
    IS_STRING("max_retained_wal", OPTIONAL, BoundSlot, max_retained_wal),
    IS_WORD("on_limit", BoundSlot, on_limit, ON_LIMIT),
    IS_LATER("failover"),
    CYAML_FIELD_END,
};

static const PlanKey SLOT_KEYS[] = {
    {.key = "max_retained_wal",
     .doc = "Most WAL that the slot may hold back on the source. Default: no limit.",
     .format = FORMAT_SIZE,
     .min = 16 * MEBIBYTE},
    {.key = "on_limit", .doc = "What to do at that limit.", .fallback = "alarm"},
    {.key = "failover", .doc = "Keep the slot through a failover of the source.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t REPLICATION_FIELDS[] = {
    IS_WORD("plugin", BoundReplication, plugin, PLUGIN),
    CYAML_FIELD_FLAGS_PTR("publish", OPTIONAL | CYAML_FLAG_STRICT, BoundReplication, publish,
                          PUBLISH, COUNT(PUBLISH)),
    CYAML_FIELD_MAPPING_PTR("slot", OPTIONAL, BoundReplication, slot, SLOT_FIELDS),
    IS_STRING("heartbeat", OPTIONAL, BoundReplication, heartbeat),
    IS_LATER("publications"),
    IS_LATER("replica_identity"),
    IS_LATER("spool"),
    CYAML_FIELD_END,
};

static const char *const REPLICATION_PLUGIN_LATER[] = {"test_decoding", NULL};

static const PlanKey REPLICATION_KEYS[] = {
    {.key = "plugin",
     .doc = "The output plugin.",
     .fallback = "pgoutput",
     .later = REPLICATION_PLUGIN_LATER},
    {.key = "publish",
     .doc = "The kinds of change that are replicated. Default: all four.",
     .min = 1},
    {.key = "slot", .doc = "The replication slot on the source."},
    {.key = "heartbeat",
     .doc = "How often a small write on the source keeps the slot moving.",
     .format = FORMAT_INTERVAL,
     .fallback = "10s",
     .min = 1 * SECOND,
     .max = 3600 * SECOND},
    {.key = "publications", .doc = "Publications that exist already.", .is_later = true},
    {.key = "replica_identity",
     .doc = "Replica identity that is set by the run.",
     .is_later = true},
    {.key = "spool", .doc = "A place on disk for changes that wait.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t COPY_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("table_jobs", OPTIONAL, BoundCopy, table_jobs),
    CYAML_FIELD_UINT_PTR("index_jobs", OPTIONAL, BoundCopy, index_jobs),
    IS_STRING("split_tables_larger_than", OPTIONAL, BoundCopy, split_tables_larger_than),
    IS_WORD("format", BoundCopy, format, FORMAT),
    CYAML_FIELD_BOOL_PTR("vacuum", OPTIONAL, BoundCopy, vacuum),
    CYAML_FIELD_BOOL_PTR("refresh_materialized_views", OPTIONAL, BoundCopy,
                         refresh_materialized_views),
    IS_LATER("data"),
    IS_LATER("max_snapshot_age"),
    CYAML_FIELD_END,
};

static const PlanKey COPY_KEYS[] = {
    {.key = "table_jobs",
     .doc = "Relations or parts that are copied at the same time.",
     .fallback = "4",
     .min = 1,
     .max = 256},
    {.key = "index_jobs",
     .doc = "Indexes that are built at the same time.",
     .fallback = "2",
     .min = 1,
     .max = 256},
    {.key = "split_tables_larger_than",
     .doc = "Larger tables are copied in parts.",
     .format = FORMAT_SIZE,
     .fallback = "1GB",
     .min = 1 * MEBIBYTE},
    {.key = "format",
     .doc = "The COPY format; auto takes binary where both servers agree on every type.",
     .fallback = "auto"},
    {.key = "vacuum",
     .doc = "VACUUM ANALYZE each relation after its copy; ANALYZE alone otherwise.",
     .fallback = "true"},
    {.key = "refresh_materialized_views",
     .doc = "Refresh materialized views after the copy.",
     .fallback = "true"},
    {.key = "data", .doc = "Copy structure only.", .is_later = true},
    {.key = "max_snapshot_age",
     .doc = "Take a new snapshot for relations not begun by then.",
     .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t APPLY_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("lanes", OPTIONAL, BoundApply, lanes),
    IS_WORD("on_conflict", BoundApply, on_conflict, ON_CONFLICT),
    CYAML_FIELD_END,
};

static const PlanKey APPLY_KEYS[] = {
    {.key = "lanes",
     .doc = "Sessions that apply; 1 keeps the order of source transactions visible.",
     .fallback = "1",
     .min = 1,
     .max = 64,
     .later_above = 1},
    {.key = "on_conflict",
     .doc = "What to do when a change does not meet the row it expects.",
     .fallback = "stop"},
    {.key = NULL},
};

static const cyaml_schema_field_t LIMITS_FIELDS[] = {
    IS_STRING("memory", OPTIONAL, BoundLimits, memory),
    CYAML_FIELD_END,
};

static const PlanKey LIMITS_KEYS[] = {
    {.key = "memory",
     .doc = "Memory of the engine, whatever the size of tables and transactions.",
     .format = FORMAT_SIZE,
     .fallback = "512MB",
     .min = 64 * MEBIBYTE},
    {.key = NULL},
};

static const cyaml_schema_field_t VERIFY_FIELDS[] = {
    IS_STRING("id", REQUIRED, BoundVerify, id),
    IS_WORD("method", BoundVerify, method, METHOD),
    IS_LIST("tables", BoundVerify, tables, &TABLE_SELECTOR_VALUE, 1),
    IS_STRING("where", OPTIONAL, BoundVerify, where),
    CYAML_FIELD_END,
};

static const PlanKey VERIFY_KEYS[] = {
    {.key = "id", .doc = "Its name, for gates and reports.", .format = FORMAT_ID},
    {.key = "method", .doc = "Row counts, or checksums of key ranges.", .fallback = "checksum"},
    {.key = "tables", .doc = "Relations it looks at. Default: every relation."},
    {.key = "where", .doc = "An immutable SQL condition on which both servers must agree."},
    {.key = NULL},
};

static const cyaml_schema_value_t VERIFY_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundVerify, VERIFY_FIELDS)};

static const cyaml_schema_field_t GATES_FIELDS[] = {
    IS_STRING("max_lag_bytes", OPTIONAL, BoundGates, max_lag_bytes),
    IS_STRING("max_lag_time", OPTIONAL, BoundGates, max_lag_time),
    IS_STRING("stable_for", OPTIONAL, BoundGates, stable_for),
    IS_LIST("require", BoundGates, require, &TEXT_VALUE, 0),
    CYAML_FIELD_END,
};

static const PlanKey GATES_KEYS[] = {
    {.key = "max_lag_bytes",
     .doc = "Most WAL between the source and what is applied.",
     .format = FORMAT_SIZE,
     .fallback = "16MB"},
    {.key = "max_lag_time",
     .doc = "Most time between a commit and its apply.",
     .format = FORMAT_INTERVAL,
     .fallback = "5s",
     .min = 1},
    {.key = "stable_for",
     .doc = "How long the gates must hold without a break.",
     .format = FORMAT_INTERVAL,
     .fallback = "2s"},
    {.key = "require", .doc = "Ids of verifications that must have passed.", .format = FORMAT_ID},
    {.key = NULL},
};

static const cyaml_schema_field_t APPROVAL_FIELDS[] = {
    CYAML_FIELD_BOOL_PTR("required", OPTIONAL, BoundApproval, required),
    IS_STRING("valid_for", OPTIONAL, BoundApproval, valid_for),
    IS_LIST("approvers", BoundApproval, approvers, &TEXT_VALUE, 0),
    CYAML_FIELD_BOOL_PTR("not_runner", OPTIONAL, BoundApproval, not_runner),
    CYAML_FIELD_END,
};

static const PlanKey APPROVAL_KEYS[] = {
    {.key = "required", .doc = "Stop before the cutover until it is approved.", .fallback = "true"},
    {.key = "valid_for",
     .doc = "An approval older than this counts no more.",
     .format = FORMAT_INTERVAL,
     .fallback = "4 hours",
     .min = 60 * SECOND},
    {.key = "approvers",
     .doc = "Roles whose approval counts. Default: any role that can give one."},
    {.key = "not_runner",
     .doc = "The approver must not be the role that runs the migration.",
     .fallback = "false"},
    {.key = NULL},
};

static const cyaml_schema_field_t STOP_WRITES_FIELDS[] = {
    IS_WORD("method", BoundStopWrites, method, STOP_METHOD),
    IS_STRING("grace", OPTIONAL, BoundStopWrites, grace),
    IS_LIST("terminate", BoundStopWrites, terminate, &TEXT_VALUE, 0),
    IS_LATER("run"),
    IS_LATER("undo"),
    CYAML_FIELD_END,
};

static const char *const STOP_WRITES_METHOD_LATER[] = {"command", NULL};

static const PlanKey STOP_WRITES_KEYS[] = {
    {.key = "method",
     .doc = "Lock the tables, set the database read only, or wait for people to stop the writers.",
     .fallback = "lock",
     .later = STOP_WRITES_METHOD_LATER},
    {.key = "grace",
     .doc = "How long running transactions may take to end.",
     .format = FORMAT_INTERVAL,
     .fallback = "30s"},
    {.key = "terminate", .doc = "Roles whose sessions are ended after the grace."},
    {.key = "run", .doc = "The command that stops the writers.", .is_later = true},
    {.key = "undo", .doc = "The command that lets the writers go on.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t SEQUENCES_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("margin", OPTIONAL, BoundSequences, margin),
    CYAML_FIELD_END,
};

static const PlanKey SEQUENCES_KEYS[] = {
    {.key = "margin",
     .doc = "Added to each sequence, in steps of its increment.",
     .fallback = "0",
     .max = 1000 * SECOND},
    {.key = NULL},
};

static const cyaml_schema_field_t CUTOVER_FIELDS[] = {
    CYAML_FIELD_MAPPING_PTR("gates", OPTIONAL, BoundCutover, gates, GATES_FIELDS),
    CYAML_FIELD_MAPPING_PTR("approval", OPTIONAL, BoundCutover, approval, APPROVAL_FIELDS),
    CYAML_FIELD_MAPPING_PTR("stop_writes", OPTIONAL, BoundCutover, stop_writes, STOP_WRITES_FIELDS),
    IS_STRING("max_downtime", OPTIONAL, BoundCutover, max_downtime),
    CYAML_FIELD_MAPPING_PTR("sequences", OPTIONAL, BoundCutover, sequences, SEQUENCES_FIELDS),
    IS_LATER("before_fence"),
    IS_LATER("after_drain"),
    IS_LATER("switch"),
    IS_LATER("on_rollback"),
    CYAML_FIELD_END,
};

static const PlanKey CUTOVER_KEYS[] = {
    {.key = "gates", .doc = "What must hold before the cutover begins."},
    {.key = "approval", .doc = "Who lets the cutover begin."},
    {.key = "stop_writes", .doc = "How writes on the source are stopped."},
    {.key = "max_downtime",
     .doc = "Past it the cutover is rolled back to the source.",
     .format = FORMAT_INTERVAL,
     .fallback = "5 minutes",
     .min = 1 * SECOND},
    {.key = "sequences", .doc = "Sequences on the target."},
    {.key = "before_fence", .doc = "Hooks before writes stop.", .is_later = true},
    {.key = "after_drain", .doc = "Hooks after the last change is applied.", .is_later = true},
    {.key = "switch", .doc = "Hooks that send clients to the target.", .is_later = true},
    {.key = "on_rollback", .doc = "Hooks after a rollback.", .is_later = true},
    {.key = NULL},
};

static const cyaml_schema_field_t PLAN_FIELDS[] = {
    CYAML_FIELD_UINT("version", REQUIRED, BoundPlan, version),
    IS_STRING("name", REQUIRED, BoundPlan, name),
    CYAML_FIELD_MAPPING("source", REQUIRED, BoundPlan, source, SOURCE_FIELDS),
    CYAML_FIELD_MAPPING("target", REQUIRED, BoundPlan, target, TARGET_FIELDS),
    CYAML_FIELD_MAPPING_PTR("tools", OPTIONAL, BoundPlan, tools, TOOLS_FIELDS),
    CYAML_FIELD_MAPPING("select", REQUIRED, BoundPlan, select, SELECT_FIELDS),
    IS_LIST("hypertables", BoundPlan, hypertables, &HYPERTABLE_VALUE, 1),
    CYAML_FIELD_MAPPING_PTR("schema", OPTIONAL, BoundPlan, schema, SCHEMA_FIELDS),
    CYAML_FIELD_MAPPING_PTR("replication", OPTIONAL, BoundPlan, replication, REPLICATION_FIELDS),
    CYAML_FIELD_MAPPING_PTR("copy", OPTIONAL, BoundPlan, copy, COPY_FIELDS),
    CYAML_FIELD_MAPPING_PTR("apply", OPTIONAL, BoundPlan, apply, APPLY_FIELDS),
    CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL, BoundPlan, limits, LIMITS_FIELDS),
    IS_LIST("verify", BoundPlan, verify, &VERIFY_VALUE, 1),
    CYAML_FIELD_MAPPING_PTR("cutover", OPTIONAL, BoundPlan, cutover, CUTOVER_FIELDS),
    IS_LATER("roles"),
    IS_LATER("extensions"),
    IS_LATER("timescaledb"),
    IS_LATER("continuous_aggregates"),
    IS_LATER("jobs"),
    IS_LATER("ddl"),
    IS_LATER("waive"),
    IS_LATER("attest"),
    IS_LATER("steps"),
    IS_LATER("failback"),
    IS_LATER("rehearsal"),
    IS_LATER("notify"),
    CYAML_FIELD_END,
};

static const PlanKey PLAN_KEYS[] = {
    {.key = "version", .doc = "Version of the plan language.", .min = 1, .max = 1},
    {.key = "name",
     .doc = "Name of the migration; slots and publications are named after it.",
     .format = FORMAT_NAME},
    {.key = "source", .doc = "The server that is read."},
    {.key = "target", .doc = "The server that is written."},
    {.key = "tools", .doc = "External programs."},
    {.key = "select",
     .doc = "The one selection: copy, publication, apply and verification follow it."},
    {.key = "hypertables", .doc = "Tables that become hypertables on the target."},
    {.key = "schema", .doc = "How objects come to the target."},
    {.key = "replication", .doc = "The change stream."},
    {.key = "copy", .doc = "The initial copy."},
    {.key = "apply", .doc = "How changes are applied."},
    {.key = "limits", .doc = "What the engine may use."},
    {.key = "verify",
     .doc = "Verifications. Default: one, \"all\", by checksum over every relation."},
    {.key = "cutover", .doc = "The switch from source to target."},
    {.key = "roles", .doc = "Roles that are copied.", .is_later = true},
    {.key = "extensions", .doc = "Extensions that are created.", .is_later = true},
    {.key = "timescaledb", .doc = "Mirror of a TimescaleDB source.", .is_later = true},
    {.key = "continuous_aggregates",
     .doc = "Continuous aggregates on the target.",
     .is_later = true},
    {.key = "jobs", .doc = "User jobs on the target.", .is_later = true},
    {.key = "ddl", .doc = "What to do when tables are added or altered.", .is_later = true},
    {.key = "waive", .doc = "Findings that are accepted.", .is_later = true},
    {.key = "attest", .doc = "Facts that SQL cannot see.", .is_later = true},
    {.key = "steps", .doc = "Steps of the user.", .is_later = true},
    {.key = "failback", .doc = "The way back after the cutover.", .is_later = true},
    {.key = "rehearsal", .doc = "The same plan against throw-away endpoints.", .is_later = true},
    {.key = "notify", .doc = "A command that gets each event.", .is_later = true},
    {.key = NULL},
};

const cyaml_schema_value_t PLAN_SCHEMA = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, BoundPlan, PLAN_FIELDS)};

static const PlanMapping MAPPINGS[] = {
    {"", "One migration of one database.", PLAN_FIELDS, PLAN_KEYS, CHOICE_NONE, NULL},
    {"source.expect", "What the server must say of itself.", EXPECT_FIELDS, EXPECT_KEYS,
     CHOICE_NONE, NULL},
    {"source", "The server that is read.", SOURCE_FIELDS, SOURCE_KEYS, CHOICE_EXACTLY_ONE, NULL},
    {"target", "The server that is written.", TARGET_FIELDS, TARGET_KEYS, CHOICE_EXACTLY_ONE, NULL},
    {"tools", "External programs.", TOOLS_FIELDS, TOOLS_KEYS, CHOICE_NONE, NULL},
    {"select.schemas[]", "A schema, or a pattern (after ~) over schema names.",
     SCHEMA_SELECTOR_FIELDS, SCHEMA_SELECTOR_KEYS, CHOICE_NONE, "match"},
    {"select.tables[]", "A relation, or a pattern (after ~) over schema.name.",
     TABLE_SELECTOR_FIELDS, TABLE_SELECTOR_KEYS, CHOICE_NONE, "match"},
    {"select", "The one selection: copy, publication, apply and verification follow it.",
     SELECT_FIELDS, SELECT_KEYS, CHOICE_AT_LEAST_ONE, NULL},
    {"hypertables[].by_range", "The range dimension.", BY_RANGE_FIELDS, BY_RANGE_KEYS, CHOICE_NONE,
     NULL},
    {"hypertables[]", "A table that becomes a hypertable on the target.", HYPERTABLE_FIELDS,
     HYPERTABLE_KEYS, CHOICE_NONE, NULL},
    {"schema", "How objects come to the target.", SCHEMA_FIELDS, SCHEMA_KEYS, CHOICE_NONE, NULL},
    {"replication.slot", "The replication slot on the source.", SLOT_FIELDS, SLOT_KEYS, CHOICE_NONE,
     NULL},
    {"replication", "The change stream.", REPLICATION_FIELDS, REPLICATION_KEYS, CHOICE_NONE, NULL},
    {"copy", "The initial copy.", COPY_FIELDS, COPY_KEYS, CHOICE_NONE, NULL},
    {"apply", "How changes are applied.", APPLY_FIELDS, APPLY_KEYS, CHOICE_NONE, NULL},
    {"limits", "What the engine may use.", LIMITS_FIELDS, LIMITS_KEYS, CHOICE_NONE, NULL},
    {"verify[]", "A verification.", VERIFY_FIELDS, VERIFY_KEYS, CHOICE_NONE, NULL},
    {"cutover.gates", "What must hold before the cutover begins.", GATES_FIELDS, GATES_KEYS,
     CHOICE_NONE, NULL},
    {"cutover.approval", "Who lets the cutover begin.", APPROVAL_FIELDS, APPROVAL_KEYS, CHOICE_NONE,
     NULL},
    {"cutover.stop_writes", "How writes on the source are stopped.", STOP_WRITES_FIELDS,
     STOP_WRITES_KEYS, CHOICE_NONE, NULL},
    {"cutover.sequences", "Sequences on the target.", SEQUENCES_FIELDS, SEQUENCES_KEYS, CHOICE_NONE,
     NULL},
    {"cutover", "The switch from source to target.", CUTOVER_FIELDS, CUTOVER_KEYS, CHOICE_NONE,
     NULL},
};

const PlanMapping *schema_mappings(size_t *count)
{
    *count = COUNT(MAPPINGS);
    return MAPPINGS;
}
