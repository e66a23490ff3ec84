/*
 * Step foreign_keys_late adds, after the drain, every foreign key of a target that had to be kept
 * quiet until then (docs/adr/0007): NOT VALID, which reads no row; one transaction. Where
 * PostgreSQL cannot do that (a partitioned table before 18) the whole key is added, which reads the
 * table.
 */
#include "step/foreign_key.h"

#include "pg/ddl.h"

extern const StepKind STEP_FOREIGN_KEYS_LATE;

#define SQLSTATE_FOREIGN_KEY "23503"

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (!blueprint_keeps_quiet(blueprint) || blueprint->foreign_key_count == 0)
        return true;
    step_needs_kind(builder, step_add_after(builder, &STEP_FOREIGN_KEYS_LATE, "cutover.drain"),
                    "cutover.unlogged");
    return true;
}

/* \param there whether to list the keys that stand on the target, or those that are missing */
static bool list_keys(StepCtx *ctx, bool there, const ForeignKey **keys, size_t *count, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    *count = 0;
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        TargetIndex found;
        if (!target_constraint(ctx, &key->table, key->name, &found, err))
            return false;
        if (found.exists == there)
            keys[(*count)++] = key;
    }
    return true;
}

static const ForeignKey **room(StepCtx *ctx)
{
    return arena_array(ctx->arena, const ForeignKey *, ctx->run->blueprint->foreign_key_count + 1);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const ForeignKey **keys = room(ctx);
    size_t count = 0;
    if (!list_keys(ctx, false, keys, &count, err))
        return false;
    description->sentence =
        arena_printf(ctx->arena, "add %zu foreign key%s, which had to wait for the drain", count,
                     count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++)
        description_add(
            ctx->arena, description, CONN_TARGET,
            foreign_key_sql(ctx, keys[i], foreign_key_is_two_steps(blueprint, keys[i])));
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    size_t count = 0;
    if (!list_keys(ctx, false, room(ctx), &count, err))
        return false;
    observation->state = count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

/* The rows of a partitioned table are looked at at once; orphans are the source's own, so the key
 * that they break cannot stand. */
static bool add_whole(StepCtx *ctx, const ForeignKey *key, Err *err)
{
    AUTO_ERR Err failed = {0};
    SqlVec statements = {0};
    *vec_push(ctx->arena, &statements) = foreign_key_sql(ctx, key, false);
    if (ddl_apply(ctx, &statements, false, &failed))
        return true;
    if (strcmp(failed.sqlstate, SQLSTATE_FOREIGN_KEY) != 0)
        return err_move(err, &failed);
    return validate_orphans(ctx, key, &failed, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const ForeignKey **keys = room(ctx);
    SqlVec statements = {0};
    size_t count = 0;
    if (!list_keys(ctx, false, keys, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (foreign_key_is_two_steps(blueprint, keys[i]))
            *vec_push(ctx->arena, &statements) = foreign_key_sql(ctx, keys[i], true);
    if (statements.count > 0 && !ddl_apply(ctx, &statements, false, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!foreign_key_is_two_steps(blueprint, keys[i]) && !add_whole(ctx, keys[i], err))
            return false;
    return true;
}

static bool no_key_waits(StepCtx *ctx)
{
    return !blueprint_keeps_quiet(ctx->run->blueprint) ||
           ctx->run->blueprint->foreign_key_count == 0;
}

bool foreign_keys_late_hold(StepCtx *ctx, Err *err)
{
    const ForeignKey **keys = room(ctx);
    SqlVec statements = {0};
    size_t count = 0;
    if (no_key_waits(ctx))
        return true;
    if (!list_keys(ctx, true, keys, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "ALTER TABLE ");
        ddl_qname(&sql, ctx->target, &keys[i]->table);
        str_append(&sql, " DROP CONSTRAINT ");
        ddl_ident(&sql, ctx->target, keys[i]->name);
        *vec_push(ctx->arena, &statements) = str_dup(ctx->arena, &sql);
    }
    if (count == 0)
        return true;
    log_info(&ctx->log,
             "%zu foreign keys of a cutover that was rolled back wait again for the drain", count);
    return ddl_apply(ctx, &statements, false, err);
}

const StepKind STEP_FOREIGN_KEYS_LATE = {
    .name = "foreign_keys_late",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_TARGET | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Adds the foreign keys that would have acted on replicated changes.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};
