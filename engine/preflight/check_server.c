/*
 * Checks of the servers: settings, room, versions, what stands in between.
 */
#include "base/str.h"
#include "pg/query.h"
#include "preflight/check.h"

#include <inttypes.h>

#define SLOTS_NEEDED   2 /* the run's own, and a wave's */
#define SENDERS_NEEDED 2
#define OLDEST_SOURCE  14
#define LOCKS_SPARE    200

bool check_wal_level(CheckCtx *ctx, Err *err)
{
    (void)err;
    const CatSetting *setting = catalog_setting(ctx->input->source, "wal_level");
    if (setting != NULL && strcmp(setting->value, "logical") == 0)
        return true;
    check_found(
        ctx, CONN_SOURCE, "wal_level",
        arena_printf(ctx->arena, "it is %s", setting != NULL ? setting->value : "not readable"),
        "changes cannot be decoded",
        "ALTER SYSTEM SET wal_level = 'logical';\n-- then restart the server");
    return true;
}

static void check_room(CheckCtx *ctx, const char *setting, int64_t used, int64_t needed)
{
    int64_t all = check_setting(ctx, CONN_SOURCE, setting, 0);
    if (all - used >= needed)
        return;
    check_found(
        ctx, CONN_SOURCE, setting,
        arena_printf(ctx->arena, "%" PRId64 " of %" PRId64 " are in use, the run needs %" PRId64,
                     used, all, needed),
        "the slot of the run or of a wave could not be made",
        arena_printf(ctx->arena, "ALTER SYSTEM SET %s = %" PRId64 ";\n-- then restart the server",
                     setting, used + needed + 8));
}

bool check_slots(CheckCtx *ctx, Err *err)
{
    (void)err;
    /* Resuming: the run's own slot is among those in use. */
    check_room(ctx, "max_replication_slots", ctx->source.slots_used,
               ctx->input->resuming ? 1 : SLOTS_NEEDED);
    return true;
}

bool check_senders(CheckCtx *ctx, Err *err)
{
    (void)err;
    check_room(ctx, "max_wal_senders", ctx->source.senders_used, SENDERS_NEEDED);
    return true;
}

static void check_one_primary(CheckCtx *ctx, ConnSide side, const Catalog *catalog)
{
    if (catalog->server.in_recovery)
        check_found(ctx, side, "server", "it is a standby", "the run needs the primary",
                    "-- connect to the primary's address instead");
}

bool check_primary(CheckCtx *ctx, Err *err)
{
    (void)err;
    check_one_primary(ctx, CONN_SOURCE, ctx->input->source);
    check_one_primary(ctx, CONN_TARGET, ctx->input->target);
    return true;
}

/* A pooler gives out a process id of its own, and another backend may answer the next transaction.
 */
static bool check_one_pooler(CheckCtx *ctx, Conn *conn, const Probe *probe, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_none(conn, "SET godwit.pooler_probe = 'here'", NO_PARAMS, err))
        return false;
    if (!pg_one(conn,
                "SELECT pg_catalog.pg_backend_pid(), "
                "pg_catalog.current_setting('godwit.pooler_probe', true)",
                NO_PARAMS, &rows, err))
        return false;
    const char *kept = rows_text(rows, 0, 1);
    if (probe->backend_pid == conn_backend_pid(conn) &&
        rows_int64(rows, 0, 0) == probe->backend_pid && text_equal(kept, "here"))
        return true;
    check_found(ctx, conn_side(conn), "connection", "a connection pooler answers, not the server",
                "snapshots, locks and settings belong to a session, which a pooler shares or swaps",
                "-- connect to the server's own address and port");
    return true;
}

bool check_pooler(CheckCtx *ctx, Err *err)
{
    return check_one_pooler(ctx, ctx->input->source_conn, &ctx->source, err) &&
           check_one_pooler(ctx, ctx->input->target_conn, &ctx->target, err);
}

bool check_versions(CheckCtx *ctx, Err *err)
{
    (void)err;
    int source = ctx->input->source->server.version / 10000;
    int target = ctx->input->target->server.version / 10000;
    if (source < OLDEST_SOURCE)
        check_found(ctx, CONN_SOURCE, "version", arena_printf(ctx->arena, "PostgreSQL %d", source),
                    "sources before PostgreSQL 14 are not in this version of godwit", NULL);
    if (target < source)
        check_found(ctx, CONN_TARGET, "version",
                    arena_printf(ctx->arena, "PostgreSQL %d, the source is %d", target, source),
                    "a schema is not carried to an older server", NULL);
    return true;
}

static void check_one_lock_table(CheckCtx *ctx, ConnSide side, int64_t needed)
{
    int64_t per_transaction = check_setting(ctx, side, "max_locks_per_transaction", 64);
    int64_t sessions = check_setting(ctx, side, "max_connections", 100) +
                       check_setting(ctx, side, "max_prepared_transactions", 0);
    if (needed + LOCKS_SPARE <= per_transaction * sessions)
        return;
    check_found(ctx, side, "max_locks_per_transaction",
                arena_printf(ctx->arena,
                             "the lock table holds about %" PRId64
                             " locks, the run may need %" PRId64,
                             per_transaction * sessions, needed + LOCKS_SPARE),
                "\"out of shared memory\" in the middle of the run",
                arena_printf(ctx->arena,
                             "ALTER SYSTEM SET max_locks_per_transaction = %" PRId64
                             ";\n-- then restart the server",
                             (needed + LOCKS_SPARE) / (sessions > 0 ? sessions : 1) * 2 + 64));
}

bool check_lock_table(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    int64_t relations = (int64_t)(blueprint->relation_count + blueprint->leaf_count);
    check_one_lock_table(ctx, CONN_SOURCE, relations);
    /* The schema is restored in one transaction: every relation, sequence and its index of TOAST.
     */
    check_one_lock_table(ctx, CONN_TARGET, 3 * relations + (int64_t)blueprint->sequence_count);
    return true;
}

bool check_slot_wal_keep(CheckCtx *ctx, Err *err)
{
    (void)err;
    int64_t keep_mb = check_setting(ctx, CONN_SOURCE, "max_slot_wal_keep_size", -1);
    if (keep_mb < 0)
        return true;
    check_found(ctx, CONN_SOURCE, "max_slot_wal_keep_size",
                arena_printf(ctx->arena, "it is %" PRId64 " MB", keep_mb),
                "if more WAL than that is written before it is applied, the slot is lost and the "
                "copy starts again",
                "ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();");
    return true;
}

bool check_old_snapshot(CheckCtx *ctx, Err *err)
{
    (void)err;
    if (check_setting(ctx, CONN_SOURCE, "old_snapshot_threshold", -1) == -1)
        return true;
    check_found(ctx, CONN_SOURCE, "old_snapshot_threshold", "it is set",
                "a long copy fails with \"snapshot too old\"",
                "ALTER SYSTEM SET old_snapshot_threshold = -1;\n-- then restart the server");
    return true;
}

bool check_prepared(CheckCtx *ctx, Err *err)
{
    (void)err;
    if (ctx->source.prepared == NULL)
        return true;
    check_found(ctx, CONN_SOURCE, ctx->source.prepared, "a prepared transaction is open",
                "making a slot waits for it, and it could commit behind the fence",
                arena_printf(ctx->arena, "ROLLBACK PREPARED '%s'; -- or COMMIT PREPARED",
                             ctx->source.prepared));
    return true;
}

bool check_same_database(CheckCtx *ctx, Err *err)
{
    (void)err;
    const CatServer *source = &ctx->input->source->server;
    const CatServer *target = &ctx->input->target->server;
    bool same = source->system_identifier != NULL &&
                text_equal(source->system_identifier, target->system_identifier) &&
                text_equal(source->database, target->database);
    if (same)
        check_found(ctx, CONN_TARGET, target->database, "source and target are the same database",
                    "a database cannot be moved onto itself", NULL);
    return true;
}

bool check_encoding(CheckCtx *ctx, Err *err)
{
    (void)err;
    const char *source = ctx->input->source->server.encoding;
    const char *target = ctx->input->target->server.encoding;
    if (text_equal(source, "SQL_ASCII"))
        check_found(ctx, CONN_SOURCE, "encoding", "it is SQL_ASCII",
                    "bytes without an encoding cannot be converted", NULL);
    else if (!text_equal(source, target) && !text_equal(target, "UTF8"))
        check_found(ctx, CONN_TARGET, "encoding",
                    arena_printf(ctx->arena, "it is %s, the source's is %s", target, source),
                    "characters may have no place in the target",
                    "-- make the target database with ENCODING 'UTF8'");
    return true;
}

bool check_large_objects(CheckCtx *ctx, Err *err)
{
    (void)err;
    if (ctx->source.large_objects == 0)
        return true;
    check_found(ctx, CONN_SOURCE, "large objects",
                arena_printf(ctx->arena, "there are %s%" PRId64,
                             ctx->source.large_objects == 1000 ? "at least " : "",
                             ctx->source.large_objects),
                "this version of godwit does not move them, and they are not in the stream", NULL);
    return true;
}

bool check_target_connections(CheckCtx *ctx, Err *err)
{
    (void)err;
    const PlanCopy *copy = &ctx->input->plan->copy;
    int64_t needed = (int64_t)copy->table_jobs + copy->index_jobs + 6;
    int64_t reserved = check_setting(ctx, CONN_TARGET, "superuser_reserved_connections", 3) +
                       check_setting(ctx, CONN_TARGET, "reserved_connections", 0);
    int64_t free = check_setting(ctx, CONN_TARGET, "max_connections", 100) - reserved -
                   ctx->target.connections_used;
    if (free >= needed)
        return true;
    check_found(ctx, CONN_TARGET, "max_connections",
                arena_printf(ctx->arena, "%" PRId64 " connections are free, the run needs %" PRId64,
                             free, needed),
                "workers could not connect",
                "-- lower copy.table_jobs and copy.index_jobs, or raise max_connections");
    return true;
}

bool check_restoring(CheckCtx *ctx, Err *err)
{
    (void)err;
    const CatSetting *setting = catalog_setting(ctx->input->target, "timescaledb.restoring");
    if (setting == NULL || strcmp(setting->value, "on") != 0)
        return true;
    check_found(ctx, CONN_TARGET, "timescaledb.restoring", "it is on",
                "hypertables do not work in restoring mode", "SELECT timescaledb_post_restore();");
    return true;
}
