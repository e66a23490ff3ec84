/*
 * Reverse: a derived plan that names each relation by its name on the target and maps it to the
 * source's, then blueprint_build(). Sequences are those of the way there with their ends changed.
 */
#include "blueprint/reverse.h"

#include "base/str.h"
#include "blueprint/structure.h"

static Selector exact(Arena *arena, const Name *name)
{
    return (Selector){.text = name_text(arena, name), .name = *name};
}

static void add_map(Arena *arena, PlanSelect *select, const Name *here, const Name *there,
                    PlanPos pos)
{
    select->map[select->map_count++] =
        (PlanMap){.source = {.selector = exact(arena, here), .pos = pos},
                  .target = name_text(arena, there),
                  .pos = pos};
}

/* One selector a relation; one map entry for each that bears another name there, and for each
 * partition that does. */
static void derive_select(Arena *arena, Plan *plan, const Blueprint *forth, const Catalog *from)
{
    size_t count = forth->relation_count;
    PlanSelect *select = &plan->select;
    *select = (PlanSelect){.tables.items = arena_array(arena, PlanSelector, count + 1),
                           .map = arena_array(arena, PlanMap, count + forth->leaf_count + 1)};
    for (size_t i = 0; i < count; i++) {
        const Relation *relation = &forth->relations[i];
        if (relation->schema_only)
            continue;
        PlanSelector selector = {.selector = exact(arena, &relation->target), .pos = relation->pos};
        select->tables.items[select->tables.count++] = selector;
        if (!name_equal(&relation->source, &relation->target))
            add_map(arena, select, &relation->target, &relation->source, relation->pos);
    }
    for (size_t i = 0; i < forth->leaf_count; i++) {
        const Leaf *leaf = &forth->leaves[i];
        if (leaf->root->partitioned && !name_equal(&leaf->source, &leaf->target_share) &&
            catalog_relation_named(from, &leaf->target_share) != NULL)
            add_map(arena, select, &leaf->target_share, &leaf->source, leaf->root->pos);
    }
}

/* Behind the switch back clients go where a rollback would have sent them: its hooks are those of
 * the switch; what follows the drain compares the way there. */
static void derive_plan(Arena *arena, Plan *plan, const Blueprint *forth, const Catalog *from)
{
    *plan = *forth->plan;
    plan->arena = (Arena){0};
    memset(&plan->compiled, 0, sizeof(plan->compiled));
    plan->source = forth->plan->target;
    plan->target = forth->plan->source;
    plan->hypertable_count = 0;
    plan->aggregate_count = 0;
    plan->job_count = 0;
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
    derive_select(arena, plan, forth, from);
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
    derive_plan(arena, plan, forth, from);
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

bool reverse_same(const char *before, const char *after, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *diff = structure_diff(&arena, before, after);
    if (*diff == '\0')
        return true;
    err_set(err, ERR_STALE, "the target's tables are not those that the way back was made for");
    err_detail(err, "%.*s", (int)strlen(diff) - 1, diff);
    return err_hint(err,
                    "Undo the change on the target. \"godwit cleanup\" gives the way back up.");
}

/* --- partitions ------------------------------------------------------------------------------ */

static bool source_has(const Catalog *to, const Leaf *leaf)
{
    const CatRelation *found = catalog_relation_named(to, &leaf->target_share);
    const CatRelation *root = catalog_relation_named(to, &leaf->root->target);
    return found != NULL && root != NULL && found->is_partition && found->root == root->oid;
}

/* By its file: what was deleted again counts as a row. */
static bool is_empty(const Catalog *from, const Leaf *leaf)
{
    const CatRelation *partition = catalog_relation(from, leaf->oid);
    return partition != NULL && partition->bytes == 0;
}

static bool came_alone(const Blueprint *back, const Leaf *leaf, Err *err)
{
    const CatRelation *partition = catalog_relation(back->source, leaf->oid);
    const char *bounds = partition == NULL ? NULL : partition->bounds;
    err_set(err, ERR_STALE, "partition %s of %s came to the target, and the source has no %s",
            name_text(&err->arena, &leaf->source), name_text(&err->arena, &leaf->root->source),
            name_text(&err->arena, &leaf->target_share));
    err_detail(err,
               "Its rows%s%s cannot come back; the way back waits, and its slot holds WAL on "
               "the target.",
               bounds != NULL ? ", those where " : "", bounds != NULL ? bounds : "");
    return err_hint(err,
                    "Make it on the source, too, with the same bounds (BEGIN READ WRITE; "
                    "CREATE TABLE ... PARTITION OF ...; COMMIT), then \"godwit apply\" goes on "
                    "where it stopped. Or detach or drop it on the target; \"godwit cleanup\" "
                    "gives the way back up.");
}

static bool went_alone(const Blueprint *forth, const Name *gone, Err *err)
{
    for (size_t i = 0; i < forth->leaf_count; i++) {
        const Leaf *leaf = &forth->leaves[i];
        if (!leaf->root->partitioned || !name_equal(&leaf->target_share, gone))
            continue;
        err_set(err, ERR_STALE, "partition %s was detached or dropped on the target",
                name_text(&err->arena, gone));
        err_detail(err,
                   "The stream does not tell of that: its rows are still on the source, in %s.",
                   name_text(&err->arena, &leaf->source));
        return err_hint(err, "Detach or drop it on the source, too (BEGIN READ WRITE first), then "
                             "\"godwit apply\" goes on; or attach it again on the target.");
    }
    return true;
}

bool reverse_joins(Arena *arena, const Blueprint *forth, const Blueprint *back, const Catalog *to,
                   const char *recorded, const bool **whole, NameVec *ahead, Err *err)
{
    AUTO_ARENA Arena own = {0};
    const char *now = structure_but_files(&own, recorded, structure_text(&own, back));
    const StructureMoves moves = structure_moves(&own, recorded, now);
    const bool *late = structure_late(&own, recorded, back);
    bool *relations = arena_array(arena, bool, back->relation_count + 1);
    if (moves.move == STRUCTURE_ALTERED || moves.added.count > 0 || moves.rewritten.count > 0)
        return reverse_same(recorded, now, err);
    for (size_t i = 0; i < moves.partitions.count; i++)
        if (moves.partitions.items[i].is_gone &&
            !went_alone(forth, &moves.partitions.items[i].name, err))
            return false;
    for (size_t i = 0; i < back->leaf_count; i++) {
        const Leaf *leaf = &back->leaves[i];
        if (!late[i])
            continue;
        if (!source_has(to, leaf)) {
            if (!is_empty(back->source, leaf))
                return came_alone(back, leaf, err);
            *vec_push(arena, ahead) = leaf->source;
        }
        relations[leaf->root->index] = true;
    }
    *whole = moves.move == STRUCTURE_SAME ? NULL : relations;
    return true;
}
