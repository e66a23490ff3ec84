/*
 * The source's structure at the cutover: compared as a whole before the downtime, and behind the
 * fence only if the fingerprint of all tables has moved since.
 */
#include "step/source_structure.h"

#include "blueprint/reverse.h"
#include "blueprint/structure.h"
#include "copy/published.h"
#include "cutover/cutover.h"
#include "sql_text.h"

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

/* By test_decoding's changes a table that was renamed for a while cannot be told from one that got
 * other privileges. */
static const char *refiled_text(const Run *run)
{
    return run->plan->replication.plugin == PLAN_PLUGIN_TEST_DECODING
               ? "has another file or another row in pg_class than it had (it was truncated, "
                 "rewritten, or renamed for a while, or somebody got privileges)"
               : "has another file than it had (it was truncated, or rewritten)";
}

/* Tables with another file than they had are compared whole: before the fence since their copy,
 * behind it since that comparison. \param since as recorded then; NULL: nothing was */
static void note_refiled(StepCtx *ctx, const Blueprint *now, const char *since)
{
    Cutover *cutover = ctx->run->cutover;
    const Blueprint *blueprint = ctx->run->blueprint;
    bool *refiled = arena_array(&cutover->arena, bool, blueprint->relation_count + 1);
    bool compares = ctx->run->plan->replication.publish == PLAN_PUBLISH_ALL;
    cutover->structure = structure_text(&cutover->arena, now);
    cutover->refiled = compares ? refiled : NULL;
    if (since != NULL)
        structure_refiled(blueprint, since, cutover->structure, refiled);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (refiled[i] && !compares)
            log_warn(&ctx->log,
                     "%s %s; what replication.publish leaves out is lost by it, too, and nothing "
                     "is compared",
                     name_text(ctx->arena, &blueprint->relations[i].source),
                     refiled_text(ctx->run));
        else if (refiled[i])
            log_info(&ctx->log, "%s %s: it is compared whole",
                     name_text(ctx->arena, &blueprint->relations[i].source),
                     refiled_text(ctx->run));
}

static bool same(StepCtx *ctx, const Blueprint *now, Err *err)
{
    const char *before = structure_text(ctx->arena, ctx->run->blueprint);
    const char *after = structure_but_files(ctx->arena, before, structure_text(ctx->arena, now));
    return ctx->run->forth != NULL ? reverse_same(before, after, err)
                                   : structure_same(before, after, err);
}

static bool compare(StepCtx *ctx, const char *since, Err *err)
{
    Catalog catalog = {0};
    Blueprint now = {0};
    bool ok = catalog_inspect(&catalog, ctx->source, err) && rebuild(ctx, &catalog, &now, err) &&
              same(ctx, &now, err);
    if (ok) {
        note_refiled(ctx, &now, since);
        tell_left_behind(ctx, &catalog);
    }
    blueprint_release(&now);
    catalog_release(&catalog);
    return ok;
}

/* What was written to a table while no publication had it is missing: it is compared whole, too. */
static bool note_published(StepCtx *ctx, const char *const *then, Err *err)
{
    Cutover *cutover = ctx->run->cutover;
    const Blueprint *blueprint = ctx->run->blueprint;
    bool *moved = arena_array(&cutover->arena, bool, blueprint->relation_count + 1);
    const char **now = NULL;
    if (ctx->run->forth != NULL)
        return true;
    if (!published_still(&cutover->arena, ctx->run, ctx->source, ctx->target, then, &now, moved,
                         err))
        return false;
    cutover->published = now;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (!moved[i])
            continue;
        log_warn(&ctx->log, "the publication of %s was altered since it was copied: %s",
                 name_text(ctx->arena, &blueprint->relations[i].source),
                 cutover->refiled == NULL ? "what was written meanwhile may be missing"
                                          : "it is compared whole");
    }
    for (size_t i = 0; cutover->refiled != NULL && i < blueprint->relation_count; i++)
        moved[i] = moved[i] || cutover->refiled[i];
    if (cutover->refiled != NULL)
        cutover->refiled = moved;
    return true;
}

static bool read_shape(StepCtx *ctx, const char **shape, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(ctx->source, SQL_CDC_SHAPE, NO_PARAMS, &rows, err))
        return false;
    *shape = arena_strdup(&ctx->run->cutover->arena, rows_text(rows, 0, 0));
    return true;
}

/* The fingerprint is the older of the two: what comes between them is compared once more. The
 * journal's rows of either way stand on the side that is written to. */
bool source_structure_stands(StepCtx *ctx, Err *err)
{
    const char *recorded = NULL;
    return read_shape(ctx, &ctx->run->cutover->shape, err) &&
           journal_structure_read(ctx->arena, ctx->target, ctx->run->journal.id, &recorded, err) &&
           compare(ctx, recorded, err) && note_published(ctx, NULL, err);
}

bool source_structure_still(StepCtx *ctx, Err *err)
{
    const char *shape = NULL;
    const char *before = ctx->run->cutover->shape;
    if (!read_shape(ctx, &shape, err))
        return false;
    ctx->run->cutover->refiled = NULL; /* done, before the fence */
    return (before != NULL && strcmp(before, shape) == 0) ||
           (compare(ctx, ctx->run->cutover->structure, err) &&
            note_published(ctx, ctx->run->cutover->published, err));
}
