/*
 * Step matview:V fills one materialized view once the target has caught up, in the order in which
 * they read each other. Once: like on the source it is as old as its last REFRESH.
 */
#include "pg/ddl.h"
#include "sql_text.h"
#include "step/common.h"

extern const StepKind STEP_MATVIEW;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    if (!blueprint->plan->copy.refresh_materialized_views)
        return true;
    for (size_t i = 0; i < blueprint->matview_count; i++) {
        const MatviewDef *view = &blueprint->matviews[i];
        if (!view->populated)
            continue;
        Step *step = step_add(builder, &STEP_MATVIEW, name_text(&arena, &view->name), view, 0);
        step_needs_kind(builder, step, "catchup");
        step_needs_kind(builder, step, "schema_post");
        for (size_t j = 0; j < blueprint->matview_count; j++) {
            const MatviewDef *earlier = &blueprint->matviews[j];
            if (earlier->populated && earlier->order < view->order)
                step_needs_id(
                    builder, step,
                    arena_printf(&arena, "matview:%s", name_text(&arena, &earlier->name)));
        }
    }
    return true;
}

static const char *refresh_sql(StepCtx *ctx)
{
    const MatviewDef *view = ctx->step->object;
    AUTO_STR Str sql = {0};
    str_append(&sql, "REFRESH MATERIALIZED VIEW ");
    ddl_qname(&sql, ctx->target, &view->name);
    return str_dup(ctx->arena, &sql);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const MatviewDef *view = ctx->step->object;
    description->sentence = arena_printf(ctx->arena, "refresh materialized view %s",
                                         name_text(ctx->arena, &view->name));
    description_add(ctx->arena, description, CONN_TARGET, refresh_sql(ctx));
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const MatviewDef *view = ctx->step->object;
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(ctx->target, SQL_SCHEMA_MATVIEW, PARAMS(view->name.schema, view->name.rel), &rows,
                 err))
        return false;
    observation->state =
        rows_count(rows) == 1 && rows_bool(rows, 0, 0) ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    return pg_none(ctx->target, refresh_sql(ctx), NO_PARAMS, err);
}

const StepKind STEP_MATVIEW = {
    .name = "matview",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Fills one materialized view.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
