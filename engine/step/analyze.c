/*
 * Step analyze:T gives the target's planner statistics once a table and its indexes stand; with
 * copy.vacuum it marks pages all-visible as well.
 */
#include "pg/ddl.h"
#include "pg/query.h"
#include "step/common.h"
#include "step/ddl_step.h"

extern const StepKind STEP_ANALYZE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    Step **steps = arena_array(&arena, Step *, blueprint->relation_count);
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        const char *name = name_text(&arena, &relation->target);
        if (relation->merge != NULL && relation->merge != relation)
            continue;
        steps[i] = step_add(builder, &STEP_ANALYZE, name, relation, 0);
        step_at(steps[i], relation->pos);
        step_needs_rows(builder, steps[i], blueprint, relation);
    }
    for (size_t i = 0; i < blueprint->index_count; i++) {
        const IndexDef *index = &blueprint->indexes[i];
        Step *step = steps[index->relation->index];
        step_needs_id(builder, step,
                      arena_printf(&arena, "index:%s", name_text(&arena, &index->name)));
        if (index->constraint_name != NULL)
            step_needs_id(
                builder, step,
                arena_printf(&arena, "constraint:%s",
                             constraint_text(&arena, &index->table, index->constraint_name)));
    }
    return true;
}

static void analyze_sql(Str *sql, const StepCtx *ctx)
{
    const Relation *relation = ctx->step->object;
    str_append(sql, ctx->run->plan->copy.vacuum ? "VACUUM (ANALYZE) " : "ANALYZE ");
    ddl_qname(sql, ctx->target, &relation->target);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const Relation *relation = ctx->step->object;
    AUTO_STR Str sql = {0};
    description->sentence = arena_printf(ctx->arena, "gather statistics of %s",
                                         name_text(ctx->arena, &relation->target));
    analyze_sql(&sql, ctx);
    description_add(ctx->arena, description, CONN_TARGET, sql.data);
    return true;
}

/* The server's own count of analyses does not survive a crash: the journal's word is enough. */
static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    bool done = ctx->recorded_done || run_is_switched(ctx->run);
    observation->state = done ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    AUTO_STR Str sql = {0};
    if (ctx->run->plan->copy.vacuum) {
        analyze_sql(&sql, ctx);
        return pg_none(ctx->target, sql.data, NO_PARAMS, err);
    }
    str_append(&sql, "BEGIN; SET LOCAL synchronous_commit = off; ");
    analyze_sql(&sql, ctx);
    str_append(&sql, "; COMMIT");
    return pg_script(ctx->target, sql.data, err);
}

const StepKind STEP_ANALYZE = {
    .name = "analyze",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Gathers statistics of one table on the target.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};
