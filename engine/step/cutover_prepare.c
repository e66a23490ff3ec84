/*
 * Step cutover.prepare: what can be done before the downtime begins: the session of the fence, the
 * marker, and a live look at the rows touched since verification.
 */
#include "copy/again.h"
#include "cutover/cutover.h"
#include "step/common.h"
#include "step/source_structure.h"

extern const StepKind STEP_CUTOVER_PREPARE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_CUTOVER_PREPARE, "gates");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "approval");
    step_needs_kind(builder, step, "large_objects.refresh");
    step_needs_kind(builder, step, "failback.prepare");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    (void)ctx;
    description->sentence =
        "look again at rows touched since verification; open what the fence needs";
    return true;
}

/* Their changes are left out since they were altered. */
static bool none_is_paused(const StepCtx *ctx, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const char *names = "";
    for (size_t i = 0; i < blueprint->paused_count; i++)
        names = arena_printf(ctx->arena, "%s%s%s", names, i == 0 ? "" : ", ",
                             name_text(ctx->arena, &blueprint->paused[i]));
    if (blueprint->paused_count == 0)
        return true;
    err_set(err, ERR_STALE, "the cutover cannot come: %s %s paused, altered on the source", names,
            blueprint->paused_count == 1 ? "is" : "are");
    return err_hint(err, "\"godwit status\" says what to do on the target; then \"godwit resync "
                         "PLAN TABLE\" takes it in again.");
}

static bool apply(StepCtx *ctx, Err *err)
{
    return none_is_paused(ctx, err) && source_structure_stands(ctx, err) &&
           again_check(ctx->run->blueprint, ctx->target, &ctx->log, err) &&
           cutover_prepare(ctx->run, err) &&
           cutover_verify_moved(ctx->run, ctx->source, ctx->target, true, err);
}

const StepKind STEP_CUTOVER_PREPARE = {
    .name = "cutover.prepare",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Does before the downtime what can be done before it.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
