/*
 * Steps of the way back. In a cutover they prepare and arm it, then keep it open; in a failback
 * (graph FAILBACK_KINDS) the same two prepare and arm the way there again:
 *
 *     failback.prepare   before the fences: identities, publication, slot of the other leg
 *     failback.arm       behind the drain, both ends still: its position
 *     failback.keep      behind the switch: its stream, for failback.keep_for
 *     failback.end       all of it goes
 */
#include "base/clock.h"
#include "base/units.h"
#include "cdc/stream.h"
#include "cutover/cutover.h"
#include "hook/notify.h"
#include "step/common.h"
#include "step/replica_identity.h"
#include "step/slot_watch.h"
#include "step/way_back.h"

#define POLL_MS 200

extern const StepKind STEP_FAILBACK_PREPARE, STEP_FAILBACK_ARM, STEP_FAILBACK_KEEP,
    STEP_FAILBACK_END;

static Step *add(StepBuilder *builder, const StepKind *kind, const Blueprint *blueprint,
                 const char *after)
{
    if (!blueprint->plan->failback.prepare)
        return NULL;
    return step_at(step_add_after(builder, kind, after), blueprint->plan->failback.pos);
}

/* The leg that this run's switch opens. */
static LegEnds other_leg(StepCtx *ctx)
{
    Run *run = ctx->run;
    return (LegEnds){.leg = run->forth != NULL ? run->forth : &run->back->run,
                     .from = ctx->target,
                     .to = ctx->source,
                     .arena = ctx->arena,
                     .log = ctx->log};
}

/* --- failback.prepare ---------------------------------------------------------------------- */

static bool prepare_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = add(builder, &STEP_FAILBACK_PREPARE, blueprint, "gates");
    if (step != NULL)
        step_needs_kind(builder, step, "approval");
    return true;
}

static bool prepare_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = arena_printf(
        ctx->arena,
        "prepare the way back: publication and slot %s_back on the target, a journal on the source",
        ctx->run->slot_name);
    return true;
}

static bool make_back(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    return way_back_drop(run, ctx->source, ctx->target, err) &&
           way_back_find(run, ctx->source, ctx->target, err) &&
           way_back_journal(run, ctx->source, err);
}

/* What was made of it goes, and the cutover stops or goes on without, as the plan says. */
static bool without(StepCtx *ctx, Err *problem, Err *err)
{
    Run *run = ctx->run;
    way_back_withdraw(run);
    if (!run->plan->failback.goes_without || stop_reason(run->stop) != STOP_NONE) {
        err_move(err, problem);
        return err_context(err, "the way back could not be prepared; nothing is fenced");
    }
    log_err(&ctx->log, LOG_WARN, problem);
    log_warn(&ctx->log, "no way back is prepared (failback.if_unavailable: continue)");
    way_back_free(run->back);
    run->back = NULL;
    return journal_event(ctx->target, run->journal.id, "no_way_back", NULL, err);
}

static bool prepare_apply(StepCtx *ctx, Err *err)
{
    AUTO_ERR Err problem = {0};
    if (ctx->run->forth == NULL && !make_back(ctx, &problem))
        return without(ctx, &problem, err);
    LegEnds ends = other_leg(ctx);
    if (leg_prepare(&ends, &problem))
        return true;
    return ctx->run->forth == NULL ? without(ctx, &problem, err) : err_move(err, &problem);
}

const StepKind STEP_FAILBACK_PREPARE = {
    .name = "failback.prepare",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Makes what the way back needs, before anything is fenced.",
    .expand = prepare_expand,
    .describe = prepare_describe,
    .observe = observe_until_switch,
    .apply = prepare_apply,
    .verify = verify_in_apply,
};

/* --- failback.arm -------------------------------------------------------------------------- */

static bool arm_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = add(builder, &STEP_FAILBACK_ARM, blueprint, "cutover.verify");
    if (step == NULL)
        return true;
    step_needs_kind(builder, step, "privileges");
    step_needs_kind(builder, step, "failback.prepare");
    return true;
}

static bool arm_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "arm the way back: its position is the target's WAL end";
    return true;
}

static bool arm_apply(StepCtx *ctx, Err *err)
{
    if (ctx->run->forth == NULL && ctx->run->back == NULL)
        return true; /* failback.if_unavailable: continue */
    LegEnds ends = other_leg(ctx);
    return leg_arm(&ends, err);
}

const StepKind STEP_FAILBACK_ARM = {
    .name = "failback.arm",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE |
             STEP_CHANGES,
    .summary = "Sets the way back's position while both servers stand still.",
    .expand = arm_expand,
    .describe = arm_describe,
    .observe = observe_until_switch,
    .apply = arm_apply,
    .verify = verify_in_apply,
};

/* --- failback.keep ------------------------------------------------------------------------- */

static bool keep_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    add(builder, &STEP_FAILBACK_KEEP, blueprint, "finish");
    return true;
}

static bool keep_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence = arena_printf(
        ctx->arena, "apply the target's changes to the source for %s, so that failback stays open",
        units_interval_text(ctx->arena, ctx->run->plan->failback.keep_for_us));
    return true;
}

static bool keep_observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)ctx;
    (void)err;
    observation->state = OBSERVED_NEEDED; /* a service: whoever comes here goes on with it */
    return true;
}

static bool stream_failed(Stream *stream, Err *err)
{
    stream_error(stream, err);
    err_context(err, "on the way back to the source");
    if (err->code == ERR_CONFLICT)
        err_hint(err, "Somebody wrote to the source behind the switch. Mend the row there, then "
                      "run \"godwit apply\" again; \"godwit cleanup\" gives the way back up.");
    return false;
}

static bool keep_until(StepCtx *ctx, int64_t deadline_ms, Err *err)
{
    Run *run = ctx->run;
    for (;;) {
        StreamStatus status = {0};
        stream_status(run->stream, &status);
        if (status.failed)
            return stream_failed(run->stream, err);
        if (clock_ms() >= deadline_ms)
            return true;
        if (run->exit_at_gate && status.caught_up_once) {
            log_info(&ctx->log, "the way back is armed; \"godwit apply\" keeps it open");
            atomic_store(&run->leaves, true);
            return true;
        }
        if (!stop_sleep(run->stop, POLL_MS))
            return stop_error(run->stop, err);
    }
}

/* A failback whose engine died before its fence left the way there, which holds WAL on the source.
 */
static bool drop_leg_there(StepCtx *ctx, Err *err)
{
    LegEnds ends = {.leg = ctx->run,
                    .from = ctx->source,
                    .to = ctx->target,
                    .arena = ctx->arena,
                    .log = ctx->log};
    return leg_drop(&ends, false, err);
}

static bool keep_apply(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    bool found = false;
    int64_t elapsed_ms = 0;
    Stream *stream = NULL;
    atomic_store(&run->keeping, true);
    if (!drop_leg_there(ctx, err) || !way_back_take(run, ctx->source, ctx->target, &found, err))
        return false;
    if (!found) {
        log_warn(&ctx->log, "there is no way back to keep open");
        return true;
    }
    if (!journal_switched_for(ctx->target, run->journal.id, &elapsed_ms, err) ||
        !leg_stream(&run->back->run, ctx->target, false, &stream, err))
        return false;
    run_publish_stream(run, stream);
    slot_watch_arm(run->back_watch);
    int64_t left_ms = run->plan->failback.keep_for_us / 1000 - elapsed_ms;
    log_info(&ctx->log, "the way back is open for %s",
             units_interval_text(ctx->arena, left_ms > 0 ? left_ms * 1000 : 0));
    if (!keep_until(ctx, clock_ms() + left_ms, err))
        return false;
    slot_watch_disarm(run->back_watch);
    return stream_stop(run_withdraw_stream(run), err);
}

const StepKind STEP_FAILBACK_KEEP = {
    .name = "failback.keep",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_CHANGES,
    .summary = "Applies the target's changes to the source for failback.keep_for.",
    .expand = keep_expand,
    .describe = keep_describe,
    .observe = keep_observe,
    .apply = keep_apply,
    .verify = verify_in_apply,
};

/* --- failback.end -------------------------------------------------------------------------- */

static bool end_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    add(builder, &STEP_FAILBACK_END, blueprint, "failback.keep");
    return true;
}

static bool end_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence =
        arena_printf(ctx->arena,
                     "close the way back: drop slot and publication %s_back on the target, the "
                     "journal on the source",
                     ctx->run->slot_name);
    return true;
}

static bool end_apply(StepCtx *ctx, Err *err)
{
    return way_back_drop(ctx->run, ctx->source, ctx->target, err) && identity_restore(ctx, err);
}

static bool end_undo(StepCtx *ctx, Err *err)
{
    return way_back_drop(ctx->run, ctx->source, ctx->target, err);
}

const StepKind STEP_FAILBACK_END = {
    .name = "failback.end",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE | STEP_CHANGES,
    .summary = "Closes the way back and drops what it stood on.",
    .expand = end_expand,
    .describe = end_describe,
    .observe = keep_observe,
    .apply = end_apply,
    .verify = verify_in_apply,
    .undo = end_undo,
};
