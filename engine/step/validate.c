/*
 * Step validate:C proves one foreign key once the target has caught up: only then do relations that
 * were copied under different snapshots agree. Rows without their parent are reported and the key
 * stays NOT VALID; that is a warning, not a failure.
 */
#include "step/foreign_key.h"

#include <jansson.h>

extern const StepKind STEP_VALIDATE;

#define SQLSTATE_FOREIGN_KEY "23503"

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    if (blueprint_keeps_quiet(blueprint))
        return true; /* step validate_late does it */
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        bool two_steps = foreign_key_is_two_steps(blueprint, key);
        if (two_steps && !key->validated)
            continue;
        const char *text = constraint_text(&arena, &key->table, key->name);
        Step *step = step_add(builder, &STEP_VALIDATE, text, key, 0);
        step_at(step, key->relation->pos);
        step_needs_kind(builder, step, "catchup");
        if (two_steps)
            step_needs_id(builder, step, arena_printf(&arena, "foreign_key:%s", text));
    }
    return true;
}

static const char *validate_sql(StepCtx *ctx, const ForeignKey *key)
{
    if (!foreign_key_is_two_steps(ctx->run->blueprint, key))
        return foreign_key_sql(ctx, key, false);
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER TABLE ");
    ddl_qname(&sql, ctx->target, &key->table);
    str_append(&sql, " VALIDATE CONSTRAINT ");
    ddl_ident(&sql, ctx->target, key->name);
    return str_dup(ctx->arena, &sql);
}

bool validate_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const ForeignKey *key = ctx->step->object;
    description->sentence = arena_printf(
        ctx->arena, "%s foreign key %s of %s",
        foreign_key_is_two_steps(ctx->run->blueprint, key) ? "validate" : "add and validate",
        name_part_text(ctx->arena, key->name), name_text(ctx->arena, &key->table));
    description_add(ctx->arena, description, CONN_TARGET, validate_sql(ctx, key));
    return true;
}

bool validate_observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const ForeignKey *key = ctx->step->object;
    TargetIndex found;
    if (!target_constraint(ctx, &key->table, key->name, &found, err))
        return false;
    bool proved =
        found.validated || !foreign_key_is_two_steps(ctx->run->blueprint, key); /* or orphaned */
    observation->state = found.exists && proved ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

/* A table with a columnstore refused it as a whole. */
static bool keep_not_valid(StepCtx *ctx, const ForeignKey *key, Err *err)
{
    SqlVec statements = {0};
    if (!foreign_key_is_of_columnstore(key))
        return true;
    *vec_push(ctx->arena, &statements) = foreign_key_sql(ctx, key, true);
    return ddl_apply(ctx, &statements, false, err);
}

/* The orphans are the source's own (or the plan leaves their parents out). */
bool validate_orphans(StepCtx *ctx, const ForeignKey *key, const Err *found, Err *err)
{
    if (!keep_not_valid(ctx, key, err))
        return false;
    const char *name = constraint_text(ctx->arena, &key->table, key->name);
    const char *detail = found->detail == NULL ? found->message : found->detail;
    int length = (int)strcspn(detail, "\n");
    log_warn(&ctx->log, "foreign key %s is left NOT VALID, rows without their parent: %.*s", name,
             length, detail);
    json_t *event = json_pack("{s:s, s:s, s:s#}", "constraint", name, "message", found->message,
                              "detail", detail, length);
    char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(event);
    bool done = journal_event(ctx->target, ctx->run->journal.id, "orphans", text, err);
    mem_free(text);
    return done;
}

bool validate_apply(StepCtx *ctx, Err *err)
{
    const ForeignKey *key = ctx->step->object;
    SqlVec statements = {0};
    *vec_push(ctx->arena, &statements) = validate_sql(ctx, key);
    AUTO_ERR Err failed = {0};
    if (ddl_apply(ctx, &statements, false, &failed))
        return true;
    if (strcmp(failed.sqlstate, SQLSTATE_FOREIGN_KEY) != 0)
        return err_move(err, &failed);
    if (ctx->run->plan->schema.foreign_keys_validated && key->validated) {
        err_move(err, &failed);
        return err_hint(err, "The rows are the source's own: repair them there, or say "
                             "schema.foreign_keys: not_valid_then_validate, which leaves the key "
                             "NOT VALID.");
    }
    return validate_orphans(ctx, key, &failed, err);
}

const StepKind STEP_VALIDATE = {
    .name = "validate",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Validates one foreign key; orphans are reported.",
    .per_object = true,
    .expand = expand,
    .describe = validate_describe,
    .observe = validate_observe,
    .apply = validate_apply,
    .verify = verify_in_apply,
};
