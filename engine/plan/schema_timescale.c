/*
 * Schema of what TimescaleDB has: hypertables with their dimensions and policies, continuous
 * aggregates, jobs, the mirror of a source.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t AGGREGATE_DATA[] = {{"rebuild", 0}, {"carry", 1}};

/* What every policy takes (`need`: whether it must say how often it runs), in a mapping whose
 * struct has a BoundPolicy. */
#define POLICY_FIELDS(type, need)                                                                  \
    IS_STRING("schedule_interval", need, type, policy.schedule_interval),                          \
        IS_STRING("initial_start", OPTIONAL, type, policy.initial_start),                          \
        IS_STRING("timezone", OPTIONAL, type, policy.timezone),                                    \
        IS_STRING("max_runtime", OPTIONAL, type, policy.max_runtime),                              \
        CYAML_FIELD_UINT_PTR("max_retries", OPTIONAL, type, policy.max_retries),                   \
        IS_STRING("retry_period", OPTIONAL, type, policy.retry_period),                            \
        CYAML_FIELD_BOOL_PTR("scheduled", OPTIONAL, type, policy.scheduled)

#define POLICY_KEYS(every)                                                                         \
    {.key = "schedule_interval", .doc = "How often it runs." every, .format = FORMAT_SPAN},        \
        {.key = "initial_start",                                                                   \
         .doc = "When it runs first; later runs keep to that time.",                               \
         .format = FORMAT_TIMESTAMP},                                                              \
        {.key = "timezone", .doc = "The time zone of the schedule, for daylight saving."},         \
        {.key = "max_runtime", .doc = "A run that lasts longer is ended.", .format = FORMAT_SPAN}, \
        {.key = "max_retries", .doc = "How often a failed run is tried again.", .max = 1000000},   \
        {.key = "retry_period",                                                                    \
         .doc = "How long it waits before it tries again.",                                        \
         .format = FORMAT_SPAN},                                                                   \
    {                                                                                              \
        .key = "scheduled", .doc = "false: it is there, but does not run.", .fallback = "true"     \
    }

const cyaml_schema_field_t BY_RANGE_FIELDS[] = {
    IS_STRING("column_name", REQUIRED, BoundByRange, column_name),
    IS_STRING("partition_interval", OPTIONAL, BoundByRange, partition_interval),
    IS_STRING("partition_func", OPTIONAL, BoundByRange, partition_func),
    CYAML_FIELD_END,
};

const PlanKey BY_RANGE_KEYS[] = {
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

const cyaml_schema_field_t BY_HASH_FIELDS[] = {
    IS_STRING("column_name", REQUIRED, BoundByHash, column_name),
    CYAML_FIELD_UINT("number_partitions", REQUIRED, BoundByHash, number_partitions),
    IS_STRING("partition_func", OPTIONAL, BoundByHash, partition_func),
    CYAML_FIELD_END,
};

const PlanKey BY_HASH_KEYS[] = {
    {.key = "column_name", .doc = "The partitioning column."},
    {.key = "number_partitions", .doc = "How many partitions.", .min = 1, .max = 32767},
    {.key = "partition_func",
     .doc = "A function of the column to partition by, schema.name.",
     .format = FORMAT_RELATION},
    {.key = NULL},
};

const cyaml_schema_field_t DIMENSION_FIELDS[] = {
    CYAML_FIELD_MAPPING_PTR("by_hash", OPTIONAL, BoundDimension, by_hash, BY_HASH_FIELDS),
    CYAML_FIELD_MAPPING_PTR("by_range", OPTIONAL, BoundDimension, by_range, BY_RANGE_FIELDS),
    CYAML_FIELD_END,
};

const PlanKey DIMENSION_KEYS[] = {
    {.key = "by_hash", .doc = "A dimension of hashes.", .in_choice = true},
    {.key = "by_range", .doc = "Another range dimension.", .in_choice = true},
    {.key = NULL},
};

static const cyaml_schema_value_t DIMENSION_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundDimension, DIMENSION_FIELDS)};

const cyaml_schema_field_t COLUMNSTORE_FIELDS[] = {
    IS_LIST("segmentby", BoundColumnstore, segmentby, &TEXT_VALUE, 1),
    IS_LIST("orderby", BoundColumnstore, orderby, &TEXT_VALUE, 1),
    IS_STRING("after", OPTIONAL, BoundColumnstore, after),
    IS_STRING("created_before", OPTIONAL, BoundColumnstore, created_before),
    POLICY_FIELDS(BoundColumnstore, OPTIONAL),
    CYAML_FIELD_END,
};

const PlanKey COLUMNSTORE_KEYS[] = {
    {.key = "segmentby", .doc = "Columns to group rows by."},
    {.key = "orderby", .doc = "Columns to order rows by, as ORDER BY takes them."},
    {.key = "after",
     .doc = "The policy converts chunks whose data is older.",
     .format = FORMAT_AGE,
     .in_choice = true},
    {.key = "created_before",
     .doc = "The policy converts chunks that were made longer ago.",
     .format = FORMAT_SPAN,
     .in_choice = true},
    POLICY_KEYS(" Default: TimescaleDB's."),
    {.key = NULL},
};

const cyaml_schema_field_t RETENTION_FIELDS[] = {
    IS_STRING("drop_after", OPTIONAL, BoundRetention, drop_after),
    IS_STRING("drop_created_before", OPTIONAL, BoundRetention, drop_created_before),
    POLICY_FIELDS(BoundRetention, OPTIONAL),
    CYAML_FIELD_END,
};

const PlanKey RETENTION_KEYS[] = {
    {.key = "drop_after",
     .doc = "Chunks whose data is older are dropped.",
     .format = FORMAT_AGE,
     .in_choice = true},
    {.key = "drop_created_before",
     .doc = "Chunks that were made longer ago are dropped.",
     .format = FORMAT_SPAN,
     .in_choice = true},
    POLICY_KEYS(" Default: TimescaleDB's."),
    {.key = NULL},
};

const cyaml_schema_field_t REORDER_FIELDS[] = {
    IS_STRING("index", REQUIRED, BoundReorder, index),
    POLICY_FIELDS(BoundReorder, OPTIONAL),
    CYAML_FIELD_END,
};

const PlanKey REORDER_KEYS[] = {
    {.key = "index", .doc = "The index whose order rows get, as it is called."},
    POLICY_KEYS(" Default: TimescaleDB's."),
    {.key = NULL},
};

const cyaml_schema_field_t HYPERTABLE_FIELDS[] = {
    IS_STRING("target_table", REQUIRED, BoundHypertable, target_table),
    CYAML_FIELD_MAPPING("by_range", REQUIRED, BoundHypertable, by_range, BY_RANGE_FIELDS),
    CYAML_FIELD_BOOL_PTR("create_default_indexes", OPTIONAL, BoundHypertable,
                         create_default_indexes),
    IS_LIST("dimensions", BoundHypertable, dimensions, &DIMENSION_VALUE, 1),
    IS_STRING("integer_now_func", OPTIONAL, BoundHypertable, integer_now_func),
    CYAML_FIELD_BOOL_PTR("from_partitioned", OPTIONAL, BoundHypertable, from_partitioned),
    CYAML_FIELD_MAPPING_PTR("columnstore", OPTIONAL, BoundHypertable, columnstore,
                            COLUMNSTORE_FIELDS),
    CYAML_FIELD_MAPPING_PTR("retention", OPTIONAL, BoundHypertable, retention, RETENTION_FIELDS),
    CYAML_FIELD_MAPPING_PTR("reorder", OPTIONAL, BoundHypertable, reorder, REORDER_FIELDS),
    CYAML_FIELD_END,
};

const PlanKey HYPERTABLE_KEYS[] = {
    {.key = "target_table",
     .doc = "The table, as it is named on the target.",
     .format = FORMAT_RELATION},
    {.key = "by_range", .doc = "The range dimension."},
    {.key = "create_default_indexes",
     .doc = "Let TimescaleDB add its own index on the partitioning column.",
     .fallback = "false"},
    {.key = "dimensions", .doc = "Further dimensions: hash, or another range."},
    {.key = "integer_now_func",
     .doc = "The function that says what now is for an integer dimension, schema.name.",
     .format = FORMAT_RELATION},
    {.key = "from_partitioned",
     .doc = "The source is a declaratively partitioned table.",
     .fallback = "false"},
    {.key = "columnstore", .doc = "Columnstore settings and policy."},
    {.key = "retention", .doc = "Retention policy; it is added only after the cutover."},
    {.key = "reorder", .doc = "Reorder policy."},
    {.key = NULL},
};

const cyaml_schema_value_t HYPERTABLE_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundHypertable, HYPERTABLE_FIELDS)};

const cyaml_schema_field_t TIMESCALEDB_FIELDS[] = {
    CYAML_FIELD_BOOL_PTR("mirror", OPTIONAL, BoundTimescaledb, mirror),
    CYAML_FIELD_END,
};

const PlanKey TIMESCALEDB_KEYS[] = {
    {.key = "mirror",
     .doc = "Rebuild the source's hypertables, continuous aggregates and jobs, with settings and "
            "policies, on the target.",
     .fallback = "false"},
    {.key = NULL},
};

const cyaml_schema_field_t REFRESH_FIELDS[] = {
    IS_STRING("start_offset", REQUIRED, BoundRefresh, start_offset),
    IS_STRING("end_offset", REQUIRED, BoundRefresh, end_offset),
    CYAML_FIELD_UINT_PTR("buckets_per_batch", OPTIONAL, BoundRefresh, buckets_per_batch),
    CYAML_FIELD_UINT_PTR("max_batches_per_execution", OPTIONAL, BoundRefresh,
                         max_batches_per_execution),
    CYAML_FIELD_BOOL_PTR("refresh_newest_first", OPTIONAL, BoundRefresh, refresh_newest_first),
    CYAML_FIELD_BOOL_PTR("include_tiered_data", OPTIONAL, BoundRefresh, include_tiered_data),
    POLICY_FIELDS(BoundRefresh, REQUIRED),
    CYAML_FIELD_END,
};

const PlanKey REFRESH_KEYS[] = {
    {.key = "start_offset",
     .doc = "Where the refreshed window begins, before now; unbounded: at the first row.",
     .format = FORMAT_OFFSET},
    {.key = "end_offset",
     .doc = "Where the window ends, before now; unbounded: at the last row.",
     .format = FORMAT_OFFSET},
    {.key = "buckets_per_batch",
     .doc = "Buckets that are refreshed in one transaction; 0: all. Not given: the target's own "
            "way (TimescaleDB 2.19)."},
    {.key = "max_batches_per_execution",
     .doc = "How many such transactions one run of the job has at most; 0: no limit (2.19)."},
    {.key = "refresh_newest_first", .doc = "Whether the newest of them come first (2.20)."},
    {.key = "include_tiered_data", .doc = "Whether rows in tiered storage are read, too (2.18)."},
    POLICY_KEYS(""),
    {.key = NULL},
};

const cyaml_schema_field_t AGGREGATE_FIELDS[] = {
    IS_STRING("target_view", REQUIRED, BoundAggregate, target_view),
    IS_STRING("query", REQUIRED, BoundAggregate, query),
    CYAML_FIELD_BOOL_PTR("materialized_only", OPTIONAL, BoundAggregate, materialized_only),
    IS_WORD("data", BoundAggregate, data, AGGREGATE_DATA),
    CYAML_FIELD_MAPPING_PTR("refresh", OPTIONAL, BoundAggregate, refresh, REFRESH_FIELDS),
    CYAML_FIELD_MAPPING_PTR("columnstore", OPTIONAL, BoundAggregate, columnstore,
                            COLUMNSTORE_FIELDS),
    CYAML_FIELD_MAPPING_PTR("retention", OPTIONAL, BoundAggregate, retention, RETENTION_FIELDS),
    CYAML_FIELD_END,
};

const PlanKey AGGREGATE_KEYS[] = {
    {.key = "target_view",
     .doc = "The aggregate, as it is named on the target.",
     .format = FORMAT_RELATION},
    {.key = "query", .doc = "Its query, over names of the target."},
    {.key = "materialized_only",
     .doc = "Show only what is refreshed; false: newer rows are aggregated when they are read.",
     .fallback = "true"},
    {.key = "data",
     .doc = "Compute it anew, or carry over what outlived the raw rows.",
     .fallback = "rebuild"},
    {.key = "refresh", .doc = "Refresh policy."},
    {.key = "columnstore", .doc = "Columnstore of its rows: settings and policy."},
    {.key = "retention", .doc = "Retention policy of its rows; it is added last."},
    {.key = NULL},
};

const cyaml_schema_value_t AGGREGATE_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundAggregate, AGGREGATE_FIELDS)};

const cyaml_schema_field_t JOB_FIELDS[] = {
    IS_STRING("procedure", REQUIRED, BoundJob, procedure),
    IS_STRING("config", OPTIONAL, BoundJob, config),
    POLICY_FIELDS(BoundJob, REQUIRED),
    CYAML_FIELD_END,
};

const PlanKey JOB_KEYS[] = {
    {.key = "procedure",
     .doc = "The procedure or function that is run, schema.name.",
     .format = FORMAT_RELATION},
    {.key = "config", .doc = "What it gets, a JSON object.", .format = FORMAT_JSON},
    POLICY_KEYS(""),
    {.key = NULL},
};

const cyaml_schema_value_t JOB_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundJob, JOB_FIELDS)};
