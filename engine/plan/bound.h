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
} BoundEndpoint;

typedef struct BoundTools {
    char *pg_bin;
} BoundTools;

typedef struct BoundSelector {
    char *match;
    bool *optional;
} BoundSelector;

typedef struct BoundSelect {
    BoundSelector *schemas;
    uint32_t schemas_count;
    BoundSelector *tables;
    uint32_t tables_count;
    BoundSelector *exclude;
    uint32_t exclude_count;
} BoundSelect;

typedef struct BoundByRange {
    char *column_name;
    char *partition_interval;
    char *partition_func;
} BoundByRange;

typedef struct BoundHypertable {
    char *target_table;
    BoundByRange by_range;
    bool *create_default_indexes;
} BoundHypertable;

typedef struct BoundSchema {
    uint32_t *existing;
} BoundSchema;

typedef struct BoundSlot {
    char *max_retained_wal;
    uint32_t *on_limit;
} BoundSlot;

typedef struct BoundReplication {
    uint32_t *plugin;
    uint32_t *publish;
    BoundSlot *slot;
    char *heartbeat;
} BoundReplication;

typedef struct BoundCopy {
    uint32_t *table_jobs;
    uint32_t *index_jobs;
    char *split_tables_larger_than;
    uint32_t *format;
    bool *vacuum;
    bool *refresh_materialized_views;
} BoundCopy;

typedef struct BoundApply {
    uint32_t *lanes;
    uint32_t *on_conflict;
} BoundApply;

typedef struct BoundLimits {
    char *memory;
} BoundLimits;

typedef struct BoundVerify {
    char *id;
    uint32_t *method;
    BoundSelector *tables;
    uint32_t tables_count;
    char *where;
} BoundVerify;

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
} BoundPlan;

#endif
