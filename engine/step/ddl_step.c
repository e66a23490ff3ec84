/*
 * Shared by the steps index, constraint, foreign_key, validate: see the header.
 */
#include "step/ddl_step.h"

#include "schema/rename.h"
#include "sql_text.h"

#define RETRY_MS      200
#define RETRIES_QUIET 25 /* then it is said who waits */

bool target_index(StepCtx *ctx, const Name *index, TargetIndex *found, Err *err)
{
    *found = (TargetIndex){0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(ctx->target, SQL_SCHEMA_INDEX, PARAMS(index->schema, index->rel), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *found = (TargetIndex){
        .exists = true,
        .valid = rows_bool(rows, 0, 0),
        .table = {.schema = arena_strdup(ctx->arena, rows_text(rows, 0, 1)),
                  .rel = arena_strdup(ctx->arena, rows_text(rows, 0, 2))},
        .replica_identity = rows_bool(rows, 0, 3),
        .clustered = rows_bool(rows, 0, 4),
    };
    return true;
}

bool target_constraint(StepCtx *ctx, const Name *table, const char *constraint, TargetIndex *found,
                       Err *err)
{
    *found = (TargetIndex){0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(ctx->target, SQL_SCHEMA_CONSTRAINT, PARAMS(table->schema, table->rel, constraint),
                 &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *found = (TargetIndex){
        .exists = true,
        .type = rows_char(rows, 0, 0),
        .validated = rows_bool(rows, 0, 1),
        .valid = rows_bool(rows, 0, 2),
        .replica_identity = rows_bool(rows, 0, 3),
        .clustered = rows_bool(rows, 0, 4),
        .table = *table,
    };
    return true;
}

/* --- statements --- */

static bool give_memory(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    return pg_one(ctx->target, SQL_SCHEMA_BUILD_MEMORY, NO_PARAMS, &rows, err);
}

/* What a statement is run with. */
typedef struct Manner {
    bool build;
    bool source_names;
    int lock_timeout_ms;
} Manner;

static bool run_once(StepCtx *ctx, const SqlVec *statements, Manner manner, Err *err)
{
    Renaming renaming = {
        .arena = ctx->arena, .conn = ctx->target, .blueprint = ctx->run->blueprint};
    /* The commit need not wait for the disk: what stands on the target is observed, not remembered.
     */
    const char *begin = arena_printf(ctx->arena,
                                     "BEGIN READ WRITE; SET LOCAL lock_timeout = %d; "
                                     "SET LOCAL synchronous_commit = off",
                                     manner.lock_timeout_ms);
    bool done = pg_script(ctx->target, begin, err) && (!manner.build || give_memory(ctx, err)) &&
                (!manner.source_names || renaming_begin(&renaming, err));
    for (size_t i = 0; i < statements->count && done; i++)
        done = pg_none(ctx->target, statements->items[i], NO_PARAMS, err);
    done = done && (!manner.source_names || renaming_end(&renaming, err));
    if (done && pg_commit(ctx->target, err))
        return true;
    pg_rollback(ctx->target);
    return false;
}

static bool is_lock_fault(const Err *err)
{
    return strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

static bool run_patiently(StepCtx *ctx, const SqlVec *statements, Manner manner, Err *err)
{
    for (int attempt = 1;; attempt++) {
        AUTO_ERR Err failed = {0};
        if (run_once(ctx, statements, manner, &failed))
            return true;
        if (!is_lock_fault(&failed))
            return err_move(err, &failed);
        if (attempt % RETRIES_QUIET == 0)
            log_warn(&ctx->log, "still waiting for a lock (%d attempts): %s", attempt,
                     failed.message);
        if (!stop_sleep(ctx->run->stop, RETRY_MS))
            return stop_error(ctx->run->stop, err);
    }
}

bool ddl_apply(StepCtx *ctx, const SqlVec *statements, bool build, Err *err)
{
    return run_patiently(ctx, statements,
                         (Manner){.build = build, .lock_timeout_ms = DDL_LOCK_TIMEOUT_MS}, err);
}

bool ddl_apply_source_names(StepCtx *ctx, const SqlVec *statements, Err *err)
{
    return run_patiently(ctx, statements,
                         (Manner){.source_names = true, .lock_timeout_ms = DDL_LOCK_TIMEOUT_MS},
                         err);
}

bool ddl_build(StepCtx *ctx, const char *statement, Err *err)
{
    SqlVec one = {0};
    *vec_push(ctx->arena, &one) = statement;
    return run_once(ctx, &one, (Manner){.build = true}, err);
}

void ddl_describe(StepCtx *ctx, Description *description, const SqlVec *statements)
{
    for (size_t i = 0; i < statements->count; i++)
        description_add(ctx->arena, description, CONN_TARGET, statements->items[i]);
}

/* --- names and needs --- */

const char *constraint_text(Arena *arena, const Name *table, const char *constraint)
{
    return arena_printf(arena, "%s.%s", name_text(arena, table), name_part_text(arena, constraint));
}

static const CatRelation *table_of(const Blueprint *blueprint, const IndexDef *def)
{
    return catalog_relation(blueprint->source, def->table_oid);
}

bool index_on_partitioned(const Blueprint *blueprint, const IndexDef *def)
{
    const CatRelation *table = table_of(blueprint, def);
    return table != NULL && table->kind == 'p' && !relation_is_gathered(def->relation);
}

bool index_is_direct(const Blueprint *blueprint, const IndexDef *def)
{
    if (def->constraint_sql == NULL)
        return false;
    return def->constraint_type == 'x' || def->relation->hypertable != NULL ||
           strstr(def->constraint_sql, " WITHOUT OVERLAPS)") != NULL ||
           index_on_partitioned(blueprint, def);
}

void step_needs_rows(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                     const Relation *relation)
{
    AUTO_ARENA Arena arena = {0};
    if (!relation_is_copied(blueprint, relation)) {
        step_needs_id(builder, step, "wave");
        return;
    }
    if (relation->merge == NULL) {
        step_needs_id(builder, step,
                      arena_printf(&arena, "copy:%s", name_text(&arena, &relation->source)));
        return;
    }
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *other = &blueprint->relations[i];
        if (other->merge == relation->merge)
            step_needs_id(builder, step,
                          arena_printf(&arena, "copy:%s", name_text(&arena, &other->source)));
    }
}

/* Whether `table` stands somewhere below `above` in a partition tree. */
static bool is_below(const Blueprint *blueprint, const IndexDef *def, const CatRelation *above)
{
    const CatRelation *table = table_of(blueprint, def);
    while (table != NULL && table->parent != 0) {
        if (table->parent == above->oid)
            return true;
        table = catalog_relation(blueprint->source, table->parent);
    }
    return false;
}

void step_needs_below(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                      const IndexDef *def)
{
    if (!index_on_partitioned(blueprint, def))
        return;
    AUTO_ARENA Arena arena = {0};
    const CatRelation *above = table_of(blueprint, def);
    for (size_t i = 0; i < blueprint->index_count; i++) {
        const IndexDef *other = &blueprint->indexes[i];
        if (other->relation != def->relation || !is_below(blueprint, other, above))
            continue;
        const char *id =
            other->constraint_sql != NULL
                ? arena_printf(&arena, "constraint:%s",
                               constraint_text(&arena, &other->table, other->constraint_name))
                : arena_printf(&arena, "index:%s", name_text(&arena, &other->name));
        step_needs_id(builder, step, id);
    }
}

/* --- marks --- */

static bool wants_cluster(const IndexDef *def)
{
    return def->clustered && def->relation->hypertable == NULL;
}

bool index_marks_set(const IndexDef *def, const TargetIndex *found)
{
    return (!def->is_replica_identity || found->replica_identity) &&
           (!wants_cluster(def) || found->clustered);
}

void index_marks(StepCtx *ctx, const IndexDef *def, const TargetIndex *found, SqlVec *statements)
{
    if (def->is_replica_identity && !found->replica_identity) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "ALTER TABLE ");
        str_append(&sql, def->relation->hypertable == NULL ? "ONLY " : "");
        ddl_qname(&sql, ctx->target, &def->table);
        str_append(&sql, " REPLICA IDENTITY USING INDEX ");
        ddl_ident(&sql, ctx->target, def->name.rel);
        *vec_push(ctx->arena, statements) = str_dup(ctx->arena, &sql);
    }
    if (wants_cluster(def) && !found->clustered) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "ALTER TABLE ");
        ddl_qname(&sql, ctx->target, &def->table);
        str_append(&sql, " CLUSTER ON ");
        ddl_ident(&sql, ctx->target, def->name.rel);
        *vec_push(ctx->arena, statements) = str_dup(ctx->arena, &sql);
    }
}
