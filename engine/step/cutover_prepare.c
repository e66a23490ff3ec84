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

static bool has_schema(const Blueprint *forth, const char *schema)
{
    for (size_t i = 0; i < forth->relation_count; i++)
        if (strcmp(forth->relations[i].target.schema, schema) == 0)
            return true;
    return false;
}

static bool is_target(const Blueprint *forth, const Name *name)
{
    for (size_t i = 0; i < forth->relation_count; i++)
        if (name_equal(&forth->relations[i].target, name))
            return true;
    return false;
}

/* A table that somebody made on the target has nowhere to go back to. */
static void tell_left_behind(StepCtx *ctx, const Catalog *target)
{
    if (ctx->run->forth == NULL)
        return;
    const Blueprint *forth = ctx->run->forth->blueprint;
    for (size_t i = 0; i < target->relations_count; i++) {
        const CatRelation *table = &target->relations[i];
        if ((table->kind != 'r' && table->kind != 'p') || table->is_partition || table->is_chunk ||
            table->of_extension || !has_schema(forth, table->name.schema) ||
            is_target(forth, &table->name))
            continue;
        log_warn(&ctx->log, "table %s is on the target alone: failback leaves it behind",
                 name_text(ctx->arena, &table->name));
    }
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
    if (ok)
        tell_left_behind(ctx, &catalog);
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
