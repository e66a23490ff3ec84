/*
 * What a run that goes on is about to take in: tables and partitions of which its journal has no
 * row. On the target there may be something of their names: somebody's own, which the copy would
 * add to, or empty; or a partition that was detached on both sides and came back on the source
 * alone, whose rows would be there twice. Both are refused before anything is written. Where a
 * partition stands on the target is looked at in any case: it may come back before the journal
 * forgets it, and would then be copied anew into a table that is no part of its root any more.
 *
 * What shares a table of the target with what was copied before is not looked at: those rows are
 * the run's own, and nobody can tell whose they are while changes are on their way.
 */
#include "preflight/existing.h"

#include "journal/made.h"

#include <stdlib.h>
#include <string.h>

typedef struct Known {
    JournalLeaf *leaves; /* by name */
    size_t count;
} Known;

static int by_name(const void *a, const void *b)
{
    return name_compare(&((const JournalLeaf *)a)->source, &((const JournalLeaf *)b)->source);
}

static bool leaf_is_known(const Known *known, const Leaf *leaf)
{
    JournalLeaf wanted = {.source = leaf->source};
    return known->count > 0 &&
           bsearch(&wanted, known->leaves, known->count, sizeof(wanted), by_name) != NULL;
}

/* With it, those that it is merged with. */
static bool relation_is_known(const Blueprint *blueprint, const Known *known,
                              const Relation *relation)
{
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        bool own = leaf->root == relation ||
                   (relation->merge != NULL && leaf->root->merge == relation->merge);
        if (own && leaf_is_known(known, leaf))
            return true;
    }
    return false;
}

static bool is_added(const Check *check, const Known *known, const ExistingPair *pair)
{
    const Relation *relation = check_selected(check, pair->source->oid);
    if (!existing_is_table(pair->source) || relation == NULL || relation->leaf_count == 0)
        return false;
    const Leaf *leaf = blueprint_leaf(check->blueprint, pair->source->oid);
    if (leaf != NULL && leaf_is_known(known, leaf))
        return false;
    bool own_table = leaf != NULL && relation->partitioned && leaf->one_to_one;
    return own_table || !relation_is_known(check->blueprint, known, relation);
}

/* The table of the target that a partition must be one of; NULL: it is none on the source. */
static const Name *wanted_parent(Check *check, const CatObject *object)
{
    const CatRelation *table = catalog_relation(check->source.catalog, object->oid);
    const CatRelation *parent = table == NULL || !table->is_partition
                                    ? NULL
                                    : catalog_relation(check->source.catalog, table->parent);
    if (parent == NULL)
        return NULL;
    Name *name = arena_new(check->arena, Name);
    *name = blueprint_target_name(check->blueprint, parent->oid, &parent->name);
    return name;
}

/* Partitions that are partitioned again have no rows of their own. */
static bool is_in_place(Check *check, const ExistingPair *pair)
{
    const Leaf *leaf = blueprint_leaf(check->blueprint, pair->source->oid);
    if (leaf == NULL || !leaf->one_to_one)
        return true;
    const Name *wanted = wanted_parent(check, pair->source);
    const CatRelation *table = catalog_relation(check->target.catalog, pair->target->oid);
    const CatRelation *parent = table == NULL || !table->is_partition
                                    ? NULL
                                    : catalog_relation(check->target.catalog, table->parent);
    if (wanted == NULL)
        return parent == NULL;
    return parent != NULL && name_equal(wanted, &parent->name);
}

static void refuse_place(Check *check, const ExistingPair *pair)
{
    const Name name = {pair->target->schema, pair->target->name};
    const Name *wanted = wanted_parent(check, pair->source);
    const char *table = check_sql(check, &check->target, &name);
    check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, check_name(check, &name),
              wanted == NULL ? "is a partition here, and none on the source"
                             : check_text(check, "is no partition of %s here, as on the source",
                                          check_name(check, wanted)),
              "Its rows would come where they do not belong.",
              wanted == NULL
                  ? check_text(check, "-- detach %s on the target", table)
                  : check_text(check,
                               "-- on the target drop %s, which is made and copied anew; or empty "
                               "it and attach it there, too",
                               table));
}

static void refuse_rows(Check *check, const ExistingPair *pair)
{
    const Name name = {pair->target->schema, pair->target->name};
    check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, check_name(check, &name),
              "cannot be taken in: it has rows here",
              "The copy brings every row; what is there would be lost or stand twice.",
              check_text(check, "TRUNCATE %s;", check_sql(check, &check->target, &name)));
}

/* What the run has made, and not copied yet. */
static bool judge_own(Check *check, const ExistingPairs *own, Err *err)
{
    bool *has_rows = arena_array(check->arena, bool, own->count + 1);
    if (check->plan->copy.data && !existing_have_rows(check, own, has_rows, err))
        return false;
    for (size_t i = 0; i < own->count; i++)
        if (has_rows[i])
            refuse_rows(check, &own->items[i]);
    return true;
}

bool existing_added(Check *check, ExistingPairs *pairs, Err *err)
{
    const JournalRun *run = check->input->run;
    AUTO_ROWS Rows *marks = NULL;
    Known known = {0};
    ExistingPairs own = {0};
    size_t kept = 0;
    if (run == NULL || run->id == 0) {
        pairs->count = 0;
        return true;
    }
    if (!journal_leaves(check->arena, check->target.conn, run->id, &known.leaves, &known.count,
                        err) ||
        !journal_made(check->target.conn, check->plan->name, &marks, err))
        return err_context(err, "reading what the run has copied");
    if (known.count > 1)
        qsort(known.leaves, known.count, sizeof(JournalLeaf), by_name);
    for (size_t i = 0; i < pairs->count; i++) {
        const ExistingPair pair = pairs->items[i];
        if (!is_in_place(check, &pair))
            refuse_place(check, &pair);
        else if (!is_added(check, &known, &pair))
            continue;
        else if (made_has(marks, pair.target->class_oid, pair.target->oid, run->mark))
            *vec_push(check->arena, &own) = pair;
        else
            pairs->items[kept++] = pair;
    }
    pairs->count = kept;
    return judge_own(check, &own, err);
}
