/*
 * Steps privileges and privileges.rehearse give the target's objects the owners and privileges that
 * they have on the source. That is done behind both fences, right before the switch: until then the
 * applications' roles can do nothing on the target. Before the gates the same statements are run in
 * a transaction that is rolled back, so that what cannot be given is known before the downtime.
 */
#include "cutover/cutover.h"
#include "roles/access.h"

#include "step/ddl_step.h"

extern const StepKind STEP_PRIVILEGES, STEP_PRIVILEGES_REHEARSE;

#define BATCH           300
#define REHEARSED_MOST  1000
#define LOCK_TIMEOUT_MS 900
#define RETRY_MS        200

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_PRIVILEGES, "cutover.verify"),
            blueprint->plan->schema.pos);
    return true;
}

static bool expand_rehearse(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_PRIVILEGES_REHEARSE, "catchup");
    step_at(step, blueprint->plan->schema.pos);
    step_needs_kind(builder, step, "schema_post");
    step_needs_kind(builder, step, "validate");
    step_needs_kind(builder, step, "matview");
    return true;
}

/* Owners, privileges, default privileges: in this order. */
static bool read_statements(StepCtx *ctx, bool before, AccessPlan *plan, SqlVec *statements,
                            Err *err)
{
    Access access = {0};
    if (!access_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &access, err))
        return false;
    access_plan(ctx->arena, &access, ctx->target, before, plan);
    const RoleSql *const parts[] = {&plan->owners, &plan->privileges, &plan->defaults};
    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
        for (size_t i = 0; i < parts[p]->count; i++)
            *vec_push(ctx->arena, statements) = parts[p]->items[i];
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    AccessPlan plan = {0};
    SqlVec statements = {0};
    if (!read_statements(ctx, true, &plan, &statements, err))
        return false;
    description->sentence =
        statements.count == 0
            ? "owners and privileges: nothing is to be given"
            : arena_printf(ctx->arena,
                           "give owners (%zu statements), privileges (%zu), default privileges "
                           "(%zu) as on the source",
                           plan.owners.count, plan.privileges.count, plan.defaults.count);
    ddl_describe(ctx, description, &statements);
    for (size_t i = 0; i < plan.gaps.count; i++) {
        const AccessGap *gap = &plan.gaps.items[i];
        description_add(ctx->arena, description, CONN_TARGET,
                        arena_printf(ctx->arena, "-- left out: %s of %s on %zu objects: %s",
                                     gap->what, name_part_text(ctx->arena, gap->role), gap->count,
                                     gap->why));
    }
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    AccessPlan plan = {0};
    SqlVec statements = {0};
    observation->state = OBSERVED_SATISFIED;
    if (run_is_switched(ctx->run))
        return true;
    observation->state = OBSERVED_NEEDED;
    if (ctx->run->cutover != NULL && cutover_downtime_ms(ctx->run) > 0)
        return true; /* writers wait: apply() looks anyway */
    if (!read_statements(ctx, true, &plan, &statements, err))
        return false;
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static void tell_gaps(StepCtx *ctx, const AccessPlan *plan)
{
    for (size_t i = 0; i < plan->gaps.count; i++) {
        const AccessGap *gap = &plan->gaps.items[i];
        log_warn(&ctx->log, "%s of %s is left out on %zu objects (%s%s): %s", gap->what,
                 name_part_text(ctx->arena, gap->role), gap->count, gap->first,
                 gap->count > 1 ? ", ..." : "", gap->why);
    }
}

static bool apply(StepCtx *ctx, Err *err)
{
    AccessPlan plan = {0};
    SqlVec statements = {0};
    if (!read_statements(ctx, false, &plan, &statements, err))
        return false;
    for (size_t at = 0; at < statements.count; at += BATCH) {
        SqlVec batch = {0};
        for (size_t i = at; i < statements.count && i < at + BATCH; i++)
            *vec_push(ctx->arena, &batch) = statements.items[i];
        if (!ddl_apply(ctx, &batch, false, err))
            return err_context(err, "could not give owners and privileges");
    }
    return true;
}

/* --- rehearsal --- */

static bool describe_rehearse(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    (void)ctx;
    description->sentence =
        "try the owners and privileges of step privileges in a transaction that is rolled back";
    return true;
}

/* \param locked a lock was not to be had: try again */
static bool rehearse_once(StepCtx *ctx, bool *locked, Err *err)
{
    AccessPlan plan = {0};
    SqlVec statements = {0};
    SqlVec left = {0};
    *locked = false;
    if (!read_statements(ctx, false, &plan, &statements, err))
        return false;
    size_t most = statements.count < REHEARSED_MOST ? statements.count : REHEARSED_MOST;
    const char *limit = arena_printf(ctx->arena, "SET LOCAL lock_timeout = %d", LOCK_TIMEOUT_MS);
    bool done =
        pg_begin(ctx->target, "READ WRITE", err) && pg_none(ctx->target, limit, NO_PARAMS, err);
    for (size_t i = 0; i < most && done; i++)
        done = pg_none(ctx->target, statements.items[i], NO_PARAMS, err);
    done = done && read_statements(ctx, false, &(AccessPlan){0}, &left, err);
    pg_rollback(ctx->target);
    if (!done) {
        *locked = strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
        return false;
    }
    tell_gaps(ctx, &plan);
    if (left.count > 0 && most == statements.count)
        log_warn(&ctx->log, "%zu statements have no effect, the first is: %s", left.count,
                 left.items[0]);
    return true;
}

static bool apply_rehearse(StepCtx *ctx, Err *err)
{
    for (;;) {
        AUTO_ERR Err failed = {0};
        bool locked = false;
        if (rehearse_once(ctx, &locked, &failed))
            return true;
        if (!locked) {
            err_move(err, &failed);
            return err_context(err, "owners and privileges cannot be given");
        }
        if (!stop_sleep(ctx->run->stop, RETRY_MS))
            return stop_error(ctx->run->stop, err);
    }
}

const StepKind STEP_PRIVILEGES = {
    .name = "privileges",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_DOWNTIME | STEP_ALONE | STEP_CHANGES,
    .summary = "Gives objects the owners and privileges that they have on the source.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};

const StepKind STEP_PRIVILEGES_REHEARSE = {
    .name = "privileges.rehearse",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE,
    .summary = "Tries owners and privileges in a transaction that is rolled back.",
    .expand = expand_rehearse,
    .describe = describe_rehearse,
    .observe = observe_until_switch,
    .apply = apply_rehearse,
    .verify = verify_in_apply,
};
