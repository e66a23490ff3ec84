/*
 * Step approval: waits for an approval row of this plan's fingerprint that has not expired and that
 * the plan's rules accept. Replication goes on; nothing overrides a required approval.
 */
#include "base/clock.h"
#include "base/units.h"
#include "cdc/stream.h"
#include "hook/notify.h"
#include "step/common.h"
#include "step/slot_watch.h"

#define POLL_MS   500
#define REMIND_MS 30000

extern const StepKind STEP_APPROVAL;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (blueprint->plan->cutover.approval_required)
        step_at(step_add_after(builder, &STEP_APPROVAL, "gates"), blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence =
        arena_printf(ctx->arena, "wait for an approval (\"godwit approve\") of plan %.12s",
                     ctx->run->plan->fingerprint);
    return true;
}

static void remind(StepCtx *ctx)
{
    StreamStatus status = {0};
    stream_status(ctx->run->stream, &status);
    log_info(&ctx->log,
             "waiting for an approval of plan %.12s; replication goes on, %s behind, the slot "
             "retains %s of WAL",
             ctx->run->plan->fingerprint, units_size_text(ctx->arena, status.lag_bytes),
             units_size_text(ctx->arena, status.retained_bytes));
}

static bool not_approved(StepCtx *ctx, Err *err)
{
    err_set(err, ERR_WAITING, "the run waits for an approval of plan %.12s",
            ctx->run->plan->fingerprint);
    err_detail(err, "%s", slot_watch_unread_text(ctx->arena, ctx->run->slot_watch));
    return err_hint(
        err, "Run \"godwit approve\" with this plan, then \"godwit apply\" or \"godwit cutover\".");
}

static bool apply(StepCtx *ctx, Err *err)
{
    int64_t reminded = 0;
    for (;;) {
        AUTO_ARENA Arena arena = {0};
        JournalApproval approval = {0};
        StreamStatus status = {0};
        if (!journal_find_approval(&arena, ctx->target, ctx->run->journal.id, ctx->run->plan,
                                   &approval, err))
            return false;
        if (approval.approver != NULL) {
            notify_event(ctx->run, "approved", NULL, NULL);
            log_info(&ctx->log, "approved by %s at %s", approval.approver, approval.approved_at);
            return true;
        }
        if (ctx->run->exit_at_gate)
            return not_approved(ctx, err);
        stream_status(ctx->run->stream, &status);
        if (status.failed)
            return stream_error(ctx->run->stream, err);
        if (clock_ms() - reminded > REMIND_MS || reminded == 0) {
            if (reminded == 0)
                notify_event(ctx->run, "waiting", NULL, NULL);
            remind(ctx);
            reminded = clock_ms();
        }
        if (!stop_sleep(ctx->run->stop, POLL_MS))
            return stop_error(ctx->run->stop, err);
    }
}

const StepKind STEP_APPROVAL = {
    .name = "approval",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Waits for an approval of this very plan.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
