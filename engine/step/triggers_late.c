/*
 * Step triggers_late makes, after the drain, what would have acted on replicated changes: triggers
 * and rules that are ENABLE ALWAYS or REPLICA, and row security that binds its owner. The SQL comes
 * from the source's catalogue; one transaction.
 */
#include "step/ddl_step.h"

#include "schema/objects.h"
#include "sql_text.h"

extern const StepKind STEP_TRIGGERS_LATE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add_after(builder, &STEP_TRIGGERS_LATE, "cutover.drain");
    return true;
}

/* Relations of the source that are selected and carry something late. */
static const char *late_relations(StepCtx *ctx, const SchemaObjects *source)
{
    AUTO_STR Str list = {0};
    str_append_char(&list, '{');
    for (size_t i = 0; i < source->count; i++) {
        const SchemaObject *object = &source->items[i];
        if (object->late && schema_object_kept(ctx->run->blueprint, object))
            str_appendf(&list, "%s%u", list.length > 1 ? "," : "", object->owner);
    }
    str_append_char(&list, '}');
    return str_dup(ctx->arena, &list);
}

typedef struct Late {
    const char *kind;
    const char *name;
    char enabled;
    const char *create; /* NULL: it comes with its parent */
    const char *comment;
    Name table;
    bool hypertable;
} Late;

static const char *enabled_word(char enabled)
{
    switch (enabled) {
    case 'A':
        return "ENABLE ALWAYS";
    case 'R':
        return "ENABLE REPLICA";
    case 'D':
        return "DISABLE";
    default:
        return "ENABLE";
    }
}

static void add_statement(StepCtx *ctx, SqlVec *statements, const Str *sql)
{
    *vec_push(ctx->arena, statements) = str_dup(ctx->arena, sql);
}

static void add_comment(StepCtx *ctx, const Late *late, SqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "COMMENT ON %s ", late->kind);
    ddl_ident(&sql, ctx->target, late->name);
    str_append(&sql, " ON ");
    ddl_qname(&sql, ctx->target, &late->table);
    str_append(&sql, " IS ");
    ddl_literal(&sql, ctx->target, late->comment);
    add_statement(ctx, statements, &sql);
}

static void add_switch(StepCtx *ctx, const Late *late, SqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, late->hypertable ? "ALTER TABLE " : "ALTER TABLE ONLY ");
    ddl_qname(&sql, ctx->target, &late->table);
    if (late->kind == NULL) {
        str_append(&sql, " ENABLE ROW LEVEL SECURITY");
    } else {
        str_appendf(&sql, " %s %s ", enabled_word(late->enabled), late->kind);
        ddl_ident(&sql, ctx->target, late->name);
    }
    add_statement(ctx, statements, &sql);
}

/* See schema_on_hypertable(). */
static void add_on_hypertable(StepCtx *ctx, const Late *late, const SchemaObject *twin,
                              SqlVec *statements)
{
    if (twin != NULL || late->create == NULL || late->enabled != 'A')
        return;
    *vec_push(ctx->arena, statements) = late->create;
    if (late->comment != NULL)
        add_comment(ctx, late, statements);
}

static void add_late(StepCtx *ctx, const Late *late, const SchemaObject *twin, SqlVec *statements)
{
    if (late->hypertable && late->kind != NULL) {
        add_on_hypertable(ctx, late, twin, statements);
        return;
    }
    char there = twin == NULL ? '\0' : *twin->state;
    if (twin != NULL && there == late->enabled)
        return;
    if (twin == NULL && late->create != NULL)
        *vec_push(ctx->arena, statements) = late->create;
    add_switch(ctx, late, statements);
    if (late->comment != NULL)
        add_comment(ctx, late, statements);
}

static bool late_sql(StepCtx *ctx, bool warn, SqlVec *statements, Err *err)
{
    SchemaObjects source;
    SchemaObjects target;
    if (!schema_objects_read(ctx->arena, ctx->source, &source, err))
        return false;
    const char *relations = late_relations(ctx, &source);
    if (strcmp(relations, "{}") == 0)
        return true;
    AUTO_ROWS Rows *rows = NULL;
    if (!schema_objects_read(ctx->arena, ctx->target, &target, err) ||
        !pg_rows(ctx->source, SQL_SCHEMA_LATE, PARAMS(relations), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        char kind = rows_char(rows, r, 0);
        const Name table = {arena_strdup(ctx->arena, rows_text(rows, r, 2)),
                            arena_strdup(ctx->arena, rows_text(rows, r, 3))};
        const Relation *relation = blueprint_relation(ctx->run->blueprint, &table);
        const Late late = {
            .hypertable = relation != NULL && relation->hypertable != NULL,
            .kind = kind == 'Z' ? NULL : (kind == 'T' ? "TRIGGER" : "RULE"),
            .table = table,
            .name = arena_strdup(ctx->arena, rows_text(rows, r, 4)),
            .enabled = rows_char(rows, r, 5),
            .create = arena_strdup(ctx->arena, rows_text(rows, r, 6)),
            .comment = arena_strdup(ctx->arena, rows_text(rows, r, 7)),
        };
        if (warn && late.hypertable && late.kind != NULL)
            log_warn(&ctx->log,
                     "trigger %s of hypertable %s %s: hypertables cannot switch triggers",
                     late.name, name_text(ctx->arena, &late.table),
                     late.enabled == 'A' ? "loses ENABLE ALWAYS" : "is left out");
        add_late(ctx, &late, schema_object_named(&target, (ObjectKind)kind, rows_text(rows, r, 1)),
                 statements);
    }
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    SqlVec statements = {0};
    if (!late_sql(ctx, false, &statements, err))
        return false;
    description->sentence = statements.count == 0
                                ? "no trigger, rule or row security has to wait for the drain"
                                : "make the triggers, rules and row security that had to wait for "
                                  "the drain";
    ddl_describe(ctx, description, &statements);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    SqlVec statements = {0};
    if (!late_sql(ctx, false, &statements, err))
        return false;
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    SqlVec statements = {0};
    return late_sql(ctx, true, &statements, err) &&
           (statements.count == 0 || ddl_apply(ctx, &statements, false, err));
}

const StepKind STEP_TRIGGERS_LATE = {
    .name = "triggers_late",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_DOWNTIME | STEP_ALONE,
    .summary = "Makes the triggers and rules that fire under replica role.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
