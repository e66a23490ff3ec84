/*
 * Step foreign_key:C adds one foreign key NOT VALID: new rows are checked from now on, rows that
 * are there are looked at by step validate once the target has caught up.
 */
#include "step/foreign_key.h"

extern const StepKind STEP_FOREIGN_KEY;

static const char NOT_VALID[] = " NOT VALID";

bool foreign_key_is_of_columnstore(const ForeignKey *key)
{
    const PlanHypertable *hypertable = key->relation->hypertable;
    return hypertable != NULL && hypertable->columnstore != NULL;
}

bool foreign_key_is_two_steps(const Blueprint *blueprint, const ForeignKey *key)
{
    const CatRelation *table = catalog_relation(blueprint->source, key->table_oid);
    bool partitioned = table != NULL && table->kind == 'p' && !relation_is_gathered(key->relation);
    if (key->validated &&
        (blueprint->plan->schema.foreign_keys_validated || foreign_key_is_of_columnstore(key)))
        return false;
    return !partitioned || blueprint->target->server.version >= 180000;
}

const char *foreign_key_sql(StepCtx *ctx, const ForeignKey *key, bool not_valid)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER TABLE ");
    ddl_qname(&sql, ctx->target, &key->table);
    str_append(&sql, " ADD CONSTRAINT ");
    ddl_ident(&sql, ctx->target, key->name);
    AUTO_STR Str definition = {0};
    const CatRelation *referenced =
        catalog_relation(ctx->run->blueprint->source, key->referenced_oid);
    if (referenced != NULL && !name_equal(&referenced->name, &key->referenced))
        ddl_renamed(&definition, ctx->target, key->sql, " REFERENCES ", &key->referenced);
    else
        str_append(&definition, key->sql);
    size_t length = definition.length;
    size_t tail = strlen(NOT_VALID);
    if (length > tail && strcmp(definition.data + length - tail, NOT_VALID) == 0)
        length -= tail;
    str_append_char(&sql, ' ');
    str_append_bytes(&sql, definition.data, length);
    str_append(&sql, not_valid ? NOT_VALID : "");
    return str_dup(ctx->arena, &sql);
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    if (blueprint_keeps_quiet(blueprint))
        return true; /* step foreign_keys_late adds them */
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        if (!foreign_key_is_two_steps(blueprint, key))
            continue;
        Step *step = step_add(builder, &STEP_FOREIGN_KEY,
                              constraint_text(&arena, &key->table, key->name), key, 0);
        step_at(step, key->relation->pos);
        step_needs_kind(builder, step, "wave_end");
        step_needs_kind(builder, step, "index");
        step_needs_kind(builder, step, "constraint");
    }
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const ForeignKey *key = ctx->step->object;
    description->sentence =
        arena_printf(ctx->arena, "add foreign key %s of %s to %s, not valid yet",
                     name_part_text(ctx->arena, key->name), name_text(ctx->arena, &key->table),
                     name_text(ctx->arena, &key->referenced));
    description_add(ctx->arena, description, CONN_TARGET, foreign_key_sql(ctx, key, true));
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const ForeignKey *key = ctx->step->object;
    TargetIndex found;
    if (!target_constraint(ctx, &key->table, key->name, &found, err))
        return false;
    observation->state = found.exists ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    if (found.exists && found.type != 'f') {
        observation->state = OBSERVED_DRIFTED;
        observation->reason =
            arena_printf(ctx->arena, "constraint %s is there but is no foreign key",
                         constraint_text(ctx->arena, &key->table, key->name));
    }
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    SqlVec statements = {0};
    *vec_push(ctx->arena, &statements) = foreign_key_sql(ctx, ctx->step->object, true);
    return ddl_apply(ctx, &statements, false, err);
}

const StepKind STEP_FOREIGN_KEY = {
    .name = "foreign_key",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_TARGET,
    .summary = "Adds one foreign key, NOT VALID.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
