/*
 * Step cutover.chunks: what the stream's watcher has still to take in is taken in before writes
 * stop, so that behind the drain little is left of it. See docs/adr/0034.
 */
#include "cdc/stream.h"
#include "step/common.h"

#define CHUNKS_WAIT_MS 60000

extern const StepKind STEP_CUTOVER_CHUNKS;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (blueprint->chunk_way == CHUNKS_BY_WATCH)
        step_at(step_add_after(builder, &STEP_CUTOVER_CHUNKS, "cutover.target_fence"),
                blueprint->plan->cutover.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)ctx;
    (void)err;
    description->sentence = "wait until the chunks that are there by now are copied and published";
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return stream_wait_chunks(ctx->run->stream, CHUNKS_WAIT_MS, err);
}

const StepKind STEP_CUTOVER_CHUNKS = {
    .name = "cutover.chunks",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Takes in new chunks of hypertables before writes stop.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
