/*
 * Step cutover.prepare: what can be done before the downtime begins: the session of the fence, the
 * marker, and a live look at the rows touched since verification.
 */
#include "blueprint/reverse.h"
#include "blueprint/structure.h"
#include "cutover/cutover.h"
#include "step/common.h"

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

/* As the run's own blueprint was made, from the servers as they are now. */
static bool rebuild(StepCtx *ctx, const Catalog *source, Blueprint *now, Err *err)
{
    const Run *run = ctx->run;
    PlanFindings findings = {0};
    AUTO_ERR Err unfit = {0}; /* a selector that matches nothing any more; the comparison tells */
    if (run->forth != NULL) {
        Plan *plan = arena_new(ctx->arena, Plan);
        return blueprint_reverse(ctx->arena, now, plan, run->forth->blueprint, source,
                                 run->blueprint->target, err);
    }
    return blueprint_build(now, run->plan, source, run->blueprint->target, &findings, &unfit) ||
           unfit.code == ERR_PLAN || err_move(err, &unfit);
}

/* A table, a partition, a column that came meanwhile is not on the target, and what went is still
 * there: neither shows in the stream while no row of it changes. */
static bool structure_stands(StepCtx *ctx, Err *err)
{
    Catalog catalog = {0};
    Blueprint now = {0};
    bool ok = catalog_inspect(&catalog, ctx->source, err) && rebuild(ctx, &catalog, &now, err) &&
              structure_same(structure_text(ctx->arena, ctx->run->blueprint),
                             structure_text(ctx->arena, &now), err);
    blueprint_release(&now);
    catalog_release(&catalog);
    return ok;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return structure_stands(ctx, err) && cutover_prepare(ctx->run, err) &&
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
