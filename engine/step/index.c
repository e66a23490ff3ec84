/*
 * Step index:I builds one index once the rows of its relation are there: plain indexes, and those
 * that a constraint is made from afterwards. Indexes of partitions come before those of the tables
 * above them, which adopt them.
 */
#include "step/ddl_step.h"

#include "sql_text.h"

extern const StepKind STEP_INDEX;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->index_count; i++) {
        const IndexDef *def = &blueprint->indexes[i];
        if (index_is_direct(blueprint, def))
            continue;
        Step *step =
            step_add(builder, &STEP_INDEX, name_text(&arena, &def->name), def, (double)def->bytes);
        step_at(step, def->relation->pos);
        step_needs_rows(builder, step, blueprint, def->relation);
        step_needs_below(builder, step, blueprint, def);
    }
    return true;
}

static void drop_sql(StepCtx *ctx, const IndexDef *def, SqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "DROP INDEX ");
    ddl_qname(&sql, ctx->target, &def->name);
    *vec_push(ctx->arena, statements) = str_dup(ctx->arena, &sql);
}

static const char *index_sql(StepCtx *ctx, const IndexDef *def)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    if (blueprint_rename(blueprint, def->table_oid) == NULL)
        return def->sql;
    AUTO_STR Str sql = {0};
    ddl_renamed(&sql, ctx->target, def->sql, " ON ", &def->table);
    return str_dup(ctx->arena, &sql);
}

/* The marks of an index that becomes a constraint are that step's. */
static void marks(StepCtx *ctx, const IndexDef *def, const TargetIndex *found, SqlVec *statements)
{
    if (def->constraint_sql == NULL)
        index_marks(ctx, def, found, statements);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const IndexDef *def = ctx->step->object;
    description->sentence =
        arena_printf(ctx->arena, "build index %s on %s", name_text(ctx->arena, &def->name),
                     name_text(ctx->arena, &def->table));
    SqlVec statements = {0};
    description->estimate = (StepEstimate){.work = WORK_INDEX, .rows = -1, .bytes = def->bytes};
    *vec_push(ctx->arena, &statements) = index_sql(ctx, def);
    marks(ctx, def, &(TargetIndex){0}, &statements);
    ddl_describe(ctx, description, &statements);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const IndexDef *def = ctx->step->object;
    TargetIndex found;
    if (!target_index(ctx, &def->name, &found, err))
        return false;
    if (found.exists && !name_equal(&found.table, &def->table)) {
        observation->state = OBSERVED_DRIFTED;
        observation->reason = arena_printf(
            ctx->arena, "index %s stands on %s, not on %s", name_text(ctx->arena, &def->name),
            name_text(ctx->arena, &found.table), name_text(ctx->arena, &def->table));
        return true;
    }
    bool marked = def->constraint_sql != NULL || index_marks_set(def, &found);
    observation->state =
        found.exists && found.valid && marked ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    observation->there = found.exists;
    if (found.exists && !found.valid)
        observation->reason = "an invalid index of this name is dropped and built again";
    return true;
}

/* A partition that came late was attached to a table that has its primary key: so it got one, under
 * a name that PostgreSQL chose. \param is_so receives whether it has the source's name now */
static bool take_inherited_key(StepCtx *ctx, const IndexDef *def, bool *is_so, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    SqlVec statements = {0};
    *is_so = false;
    if (!def->on_leaf || def->constraint_type != 'p')
        return true;
    if (!pg_rows(ctx->target, SQL_SCHEMA_INHERITED_KEY, PARAMS(def->table.schema, def->table.rel),
                 &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *is_so = true;
    str_append(&sql, "ALTER TABLE ");
    ddl_qname(&sql, ctx->target, &def->table);
    str_append(&sql, " RENAME CONSTRAINT ");
    ddl_ident(&sql, ctx->target, rows_text(rows, 0, 0));
    str_append(&sql, " TO ");
    ddl_ident(&sql, ctx->target, def->constraint_name);
    *vec_push(ctx->arena, &statements) = sql.data;
    return ddl_apply(ctx, &statements, false, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    const IndexDef *def = ctx->step->object;
    TargetIndex found;
    bool is_so = false;
    if (!target_index(ctx, &def->name, &found, err))
        return false;
    if (!found.exists && (!take_inherited_key(ctx, def, &is_so, err) || is_so))
        return is_so;
    if (found.exists && !found.valid) {
        SqlVec drop = {0};
        drop_sql(ctx, def, &drop);
        if (!ddl_apply(ctx, &drop, false, err))
            return false;
        found = (TargetIndex){0};
    }
    if (!found.exists && !ddl_build(ctx, index_sql(ctx, def), err))
        return false;
    SqlVec statements = {0};
    marks(ctx, def, &found, &statements);
    return statements.count == 0 || ddl_apply(ctx, &statements, false, err);
}

const StepKind STEP_INDEX = {
    .name = "index",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_TARGET | STEP_INDEX_JOB,
    .summary = "Builds one index once its relation is copied.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
