/*
 * Step slot: the main logical slot. It is made before any row is copied and holds the WAL from
 * there on; the lane row begins at its consistent point. Once tables are copied it cannot be made
 * anew: the changes between would be missing.
 */
#include "cdc/health.h"
#include "copy/blockers.h"
#include "copy/wave.h"
#include "pg/ddl.h"
#include "sql_text.h"
#include "step/common.h"
#include "step/foreign_key.h"
#include "step/triggers_late.h"

#define TABLES_PER_LOCK  500
#define FAILOVER_VERSION 170000

extern const StepKind STEP_SLOT;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_SLOT, "publication");
    step_at(step, blueprint->plan->replication.pos);
    step_needs_kind(builder, step, "source_jobs");
    /* WAL is held from here on: not before the tables stand that are to be copied. */
    step_needs_kind(builder, step, "schema_pre");
    step_needs_kind(builder, step, "hypertable");
    step_needs_kind(builder, step, "columnstore");
    step_needs_kind(builder, step, "aggregate");
    return true;
}

/* Preflight has warned where the source cannot. */
static bool wants_failover(const StepCtx *ctx, const Conn *source)
{
    return ctx->run->plan->replication.slot_failover && conn_version(source) >= FAILOVER_VERSION;
}

static const char *plugin(const StepCtx *ctx)
{
    return plan_plugin_name(ctx->run->plan->replication.plugin);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    AUTO_STR Str sql = {0};
    description->sentence =
        arena_printf(ctx->arena,
                     "make slot %s, which holds the WAL from here on; the applied "
                     "position begins at its consistent point",
                     ctx->run->slot_name);
    str_append(&sql, "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot(");
    ddl_literal(&sql, ctx->source, ctx->run->slot_name);
    str_append(&sql, ", ");
    ddl_literal(&sql, ctx->source, plugin(ctx));
    str_append(&sql, wants_failover(ctx, ctx->source) ? ", failover => true)" : ")");
    description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    return true;
}

typedef struct SlotState {
    bool exists;
    bool usable;      /* logical, of the plan's plugin, of this database */
    bool failover;    /* is synchronized to standbys */
    const char *lost; /* why its WAL is gone; NULL: it is there */
    Lsn confirmed;
    bool has_lane;
    bool copied; /* at least one leaf is */
} SlotState;

static bool read_slot(StepCtx *ctx, SlotState *state, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(ctx->source, SQL_COPY_SLOT, PARAMS(ctx->run->slot_name), &rows, err))
        return false;
    state->exists = rows_count(rows) > 0;
    if (!state->exists)
        return true;
    state->usable = strcmp(rows_text(rows, 0, 0), plugin(ctx)) == 0 && rows_bool(rows, 0, 1);
    state->confirmed = rows_lsn(rows, 0, 2);
    state->failover = rows_bool(rows, 0, 5);
    const char *reason = rows_text(rows, 0, 4);
    if (strcmp(rows_text(rows, 0, 3), "lost") == 0)
        state->lost = *reason != '\0' ? arena_strdup(ctx->arena, reason) : "wal_removed";
    return true;
}

static bool read_state(StepCtx *ctx, SlotState *state, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    size_t left = 0;
    *state = (SlotState){0};
    if (!read_slot(ctx, state, err))
        return false;
    if (ctx->run->journal.id == 0)
        return true;
    if (!pg_one(ctx->target, SQL_COPY_LANE, PARAMS(arena_int64(ctx->arena, ctx->run->journal.id)),
                &rows, err) ||
        !wave_leaves_left(ctx->run, ctx->target, &left, err))
        return false;
    state->has_lane = rows_bool(rows, 0, 0);
    state->copied = left < ctx->run->blueprint->leaf_count;
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    SlotState state;
    if (run_is_switched(ctx->run))
        return true;
    if (!read_state(ctx, &state, err))
        return false;
    bool gone = !state.exists || state.lost != NULL;
    if (gone && state.copied)
        return health_lost(ctx->run->slot_name, state.exists ? state.lost : NULL,
                           ctx->run->plan->path, err);
    if (state.exists && !state.usable) {
        observation->state = OBSERVED_DRIFTED;
        observation->reason =
            arena_printf(ctx->arena, "slot %s on the source is no %s slot of this database",
                         ctx->run->slot_name, plugin(ctx));
        return true;
    }
    bool is_so = state.failover || !wants_failover(ctx, ctx->source);
    observation->state = gone || !state.has_lane || !is_so ? OBSERVED_NEEDED : OBSERVED_SATISFIED;
    return true;
}

static bool create_once(StepCtx *ctx, Conn *maker, Lsn *start, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *sql =
        wants_failover(ctx, maker) ? SQL_COPY_SLOT_CREATE_FAILOVER : SQL_COPY_SLOT_CREATE;
    if (!pg_one(maker, sql, PARAMS(ctx->run->slot_name, plugin(ctx)), &rows, err))
        return false;
    *start = rows_lsn(rows, 0, 0);
    return true;
}

/* No selected table may be in the middle of a TRUNCATE or a rewrite while the slot is made:
 * decoding such a transaction later fails with "could not map filenode" each time it is tried, so
 * the slot can never be read (PostgreSQL 15.18: 2 of 25 slots under truncating writers, none of 60
 * with these locks). They let every reader and writer of rows through. A session of their own keeps
 * the wait for a transaction that in turn waits for them from being a deadlock, in which PostgreSQL
 * might choose that one: lock_timeout ends it. */
static bool lock_tables(const StepCtx *ctx, Conn *keeper, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    if (!pg_begin(keeper, NULL, err))
        return false;
    for (size_t i = 0; i < blueprint->relation_count; i += TABLES_PER_LOCK) {
        AUTO_STR Str sql = {0};
        for (size_t j = i; j < blueprint->relation_count && j < i + TABLES_PER_LOCK; j++) {
            if (blueprint->relations[j].schema_only)
                continue;
            str_append(&sql, sql.length == 0 ? "LOCK TABLE " : ", ");
            ddl_qname(&sql, keeper, &blueprint->relations[j].source);
        }
        if (sql.length == 0)
            continue;
        str_append(&sql, " IN ACCESS SHARE MODE");
        if (!pg_none(keeper, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

/* Both sessions give up after the same time: while they wait, a TRUNCATE waits for the keeper, and
 * everybody else for that. */
static bool open_patient(const StepCtx *ctx, Conn **conn, Err *err)
{
    return conn_open(conn, &ctx->run->source,
                     &(ConnOptions){.purpose = "slot",
                                    .lock_timeout_ms = BLOCKERS_LOCK_TIMEOUT_MS,
                                    .stop = ctx->run->stop},
                     err);
}

static bool create(StepCtx *ctx, Lsn *start, Err *err)
{
    AUTO_CONN Conn *keeper = NULL;
    AUTO_CONN Conn *maker = NULL;
    Patience patience = {0};
    AUTO_STR Str what = {0};
    str_appendf(&what, "slot %s", ctx->run->slot_name);
    if (!open_patient(ctx, &keeper, err) || !open_patient(ctx, &maker, err))
        return false;
    while (!(lock_tables(ctx, keeper, err) && create_once(ctx, maker, start, err))) {
        pg_rollback(keeper); /* nobody waits behind our locks while we wait */
        if (!blockers_wait(&patience, ctx->source, what.data, err))
            return false;
    }
    pg_rollback(keeper);
    return true;
}

/* A slot that was made before the plan asked for it; only the replication protocol can.
 * \note Source: PostgreSQL 17, "Streaming Replication Protocol", ALTER_REPLICATION_SLOT. */
static bool keep_through_failover(StepCtx *ctx, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    AUTO_STR Str sql = {0};
    ConnOptions options = {.purpose = "slot", .replication = true, .stop = ctx->run->stop};
    if (!conn_open(&conn, &ctx->run->source, &options, err))
        return false;
    str_append(&sql, "ALTER_REPLICATION_SLOT ");
    ddl_ident(&sql, conn, ctx->run->slot_name);
    str_append(&sql, " (FAILOVER true)");
    return pg_script(conn, sql.data, err);
}

/* What a cutover that was taken back had made on the target must not act on what is copied anew. */
static bool hold_late(StepCtx *ctx, Err *err)
{
    return triggers_late_hold(ctx, err) && foreign_keys_late_hold(ctx, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    SlotState state;
    const char *run = arena_int64(ctx->arena, ctx->run->journal.id);
    if (!read_state(ctx, &state, err))
        return false;
    if (state.lost != NULL) {
        /* Nothing is copied yet (observe has looked): a new slot does as well. */
        if (!pg_none(ctx->source, SQL_SLOT_DROP, PARAMS(ctx->run->slot_name), err))
            return false;
        state.exists = false;
    }
    Lsn start = state.confirmed;
    if (state.exists && !state.failover && wants_failover(ctx, ctx->source) &&
        !keep_through_failover(ctx, err))
        return false;
    if (!state.has_lane && !hold_late(ctx, err))
        return false;
    if (!state.exists && (!pg_none(ctx->target, SQL_COPY_LANE_FORGET, PARAMS(run), err) ||
                          !create(ctx, &start, err)))
        return false;
    log_info(&ctx->log, "slot %s begins at %s", ctx->run->slot_name, lsn_text(start).text);
    return journal_lane_create(ctx->target, ctx->run->journal.id, 0, start, err);
}

static bool undo(StepCtx *ctx, Err *err)
{
    return pg_none(ctx->source, SQL_SLOT_DROP, PARAMS(ctx->run->slot_name), err);
}

const StepKind STEP_SLOT = {
    .name = "slot",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET,
    .summary = "Makes the logical slot that holds the source's WAL during the copy.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .undo = undo,
};
