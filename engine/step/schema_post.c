/*
 * Step schema_post restores what waits for rows, indexes and keys: triggers, rules, policies, row
 * security, statistics objects, checks that were never validated, views and functions that need a
 * primary key, indexes of materialized views, comments on all of them. Triggers and rules that fire
 * under replica role are step triggers_late's.
 */
#include "step/schema_archive.h"

extern const StepKind STEP_SCHEMA_POST;

static const char KINDS[] = {OBJECT_TRIGGER,    OBJECT_RULE, OBJECT_POLICY,  OBJECT_ROW_SECURITY,
                             OBJECT_CHECK,      OBJECT_VIEW, OBJECT_MATVIEW, OBJECT_FUNCTION,
                             OBJECT_STATISTICS, '\0'};

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    Step *step = step_add_after(builder, &STEP_SCHEMA_POST, "schema_pre");
    static const char *const AFTER[] = {"copy", "index", "constraint", "foreign_key"};
    for (size_t i = 0; i < sizeof(AFTER) / sizeof(AFTER[0]); i++)
        step_needs_kind(builder, step, AFTER[i]);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    static const char SHOWN[] = {OBJECT_TRIGGER,      OBJECT_RULE,       OBJECT_POLICY,
                                 OBJECT_ROW_SECURITY, OBJECT_STATISTICS, '\0'};
    SchemaSides sides;
    if (!schema_sides_read(ctx, &sides, err))
        return false;
    description->sentence = "restore triggers, rules, policies, statistics objects and what waits "
                            "for primary keys";
    schema_describe(ctx, &sides, SHOWN, "post-data", description);
    return true;
}

/* See schema_on_hypertable(). */
static bool is_unsupported(const Blueprint *blueprint, const SchemaObject *object)
{
    return object->kind == OBJECT_TRIGGER && *object->state == 'D' &&
           schema_on_hypertable(blueprint, object->owner);
}

static bool is_there(const SchemaSides *sides, const SchemaObject *object)
{
    const SchemaObject *twin = schema_twin(sides, object);
    return twin != NULL && strcmp(twin->state, object->state) == 0;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    SchemaSides sides;
    if (!schema_sides_read(ctx, &sides, err))
        return false;
    size_t missing = 0;
    const char *first = NULL;
    for (size_t i = 0; i < sides.source.count; i++) {
        const SchemaObject *object = &sides.source.items[i];
        if (strchr(KINDS, (char)object->kind) == NULL || object->late ||
            !schema_object_kept(ctx->run->blueprint, object) || is_there(&sides, object) ||
            is_unsupported(ctx->run->blueprint, object))
            continue;
        first = missing++ == 0 ? object->key : first;
    }
    observation->state = missing == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    if (missing > 0)
        observation->reason =
            arena_printf(ctx->arena, "%zu objects are missing, the first is %s", missing, first);
    return true;
}

/* What cannot be made twice is left out when it is there; switches, attachments, comments and
 * CREATE OR REPLACE may come again. */
typedef struct Choice {
    StepCtx *ctx;
    SchemaSides sides;
} Choice;

static bool wanted(void *data, const Toc *toc, const TocEntry *entry)
{
    (void)toc;
    Choice *choice = data;
    const SchemaSides *sides = &choice->sides;
    const SchemaObject *object = schema_object(&sides->source, entry->class_oid, entry->oid);
    if (entry->class_oid == 0 || object == NULL)
        return true;
    if (is_unsupported(choice->ctx->run->blueprint, object)) {
        log_warn(&choice->ctx->log, "disabled %s is left out: hypertables cannot disable triggers",
                 object->key);
        return false;
    }
    const SchemaObject *twin = schema_twin(sides, object);
    if (object->kind == OBJECT_TRIGGER)
        return twin == NULL || strcmp(twin->state, object->state) != 0;
    return twin == NULL;
}

static bool apply(StepCtx *ctx, Err *err)
{
    Choice choice = {.ctx = ctx};
    return schema_sides_read(ctx, &choice.sides, err) &&
           schema_restore(ctx, &choice.sides, TOC_POST, wanted, &choice, err);
}

const StepKind STEP_SCHEMA_POST = {
    .name = "schema_post",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE,
    .summary = "Restores triggers, rules, policies and views that waited.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
