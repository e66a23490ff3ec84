/*
 * What is built on the selected tables after their rows: indexes with the constraints they back,
 * and foreign keys.
 */
#include "blueprint/build.h"

#include "base/str.h"

#include <stdlib.h>

typedef VEC(IndexDef) IndexDefs;
typedef VEC(ForeignKey) ForeignKeys;

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const CatIndex *const *)a)->oid;
    uint32_t right = (*(const CatIndex *const *)b)->oid;
    return (left > right) - (left < right);
}

static int oid_of_index(const void *key, const void *item)
{
    uint32_t left = *(const uint32_t *)key;
    uint32_t right = (*(const CatIndex *const *)item)->oid;
    return (left > right) - (left < right);
}

/* The source's indexes by oid, to climb from a leaf's to the root's. */
typedef struct Climb {
    const CatIndex **items;
    size_t count;
} Climb;

static Climb climb_begin(Arena *arena, const Catalog *source)
{
    Climb climb = {arena_array(arena, const CatIndex *, source->indexes_count),
                   source->indexes_count};
    for (size_t i = 0; i < climb.count; i++)
        climb.items[i] = &source->indexes[i];
    if (climb.count > 1)
        qsort(climb.items, climb.count, sizeof(*climb.items), by_oid);
    return climb;
}

static const CatIndex *topmost(const Climb *climb, const CatIndex *index)
{
    while (index->parent != 0) {
        const CatIndex *const *above = bsearch(&index->parent, climb->items, climb->count,
                                               sizeof(*climb->items), oid_of_index);
        if (above == NULL)
            break;
        index = *above;
    }
    return index;
}

static const CatConstraint *constraint_of(const Build *build, const CatIndex *index)
{
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, index->relation, &count);
    for (size_t i = 0; i < count; i++)
        if (index->constraint != 0 && constraints[i].oid == index->constraint)
            return &constraints[i];
    return NULL;
}

/* Names in statements are always in quotes here; the DDL builder needs a connection. */
static const char *quoted(const Build *build, const char *part)
{
    AUTO_STR Str out = {0};
    str_append_char(&out, '"');
    for (const char *at = part; *at != '\0'; at++) {
        str_append_char(&out, *at);
        if (*at == '"')
            str_append_char(&out, '"');
    }
    str_append_char(&out, '"');
    return str_dup(build->arena, &out);
}

/* Where the run sets another one on the source, the catalog may show that: what was there before
 * comes to the target at the run's end. */
static bool is_replica_identity(const Build *build, const CatRelation *table, const CatIndex *index)
{
    const Leaf *leaf = blueprint_leaf(build->blueprint, table->oid);
    return table->replica_identity == 'i' && table->replica_identity_index == index->oid &&
           (leaf == NULL || leaf->identity == NULL);
}

static void add_index(Build *build, IndexDefs *defs, const Climb *climb, Relation *relation,
                      const CatRelation *table, const CatIndex *index)
{
    const CatIndex *top = topmost(climb, index);
    const CatConstraint *constraint = constraint_of(build, index);
    const Name *place = &build_place(build, table)->target;
    *vec_push(build->arena, defs) = (IndexDef){
        .name = {place->schema, index->name.rel},
        .relation = relation,
        .table = *place,
        .table_oid = table->oid,
        .sql = index->sql,
        .constraint_sql = constraint == NULL ? NULL : constraint->sql,
        .constraint_name = constraint == NULL ? NULL : constraint->name,
        .constraint_type = constraint == NULL ? '\0' : constraint->type,
        .on_leaf = table->oid != relation->oid && table->kind == 'r',
        .is_key =
            relation->key != NULL && top->relation == relation->oid &&
            name_equal(&top->name, &(Name){relation->source.schema, relation->key->index_name}),
        .is_replica_identity = is_replica_identity(build, table, index),
        .clustered = index->clustered,
        .bytes = index->bytes,
    };
}

/* What makes the columns of replica_identity a key on the target too; where the source has the
 * index already (an earlier engine made it) it is among the others. */
static void add_temporary(Build *build, IndexDefs *defs, const IdentityDef *identity)
{
    Relation *relation = identity->leaf->root;
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, identity->leaf->oid, &count);
    if (relation->merge != NULL && relation->merge != relation)
        return;
    for (size_t i = 0; i < count; i++)
        if (text_equal(indexes[i].name.rel, identity->index_name) && indexes[i].valid)
            return;
    AUTO_STR Str sql = {0};
    Name name = {relation->target.schema, identity->index_name};
    str_appendf(&sql, "CREATE UNIQUE INDEX %s ON %s.%s USING btree (",
                quoted(build, identity->index_name), quoted(build, relation->target.schema),
                quoted(build, relation->target.rel));
    for (size_t i = 0; i < identity->column_count; i++)
        str_appendf(&sql, "%s%s", i == 0 ? "" : ", ", quoted(build, identity->columns[i]));
    str_append(&sql, ")");
    *vec_push(build->arena, defs) = (IndexDef){
        .name = name,
        .relation = relation,
        .table = relation->target,
        .table_oid = relation->oid,
        .sql = str_dup(build->arena, &sql),
        .is_key = true,
    };
}

static void add_indexes_of(Build *build, IndexDefs *defs, const Climb *climb, Relation *relation,
                           const CatRelation *table)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, table->oid, &count);
    for (size_t i = 0; i < count; i++) {
        const CatIndex *index = &indexes[i];
        if (!index->valid) {
            build_find_at(build, DIAG_INVALID_INDEX, build_mark(build, table)->cause,
                          "index %s of %s is not valid on the source and is left out",
                          build_name(build, &index->name), build_name(build, &table->name));
            continue;
        }
        if (build_index_goes(build, index, NULL))
            continue;
        /* Made by the root's index, together with that of the partitions below. */
        if (table->kind == 'p' && index->parent != 0)
            continue;
        add_index(build, defs, climb, relation, table, index);
    }
}

static int by_root_then_leaf(const void *a, const void *b)
{
    const IndexDef *left = a;
    const IndexDef *right = b;
    if (left->relation->index != right->relation->index)
        return left->relation->index < right->relation->index ? -1 : 1;
    if (left->on_leaf != right->on_leaf)
        return left->on_leaf ? -1 : 1;
    int order = name_compare(&left->table, &right->table);
    return order != 0 ? order : name_compare(&left->name, &right->name);
}

void build_indexes(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    Climb climb = climb_begin(&scratch, build->source);
    IndexDefs defs = {0};
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = build->source->by_name[i];
        Relation *relation =
            (table->kind == 'r' || table->kind == 'p') && build_mark(build, table)->selected
                ? build_relation(build, table->root)
                : NULL;
        if (relation != NULL && !build_is_merged_away(build, table))
            add_indexes_of(build, &defs, &climb, relation, table);
    }
    for (size_t i = 0; i < build->blueprint->identity_count; i++)
        if (build->blueprint->identities[i].columns != NULL)
            add_temporary(build, &defs, &build->blueprint->identities[i]);
    if (defs.count > 1)
        qsort(defs.items, defs.count, sizeof(IndexDef), by_root_then_leaf);
    build->blueprint->indexes = defs.items;
    build->blueprint->index_count = defs.count;
}

/* Why a foreign key cannot stand on the target; NULL when it can. */
static const char *key_obstacle(Build *build, const CatConstraint *constraint,
                                const Relation *relation, const CatRelation *referenced)
{
    const char *name = build_name(build, &referenced->name);
    const Relation *parent = build_relation(build, referenced->root);
    if (parent == NULL)
        return arena_printf(build->arena, "%s is not selected", name);
    if (parent->schema_only && !relation->schema_only)
        return arena_printf(build->arena, "%s comes without rows", name);
    if (build->plan->select.columns_count > 0 &&
        !blueprint_keeps_object(build->blueprint, CAT_CLASS_CONSTRAINT, constraint->oid))
        return "a column that it needs is left out";
    return NULL;
}

static void warn_of_orphans(Build *build, const CatRelation *table, const CatConstraint *constraint,
                            const CatRelation *referenced)
{
    const PlanRowFilter *filter = build_mark(build, referenced)->filter;
    if (filter == NULL)
        return;
    build_find(build, DIAG_FILTER_EFFECT, filter->pos, 1,
               "foreign key %s of %s points to %s, of which the filter takes only some rows",
               name_part_text(build->arena, constraint->name), build_name(build, &table->name),
               build_name(build, &referenced->name));
    build_hint(build, "If a row refers to one that is kept out, the key stays NOT VALID; filter "
                      "both tables alike.");
}

static void add_foreign_keys_of(Build *build, ForeignKeys *keys, Relation *relation,
                                const CatRelation *table)
{
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, table->oid, &count);
    for (size_t i = 0; i < count; i++) {
        const CatConstraint *constraint = &constraints[i];
        const CatRelation *referenced = catalog_relation(build->source, constraint->referenced);
        if (constraint->type != 'f' || constraint->parent != 0 || referenced == NULL)
            continue;
        const char *obstacle = key_obstacle(build, constraint, relation, referenced);
        if (obstacle != NULL) {
            build_find_at(build, DIAG_FOREIGN_KEY_LEFT_OUT, build_mark(build, table)->cause,
                          "foreign key %s of %s is left out: %s",
                          name_part_text(build->arena, constraint->name),
                          build_name(build, &table->name), obstacle);
            continue;
        }
        const Relation *lacking = build_lacks_foreign_key(build, relation, constraint);
        if (lacking != NULL) {
            build_find_at(build, DIAG_FOREIGN_KEY_LEFT_OUT, build_mark(build, table)->cause,
                          "foreign key %s of %s is left out: %s, which is merged with it, has none "
                          "like it",
                          name_part_text(build->arena, constraint->name),
                          build_name(build, &table->name), build_name(build, &lacking->source));
            continue;
        }
        if (!relation->schema_only)
            warn_of_orphans(build, table, constraint, referenced);
        *vec_push(build->arena, keys) = (ForeignKey){
            .name = constraint->name,
            .relation = relation,
            .table = build_place(build, table)->target,
            .table_oid = table->oid,
            .referenced = build_place(build, referenced)->target,
            .referenced_oid = referenced->oid,
            .sql = constraint->sql,
            .validated = constraint->validated,
        };
    }
}

void build_foreign_keys(Build *build)
{
    ForeignKeys keys = {0};
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = build->source->by_name[i];
        Relation *relation =
            build_mark(build, table)->selected ? build_relation(build, table->root) : NULL;
        if (relation != NULL && !build_is_merged_away(build, table))
            add_foreign_keys_of(build, &keys, relation, table);
    }
    build->blueprint->foreign_keys = keys.items;
    build->blueprint->foreign_key_count = keys.count;
}
