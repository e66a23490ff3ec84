/*
 * Step schema_post restores what waits for rows, indexes and keys: triggers, rules, policies, row
 * security, statistics objects, checks that were never validated, views and functions that need a
 * primary key, indexes of materialized views, comments on all of them. Triggers and rules that fire
 * under replica role are step triggers_late's.
 */
#include "step/schema_archive.h"

#include "roles/policy.h"
#include "step/ddl_step.h"

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

/* Policies whose roles have another name on the target are not the archive's: they are late to it.
 */
static bool read_all(StepCtx *ctx, SchemaSides *sides, RolePolicies *policies, Err *err)
{
    RoleSet set = {0};
    if (!schema_sides_read(ctx, sides, err) ||
        !roles_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &set, err) ||
        !role_policies(ctx->arena, &set, ctx->run->blueprint, ctx->source, ctx->target, policies,
                       err))
        return false;
    for (size_t i = 0; i < sides->source.count; i++) {
        SchemaObject *object = &sides->source.items[i];
        if (object->kind == OBJECT_POLICY && role_policy(policies, object->oid) != NULL)
            object->late = true;
    }
    return true;
}

/* What they need that is not there yet. */
static void policy_statements(StepCtx *ctx, const SchemaSides *sides, const RolePolicies *policies,
                              SqlVec *statements)
{
    for (size_t i = 0; i < sides->source.count; i++) {
        const SchemaObject *object = &sides->source.items[i];
        const RolePolicy *policy =
            object->kind == OBJECT_POLICY ? role_policy(policies, object->oid) : NULL;
        for (size_t s = 0;
             policy != NULL && schema_twin(sides, object) == NULL && s < policy->statements.count;
             s++)
            *vec_push(ctx->arena, statements) = policy->statements.items[s];
    }
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    static const char SHOWN[] = {OBJECT_TRIGGER,      OBJECT_RULE,       OBJECT_POLICY,
                                 OBJECT_ROW_SECURITY, OBJECT_STATISTICS, '\0'};
    SchemaSides sides;
    RolePolicies policies = {0};
    SqlVec statements = {0};
    if (!read_all(ctx, &sides, &policies, err))
        return false;
    description->sentence = "restore triggers, rules, policies, statistics objects and what waits "
                            "for primary keys";
    schema_describe(ctx, &sides, SHOWN, "post-data", description);
    policy_statements(ctx, &sides, &policies, &statements);
    ddl_describe(ctx, description, &statements);
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
    RolePolicies policies = {0};
    SqlVec statements = {0};
    if (!read_all(ctx, &sides, &policies, err))
        return false;
    policy_statements(ctx, &sides, &policies, &statements);
    size_t missing = statements.count;
    const char *first = missing > 0 ? statements.items[0] : NULL;
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

static void tell_policies(StepCtx *ctx, const RolePolicies *policies)
{
    for (size_t i = 0; i < policies->count; i++) {
        const RolePolicy *policy = &policies->items[i];
        if (policy->missing != NULL)
            log_warn(&ctx->log, "policy %s %s: nothing on the target stands for role %s",
                     policy->name,
                     policy->statements.count == 0 ? "is left out" : "is without one of its roles",
                     name_part_text(ctx->arena, policy->missing));
    }
}

static bool apply(StepCtx *ctx, Err *err)
{
    Choice choice = {.ctx = ctx};
    RolePolicies policies = {0};
    SqlVec statements = {0};
    if (!read_all(ctx, &choice.sides, &policies, err))
        return false;
    policy_statements(ctx, &choice.sides, &policies, &statements);
    tell_policies(ctx, &policies);
    return schema_restore(ctx, &choice.sides, TOC_POST, wanted, &choice, "", err) &&
           (statements.count == 0 || ddl_apply_source_names(ctx, &statements, err));
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
