/*
 * Check: one row of the table of preflight. A check looks and adds findings; it never decides.
 */
#ifndef GODWIT_PREFLIGHT_CHECK_H
#define GODWIT_PREFLIGHT_CHECK_H

#include "preflight/preflight.h"

/* What one query per side tells about the session and the server's use. */
typedef struct Probe {
    int64_t slots_used;
    int64_t senders_used;
    int64_t connections_used;
    int64_t large_objects;
    bool may_replicate;
    bool may_create_in_database;
    bool owns_database;
    bool bypasses_row_security;
    int64_t backend_pid;
    const char *prepared; /* name of an open prepared transaction, NULL none */
} Probe;

typedef struct CheckCtx {
    const PreflightInput *input;
    PreflightReport *report;
    Arena *arena; /* of the report */
    const struct Check *check;
    Probe source;
    Probe target;
} CheckCtx;

typedef struct Check {
    const char *code;
    FindingSeverity severity;
    const char *title; /* what is checked, for docs and `plan` */
    bool (*run)(CheckCtx *ctx, Err *err);
} Check;

/** Ends with a NULL code. */
extern const Check PREFLIGHT_CHECKS[];

/** Adds a finding of the running check; the texts are copied. \param remedy may be NULL */
void check_found(CheckCtx *ctx, ConnSide side, const char *object, const char *message,
                 const char *why, const char *remedy);

/** A numeric setting of a side; `missing` when the server does not have it. */
int64_t check_setting(const CheckCtx *ctx, ConnSide side, const char *name, int64_t missing);

/* The checks, by theme. */
bool check_wal_level(CheckCtx *ctx, Err *err);
bool check_slots(CheckCtx *ctx, Err *err);
bool check_senders(CheckCtx *ctx, Err *err);
bool check_primary(CheckCtx *ctx, Err *err);
bool check_pooler(CheckCtx *ctx, Err *err);
bool check_versions(CheckCtx *ctx, Err *err);
bool check_lock_table(CheckCtx *ctx, Err *err);
bool check_slot_wal_keep(CheckCtx *ctx, Err *err);
bool check_old_snapshot(CheckCtx *ctx, Err *err);
bool check_prepared(CheckCtx *ctx, Err *err);
bool check_same_database(CheckCtx *ctx, Err *err);
bool check_encoding(CheckCtx *ctx, Err *err);
bool check_large_objects(CheckCtx *ctx, Err *err);
bool check_identity(CheckCtx *ctx, Err *err);
bool check_row_security(CheckCtx *ctx, Err *err);
bool check_unlogged(CheckCtx *ctx, Err *err);
bool check_select(CheckCtx *ctx, Err *err);
bool check_ownership(CheckCtx *ctx, Err *err);
bool check_replication_right(CheckCtx *ctx, Err *err);
bool check_create(CheckCtx *ctx, Err *err);
bool check_fence_right(CheckCtx *ctx, Err *err);
bool check_replica_role(CheckCtx *ctx, Err *err);
bool check_extensions(CheckCtx *ctx, Err *err);
bool check_target_connections(CheckCtx *ctx, Err *err);
bool check_target_empty(CheckCtx *ctx, Err *err);
bool check_restoring(CheckCtx *ctx, Err *err);

#endif
