/*
 * Schema of the data road: replication, copy, apply, limits, verify.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t ON_LIMIT[] = {
    {"alarm", PLAN_ON_LIMIT_ALARM},
    {"stop_and_drop_slot", PLAN_ON_LIMIT_DROP_SLOT},
};

static const cyaml_strval_t PLUGIN[] = {
    {"pgoutput", PLAN_PLUGIN_PGOUTPUT},
    {"test_decoding", PLAN_PLUGIN_TEST_DECODING},
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

static const cyaml_strval_t PUBLICATION_EXISTING[] = {{"fail", 0}, {"adopt", 1}};
static const cyaml_strval_t WHEN_MISSING[] = {{"check", 0}, {"set", 1}};

const cyaml_schema_field_t PUBLICATION_FIELDS[] = {
    IS_STRING("name", REQUIRED, BoundPublication, name),
    IS_WORD("existing", BoundPublication, existing, PUBLICATION_EXISTING),
    IS_LIST("tables", BoundPublication, tables, &TABLE_SELECTOR_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey PUBLICATION_KEYS[] = {
    {.key = "name", .doc = "Its name on the source."},
    {.key = "existing",
     .doc =
         "When it is there already: fail, or adopt it as it is; an adopted one is never dropped.",
     .fallback = "fail"},
    {.key = "tables",
     .doc = "Relations that it publishes. Default: the selected ones that no other entry names."},
    {.key = NULL},
};

static const cyaml_schema_value_t PUBLICATION_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundPublication, PUBLICATION_FIELDS)};

const cyaml_schema_field_t IDENTITY_FIELDS[] = {
    IS_STRING("table", REQUIRED, BoundIdentity, table),
    IS_STRING("using_index", OPTIONAL, BoundIdentity, using_index),
    CYAML_FIELD_BOOL_PTR("full", OPTIONAL, BoundIdentity, full),
    IS_LIST("columns", BoundIdentity, columns, &TEXT_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey IDENTITY_KEYS[] = {
    {.key = "table",
     .doc = "A relation, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "using_index",
     .doc = "A unique index over NOT NULL columns, as it is called.",
     .in_choice = true},
    {.key = "full", .doc = "The whole row identifies it.", .in_choice = true},
    {.key = "columns",
     .doc = "NOT NULL columns that together are unique: a unique index over them is built on both "
            "sides for the time of the run, and dropped afterwards.",
     .in_choice = true},
    {.key = NULL},
};

static const cyaml_schema_value_t IDENTITY_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundIdentity, IDENTITY_FIELDS)};

const cyaml_schema_field_t REPLICA_IDENTITY_FIELDS[] = {
    IS_WORD("when_missing", BoundReplicaIdentity, when_missing, WHEN_MISSING),
    IS_LIST("tables", BoundReplicaIdentity, tables, &IDENTITY_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey REPLICA_IDENTITY_KEYS[] = {
    {.key = "when_missing",
     .doc = "Report a table whose updates cannot be published, or set a replica identity on the "
            "source for the time of the run.",
     .fallback = "check"},
    {.key = "tables", .doc = "Which replica identity a table gets for the time of the run."},
    {.key = NULL},
};

const cyaml_schema_field_t SLOT_FIELDS[] = {
    IS_STRING("max_retained_wal", OPTIONAL, BoundSlot, max_retained_wal),
    IS_WORD("on_limit", BoundSlot, on_limit, ON_LIMIT),
    CYAML_FIELD_BOOL_PTR("failover", OPTIONAL, BoundSlot, failover),
    CYAML_FIELD_END,
};

const PlanKey SLOT_KEYS[] = {
    {.key = "max_retained_wal",
     .doc = "Most WAL that the slot may hold back on the source. Default: no limit.",
     .format = FORMAT_SIZE,
     .min = 16 * MEBIBYTE},
    {.key = "on_limit", .doc = "What to do at that limit.", .fallback = "alarm"},
    {.key = "failover",
     .doc = "Keep the slot through a failover of the source: its standbys synchronize it. From "
            "PostgreSQL 17 on.",
     .fallback = "false"},
    {.key = NULL},
};

const cyaml_schema_field_t SPOOL_FIELDS[] = {
    IS_STRING("directory", REQUIRED, BoundSpool, directory),
    IS_STRING("limit", OPTIONAL, BoundSpool, limit),
    CYAML_FIELD_END,
};

const PlanKey SPOOL_KEYS[] = {
    {.key = "directory",
     .doc = "Where changes wait, in a directory of the run; relative to the plan. It is made, its "
            "parent must be there."},
    {.key = "limit",
     .doc = "Most that may wait there; then WAL waits on the source. Default: no limit.",
     .format = FORMAT_SIZE,
     .min = 16 * MEBIBYTE},
    {.key = NULL},
};

const cyaml_schema_field_t REPLICATION_FIELDS[] = {
    IS_WORD("plugin", BoundReplication, plugin, PLUGIN),
    CYAML_FIELD_FLAGS_PTR("publish", OPTIONAL | CYAML_FLAG_STRICT, BoundReplication, publish,
                          PUBLISH, COUNT(PUBLISH)),
    CYAML_FIELD_MAPPING_PTR("slot", OPTIONAL, BoundReplication, slot, SLOT_FIELDS),
    IS_STRING("heartbeat", OPTIONAL, BoundReplication, heartbeat),
    IS_LIST("publications", BoundReplication, publications, &PUBLICATION_VALUE, 1),
    CYAML_FIELD_MAPPING_PTR("replica_identity", OPTIONAL, BoundReplication, replica_identity,
                            REPLICA_IDENTITY_FIELDS),
    CYAML_FIELD_MAPPING_PTR("spool", OPTIONAL, BoundReplication, spool, SPOOL_FIELDS),
    CYAML_FIELD_END,
};

const PlanKey REPLICATION_KEYS[] = {
    {.key = "plugin",
     .doc = "The output plugin. test_decoding needs no publications, which it cannot have either.",
     .fallback = "pgoutput"},
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
    {.key = "publications",
     .doc = "The publications. Default: one of exactly the selected relations."},
    {.key = "replica_identity", .doc = "Replica identity that is set by the run."},
    {.key = "spool",
     .doc = "A place on disk for changes that wait. Default: none, WAL waits on the source."},
    {.key = NULL},
};

const cyaml_schema_field_t COPY_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("table_jobs", OPTIONAL, BoundCopy, table_jobs),
    CYAML_FIELD_UINT_PTR("index_jobs", OPTIONAL, BoundCopy, index_jobs),
    IS_STRING("split_tables_larger_than", OPTIONAL, BoundCopy, split_tables_larger_than),
    IS_WORD("format", BoundCopy, format, FORMAT),
    CYAML_FIELD_BOOL_PTR("vacuum", OPTIONAL, BoundCopy, vacuum),
    CYAML_FIELD_BOOL_PTR("refresh_materialized_views", OPTIONAL, BoundCopy,
                         refresh_materialized_views),
    CYAML_FIELD_BOOL_PTR("data", OPTIONAL, BoundCopy, data),
    IS_STRING("max_snapshot_age", OPTIONAL, BoundCopy, max_snapshot_age),
    CYAML_FIELD_END,
};

const PlanKey COPY_KEYS[] = {
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
     .doc = "The COPY format; auto takes binary where both servers agree on every type. With text, "
            "values come as text in the stream, too.",
     .fallback = "auto"},
    {.key = "vacuum",
     .doc = "VACUUM ANALYZE each relation after its copy; ANALYZE alone otherwise.",
     .fallback = "true"},
    {.key = "refresh_materialized_views",
     .doc = "Refresh materialized views after the copy.",
     .fallback = "true"},
    {.key = "data",
     .doc = "Copy the rows; false: replicate only what changes after the slot is made.",
     .fallback = "true"},
    {.key = "max_snapshot_age",
     .doc = "Take a new snapshot for relations not begun by then; the source keeps old rows for as "
            "long as one is held. Default: no limit.",
     .format = FORMAT_INTERVAL,
     .min = SECOND},
    {.key = NULL},
};

const cyaml_schema_field_t APPLY_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("lanes", OPTIONAL, BoundApply, lanes),
    IS_WORD("on_conflict", BoundApply, on_conflict, ON_CONFLICT),
    CYAML_FIELD_END,
};

const PlanKey APPLY_KEYS[] = {
    {.key = "lanes",
     .doc = "Sessions that apply at the same time; with 1, the target shows only states that the "
            "source had, with more, for moments, a part of a source transaction.",
     .fallback = "1",
     .min = 1,
     .max = 64},
    {.key = "on_conflict",
     .doc = "What to do when a change does not meet the row it expects.",
     .fallback = "stop"},
    {.key = NULL},
};

const cyaml_schema_field_t LIMITS_FIELDS[] = {
    IS_STRING("memory", OPTIONAL, BoundLimits, memory),
    CYAML_FIELD_UINT_PTR("verify_rows_per_second", OPTIONAL, BoundLimits, verify_rows_per_second),
    CYAML_FIELD_END,
};

const PlanKey LIMITS_KEYS[] = {
    {.key = "memory",
     .doc =
         "Memory of the engine, whatever the size of tables and transactions; only a row that is "
         "larger than a row's share passes beside it, and is told.",
     .format = FORMAT_SIZE,
     .fallback = "512MB",
     .min = 64 * MEBIBYTE},
    {.key = "verify_rows_per_second",
     .doc =
         "Rows that live verification reads from each side in a second, all its workers together. "
         "Default: as fast as the servers give them.",
     .min = 1000,
     .max = 1000000000},
    {.key = NULL},
};

const cyaml_schema_field_t VERIFY_FIELDS[] = {
    IS_STRING("id", REQUIRED, BoundVerify, id),
    IS_WORD("method", BoundVerify, method, METHOD),
    IS_LIST("tables", BoundVerify, tables, &TABLE_SELECTOR_VALUE, 1),
    IS_STRING("where", OPTIONAL, BoundVerify, where),
    CYAML_FIELD_END,
};

const PlanKey VERIFY_KEYS[] = {
    {.key = "id", .doc = "Its name, for gates and reports.", .format = FORMAT_ID},
    {.key = "method", .doc = "Row counts, or checksums of key ranges.", .fallback = "checksum"},
    {.key = "tables", .doc = "Relations it looks at. Default: every relation."},
    {.key = "where", .doc = "An immutable SQL condition on which both servers must agree."},
    {.key = NULL},
};

const cyaml_schema_value_t VERIFY_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundVerify, VERIFY_FIELDS)};
