/*
 * Step join: tables that were copied while the run replicates begin to stream. It stands in the
 * graph only then: late leaves are those that the journal does not have as streaming. Their rows,
 * indexes and keys are there; what waited in the stream is applied, and once that is on the
 * target's disk the journal says so. A crash before leaves them late: they are copied again, or
 * join again.
 */
#include "cdc/stream.h"
#include "copy/leaves.h"
#include "step/common.h"

extern const StepKind STEP_JOIN;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint->replicating)
        return true;
    Step *step = step_add_after(builder, &STEP_JOIN, "replicate");
    step_needs_kind(builder, step, "wave_end");
    step_needs_kind(builder, step, "index");
    step_needs_kind(builder, step, "constraint");
    step_needs_kind(builder, step, "foreign_key");
    step_needs_kind(builder, step, "schema_post");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    description->sentence =
        arena_strdup(ctx->arena, "let the tables that were copied meanwhile join the stream");
    return true;
}

static bool is_late(const JournalLeaf *state)
{
    return state == NULL || state->state != 'r';
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const JournalLeaf **states = NULL;
    if (run_is_switched(ctx->run))
        return true;
    if (!leaves_states(ctx->arena, ctx->run, ctx->target, &states, err))
        return false;
    for (size_t i = 0; i < ctx->run->blueprint->leaf_count; i++)
        if (is_late(states[i]))
            observation->state = OBSERVED_NEEDED;
    return true;
}

static bool join(StepCtx *ctx, const Leaf *leaf, const JournalLeaf *state, Err *err)
{
    Stream *stream = ctx->run->stream;
    if (!leaf_is_copied(state))
        return err_set(err, ERR_RUN, "%s is not copied yet", name_text(ctx->arena, &leaf->source));
    /* The stream may have begun after the wave had looked for it. */
    return stream_leaf_sync(stream, leaf, state->sync_lsn, err) &&
           stream_leaf_release(stream, leaf, err) &&
           journal_leaf_state(ctx->target, ctx->run->journal.id, &leaf->source, 's', err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    const JournalLeaf **states = NULL;
    StreamStatus status = {0};
    size_t count = 0;
    if (!leaves_states(ctx->arena, run, ctx->target, &states, err))
        return false;
    for (size_t i = 0; i < run->blueprint->leaf_count; i++) {
        if (!is_late(states[i]))
            continue;
        if (!join(ctx, &run->blueprint->leaves[i], states[i], err))
            return false;
        count++;
    }
    stream_status(run->stream, &status);
    if (!stream_wait_applied(run->stream, status.applied, -1, err) ||
        !journal_leaves_stream(ctx->target, run->journal.id, err))
        return false;
    log_info(&ctx->log, "%zu table%s joined the stream", count, count == 1 ? "" : "s");
    return true;
}

const StepKind STEP_JOIN = {
    .name = "join",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_TARGET | STEP_SESSION | STEP_CHANGES,
    .summary = "Lets tables that were copied beside the stream join it.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
