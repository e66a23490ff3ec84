/*
 * Step triggers_late makes, after the drain, what would have acted on replicated changes: triggers
 * and rules that are ENABLE ALWAYS or REPLICA, and row security that binds its owner; all triggers
 * and rules where apply cannot be under replica role (docs/adr/0007). The SQL comes from the
 * source's catalogue; one transaction.
 */
#include "step/triggers_late.h"

#include "sql_text.h"
#include "step/ddl_step.h"

extern const StepKind STEP_TRIGGERS_LATE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_TRIGGERS_LATE, "cutover.drain");
    step_at(step, blueprint->plan->cutover.pos);
    step_needs_kind(builder, step, "cutover.unlogged");
    return true;
}

typedef struct Late {
    char letter;      /* T trigger R rule Z row security */
    const char *kind; /* its word in SQL, NULL: row security */
    const char *name;
    char enabled;
    const char *create; /* NULL: it comes with its parent */
    const char *comment;
    Name table;         /* on the source, as in the statements */
    const Name *target; /* on the target */
    bool hypertable;
    bool quiet; /* the target is kept quiet: plain triggers act on replicated changes, too */
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

static void add_switch(StepCtx *ctx, const Late *late, char enabled, SqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, late->hypertable ? "ALTER TABLE " : "ALTER TABLE ONLY ");
    ddl_qname(&sql, ctx->target, &late->table);
    if (late->kind == NULL) {
        str_appendf(&sql, " %s ROW LEVEL SECURITY", enabled == 'D' ? "DISABLE" : "ENABLE");
    } else {
        str_appendf(&sql, " %s %s ", enabled_word(enabled), late->kind);
        ddl_ident(&sql, ctx->target, late->name);
    }
    add_statement(ctx, statements, &sql);
}

/* Hypertables cannot switch triggers: one that is ENABLE ALWAYS becomes a plain one, others are
 * left out. \note Source: TimescaleDB 2.19: "hypertables do not support enabling or disabling
 * triggers". */
static bool is_wanted(const Late *late)
{
    return !late->hypertable || late->kind == NULL ||
           ((late->enabled == 'A' || late->enabled == 'O') && late->create != NULL);
}

static bool is_there(const Late *late, char there)
{
    return there == late->enabled || (late->hypertable && late->kind != NULL);
}

static void add_late(StepCtx *ctx, const Late *late, bool exists, char there, SqlVec *statements)
{
    if (!is_wanted(late) || (exists && is_there(late, there)))
        return;
    if (!exists && late->create != NULL)
        *vec_push(ctx->arena, statements) = late->create;
    bool made_so = !exists && late->create != NULL && late->enabled == 'O';
    if (late->kind == NULL || (!late->hypertable && !made_so))
        add_switch(ctx, late, late->enabled, statements);
    if (late->comment != NULL)
        add_comment(ctx, late, statements);
}

static void warn_late(StepCtx *ctx, const Late *late)
{
    if (late->hypertable && late->kind != NULL && late->enabled != 'O')
        log_warn(&ctx->log, "trigger %s of hypertable %s %s: hypertables cannot switch triggers",
                 late->name, name_text(ctx->arena, late->target),
                 is_wanted(late) ? "loses ENABLE ALWAYS" : "is left out");
}

static Late read_late(StepCtx *ctx, const Rows *rows, size_t r)
{
    char kind = rows_char(rows, r, 2);
    Late late = {
        .letter = kind,
        .kind = kind == 'Z' ? NULL : (kind == 'T' ? "TRIGGER" : "RULE"),
        .table = {.schema = arena_strdup(ctx->arena, rows_text(rows, r, 3)),
                  .rel = arena_strdup(ctx->arena, rows_text(rows, r, 4))},
        .name = arena_strdup(ctx->arena, rows_text(rows, r, 5)),
        .enabled = rows_char(rows, r, 6),
        .create = arena_strdup(ctx->arena, rows_text(rows, r, 7)),
        .comment = ctx->run->plan->schema.comments ? arena_strdup(ctx->arena, rows_text(rows, r, 8))
                                                   : NULL,
    };
    const Blueprint *blueprint = ctx->run->blueprint;
    const Relation *relation = blueprint_relation(blueprint, &late.table);
    late.hypertable = relation != NULL && relation->hypertable != NULL;
    late.quiet = blueprint_keeps_quiet(ctx->run->blueprint);
    const CatRelation *table = catalog_relation_named(blueprint->source, &late.table);
    Name *target = arena_new(ctx->arena, Name);
    *target =
        table == NULL ? late.table : blueprint_target_name(blueprint, table->oid, &late.table);
    late.target = target;
    return late;
}

/* Whether it stands on the target, and how it is switched there. */
static bool find_switch(const Rows *switches, const Late *late, char *there)
{
    for (size_t r = 0; r < rows_count(switches); r++) {
        if (rows_char(switches, r, 0) == late->letter &&
            strcmp(rows_text(switches, r, 1), late->target->schema) == 0 &&
            strcmp(rows_text(switches, r, 2), late->target->rel) == 0 &&
            strcmp(rows_text(switches, r, 3), late->name) == 0) {
            *there = rows_char(switches, r, 4);
            return true;
        }
    }
    return false;
}

/* A hypertable's trigger; it is made again after the next drain. */
static void add_drop(StepCtx *ctx, const Late *late, SqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "DROP %s ", late->kind);
    ddl_ident(&sql, ctx->target, late->name);
    str_append(&sql, " ON ");
    ddl_qname(&sql, ctx->target, &late->table);
    add_statement(ctx, statements, &sql);
}

/* What stands on the target and acts on replicated changes. */
static void add_hold(StepCtx *ctx, const Late *late, bool exists, char there, SqlVec *statements)
{
    bool acts = late->kind == NULL || there == 'A' || there == 'R' || (late->quiet && there == 'O');
    if (!exists || !acts)
        return;
    if (late->kind == NULL || !late->hypertable)
        add_switch(ctx, late, 'D', statements);
    else if (late->quiet && late->create != NULL)
        add_drop(ctx, late, statements);
}

/* \param hold what takes them back, not what makes them */
static bool late_sql(StepCtx *ctx, bool hold, bool warn, SqlVec *statements, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *switches = NULL;
    bool quiet = blueprint_keeps_quiet(ctx->run->blueprint);
    if (!pg_rows(ctx->source, SQL_SCHEMA_LATE, PARAMS(quiet ? "t" : "f"), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (!blueprint_keeps_object(ctx->run->blueprint, rows_oid(rows, r, 0),
                                    rows_oid(rows, r, 1)))
            continue;
        if (switches == NULL &&
            !pg_rows(ctx->target, SQL_SCHEMA_SWITCHES, NO_PARAMS, &switches, err))
            return false;
        const Late late = read_late(ctx, rows, r);
        if (warn)
            warn_late(ctx, &late);
        char there = '\0';
        bool exists = find_switch(switches, &late, &there);
        (hold ? add_hold : add_late)(ctx, &late, exists, there, statements);
    }
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    SqlVec statements = {0};
    if (!late_sql(ctx, false, false, &statements, err))
        return false;
    description->sentence = statements.count == 0
                                ? "no trigger, rule or row security has to wait for the drain"
                                : "make the triggers, rules and row security that had to wait for "
                                  "the drain";
    if (statements.count > 0 && ctx->run->blueprint->rename_count > 0)
        description_add(ctx->arena, description, CONN_TARGET,
                        "-- in one transaction that gives the tables of select.map the names they "
                        "have on the source, and takes them back:");
    ddl_describe(ctx, description, &statements);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    SqlVec statements = {0};
    if (!late_sql(ctx, false, false, &statements, err))
        return false;
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    SqlVec statements = {0};
    return late_sql(ctx, false, true, &statements, err) &&
           (statements.count == 0 || ddl_apply_source_names(ctx, &statements, err));
}

bool triggers_late_hold(StepCtx *ctx, Err *err)
{
    SqlVec statements = {0};
    if (!late_sql(ctx, true, false, &statements, err))
        return false;
    if (statements.count == 0)
        return true;
    log_info(&ctx->log,
             "%zu triggers, rules and row security of a cutover that was rolled back "
             "wait again for the drain",
             statements.count);
    return ddl_apply_source_names(ctx, &statements, err);
}

const StepKind STEP_TRIGGERS_LATE = {
    .name = "triggers_late",
    .phase = PHASE_CUTOVER,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_DOWNTIME | STEP_ALONE | STEP_CHANGES,
    .summary = "Makes the triggers and rules that fire under replica role.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
