/*
 * Bound: the structs that libcyaml fills. Every optional scalar is a pointer, so that "not given"
 * is known and defaults are ours (plan/fill.c). Members are named after their keys.
 */
#ifndef GODWIT_PLAN_BOUND_H
#define GODWIT_PLAN_BOUND_H

#include <stdbool.h>
#include <stdint.h>

typedef struct BoundExpect {
    char *host;
    uint32_t *port;
    char *dbname;
} BoundExpect;

typedef struct BoundEndpoint {
    uint32_t kind;
    char *service;
    char *conninfo_env;
    char *conninfo;
    char *passfile;
    BoundExpect *expect;
    uint32_t *max_connections;
    bool *pause_jobs;
} BoundEndpoint;

typedef struct BoundTools {
    char *pg_bin;
} BoundTools;

typedef struct BoundSelector {
    char *match;
    bool *optional;
} BoundSelector;

typedef struct BoundRowFilter {
    char *table;
    char *where;
} BoundRowFilter;

typedef struct BoundColumnList {
    char *table;
    char **include;
    uint32_t include_count;
} BoundColumnList;

typedef struct BoundMap {
    char *source;
    char *target;
    bool *merge;
} BoundMap;

typedef struct BoundSelect {
    BoundSelector *schemas;
    uint32_t schemas_count;
    BoundSelector *tables;
    uint32_t tables_count;
    BoundSelector *exclude;
    uint32_t exclude_count;
    BoundSelector *schema_only;
    uint32_t schema_only_count;
    BoundRowFilter *rows;
    uint32_t rows_count;
    BoundColumnList *columns;
    uint32_t columns_count;
    BoundMap *map;
    uint32_t map_count;
} BoundSelect;

typedef struct BoundByRange {
    char *column_name;
    char *partition_interval;
    char *partition_func;
} BoundByRange;

typedef struct BoundByHash {
    char *column_name;
    uint32_t number_partitions;
    char *partition_func;
} BoundByHash;

typedef struct BoundDimension {
    BoundByHash *by_hash;
    BoundByRange *by_range;
} BoundDimension;

/* What every policy of TimescaleDB takes. */
typedef struct BoundPolicy {
    char *schedule_interval;
    char *initial_start;
    char *timezone;
    char *max_runtime;
    uint32_t *max_retries;
    char *retry_period;
    bool *scheduled;
} BoundPolicy;

typedef struct BoundColumnstore {
    char **segmentby;
    uint32_t segmentby_count;
    char **orderby;
    uint32_t orderby_count;
    char *after;
    char *created_before;
    BoundPolicy policy;
} BoundColumnstore;

typedef struct BoundRetention {
    char *drop_after;
    char *drop_created_before;
    BoundPolicy policy;
} BoundRetention;

typedef struct BoundReorder {
    char *index;
    BoundPolicy policy;
} BoundReorder;

typedef struct BoundHypertable {
    char *target_table;
    BoundByRange by_range;
    bool *create_default_indexes;
    BoundDimension *dimensions;
    uint32_t dimensions_count;
    char *integer_now_func;
    bool *from_partitioned;
    BoundColumnstore *columnstore;
    BoundRetention *retention;
    BoundReorder *reorder;
} BoundHypertable;

typedef struct BoundTimescaledb {
    bool *mirror;
} BoundTimescaledb;

typedef struct BoundRefresh {
    char *start_offset;
    char *end_offset;
    uint32_t *buckets_per_batch;
    uint32_t *max_batches_per_execution;
    bool *refresh_newest_first;
    bool *include_tiered_data;
    BoundPolicy policy;
} BoundRefresh;

typedef struct BoundAggregate {
    char *target_view;
    char *query;
    bool *materialized_only;
    uint32_t *data;
    BoundRefresh *refresh;
    BoundColumnstore *columnstore;
    BoundRetention *retention;
} BoundAggregate;

typedef struct BoundJob {
    char *procedure;
    char *config;
    BoundPolicy policy;
} BoundJob;

typedef struct BoundDdl {
    uint32_t *added;
    uint32_t *altered;
} BoundDdl;

typedef struct BoundFailback {
    bool *prepare;
    char *keep_for;
    uint32_t *if_unavailable;
} BoundFailback;

typedef struct BoundRehearsal {
    BoundEndpoint source;
    BoundEndpoint target;
    char **hooks;
    uint32_t hooks_count;
    bool *drop_target_after;
} BoundRehearsal;

typedef struct BoundRoleMap {
    char *source;
    char *target;
} BoundRoleMap;

typedef struct BoundRoles {
    bool *copy;
    uint32_t *passwords;
    char **exclude;
    uint32_t exclude_count;
    bool *settings;
    bool *grant_to_target_user;
    BoundRoleMap *map;
    uint32_t map_count;
} BoundRoles;

typedef struct BoundExtensions {
    uint32_t *create;
    uint32_t *version;
    char **exclude;
    uint32_t exclude_count;
} BoundExtensions;

typedef struct BoundSchema {
    uint32_t *existing;
    uint32_t *ownership;
    uint32_t *privileges;
    uint32_t *foreign_keys;
    uint32_t *database_settings;
    uint32_t *comments;
} BoundSchema;

typedef struct BoundSlot {
    char *max_retained_wal;
    uint32_t *on_limit;
    bool *failover;
} BoundSlot;

typedef struct BoundSpool {
    char *directory;
    char *limit;
} BoundSpool;

typedef struct BoundPublication {
    char *name;
    uint32_t *existing;
    BoundSelector *tables;
    uint32_t tables_count;
} BoundPublication;

typedef struct BoundIdentity {
    char *table;
    char *using_index;
    bool *full;
    char **columns;
    uint32_t columns_count;
} BoundIdentity;

typedef struct BoundReplicaIdentity {
    uint32_t *when_missing;
    BoundIdentity *tables;
    uint32_t tables_count;
} BoundReplicaIdentity;

typedef struct BoundReplication {
    uint32_t *plugin;
    uint32_t *publish;
    BoundSlot *slot;
    char *heartbeat;
    BoundPublication *publications;
    uint32_t publications_count;
    BoundReplicaIdentity *replica_identity;
    BoundSpool *spool;
} BoundReplication;

typedef struct BoundCopy {
    uint32_t *table_jobs;
    uint32_t *index_jobs;
    char *split_tables_larger_than;
    uint32_t *format;
    bool *vacuum;
    bool *refresh_materialized_views;
    bool *data;
    char *max_snapshot_age;
} BoundCopy;

typedef struct BoundApply {
    uint32_t *lanes;
    uint32_t *on_conflict;
} BoundApply;

typedef struct BoundLimits {
    char *memory;
    uint32_t *verify_rows_per_second;
} BoundLimits;

typedef struct BoundVerify {
    char *id;
    uint32_t *method;
    BoundSelector *tables;
    uint32_t tables_count;
    char *where;
} BoundVerify;

typedef struct BoundWaiver {
    char *code;
    char *object;
    char *reason;
    char *until;
} BoundWaiver;

typedef struct BoundStepSql {
    uint32_t server;
    char *file;
    char *statement;
} BoundStepSql;

typedef struct BoundCommand {
    char **run;
    uint32_t run_count;
    char *timeout;
    char **env;
    uint32_t env_count;
} BoundCommand;

typedef struct BoundDoneIf {
    uint32_t server;
    char *sql;
} BoundDoneIf;

/* A step, or a hook of the cutover. */
typedef struct BoundStep {
    char *id;
    char **needs;
    uint32_t needs_count;
    char **before;
    uint32_t before_count;
    BoundStepSql *sql;
    BoundCommand *command;
    char **verify;
    uint32_t verify_count;
    BoundDoneIf *done_if;
} BoundStep;

typedef struct BoundNotify {
    char **command;
    uint32_t command_count;
    char *timeout;
    char **env;
    uint32_t env_count;
} BoundNotify;

typedef struct BoundGates {
    char *max_lag_bytes;
    char *max_lag_time;
    char *stable_for;
    char **require;
    uint32_t require_count;
} BoundGates;

typedef struct BoundApproval {
    bool *required;
    char *valid_for;
    char **approvers;
    uint32_t approvers_count;
    bool *not_runner;
} BoundApproval;

typedef struct BoundStopWrites {
    uint32_t *method;
    char *grace;
    char **terminate;
    uint32_t terminate_count;
    char **run;
    uint32_t run_count;
    char **undo;
    uint32_t undo_count;
    char **env;
    uint32_t env_count;
} BoundStopWrites;

typedef struct BoundSequences {
    uint32_t *margin;
} BoundSequences;

typedef struct BoundCutover {
    BoundGates *gates;
    BoundApproval *approval;
    BoundStopWrites *stop_writes;
    char *max_downtime;
    BoundSequences *sequences;
    BoundStep *before_fence;
    uint32_t before_fence_count;
    BoundStep *after_drain;
    uint32_t after_drain_count;
    BoundStep *switch_;
    uint32_t switch__count;
    BoundStep *on_rollback;
    uint32_t on_rollback_count;
} BoundCutover;

typedef struct BoundPlan {
    uint32_t version;
    char *name;
    BoundEndpoint source;
    BoundEndpoint target;
    BoundTools *tools;
    BoundSelect select;
    BoundHypertable *hypertables;
    uint32_t hypertables_count;
    BoundSchema *schema;
    BoundReplication *replication;
    BoundCopy *copy;
    BoundApply *apply;
    BoundLimits *limits;
    BoundVerify *verify;
    uint32_t verify_count;
    BoundCutover *cutover;
    BoundRoles *roles;
    BoundExtensions *extensions;
    BoundWaiver *waive;
    uint32_t waive_count;
    BoundWaiver *attest;
    uint32_t attest_count;
    BoundStep *steps;
    uint32_t steps_count;
    BoundNotify *notify;
    BoundTimescaledb *timescaledb;
    BoundAggregate *continuous_aggregates;
    uint32_t continuous_aggregates_count;
    BoundJob *jobs;
    uint32_t jobs_count;
    BoundDdl *ddl;
    BoundFailback *failback;
    BoundRehearsal *rehearsal;
} BoundPlan;

#endif
