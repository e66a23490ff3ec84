/*
 * Step catchup: a gate that opens when every leaf has passed the point of its copy and the lag was
 * once small.
 */
#include "base/units.h"
#include "cdc/stream.h"
#include "hook/notify.h"
#include "step/common.h"

#define POLL_MS 200

extern const StepKind STEP_CATCHUP;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CATCHUP, "replicate");
    step_at(step, blueprint->plan->replication.pos);
    step_needs_kind(builder, step, "join");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "wait until the target has caught up with the source";
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    for (;;) {
        StreamStatus status = {0};
        stream_status(ctx->run->stream, &status);
        if (status.failed)
            return stream_error(ctx->run->stream, err);
        if (status.caught_up_once)
            break;
        if (!stop_sleep(ctx->run->stop, POLL_MS))
            return stop_error(ctx->run->stop, err);
    }
    log_info(&ctx->log, "caught up with the source");
    notify_event(ctx->run, "caught_up", NULL, NULL);
    return journal_gate(ctx->target, ctx->run->journal.id, "catchup", NULL, err);
}

const StepKind STEP_CATCHUP = {
    .name = "catchup",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Waits until the target has caught up.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
