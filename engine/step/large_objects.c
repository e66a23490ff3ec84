/*
 * The steps of large objects: large_objects brings them beside the tables; large_objects.verify
 * compares what came; large_objects.refresh brings what changed since, before the downtime begins;
 * cutover.large_objects does so once more behind the fence, where nothing changes any more. Their
 * parts are ranges of oids. Nothing of the copy's snapshot is needed: no stream carries them, so
 * there is no position that they must agree with before the fence.
 */
#include "cutover/cutover.h"
#include "lob/lob.h"
#include "step/common.h"

#include <inttypes.h>

extern const StepKind STEP_LARGE_OBJECTS, STEP_LARGE_OBJECTS_VERIFY, STEP_LARGE_OBJECTS_REFRESH,
    STEP_CUTOVER_LARGE_OBJECTS;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint->plan->copy.data)
        return true;
    Step *step = step_add_after(builder, &STEP_LARGE_OBJECTS, "slot");
    step_needs_kind(builder, step, "roles");
    return true;
}

static bool expand_verify(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint->plan->copy.data)
        return true;
    Step *step = step_add_after(builder, &STEP_LARGE_OBJECTS_VERIFY, "catchup");
    step_needs_kind(builder, step, "large_objects");
    return true;
}

static bool expand_refresh(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint->plan->copy.data)
        return true;
    Step *step = step_add_after(builder, &STEP_LARGE_OBJECTS_REFRESH, "gates");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "approval");
    return true;
}

static bool expand_cutover(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint->plan->copy.data)
        return true;
    step_at(step_add_after(builder, &STEP_CUTOVER_LARGE_OBJECTS, "cutover.drain"),
            blueprint->plan->cutover.pos);
    return true;
}

static bool describe_as(StepCtx *ctx, Description *description, const char *what, Err *err)
{
    LobPowers powers = {0};
    if (!lob_powers(ctx->source, &powers, err))
        return false;
    description->sentence =
        arena_printf(ctx->arena, "%s (the source has %" PRId64 ")", what, powers.count);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    return describe_as(ctx, description, "bring the large objects, under the same oids", err);
}

static bool describe_verify(StepCtx *ctx, Description *description, Err *err)
{
    return describe_as(ctx, description, "compare the large objects that came, by hash", err);
}

static bool describe_refresh(StepCtx *ctx, Description *description, Err *err)
{
    return describe_as(ctx, description, "bring the large objects that changed since", err);
}

static bool describe_cutover(StepCtx *ctx, Description *description, Err *err)
{
    return describe_as(ctx, description,
                       "bring the large objects that changed since, remove those that are gone",
                       err);
}

/* The journal says what of it is there; a finished pass is not looked at again. */
static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool done = ctx->recorded_done || run_is_switched(ctx->run);
    observation->state = done ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool begin_copy(StepCtx *ctx, size_t *count, Err *err)
{
    return lob_begin(&ctx->run->lob, ctx->run, LOB_COPY, false, ctx->source, ctx->target, count,
                     err);
}

static bool begin_again(StepCtx *ctx, size_t *count, Err *err)
{
    return lob_begin(&ctx->run->lob, ctx->run, LOB_AGAIN, false, ctx->source, ctx->target, count,
                     err);
}

/* Where the fence locks the large objects, its own session alone can read them. */
static bool begin_fenced(StepCtx *ctx, size_t *count, Err *err)
{
    bool locked = ctx->run->cutover->locks_large_objects;
    if (!lob_begin(&ctx->run->lob, ctx->run, LOB_AGAIN, locked, ctx->source, ctx->target, count,
                   err))
        return false;
    *count = locked ? 0 : *count;
    return true;
}

static bool begin_compare(StepCtx *ctx, size_t *count, Err *err)
{
    return lob_begin(&ctx->run->lob, ctx->run, LOB_COMPARE, false, ctx->source, ctx->target, count,
                     err);
}

static bool part(StepCtx *ctx, size_t number, Err *err)
{
    return lob_range(ctx->run->lob, number, ctx->arena, ctx->source, ctx->target, err);
}

static bool tell_copied(StepCtx *ctx, Err *err)
{
    (void)err;
    LobTotals totals = lob_totals(ctx->run->lob);
    log_info(&ctx->log,
             "%" PRId64 " large objects copied (%" PRId64 " bytes), %" PRId64
             " looked at again, %" PRId64 " removed",
             totals.copied, totals.bytes, totals.compared, totals.deleted);
    return true;
}

static bool end_fenced(StepCtx *ctx, Err *err)
{
    const Cutover *cutover = ctx->run->cutover;
    return (!cutover->locks_large_objects ||
            lob_all(ctx->run->lob, cutover->fence, ctx->target, err)) &&
           tell_copied(ctx, err);
}

static bool tell_compared(StepCtx *ctx, Err *err)
{
    LobTotals totals = lob_totals(ctx->run->lob);
    size_t count = 0;
    const char *const *named = lob_differences(ctx->run->lob, &count);
    log_info(&ctx->log,
             "%" PRId64 " large objects compared, %" PRId64 " differ, %" PRId64
             " changed on the source since they were copied",
             totals.compared, totals.differences, totals.behind);
    for (size_t i = 0; i < count; i++) {
        log_error(&ctx->log, "%s", named[i]);
        if (!journal_finding(ctx->target, ctx->run->journal.id, err_code_name(ERR_DIFFERENCE),
                             "error", "large objects", named[i], err))
            return false;
    }
    atomic_fetch_add(&ctx->run->counters.differences, totals.differences);
    return totals.differences == 0 ||
           err_set(err, ERR_DIFFERENCE, "%" PRId64 " large objects differ", totals.differences);
}

static bool undo(StepCtx *ctx, Err *err)
{
    return lob_remove_all(ctx->target, ctx->run->journal.id, err);
}

const StepKind STEP_LARGE_OBJECTS = {
    .name = "large_objects",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_COPY_JOB,
    .summary = "Brings the large objects of the database.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = tell_copied,
    .part_count = begin_copy,
    .part_apply = part,
    .verify = verify_in_apply,
    .undo = undo,
};

const StepKind STEP_LARGE_OBJECTS_VERIFY = {
    .name = "large_objects.verify",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Compares the large objects that came.",
    .expand = expand_verify,
    .describe = describe_verify,
    .observe = observe_until_switch,
    .apply = tell_compared,
    .part_count = begin_compare,
    .part_apply = part,
    .verify = verify_in_apply,
};

const StepKind STEP_LARGE_OBJECTS_REFRESH = {
    .name = "large_objects.refresh",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Brings the large objects that changed since, before the downtime.",
    .expand = expand_refresh,
    .describe = describe_refresh,
    .observe = observe_until_switch,
    .apply = tell_copied,
    .part_count = begin_again,
    .part_apply = part,
    .verify = verify_in_apply,
};

const StepKind STEP_CUTOVER_LARGE_OBJECTS = {
    .name = "cutover.large_objects",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION | STEP_DOWNTIME | STEP_CHANGES,
    .summary = "Brings the large objects that changed since, behind the fence.",
    .expand = expand_cutover,
    .describe = describe_cutover,
    .observe = observe_until_switch,
    .apply = end_fenced,
    .part_count = begin_fenced,
    .part_apply = part,
    .verify = verify_in_apply,
};
