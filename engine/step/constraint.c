/*
 * Step constraint:C makes one primary key, unique or exclusion constraint: from the index that step
 * index built where PostgreSQL allows it, in one statement that builds its own otherwise
 * (partitioned tables, hypertables, exclusion).
 */
#include "step/ddl_step.h"

extern const StepKind STEP_CONSTRAINT;

/* A constraint takes a lock that no build on the same table may hold: it comes after them. */
static void needs_indexes(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                          const IndexDef *def)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->index_count; i++) {
        const IndexDef *other = &blueprint->indexes[i];
        if (other->relation == def->relation && name_equal(&other->table, &def->table) &&
            !index_is_direct(blueprint, other))
            step_needs_id(builder, step,
                          arena_printf(&arena, "index:%s", name_text(&arena, &other->name)));
    }
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->index_count; i++) {
        const IndexDef *def = &blueprint->indexes[i];
        if (def->constraint_sql == NULL)
            continue;
        bool direct = index_is_direct(blueprint, def);
        Step *step = step_add(builder, &STEP_CONSTRAINT,
                              constraint_text(&arena, &def->table, def->constraint_name), def,
                              direct ? (double)def->bytes : 0);
        step_at(step, def->relation->pos);
        step_needs_rows(builder, step, blueprint, def->relation);
        needs_indexes(builder, step, blueprint, def);
        step_needs_below(builder, step, blueprint, def);
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* What pg_get_constraintdef() says after the columns; these words cannot be part of a name there,
 * since a name is followed by a parenthesis. */
static const char *deferral(const IndexDef *def)
{
    static const char *const TAILS[] = {" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"};
    for (size_t i = 0; i < sizeof(TAILS) / sizeof(TAILS[0]); i++) {
        if (ends_with(def->constraint_sql, TAILS[i]))
            return TAILS[i];
    }
    return "";
}

static const char *add_sql(StepCtx *ctx, const IndexDef *def)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER TABLE ");
    ddl_qname(&sql, ctx->target, &def->table);
    str_append(&sql, " ADD CONSTRAINT ");
    ddl_ident(&sql, ctx->target, def->constraint_name);
    if (index_is_direct(ctx->run->blueprint, def)) {
        str_appendf(&sql, " %s", def->constraint_sql);
    } else {
        str_append(&sql, def->constraint_type == 'p' ? " PRIMARY KEY" : " UNIQUE");
        str_append(&sql, " USING INDEX ");
        ddl_ident(&sql, ctx->target, def->name.rel);
        str_append(&sql, deferral(def));
    }
    return str_dup(ctx->arena, &sql);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const IndexDef *def = ctx->step->object;
    description->sentence = arena_printf(ctx->arena, "add constraint %s to %s",
                                         name_part_text(ctx->arena, def->constraint_name),
                                         name_text(ctx->arena, &def->table));
    SqlVec statements = {0};
    if (index_is_direct(ctx->run->blueprint, def))
        description->estimate = (StepEstimate){.work = WORK_INDEX, .rows = -1, .bytes = def->bytes};
    *vec_push(ctx->arena, &statements) = add_sql(ctx, def);
    index_marks(ctx, def, &(TargetIndex){0}, &statements);
    ddl_describe(ctx, description, &statements);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const IndexDef *def = ctx->step->object;
    TargetIndex found;
    if (!target_constraint(ctx, &def->table, def->constraint_name, &found, err))
        return false;
    if (found.exists && found.type != def->constraint_type) {
        observation->state = OBSERVED_DRIFTED;
        observation->reason =
            arena_printf(ctx->arena, "constraint %s is there but is of another kind",
                         constraint_text(ctx->arena, &def->table, def->constraint_name));
        return true;
    }
    observation->state = found.exists && found.valid && index_marks_set(def, &found)
                             ? OBSERVED_SATISFIED
                             : OBSERVED_NEEDED;
    observation->there = found.exists;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    const IndexDef *def = ctx->step->object;
    TargetIndex found;
    if (!target_constraint(ctx, &def->table, def->constraint_name, &found, err))
        return false;
    SqlVec add = {0};
    if (!found.exists)
        *vec_push(ctx->arena, &add) = add_sql(ctx, def);
    if (add.count > 0 && !ddl_apply(ctx, &add, true, err))
        return false;
    SqlVec marks = {0};
    index_marks(ctx, def, &found, &marks);
    return marks.count == 0 || ddl_apply(ctx, &marks, false, err);
}

const StepKind STEP_CONSTRAINT = {
    .name = "constraint",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_TARGET | STEP_INDEX_JOB,
    .summary = "Makes one primary key, unique or exclusion constraint.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
