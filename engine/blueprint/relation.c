/*
 * The selected tables: their columns, the key that names one row, and the leaves where their rows
 * live. Relations and leaves stand in the order of their names.
 */
#include "blueprint/build.h"

#include <stdlib.h>
#include <string.h>

/* Built-in types whose binary form is the same in every version and on every server (no oid of the
 * server's own in it, no locale, no encoding but the pinned one). Sorted. */
static const uint32_t binary_types[] = {
    16,   17,   18,   19,   20,   21,   23,   25,   26,   28,   29,   114,  600,  601,
    602,  603,  604,  628,  650,  700,  701,  718,  774,  790,  829,  869,  1042, 1043,
    1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700, 2950, 3220, 3614, 3802, 5069,
};

#define TYPE_FLOAT4   700
#define TYPE_FLOAT8   701
#define TYPE_INTERVAL 1186

static int compare_oid(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Interval has infinities since 17. An older server takes their binary form for very long spans,
 * and refuses their text. */
static bool is_taken_amiss(const Build *build, uint32_t type)
{
    return type == TYPE_INTERVAL && build->source->server.version >= 170000 &&
           build->target->server.version < 170000;
}

static bool binary_safe(const Build *build, const CatColumn *column)
{
    uint32_t type = column->element_oid != 0 ? column->element_oid : column->base_type_oid;
    return !is_taken_amiss(build, type) && column->type_builtin && column->type_kind == 'b' &&
           bsearch(&type, binary_types, sizeof(binary_types) / sizeof(binary_types[0]),
                   sizeof(binary_types[0]), compare_oid) != NULL;
}

static bool text_differs(const Build *build, const CatColumn *column)
{
    uint32_t type = column->element_oid != 0 ? column->element_oid : column->base_type_oid;
    return (type == TYPE_FLOAT4 || type == TYPE_FLOAT8) &&
           (build->source->server.version < 120000 || build->target->server.version < 120000);
}

/* float4, float8 and the geometric types; those of the user's own never travel in binary form. */
static bool holds_floats(const CatColumn *column)
{
    static const uint32_t OF_FLOATS[] = {600, 601,         602,         603, 604,
                                         628, TYPE_FLOAT4, TYPE_FLOAT8, 718};
    uint32_t type = column->element_oid != 0 ? column->element_oid : column->base_type_oid;
    return bsearch(&type, OF_FLOATS, sizeof(OF_FLOATS) / sizeof(OF_FLOATS[0]), sizeof(OF_FLOATS[0]),
                   compare_oid) != NULL;
}

static Column column_of(const Build *build, const CatColumn *column)
{
    return (Column){
        .name = column->name,
        .type_text = column->type_text,
        .equality = column->equality,
        .type_oid = column->type_oid,
        .not_null = column->not_null,
        .identity = column->identity,
        .generated = column->generated,
        .binary_safe = binary_safe(build, column),
        .holds_floats = holds_floats(column),
        .text_differs_by_major = text_differs(build, column),
    };
}

static void not_binary(Build *build, Relation *relation, const CatColumn *column)
{
    relation->binary = false;
    if (build->plan->copy.format == PLAN_FORMAT_BINARY)
        build_find(build, DIAG_NOT_BINARY, (PlanPos){0}, 1,
                   "copy.format is binary, but %s.%s of type %s has no binary form that is "
                   "the same on both servers",
                   build_name(build, &relation->source), column->name, column->type_text);
}

static void fill_columns(Build *build, Relation *relation, const CatRelation *from)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    relation->columns = arena_array(build->arena, Column, count);
    relation->generated = arena_array(build->arena, const char *, count);
    relation->left_out = arena_array(build->arena, Column, count);
    relation->binary = build->plan->copy.format != PLAN_FORMAT_TEXT;
    for (size_t i = 0; i < count; i++) {
        const CatColumn *column = &columns[i];
        if (build_is_left_out(build, from, column->name)) {
            relation->left_out[relation->left_out_count++] = column_of(build, column);
        } else if (column->generated) {
            relation->generated[relation->generated_count++] = column->name;
        } else {
            relation->columns[relation->column_count++] = column_of(build, column);
            if (!binary_safe(build, column))
                not_binary(build, relation, column);
        }
    }
}

/* Where attribute `attnum` stands in Relation.columns; false for one that does not travel. */
static bool column_position(const Build *build, const Relation *relation, int attnum,
                            uint16_t *position)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; columns[i].attnum == attnum && c < relation->column_count; c++)
            if (relation->columns[c].name == columns[i].name) {
                *position = (uint16_t)c;
                return true;
            }
    return false;
}

const Key *build_key(Build *build, const Relation *relation, const CatIndex *index)
{
    if (!index->unique || !index->valid || !index->immediate || index->partial ||
        index->has_expressions || index->exclusion || build_index_goes(build, index, NULL))
        return NULL;
    uint16_t *positions = arena_array(build->arena, uint16_t, index->key_count);
    for (int i = 0; i < index->key_count; i++)
        if (!column_position(build, relation, index->attnums[i], &positions[i]) ||
            !relation->columns[positions[i]].not_null)
            return NULL;
    Key *key = arena_new(build->arena, Key);
    *key = (Key){
        .index_name = index->name.rel,
        .is_primary = index->primary,
        .count = (size_t)index->key_count,
        .columns = positions,
    };
    return key;
}

/* Replica identity index before primary key before the narrowest unique index. */
static int key_rank(const CatRelation *relation, const CatIndex *index)
{
    if (relation->replica_identity == 'i' && index->oid == relation->replica_identity_index)
        return 0;
    return index->primary ? 1 : 1 + index->key_count;
}

static void choose_key(Build *build, Relation *relation, const CatRelation *from)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, from->oid, &count);
    const CatIndex *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (best != NULL && key_rank(from, &indexes[i]) >= key_rank(from, best))
            continue;
        const Key *key = build_key(build, relation, &indexes[i]);
        if (key == NULL)
            continue;
        relation->key = key;
        best = &indexes[i];
    }
    for (size_t i = 0; i < count; i++)
        if (&indexes[i] != best && (indexes[i].unique || indexes[i].exclusion) &&
            !build_index_goes(build, &indexes[i], NULL))
            relation->further_unique = true;
}

static bool is_selected_root(Build *build, const CatRelation *relation)
{
    return (relation->kind == 'r' || relation->kind == 'p') && !relation->is_partition &&
           build_mark(build, relation)->selected;
}

/* Rows live in ordinary tables; foreign partitions are refused. Where only structure is wanted
 * nothing is copied, published or compared: there are no leaves. */
static bool is_leaf(Build *build, const CatRelation *relation)
{
    const Mark *mark = build_mark(build, relation);
    return relation->kind == 'r' && mark->selected && !mark->schema_only;
}

static const PlanHypertable *hypertable_of(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->hypertables.count; i++)
        if (name_equal(&build->hypertables.items[i]->target_table, target))
            return build->hypertables.items[i];
    return NULL;
}

static int by_relation_oid(const void *a, const void *b)
{
    return compare_oid(&(*(Relation *const *)a)->oid, &(*(Relation *const *)b)->oid);
}

static int by_leaf_oid(const void *a, const void *b)
{
    return compare_oid(&(*(Leaf *const *)a)->oid, &(*(Leaf *const *)b)->oid);
}

static int oid_of_relation(const void *key, const void *item)
{
    return compare_oid(key, &(*(Relation *const *)item)->oid);
}

/* The selected relation with this oid of its own (a root's), NULL if there is none. */
Relation *build_relation(const Build *build, uint32_t oid)
{
    const Blueprint *blueprint = build->blueprint;
    if (blueprint->relation_count == 0)
        return NULL;
    Relation **found = bsearch(&oid, blueprint->by_oid, blueprint->relation_count,
                               sizeof(Relation *), oid_of_relation);
    return found == NULL ? NULL : *found;
}

static bool has_primary_key(const Catalog *catalog, uint32_t relation)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(catalog, relation, &count);
    for (size_t i = 0; i < count; i++)
        if (indexes[i].primary && indexes[i].valid && indexes[i].immediate)
            return true;
    return false;
}

static PlanPos cause_of(Build *build, const CatRelation *from)
{
    const PlanSelector *cause = build_mark(build, from)->cause;
    const PlanPos nowhere = {0};
    return cause == NULL ? nowhere : cause->pos;
}

/* A comment at its end must not swallow the parenthesis. */
static const char *filter_text(const Build *build, const PlanRowFilter *filter)
{
    if (filter == NULL)
        return NULL;
    bool comment = strstr(filter->where, "--") != NULL;
    return arena_printf(build->arena, "(%s%s)", filter->where, comment ? "\n" : "");
}

/* A parent's structure is its children's: what changes that, or takes the rows elsewhere, would
 * have to be done to all of them at once. */
static void check_family(Build *build, const Relation *relation, const CatRelation *from)
{
    const char *why = relation->hypertable != NULL              ? "be converted to a hypertable"
                      : build_place(build, from)->merge != NULL ? "be merged with others"
                      : relation->list != NULL                  ? "have a list of columns"
                                                                : NULL;
    if (!relation->family || why == NULL)
        return;
    build_find_at(build, DIAG_INHERITANCE, build_mark(build, from)->cause,
                  "%s inherits from another table or is inherited from, and cannot %s",
                  build_name(build, &relation->source), why);
    build_hint(build, "Exclude the whole family, or turn it into a partitioned table.");
}

static void add_relations(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    const Catalog *source = build->source;
    for (size_t i = 0; i < source->relations_count; i++)
        blueprint->relation_count += is_selected_root(build, source->by_name[i]);
    blueprint->relations = arena_array(build->arena, Relation, blueprint->relation_count);
    blueprint->by_oid = arena_array(build->arena, Relation *, blueprint->relation_count);
    size_t at = 0;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *from = source->by_name[i];
        if (!is_selected_root(build, from))
            continue;
        const Mark *mark = build_mark(build, from);
        Relation *relation = &blueprint->relations[at];
        *relation = (Relation){
            .oid = from->oid,
            .source = from->name,
            .target = build_place(build, from)->target,
            .partitioned = from->kind == 'p',
            .chunked = from->is_hypertable,
            .family =
                from->inherits && !from->is_partition && from->kind != 'p' && !from->is_hypertable,
            .index = at,
            .pos = cause_of(build, from),
            .hypertable = hypertable_of(build, &build_place(build, from)->target),
            .schema_only = mark->schema_only,
            .filter = filter_text(build, mark->filter),
            .filter_from = mark->filter,
            .list = mark->list,
        };
        blueprint->has_chunked = blueprint->has_chunked || relation->chunked;
        blueprint->by_oid[at++] = relation;
        fill_columns(build, relation, from);
        choose_key(build, relation, from);
        check_family(build, relation, from);
    }
    if (at > 1)
        qsort(blueprint->by_oid, at, sizeof(Relation *), by_relation_oid);
}

/* A hash partition's condition names its parent by a number of the source's own. */
static const char *bounds_of(const CatRelation *from)
{
    if (from->bounds == NULL || strstr(from->bounds, "satisfies_hash_partition(") != NULL)
        return NULL;
    return from->bounds;
}

static Leaf leaf_of(const Build *build, const CatRelation *from, Relation *root, size_t index)
{
    return (Leaf){
        .oid = from->oid,
        .source = from->name,
        .target_share = build_place(build, from)->target,
        .bounds = relation_is_gathered(root) ? bounds_of(from) : NULL,
        .one_to_one = build_place(build, from)->merge == NULL,
        .root = root,
        .index = index,
        .bytes = from->bytes,
        .pages = from->pages,
        .rows_estimate = from->tuples,
        .is_heap = from->is_heap,
        .unlogged = from->persistence == 'u',
        .replica_identity = from->replica_identity,
        .has_identity =
            from->replica_identity == 'f' ||
            (from->replica_identity == 'i' && from->replica_identity_index != 0) ||
            (from->replica_identity == 'd' && has_primary_key(build->source, from->oid)),
    };
}

/* A unique index of a leaf that is not its share of a root's. */
static bool leaf_has_own_unique(const Build *build, uint32_t leaf)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, leaf, &count);
    for (size_t i = 0; i < count; i++)
        if ((indexes[i].unique || indexes[i].exclusion) && indexes[i].parent == 0)
            return true;
    return false;
}

/* Leaves of one relation stand together; two walks over the names: count, then place. */
static void add_leaves(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    const Catalog *source = build->source;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *from = source->by_name[i];
        Relation *root = is_leaf(build, from) ? build_relation(build, from->root) : NULL;
        if (root == NULL)
            continue;
        root->leaf_count++;
        blueprint->leaf_count++;
    }
    blueprint->leaves = arena_array(build->arena, Leaf, blueprint->leaf_count);
    blueprint->leaf_by_oid = arena_array(build->arena, Leaf *, blueprint->leaf_count);
    size_t next = 0;
    for (size_t r = 0; r < blueprint->relation_count; r++) {
        Relation *relation = &blueprint->relations[r];
        relation->leaves = &blueprint->leaf_by_oid[next];
        next += relation->leaf_count;
        relation->leaf_count = 0;
    }
    size_t at = 0;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *from = source->by_name[i];
        Relation *root = is_leaf(build, from) ? build_relation(build, from->root) : NULL;
        if (root == NULL)
            continue;
        size_t index = (size_t)(root->leaves - blueprint->leaf_by_oid) + root->leaf_count;
        blueprint->leaves[index] = leaf_of(build, from, root, index);
        root->leaves[root->leaf_count++] = &blueprint->leaves[index];
        root->unlogged = root->unlogged || blueprint->leaves[index].unlogged;
        if (from->oid != root->oid && leaf_has_own_unique(build, from->oid))
            root->further_unique = true;
        at++;
    }
    /* The relations keep the order by name; the look-up has an array of its own. */
    Leaf **by_name = blueprint->leaf_by_oid;
    blueprint->leaf_by_oid = arena_array(build->arena, Leaf *, at);
    if (at > 0)
        memcpy(blueprint->leaf_by_oid, by_name, at * sizeof(Leaf *));
    if (at > 1)
        qsort(blueprint->leaf_by_oid, at, sizeof(Leaf *), by_leaf_oid);
}

void build_relations(Build *build)
{
    add_relations(build);
    add_leaves(build);
}
