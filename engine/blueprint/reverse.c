/*
 * Reverse: a derived plan that names each relation by its name on the target and maps it to the
 * source's, then blueprint_build(). Sequences are those of the way there with their ends changed.
 */
#include "blueprint/reverse.h"

#include "base/str.h"

static Selector exact(Arena *arena, const Name *name)
{
    return (Selector){.text = name_text(arena, name), .name = *name};
}

/* One selector a relation; one map entry for each that bears another name there. */
static void derive_select(Arena *arena, Plan *plan, const Blueprint *forth)
{
    size_t count = forth->relation_count;
    PlanSelect *select = &plan->select;
    *select = (PlanSelect){.tables.items = arena_array(arena, PlanSelector, count + 1),
                           .map = arena_array(arena, PlanMap, count + 1)};
    for (size_t i = 0; i < count; i++) {
        const Relation *relation = &forth->relations[i];
        if (relation->schema_only)
            continue;
        PlanSelector selector = {.selector = exact(arena, &relation->target), .pos = relation->pos};
        select->tables.items[select->tables.count++] = selector;
        if (!name_equal(&relation->source, &relation->target))
            select->map[select->map_count++] =
                (PlanMap){.source = selector,
                          .target = name_text(arena, &relation->source),
                          .pos = relation->pos};
    }
}

/* Behind the switch back clients go where a rollback would have sent them: its hooks are those of
 * the switch; what follows the drain compares the way there. */
static void derive_plan(Arena *arena, Plan *plan, const Blueprint *forth)
{
    *plan = *forth->plan;
    plan->arena = (Arena){0};
    memset(&plan->compiled, 0, sizeof(plan->compiled));
    plan->source = forth->plan->target;
    plan->target = forth->plan->source;
    plan->hypertable_count = 0;
    plan->replication.plugin =
        PLAN_PLUGIN_PGOUTPUT; /* the target has it, whatever the source has */
    plan->replication.publication_count = 0;
    plan->replication.identity_count = 0;
    plan->replication.identity_set = true;
    plan->steps.count = 0;
    plan->cutover.on_switch = forth->plan->cutover.on_rollback;
    plan->cutover.on_rollback.count = 0;
    plan->cutover.after_drain.count = 0;
    plan->cutover.approval_required = false;
    plan->cutover.require_count = 0;
    plan->extensions.create_missing = false;
    derive_select(arena, plan, forth);
}

static void derive_sequences(Blueprint *back, const Blueprint *forth)
{
    back->sequence_count = forth->sequence_count;
    back->sequences = arena_array(&back->arena, SequenceDef, forth->sequence_count);
    for (size_t i = 0; i < forth->sequence_count; i++) {
        SequenceDef *sequence = &back->sequences[i];
        *sequence = forth->sequences[i];
        sequence->name = forth->sequences[i].target;
        sequence->target = forth->sequences[i].name;
        sequence->merged_count = 0;
        if (sequence->owner != NULL)
            sequence->owner = blueprint_relation(back, &sequence->owner->target);
    }
}

static bool has_column(const Relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->column_count; i++)
        if (strcmp(relation->columns[i].name, name) == 0)
            return true;
    return false;
}

static bool same_columns(const Relation *there, const Relation *back, Err *err)
{
    for (size_t i = 0; i < back->column_count; i++)
        if (!has_column(there, back->columns[i].name))
            return err_set(err, ERR_RUN, "%s on the target has column %s, which the source lacks",
                           name_text(&err->arena, &back->source), back->columns[i].name);
    for (size_t i = 0; i < there->column_count; i++)
        if (!has_column(back, there->columns[i].name))
            return err_set(err, ERR_RUN, "%s on the target has no column %s",
                           name_text(&err->arena, &back->source), there->columns[i].name);
    return true;
}

static bool is_like(const Blueprint *back, const Blueprint *forth, const Catalog *from, Err *err)
{
    for (size_t i = 0; i < forth->relation_count; i++) {
        const Relation *there = &forth->relations[i];
        const CatRelation *table = catalog_relation_named(from, &there->target);
        if (there->schema_only)
            continue;
        if (table != NULL && table->is_hypertable)
            return err_set(err, ERR_RUN, "%s is a hypertable: its changes cannot be streamed",
                           name_text(&err->arena, &there->target));
        const Relation *relation = blueprint_relation(back, &there->target);
        if (relation == NULL)
            return err_set(err, ERR_RUN, "%s is not on the target",
                           name_text(&err->arena, &there->target));
        if (!same_columns(there, relation, err))
            return false;
    }
    return true;
}

static bool first_finding(const PlanFindings *findings, Err *err)
{
    err_release(err);
    for (size_t i = 0; i < findings->count; i++) {
        const PlanFinding *finding = &findings->items[i];
        if (finding->is_error)
            return err_set(err, ERR_RUN, "%s (%s, on the way back)", finding->message,
                           finding->code);
    }
    BUG("a blueprint failed without an error finding");
}

bool blueprint_reverse(Arena *arena, Blueprint *back, Plan *plan, const Blueprint *forth,
                       const Catalog *from, const Catalog *to, Err *err)
{
    PlanFindings findings = {0};
    derive_plan(arena, plan, forth);
    AUTO_ERR Err unfit = {0};
    bool ok = blueprint_build(back, plan, from, to, &findings, &unfit);
    /* Missing and converted tables are told by name, not as what a selector did not match. */
    if (!is_like(back, forth, from, err))
        return false;
    if (!ok)
        return unfit.code == ERR_PLAN ? first_finding(&findings, err) : err_move(err, &unfit);
    derive_sequences(back, forth);
    return true;
}
