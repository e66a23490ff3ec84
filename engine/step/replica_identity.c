/*
 * Step replica_identity: gives tables of the source the replica identity that the plan names, for
 * the time of the run, before anything is published. What was there is written down in the journal
 * first, so that finish, reset and cleanup take it back: a kill between the two leaves a row that
 * says what is still so.
 */
#include "step/replica_identity.h"

#include "copy/blockers.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"
#include "step/common.h"

#include <inttypes.h>

/* ALTER TABLE stands before every reader and writer in the queue: not for longer than this. */
#define IDENTITY_LOCK_TIMEOUT_MS 900

extern const StepKind STEP_REPLICA_IDENTITY;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    const PlanReplication *plan = &blueprint->plan->replication;
    if (!plan->identity_set && plan->identity_count == 0)
        return true;
    Step *step = step_add_after(builder, &STEP_REPLICA_IDENTITY, "control_schema");
    step_at(step, plan->pos);
    /* The schema archive shall hold what was there before. */
    step_needs_kind(builder, step, "schema_pre");
    return true;
}

/* ---- statements ----------------------------------------------------------------------------- */

static const char *alter_sql(Arena *arena, Conn *conn, const Name *table, char identity,
                             const char *index)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER TABLE ");
    ddl_qname(&sql, conn, table);
    str_append(&sql, " REPLICA IDENTITY ");
    if (identity == 'i') {
        str_append(&sql, "USING INDEX ");
        ddl_ident(&sql, conn, index);
    } else {
        str_append(&sql, identity == 'f' ? "FULL" : identity == 'n' ? "NOTHING" : "DEFAULT");
    }
    return str_dup(arena, &sql);
}

static const char *create_sql(Arena *arena, Conn *conn, const IdentityDef *def)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "CREATE UNIQUE INDEX CONCURRENTLY ");
    ddl_ident(&sql, conn, def->index_name);
    str_append(&sql, " ON ");
    ddl_qname(&sql, conn, &def->leaf->source);
    str_append(&sql, " (");
    for (size_t i = 0; i < def->column_count; i++) {
        str_append(&sql, i == 0 ? "" : ", ");
        ddl_ident(&sql, conn, def->columns[i]);
    }
    str_append(&sql, ")");
    return str_dup(arena, &sql);
}

static const char *drop_sql(Arena *arena, Conn *conn, const Name *index, bool concurrently)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "DROP INDEX %sIF EXISTS ", concurrently ? "CONCURRENTLY " : "");
    ddl_qname(&sql, conn, index);
    return str_dup(arena, &sql);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->run->blueprint;
    size_t count = blueprint->identity_count;
    description->sentence = arena_printf(
        ctx->arena, "set the replica identity of %zu table%s of the source until the run ends",
        count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        const IdentityDef *def = &blueprint->identities[i];
        if (def->columns != NULL)
            description_add(ctx->arena, description, CONN_SOURCE,
                            create_sql(ctx->arena, ctx->source, def));
        description_add(ctx->arena, description, CONN_SOURCE,
                        alter_sql(ctx->arena, ctx->source, &def->leaf->source,
                                  def->leaf->replica_identity, def->index_name));
    }
    return true;
}

/* ---- what stands there ---------------------------------------------------------------------- */

typedef struct Standing {
    bool exists; /* the table does */
    char identity;
    const char *index; /* NULL: none */
    bool given_exists;
    bool given_valid;
} Standing;

static bool look(Arena *arena, Conn *conn, const Name *table, const char *given, Standing *found,
                 Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *found = (Standing){0};
    if (!pg_rows(conn, SQL_STEP_IDENTITY, PARAMS(table->schema, table->rel, given), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *found = (Standing){
        .exists = true,
        .identity = rows_char(rows, 0, 0),
        .index = arena_strdup(arena, rows_text(rows, 0, 1)),
        .given_exists = rows_bool(rows, 0, 2),
        .given_valid = rows_bool(rows, 0, 3),
    };
    return true;
}

static bool stands(const Standing *found, char identity, const char *index)
{
    return found->exists && found->identity == identity &&
           (identity != 'i' || (found->index != NULL && text_equal(found->index, index)));
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    if (run_is_switched(ctx->run))
        return true;
    for (size_t i = 0; i < blueprint->identity_count; i++) {
        const IdentityDef *def = &blueprint->identities[i];
        Standing found;
        if (!look(ctx->arena, ctx->source, &def->leaf->source, def->index_name, &found, err))
            return false;
        if (!stands(&found, def->leaf->replica_identity, def->index_name))
            observation->state = OBSERVED_NEEDED;
    }
    return true;
}

/* ---- setting -------------------------------------------------------------------------------- */

static bool open_own(const StepCtx *ctx, Conn **conn, Err *err)
{
    return conn_open(conn, &ctx->run->source,
                     &(ConnOptions){.purpose = "identity",
                                    .lock_timeout_ms = IDENTITY_LOCK_TIMEOUT_MS,
                                    .stop = ctx->run->stop},
                     err);
}

static bool alter(StepCtx *ctx, Conn *conn, const char *sql, const Name *table, Err *err)
{
    Patience patience = {0};
    const char *what =
        arena_printf(ctx->arena, "the replica identity of %s", name_text(ctx->arena, table));
    while (!pg_none(conn, sql, NO_PARAMS, err)) {
        if (!blockers_wait(&patience, ctx->source, what, err))
            return false;
    }
    return true;
}

/* A build that was interrupted leaves an index that is not valid. */
static bool make_index(StepCtx *ctx, const IdentityDef *def, const Standing *found, Err *err)
{
    Name index = {def->leaf->source.schema, def->index_name};
    if (found->given_exists && found->given_valid)
        return true;
    if (found->given_exists &&
        !pg_none(ctx->source, drop_sql(ctx->arena, ctx->source, &index, true), NO_PARAMS, err))
        return false;
    if (pg_none(ctx->source, create_sql(ctx->arena, ctx->source, def), NO_PARAMS, err))
        return true;
    if (strcmp(err->sqlstate, "23505") == 0)
        err_hint(err,
                 "The columns in replication.replica_identity are not unique in %s: name "
                 "others, or use full: true.",
                 name_text(ctx->arena, &def->leaf->source));
    return false;
}

static bool record(StepCtx *ctx, const IdentityDef *def, const Standing *found, Err *err)
{
    const char previous[] = {found->identity, '\0'};
    const char given[] = {def->leaf->replica_identity, '\0'};
    return pg_none(ctx->target, SQL_JOURNAL_IDENTITY_SET,
                   PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), def->leaf->source.schema,
                          def->leaf->source.rel, previous, found->index, given, def->index_name,
                          def->columns != NULL ? "true" : "false"),
                   err);
}

static bool set_one(StepCtx *ctx, Conn *own, const IdentityDef *def, Err *err)
{
    Standing found;
    const Name *table = &def->leaf->source;
    if (!look(ctx->arena, ctx->source, table, def->index_name, &found, err))
        return false;
    if (!found.exists)
        return err_set(err, ERR_RUN, "%s is not on the source any more",
                       name_text(ctx->arena, table));
    if (stands(&found, def->leaf->replica_identity, def->index_name))
        return true;
    return record(ctx, def, &found, err) &&
           (def->columns == NULL || make_index(ctx, def, &found, err)) &&
           alter(ctx, own,
                 alter_sql(ctx->arena, own, table, def->leaf->replica_identity, def->index_name),
                 table, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    AUTO_CONN Conn *own = NULL;
    if (!open_own(ctx, &own, err))
        return false;
    for (size_t i = 0; i < blueprint->identity_count; i++)
        if (!set_one(ctx, own, &blueprint->identities[i], err))
            return false;
    return true;
}

/* ---- taking back ---------------------------------------------------------------------------- */

/* A row of the journal. */
typedef struct Record {
    Name table;
    char previous;
    const char *previous_index;
    char given;
    const char *given_index;
    bool made_index;
} Record;

static bool take_back(StepCtx *ctx, Conn *own, const Record *record, Err *err)
{
    Standing found;
    const Name *table = &record->table;
    if (!look(ctx->arena, ctx->source, table, record->given_index, &found, err))
        return false;
    if (stands(&found, record->given, record->given_index)) {
        const char *sql =
            alter_sql(ctx->arena, own, table, record->previous, record->previous_index);
        if (!alter(ctx, own, sql, table, err))
            return false;
    } else if (found.exists && !stands(&found, record->previous, record->previous_index)) {
        log_warn(&ctx->log, "the replica identity of %s is not the one that was set: left as it is",
                 name_text(ctx->arena, table));
    }
    Name index = {table->schema, record->given_index};
    return !record->made_index || !found.given_exists ||
           pg_none(ctx->source, drop_sql(ctx->arena, ctx->source, &index, true), NO_PARAMS, err);
}

/* The target's table becomes what the source's was: the step that made its indexes could not know
 * once the source had been altered. */
static bool copy_to_target(StepCtx *ctx, const Record *record, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint; /* cleanup has none */
    const CatRelation *from =
        blueprint == NULL ? NULL : catalog_relation_named(blueprint->source, &record->table);
    const Leaf *leaf = from == NULL ? NULL : blueprint_leaf(blueprint, from->oid);
    Standing found;
    if (leaf == NULL || relation_is_gathered(leaf->root))
        return true;
    const Name *table = &leaf->target_share;
    if (!look(ctx->arena, ctx->target, table, record->previous_index, &found, err))
        return false;
    if (!found.exists || stands(&found, record->previous, record->previous_index) ||
        (record->previous == 'i' && !found.given_valid))
        return true;
    return pg_none(
        ctx->target,
        alter_sql(ctx->arena, ctx->target, table, record->previous, record->previous_index),
        NO_PARAMS, err);
}

/* The index that stood on the target for the apply alone. */
static bool drop_on_target(StepCtx *ctx, const Record *record, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!record->made_index)
        return true;
    if (!pg_rows(ctx->target, SQL_STEP_MADE_INDEX, PARAMS(record->given_index), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        Name index = {rows_text(rows, r, 0), record->given_index};
        const char *sql = drop_sql(ctx->arena, ctx->target, &index, rows_bool(rows, r, 1));
        if (!pg_none(ctx->target, sql, NO_PARAMS, err))
            return false;
    }
    return true;
}

static bool restore_row(StepCtx *ctx, Conn *own, const Rows *rows, size_t row, Err *err)
{
    Record record = {
        .table = {rows_text(rows, row, 0), rows_text(rows, row, 1)},
        .previous = rows_char(rows, row, 2),
        .previous_index = rows_text(rows, row, 3),
        .given = rows_char(rows, row, 4),
        .given_index = rows_text(rows, row, 5),
        .made_index = rows_bool(rows, row, 6),
    };
    /* The index of the identity that was there before had been dropped: that is the same as none.
     */
    if (record.previous == 'i' && record.previous_index == NULL)
        record.previous = 'n';
    return take_back(ctx, own, &record, err) && copy_to_target(ctx, &record, err) &&
           drop_on_target(ctx, &record, err) &&
           pg_none(ctx->target, SQL_JOURNAL_IDENTITY_CLEAR,
                   PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), record.table.schema,
                          record.table.rel),
                   err);
}

bool identity_restore(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_CONN Conn *own = NULL;
    if (ctx->run->journal.id == 0)
        return true;
    if (!pg_rows(ctx->target, SQL_JOURNAL_IDENTITIES,
                 PARAMS(arena_int64(ctx->arena, ctx->run->journal.id)), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    if (!open_own(ctx, &own, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        if (!restore_row(ctx, own, rows, r, err))
            return false;
    return true;
}

const StepKind STEP_REPLICA_IDENTITY = {
    .name = "replica_identity",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET,
    .summary = "Sets replica identities on the source for the time of the run.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .undo = identity_restore,
};
