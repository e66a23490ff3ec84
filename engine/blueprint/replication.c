/*
 * What the change stream stands on: the replica identities that the run sets on the source, and the
 * publications. Both follow the selection; whatever the plan names beside it is a finding.
 */
#include "blueprint/build.h"

#include "base/str.h"
#include "base/vec.h"
#include "plan/suggest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- replica identity ----------------------------------------------------------------------- */

typedef struct Entry {
    const PlanIdentity *plan; /* NULL: replica_identity.when_missing */
    bool by_root;             /* it names the partitioned root, not the leaf */
} Entry;

static Entry entry_of(const Build *build, const Leaf *leaf, bool *used)
{
    const PlanReplication *plan = &build->plan->replication;
    for (size_t i = 0; i < plan->identity_count; i++) {
        const Selector *selector = &plan->identities[i].table.selector;
        bool by_leaf = selector_matches(selector, &leaf->source);
        if (!by_leaf && !selector_matches(selector, &leaf->root->source))
            continue;
        used[i] = true;
        return (Entry){&plan->identities[i], !by_leaf};
    }
    return (Entry){0};
}

static const CatIndex *index_named(const Build *build, uint32_t relation, const char *name)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation, &count);
    for (size_t i = 0; i < count; i++)
        if (text_equal(indexes[i].name.rel, name))
            return &indexes[i];
    return NULL;
}

static const CatIndex *index_by_oid(const Build *build, uint32_t oid)
{
    for (size_t i = 0; i < build->source->indexes_count; i++)
        if (build->source->indexes[i].oid == oid)
            return &build->source->indexes[i];
    return NULL;
}

/* The leaf's share of a partitioned index of its root. */
static const CatIndex *share_of(const Build *build, const Leaf *leaf, const CatIndex *root)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, leaf->oid, &count);
    for (size_t i = 0; root != NULL && i < count; i++) {
        const CatIndex *above = &indexes[i];
        while (above != NULL && above->oid != root->oid)
            above = above->parent == 0 ? NULL : index_by_oid(build, above->parent);
        if (above != NULL)
            return &indexes[i];
    }
    return NULL;
}

static void suggest_index(Build *build, uint32_t relation, const char *name)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation, &count);
    Suggest suggest = suggest_begin(name);
    for (size_t i = 0; i < count; i++)
        suggest_offer(&suggest, indexes[i].name.rel);
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
    else
        build_hint(build, "Name an index of the table, or use full: true.");
}

/* A leaf's own part of an index that stands on its relation. */
static const CatIndex *part_for(const Build *build, const Leaf *leaf, const CatIndex *index)
{
    return leaf->oid == leaf->root->oid ? index : share_of(build, leaf, index);
}

/* when_missing: the index of the relation's key, if it has one. */
static const CatIndex *index_of_key(const Build *build, const Leaf *leaf)
{
    const Relation *relation = leaf->root;
    if (relation->key == NULL)
        return NULL;
    return part_for(build, leaf, index_named(build, relation->oid, relation->key->index_name));
}

/* The index that an entry names; the key of the relation follows it. */
static const CatIndex *index_of_entry(Build *build, Leaf *leaf, const Entry *entry)
{
    Relation *relation = leaf->root;
    const char *name = entry->plan->using_index;
    bool by_root = entry->by_root || leaf->oid == relation->oid;
    uint32_t table = by_root ? relation->oid : leaf->oid;
    const CatIndex *named = index_named(build, table, name);
    const Key *key = named == NULL ? NULL : build_key(build, relation, named);
    if (named == NULL) {
        build_find(build, DIAG_IDENTITY_INDEX, entry->plan->pos, 1, "%s has no index \"%s\"",
                   build_name(build, by_root ? &relation->source : &leaf->source), name);
        suggest_index(build, table, name);
    } else if (key == NULL) {
        build_find(build, DIAG_IDENTITY_INDEX, entry->plan->pos, 1,
                   "index \"%s\" of %s cannot be a replica identity", name,
                   build_name(build, &leaf->source));
        build_hint(build, "It must be unique, valid, not partial, not deferrable, and over NOT "
                          "NULL columns only.");
    } else if (by_root) {
        relation->key = key;
        named = part_for(build, leaf, named);
    }
    return named;
}

static int column_index(const Relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->column_count; i++)
        if (text_equal(relation->columns[i].name, name))
            return (int)i;
    return -1;
}

static void columns_fault(Build *build, const PlanIdentity *plan, const char *fault,
                          const char *hint)
{
    build_find(build, DIAG_IDENTITY_COLUMNS, plan->pos, 1, "%s", fault);
    build_hint(build, "%s", hint);
}

static bool has_partition_column(const Relation *relation, const PlanIdentity *plan)
{
    if (relation->hypertable == NULL)
        return true;
    for (size_t i = 0; i < plan->column_count; i++)
        if (text_equal(plan->columns[i], relation->hypertable->column_name))
            return true;
    return false;
}

/* The columns of an entry become the relation's key. \return false when they cannot. */
static bool take_columns(Build *build, Leaf *leaf, const PlanIdentity *plan, const char *index_name)
{
    Relation *relation = leaf->root;
    const char *table = build_name(build, &relation->source);
    uint16_t *positions = arena_array(build->arena, uint16_t, plan->column_count);
    if (relation->partitioned) {
        columns_fault(build, plan,
                      arena_printf(build->arena,
                                   "%s is partitioned: no unique index can be made "
                                   "for its replica identity",
                                   table),
                      "Use full: true, or make the index yourself and name it by using_index.");
        return false;
    }
    for (size_t i = 0; i < plan->column_count; i++) {
        int at = column_index(relation, plan->columns[i]);
        if (at < 0 || !relation->columns[at].not_null) {
            columns_fault(
                build, plan,
                arena_printf(build->arena,
                             at < 0 ? "%s has no column \"%s\"" : "column %s.%s may be null", table,
                             plan->columns[i]),
                at < 0 ? "Name columns as the source calls them; generated ones cannot "
                         "be taken."
                       : "A replica identity needs NOT NULL columns.");
            return false;
        }
        positions[i] = (uint16_t)at;
    }
    if (!has_partition_column(relation, plan)) {
        columns_fault(build, plan,
                      arena_printf(build->arena,
                                   "the columns lack %s, by which %s is partitioned "
                                   "on the target",
                                   relation->hypertable->column_name, table),
                      "A unique index of a hypertable holds its partition column: add it.");
        return false;
    }
    Key *key = arena_new(build->arena, Key);
    *key = (Key){.index_name = index_name, .count = plan->column_count, .columns = positions};
    relation->key = key;
    return true;
}

static void add_identity(Build *build, Leaf *leaf, const Entry *entry)
{
    IdentityDef def = {.leaf = leaf};
    size_t findings = build->findings.count;
    if (entry->plan != NULL && entry->plan->column_count > 0) {
        def.index_name =
            arena_printf(build->arena, "godwit_%s_%" PRIu32, build->plan->name, leaf->oid);
        def.columns = entry->plan->columns;
        def.column_count = entry->plan->column_count;
        (void)take_columns(build, leaf, entry->plan, def.index_name);
    } else {
        const CatIndex *index = entry->plan == NULL ? index_of_key(build, leaf)
                                : entry->plan->using_index == NULL
                                    ? NULL
                                    : index_of_entry(build, leaf, entry);
        def.index_name = index == NULL ? NULL : index->name.rel;
    }
    if (build->findings.count > findings)
        return;
    IdentityDef *kept = &build->blueprint->identities[build->blueprint->identity_count++];
    *kept = def;
    leaf->identity = kept;
    leaf->replica_identity = def.index_name == NULL ? 'f' : 'i';
    leaf->has_identity = true;
}

void build_identities(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    const PlanReplication *plan = &build->plan->replication;
    bool *used = arena_array(build->arena, bool, plan->identity_count);
    blueprint->identities = arena_array(build->arena, IdentityDef, blueprint->leaf_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        Leaf *leaf = &blueprint->leaves[i];
        Entry entry = entry_of(build, leaf, used);
        bool missing = plan->identity_set && !leaf->has_identity && !leaf->unlogged;
        if (entry.plan != NULL || missing)
            add_identity(build, leaf, &entry);
    }
    for (size_t i = 0; i < plan->identity_count; i++) {
        if (used[i])
            continue;
        build_find(build, DIAG_IDENTITY_UNUSED, plan->identities[i].pos, 1,
                   "replication.replica_identity: %s is no selected table, or an earlier entry "
                   "takes it",
                   plan->identities[i].table.selector.text);
        build_hint(build, "The first entry that matches counts.");
    }
}

/* ---- publications --------------------------------------------------------------------------- */

static bool lists(const PlanPublication *plan, const Relation *relation)
{
    for (size_t i = 0; i < plan->tables.count; i++)
        if (selector_matches(&plan->tables.items[i].selector, &relation->source))
            return true;
    return false;
}

/* Made by this plan's run: the comment is its mark. */
static bool is_ours(const Build *build, const CatPublication *there)
{
    const char *mark = arena_printf(build->arena, "godwit %s ", build->plan->name);
    return text_starts_with(there->comment, mark);
}

static bool has_table(const CatPublication *publication, uint32_t oid)
{
    size_t at = vec_place_of(publication->tables, publication->table_count, sizeof(oid), 0, oid);
    return at < publication->table_count && publication->tables[at] == oid;
}

/* An adopted publication publishes as the plan says, and nothing that is not selected. */
static void check_adopted(Build *build, const PlanPublication *plan, const CatPublication *there)
{
    const char *fault = there->via_root   ? "publishes partitions as their root"
                        : there->filtered ? "has row filters or column lists"
                        : there->publish != build->plan->replication.publish
                            ? "publishes other kinds of changes than replication.publish"
                            : NULL;
    if (fault != NULL) {
        build_find(build, DIAG_PUBLICATION_KINDS, plan->pos, 1, "publication \"%s\" %s", plan->name,
                   fault);
        build_hint(build, "Alter it, or let the run make its own.");
    }
    for (size_t i = 0; i < there->table_count; i++) {
        if (blueprint_leaf(build->blueprint, there->tables[i]) != NULL)
            continue;
        const CatRelation *relation = catalog_relation(build->source, there->tables[i]);
        build_find(build, DIAG_PUBLICATION_SELECTION, plan->pos, 1,
                   "publication \"%s\" publishes %s, which is not selected", plan->name,
                   relation == NULL ? "a system table" : build_name(build, &relation->name));
        build_hint(build, "The union of the publications must be the selection: select it, or "
                          "take it out of the publication.");
        break;
    }
}

static bool covers(const CatPublication *there, const Relation *relation)
{
    for (size_t i = 0; i < relation->leaf_count; i++)
        if (!relation->leaves[i]->unlogged && !has_table(there, relation->leaves[i]->oid))
            return false;
    return true;
}

static void begin_publication(Build *build, const PlanPublication *plan, PublicationDef *def)
{
    const CatPublication *there = catalog_publication(build->source, plan->name);
    bool foreign = there != NULL && !is_ours(build, there);
    *def = (PublicationDef){
        .name = plan->name,
        .adopted = foreign && plan->adopt,
        .pos = plan->pos,
        .relations = arena_array(build->arena, const Relation *, build->blueprint->relation_count),
    };
    if (def->adopted) {
        check_adopted(build, plan, there);
    } else if (foreign) {
        build_find(build, DIAG_PUBLICATION_EXISTS, plan->pos, 1,
                   "publication \"%s\" is on the source already", plan->name);
        build_hint(build, "Choose another name, or take it as it is: existing: adopt");
    }
}

/* An adopted publication and one that lists tables say what they have; another gets the rest. */
static bool gets_the_rest(const PlanPublication *plan, const PublicationDef *def)
{
    return !def->adopted && plan->tables.count == 0;
}

static bool publishes(const Build *build, const PlanPublication *plan, const PublicationDef *def,
                      const Relation *relation)
{
    if (def->adopted)
        return covers(catalog_publication(build->source, plan->name), relation);
    return plan->tables.count == 0 || lists(plan, relation);
}

static void take_relations(const Build *build, const PlanPublication *plan, PublicationDef *def,
                           bool *taken)
{
    const Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (taken[i] || !publishes(build, plan, def, relation))
            continue;
        taken[i] = true;
        def->relations[def->relation_count++] = relation;
    }
}

/* A selector of an entry that matches nothing is a mistake as it is anywhere else. */
static void check_selectors(Build *build, const PlanPublication *plan)
{
    const Blueprint *blueprint = build->blueprint;
    for (size_t s = 0; s < plan->tables.count; s++) {
        const PlanSelector *selector = &plan->tables.items[s];
        bool matched = selector->optional;
        for (size_t i = 0; !matched && i < blueprint->relation_count; i++)
            matched = selector_matches(&selector->selector, &blueprint->relations[i].source);
        if (!matched)
            build_find_at(build, DIAG_NO_MATCH, selector,
                          "replication.publications: no selected table %s %s",
                          selector->selector.pattern == NULL ? "is called" : "matches",
                          selector->selector.text);
    }
}

static void check_publication(Build *build, const PlanPublication *plan, const PublicationDef *def)
{
    if (def->relation_count > 0)
        return;
    build_find(build, DIAG_PUBLICATION_EMPTY, plan->pos, 1,
               "publication \"%s\" has no selected table that another has not", plan->name);
    build_hint(build, "List its tables, or leave the entry out.");
}

static void check_union(Build *build, const bool *taken)
{
    const Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (taken[i])
            continue;
        build_find(build, DIAG_PUBLICATION_SELECTION, build->plan->replication.publications[0].pos,
                   1, "%s is selected, but no publication has it",
                   build_name(build, &blueprint->relations[i].source));
        build_hint(build, "Add it to the tables of an entry, add an entry without tables for the "
                          "rest, or leave replication.publications out.");
    }
}

static void default_publication(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    PublicationDef *def = arena_new(build->arena, PublicationDef);
    def->relations = arena_array(build->arena, const Relation *, blueprint->relation_count);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (!blueprint->relations[i].schema_only)
            def->relations[def->relation_count++] = &blueprint->relations[i];
    blueprint->publications = def;
    blueprint->publication_count = 1;
}

void build_publications(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    const PlanReplication *plan = &build->plan->replication;
    if (plan->plugin == PLAN_PLUGIN_TEST_DECODING)
        return; /* it sends everything of the database */
    if (plan->publication_count == 0) {
        default_publication(build);
        return;
    }
    AUTO_ARENA Arena scratch = {0};
    bool *taken = arena_array(&scratch, bool, blueprint->relation_count);
    size_t count = plan->publication_count;
    for (size_t i = 0; i < blueprint->relation_count; i++)
        taken[i] = blueprint->relations[i].schema_only; /* nobody has to publish it */
    blueprint->publications = arena_array(build->arena, PublicationDef, count);
    blueprint->publication_count = count;
    for (size_t i = 0; i < count; i++)
        begin_publication(build, &plan->publications[i], &blueprint->publications[i]);
    for (int rest = 0; rest < 2; rest++)
        for (size_t i = 0; i < count; i++)
            if (gets_the_rest(&plan->publications[i], &blueprint->publications[i]) == (rest == 1))
                take_relations(build, &plan->publications[i], &blueprint->publications[i], taken);
    for (size_t i = 0; i < count; i++) {
        check_selectors(build, &plan->publications[i]);
        check_publication(build, &plan->publications[i], &blueprint->publications[i]);
    }
    check_union(build, taken);
}
