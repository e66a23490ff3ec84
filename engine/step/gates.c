/*
 * Step gates: cutover.gates of the plan. Opens when the lag has stayed below both limits for
 * stable_for, every verification has passed and no table is paused. Replication goes on while it
 * waits: a paused table must not end what keeps the WAL from piling up.
 */
#include "base/clock.h"
#include "base/units.h"
#include "cdc/stream.h"
#include "step/common.h"
#include "step/slot_watch.h"

#define POLL_MS            200
#define EXIT_AT_GATE_SPARE 60000 /* with --exit-at-gate: stable_for and this long, then exit 8 */

extern const StepKind STEP_GATES;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_GATES, "catchup");
    step_at(step, blueprint->plan->cutover.pos);
    static const char *const AFTER[] = {"verify",
                                        "validate",
                                        "matview",
                                        "analyze",
                                        "settings",
                                        "privileges.rehearse",
                                        "large_objects.verify"};
    for (size_t i = 0; i < sizeof(AFTER) / sizeof(AFTER[0]); i++)
        step_needs_kind(builder, step, AFTER[i]);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const PlanCutover *cutover = &ctx->run->plan->cutover;
    description->sentence =
        arena_printf(ctx->arena, "wait until the lag stays below %s and %s for %s",
                     units_size_text(ctx->arena, cutover->max_lag_bytes),
                     units_interval_text(ctx->arena, cutover->max_lag_us),
                     units_interval_text(ctx->arena, cutover->stable_us));
    return true;
}

static bool gate_closed(StepCtx *ctx, const StreamStatus *status, Err *err)
{
    err_set(err, ERR_GATE, "the lag gate was not reached in time: %s and %s behind",
            units_size_text(ctx->arena, status->lag_bytes),
            units_interval_text(ctx->arena, status->lag_us));
    err_detail(err, "%s", slot_watch_unread_text(ctx->arena, ctx->run->slot_watch));
    return err_hint(err, "Nothing changed. Run \"godwit apply\" again to go on replicating.");
}

/* Who takes the table in again, or alters another, begins the engine anew: how many are paused does
 * not move while this step waits. */
static bool tell_paused(StepCtx *ctx, Err *err)
{
    AUTO_ERR Err paused = {0};
    if (none_is_paused(ctx->run->blueprint, &paused))
        return true;
    if (ctx->run->exit_at_gate)
        return err_move(err, &paused);
    log_err(&ctx->log, LOG_WARN, &paused);
    log_info(&ctx->log, "the gates wait for it, and replication of the rest goes on");
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    const PlanCutover *cutover = &ctx->run->plan->cutover;
    int64_t began = clock_ms();
    int64_t low_since = began;
    if (!tell_paused(ctx, err))
        return false;
    for (;;) {
        StreamStatus status = {0};
        stream_status(ctx->run->stream, &status);
        if (status.failed)
            return stream_error(ctx->run->stream, err);
        int64_t now = clock_ms();
        if (status.lag_bytes > cutover->max_lag_bytes || status.lag_us > cutover->max_lag_us ||
            ctx->run->blueprint->paused_count > 0)
            low_since = now;
        if ((now - low_since) * 1000 >= cutover->stable_us)
            break;
        if (ctx->run->exit_at_gate && now - began > cutover->stable_us / 1000 + EXIT_AT_GATE_SPARE)
            return gate_closed(ctx, &status, err);
        if (!stop_sleep(ctx->run->stop, POLL_MS))
            return stop_error(ctx->run->stop, err);
    }
    return journal_gate(ctx->target, ctx->run->journal.id, "gates", NULL, err);
}

const StepKind STEP_GATES = {
    .name = "gates",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Waits until the plan's gates are reached.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
