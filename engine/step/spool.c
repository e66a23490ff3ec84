/*
 * Step spool: receives the source's changes into the spool from the moment the slot is there, so
 * that the source may forget their WAL during a long copy. Nothing is applied before the copy is
 * done; what a copy holds already is left out then, by position, as without a spool.
 */
#include "cdc/stream.h"
#include "step/common.h"
#include "step/replicate.h"

extern const StepKind STEP_SPOOL;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (blueprint->plan->replication.spool_directory == NULL || blueprint->replicating)
        return true; /* the stream itself is there from the beginning then */
    step_at(step_add_after(builder, &STEP_SPOOL, "slot"), blueprint->plan->replication.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = arena_printf(
        ctx->arena,
        "receive changes from slot %s into %s/%s, so that WAL need not wait on the "
        "source while tables are copied",
        ctx->run->slot_name, ctx->run->plan->replication.spool_directory, ctx->run->slot_name);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool runs = ctx->run->spooler != NULL || ctx->run->stream != NULL;
    observation->state = runs || run_is_switched(ctx->run) ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    StreamSpec spec;
    Stream *spooler = NULL;
    replicate_spec(ctx, &spec);
    spec.receive_only = true;
    spec.log.step = "spool";
    if (!stream_start(&spooler, &spec, err))
        return false;
    run_publish_spooler(ctx->run, spooler);
    return true;
}

const StepKind STEP_SPOOL = {
    .name = "spool",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SERVICE | STEP_SESSION | STEP_CHANGES,
    .summary = "Receives changes into the spool while tables are copied.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};
