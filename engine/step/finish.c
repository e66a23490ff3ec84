/*
 * Step finish: once what came behind the switch is told, the stream ends, slot and publication go.
 * The source stays read-only.
 */
#include "cdc/stream.h"
#include "pg/ddl.h"
#include "sql_text.h"
#include "step/behind_switch.h"
#include "step/common.h"
#include "step/finish.h"
#include "step/publication.h"
#include "step/replica_identity.h"
#include "step/source_jobs.h"

extern const StepKind STEP_FINISH;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    Step *step = step_add_after(builder, &STEP_FINISH, "cutover.unfence");
    step_needs_kind(builder, step, "validate_late");
    step_needs_kind(builder, step, "policy");
    step_needs_kind(builder, step, "aggregate.refresh");
    step_needs_kind(builder, step, "aggregate.carry");
    step_needs_kind(builder, step, "aggregate.policy");
    step_needs_kind(builder, step, "job");
    return true;
}

static const char *own_name(const StepCtx *ctx, size_t publication)
{
    const char *name = ctx->run->blueprint->publications[publication].name;
    return name != NULL ? name : ctx->run->publication_name;
}

static bool drop_publications(const StepCtx *ctx, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        AUTO_STR Str sql = {0};
        publication_drop_sql(&sql, ctx->source, own_name(ctx, i));
        if (!blueprint->publications[i].adopted && !pg_none(ctx->source, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    AUTO_STR Str sql = {0};
    description->sentence = "end the stream, drop slot and publication on the source";
    str_append(&sql, "SELECT pg_catalog.pg_drop_replication_slot(");
    ddl_literal(&sql, ctx->source, ctx->run->slot_name);
    str_append(&sql, ")");
    description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        if (blueprint->publications[i].adopted)
            continue;
        str_reset(&sql);
        publication_drop_sql(&sql, ctx->source, own_name(ctx, i));
        description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    }
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool finished = run_is_switched(ctx->run) && ctx->recorded_done;
    observation->state = finished ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

bool finish_stream(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    AUTO_ERR Err ended = {0};
    if (!behind_switch_look(ctx, err))
        return false;
    if (!stream_stop(run_withdraw_stream(run), &ended))
        log_err(&ctx->log, LOG_WARN, &ended);
    return true;
}

/* Behind a failback the source's tables are published again: until the way back is closed they
 * keep the identity that they were given. */
static bool restore_identities(StepCtx *ctx, Err *err)
{
    return ctx->run->plan->failback.prepare || identity_restore(ctx, err);
}

static bool remove_spool(const Run *run, Err *err)
{
    bool removed = false;
    const char *directory = run->plan->replication.spool_directory;
    return directory == NULL || spool_remove(directory, run->slot_name, &removed, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return finish_stream(ctx, err) &&
           pg_none(ctx->source, SQL_SLOT_DROP, PARAMS(ctx->run->slot_name), err) &&
           remove_spool(ctx->run, err) && drop_publications(ctx, err) &&
           restore_identities(ctx, err) && source_jobs_restore(ctx, err);
}

const StepKind STEP_FINISH = {
    .name = "finish",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE | STEP_CHANGES,
    .summary = "Ends the stream and drops slot and publication.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};
