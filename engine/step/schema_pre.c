/*
 * Step schema_pre restores what stands before the rows: schemas, types, functions, tables with
 * their defaults and checks, partitions, sequences, views. All in one transaction: what the target
 * shows is everything or nothing.
 */
#include "step/schema_archive.h"

#include "copy/leaves.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "schema/drop.h"

extern const StepKind STEP_SCHEMA_PRE;

#define NAMES_SHOWN 5

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add_after(builder, &STEP_SCHEMA_PRE, "extensions");
    return true;
}

static const char KINDS[] = {OBJECT_TABLE,     OBJECT_SEQUENCE, OBJECT_VIEW,     OBJECT_MATVIEW,
                             OBJECT_COMPOSITE, OBJECT_TYPE,     OBJECT_FUNCTION, '\0'};

/* Whether this run has restored the selection before. A restore behind `refresh` that was cut off
 * is not recorded as done any more; that leaves have been in a wave tells that an earlier one was.
 */
static bool restored_before(const StepCtx *ctx, const JournalLeaf *const *states)
{
    bool before = ctx->recorded_done;
    for (size_t i = 0; !before && i < ctx->run->blueprint->leaf_count; i++)
        before = states[i] != NULL;
    return before;
}

static void drop_columns(Str *sql, const StepCtx *ctx, const Relation *relation, bool generated)
{
    for (size_t i = 0; i < relation->left_out_count; i++) {
        if (relation->left_out[i].generated != generated)
            continue;
        str_append(sql, "ALTER TABLE ");
        ddl_qname(sql, ctx->target, &relation->source);
        str_append(sql, " DROP COLUMN ");
        ddl_ident(sql, ctx->target, relation->left_out[i].name);
        str_append(sql, ";\n");
    }
}

/* What a column list leaves out does not exist on the target. Its own checks, default and sequence
 * go with a column; whatever else needs it is not restored, so that nothing is dropped by CASCADE:
 * what was overlooked is an error, and the transaction restores nothing. */
static void drop_left_out_sql(Str *sql, const StepCtx *ctx, const SchemaSides *sides)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t r = 0; r < blueprint->relation_count; r++) {
        const Relation *relation = &blueprint->relations[r];
        const SchemaObject *object =
            schema_object(&sides->source, CAT_CLASS_RELATION, relation->oid);
        if (object != NULL && schema_twin(sides, object) != NULL)
            continue; /* it stands already */
        drop_columns(sql, ctx, relation, true);
        drop_columns(sql, ctx, relation, false);
    }
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    SchemaSides sides;
    if (!schema_sides_read(ctx, &sides, err))
        return false;
    description->sentence = arena_printf(
        ctx->arena, "restore types, functions, %zu tables, %zu sequences and views before the rows",
        ctx->run->blueprint->relation_count, ctx->run->blueprint->sequence_count);
    schema_describe(ctx, &sides, KINDS, "pre-data", description);
    AUTO_STR Str drop = {0};
    drop_left_out_sql(&drop, ctx, &sides);
    if (drop.length > 0)
        description_add(ctx->arena, description, CONN_TARGET, drop.data);
    return true;
}

/* What of the selection is there, and what is not. */
typedef struct Count {
    size_t there;
    size_t missing;
    Str first_there; /* some names */
    Str first_missing;
} Count;

static void count_release(Count *count)
{
    str_release(&count->first_there);
    str_release(&count->first_missing);
}
#define AUTO_COUNT __attribute__((cleanup(count_release)))

static void count_one(Count *count, const char *name, bool there)
{
    size_t number = there ? count->there++ : count->missing++;
    Str *names = there ? &count->first_there : &count->first_missing;
    if (number < NAMES_SHOWN)
        str_appendf(names, "%s%s", number > 0 ? ", " : "", name);
    else if (number == NAMES_SHOWN)
        str_append(names, ", ...");
}

static void count_kinds(StepCtx *ctx, const SchemaSides *sides, const char *kinds, Count *count)
{
    for (size_t i = 0; i < sides->source.count; i++) {
        const SchemaObject *object = &sides->source.items[i];
        if (strchr(kinds, (char)object->kind) != NULL &&
            blueprint_keeps_object(ctx->run->blueprint, object->class_oid, object->oid))
            count_one(count, object->key, schema_twin(sides, object) != NULL);
    }
}

static void judge(StepCtx *ctx, const Count *tables, const Count *others, Observation *observation)
{
    const Count *lead = tables->there + tables->missing > 0 ? tables : others;
    if (lead->missing == 0) {
        observation->state = OBSERVED_SATISFIED;
        return;
    }
    bool nothing = tables->there == 0 && others->there == 0;
    observation->state = nothing ? OBSERVED_NEEDED : OBSERVED_DRIFTED;
    if (nothing)
        return;
    const Count *there = tables->there > 0 ? tables : others;
    observation->reason =
        arena_printf(ctx->arena,
                     "the target already has %zu of the objects, but not all of them (there: %s; "
                     "missing: %s); drop them or exclude them",
                     tables->there + others->there, str_text(&there->first_there),
                     str_text(&lead->first_missing));
}

/* Tables that `refresh` took in: this run has restored the others before, and the journal has not
 * seen these. One that it knows was dropped by somebody, with its rows. */
static bool were_added(StepCtx *ctx, const SchemaSides *sides, bool *added, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const JournalLeaf **states = NULL;
    if (!leaves_states(ctx->arena, ctx->run, ctx->target, &states, err))
        return false;
    *added = restored_before(ctx, states);
    for (size_t i = 0; *added && i < blueprint->leaf_count; i++) {
        const SchemaObject *object =
            schema_object(&sides->source, CAT_CLASS_RELATION, blueprint->leaves[i].oid);
        /* A table that is merged into another has no twin of its own. */
        if (states[i] != NULL && object != NULL &&
            blueprint_keeps_object(blueprint, object->class_oid, object->oid) &&
            schema_twin(sides, object) == NULL)
            *added = false;
    }
    return true;
}

/* Whether objects of earlier runs are there, which this one replaces. */
static bool is_replaced(StepCtx *ctx, const SchemaSides *sides, bool *replaced, Err *err)
{
    const SchemaObject **marked = NULL;
    size_t count = 0;
    *replaced = false;
    if (ctx->run->plan->schema.existing != PLAN_EXISTING_REPLACE)
        return true;
    if (!schema_marked(ctx, &sides->target, true, &marked, &count, err))
        return false;
    *replaced = count > 0;
    return true;
}

/* \param made the step has just run: what is restored later is not missed */
static bool look(StepCtx *ctx, bool made, Observation *observation, Err *err)
{
    static const char TABLES[] = {OBJECT_TABLE, '\0'};
    static const char OTHERS[] = {OBJECT_SEQUENCE, OBJECT_VIEW,     OBJECT_COMPOSITE,
                                  OBJECT_TYPE,     OBJECT_FUNCTION, '\0'};
    SchemaSides sides;
    bool replaced = false;
    if (!schema_sides_read(ctx, &sides, err) || !is_replaced(ctx, &sides, &replaced, err))
        return false;
    AUTO_COUNT Count tables = {0};
    AUTO_COUNT Count others = {0};
    count_kinds(ctx, &sides, TABLES, &tables);
    count_kinds(ctx, &sides, OTHERS, &others);
    judge(ctx, &tables, &others, observation);
    bool added = ctx->run->plan->schema.existing == PLAN_EXISTING_ADOPT;
    if (added && observation->state == OBSERVED_SATISFIED && others.missing > 0 && !made)
        observation->state = OBSERVED_DRIFTED;
    if (replaced) {
        observation->state = OBSERVED_NEEDED;
        observation->reason = "what an earlier run of this plan made is replaced";
    }
    if (!added && !were_added(ctx, &sides, &added, err))
        return false;
    if (observation->state == OBSERVED_DRIFTED && added) {
        observation->state = OBSERVED_NEEDED;
        observation->reason = arena_printf(
            ctx->arena, "missing on the target: %s",
            str_text(tables.missing > 0 ? &tables.first_missing : &others.first_missing));
    }
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    return look(ctx, ctx->recorded_done, observation, err);
}

static bool verify(StepCtx *ctx, Err *err)
{
    Observation observation = {0};
    if (!look(ctx, true, &observation, err))
        return false;
    return observation.state == OBSERVED_SATISFIED ||
           err_set(err, ERR_DRIFT, "the schema is not whole: %s",
                   observation.reason == NULL ? "objects are missing" : observation.reason);
}

/* What is not restored because it stands: schemas (public, an extension's, one made for grants
 * beforehand), and behind `refresh` everything that the first restore has made. */
typedef struct Choice {
    const Catalog *source;
    const SchemaSides *sides;
    bool again;  /* restored before: only what is missing now */
    Rows *there; /* one column: name of a schema */
} Choice;

static bool schema_is_there(const Choice *choice, uint32_t oid)
{
    const CatObject *object = catalog_object(choice->source, CAT_CLASS_NAMESPACE, oid);
    for (size_t r = 0; object != NULL && r < rows_count(choice->there); r++) {
        if (strcmp(rows_text(choice->there, r, 0), object->name) == 0)
            return true;
    }
    return false;
}

/* \return false when this is no object that can be looked up by its numbers. */
static bool is_missing(const Choice *choice, const TocEntry *entry, bool *missing)
{
    const SchemaObject *object =
        entry->class_oid == 0 ? NULL
                              : schema_object(&choice->sides->source, entry->class_oid, entry->oid);
    if (object != NULL && object->kind == OBJECT_DEFAULT)
        object = schema_object(&choice->sides->source, CAT_CLASS_RELATION, object->owner);
    if (object == NULL)
        return false;
    *missing = schema_twin(choice->sides, object) == NULL;
    return true;
}

static bool wanted(void *data, const Toc *toc, const TocEntry *entry)
{
    const Choice *choice = data;
    bool missing = false;
    if (entry->class_oid == CAT_CLASS_NAMESPACE)
        return !schema_is_there(choice, entry->oid);
    if (!choice->again || is_missing(choice, entry, &missing))
        return !choice->again || missing;
    /* An attachment, a comment, what a sequence belongs to: with what it is about. */
    for (size_t i = 0; i < entry->need_count; i++) {
        const TocEntry *need = toc_entry(toc, toc->needs.items[entry->first_need + i]);
        if (need != NULL && is_missing(choice, need, &missing) && missing)
            return true;
    }
    return false;
}

/* schema.existing is replace: what earlier runs of this plan made goes, and nothing else with it.
 */
static bool drop_replaced(StepCtx *ctx, SchemaSides *sides, Err *err)
{
    const SchemaObject **marked = NULL;
    size_t count = 0;
    if (ctx->run->plan->schema.existing != PLAN_EXISTING_REPLACE)
        return true;
    if (!schema_marked(ctx, &sides->target, true, &marked, &count, err))
        return false;
    if (count == 0)
        return true;
    log_info(&ctx->log, "%zu objects that earlier runs of this plan made are dropped", count);
    if (!schema_drop(ctx->target, marked, count, NULL, 0, &sides->target, err))
        return false;
    return schema_sides_read(ctx, sides, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    SchemaSides sides;
    AUTO_ROWS Rows *there = NULL;
    const JournalLeaf **states = NULL;
    if (!leaves_states(ctx->arena, ctx->run, ctx->target, &states, err) ||
        !schema_sides_read(ctx, &sides, err) || !drop_replaced(ctx, &sides, err) ||
        !pg_rows(ctx->target, "SELECT nspname FROM pg_catalog.pg_namespace", NO_PARAMS, &there,
                 err))
        return false;
    Choice choice = {
        .source = ctx->run->blueprint->source,
        .sides = &sides,
        .again =
            restored_before(ctx, states) || ctx->run->plan->schema.existing == PLAN_EXISTING_ADOPT,
        .there = there,
    };
    AUTO_STR Str drop = {0};
    drop_left_out_sql(&drop, ctx, &sides);
    return schema_restore(ctx, &sides, TOC_PRE, wanted, &choice, str_text(&drop), err);
}

/* What bears the mark is dropped; what the run found, or adopted, is not its own. */
static bool undo(StepCtx *ctx, Err *err)
{
    SchemaSides sides;
    const Blueprint *blueprint = ctx->run->blueprint;
    const SchemaObject **marked = NULL;
    size_t count = 0;
    return schema_sides_read(ctx, &sides, err) &&
           schema_marked(ctx, &sides.target, false, &marked, &count, err) &&
           schema_drop(ctx->target, marked, count, blueprint->schemas, blueprint->schema_count,
                       NULL, err);
}

const StepKind STEP_SCHEMA_PRE = {
    .name = "schema_pre",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE,
    .summary = "Restores types, functions, tables, sequences and views.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify,
    .undo = undo,
};
