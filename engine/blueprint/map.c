/*
 * select.map: which name every selected table gets on the target, and what follows it there.
 *
 * The first entry that matches a table counts. A partition without an entry of its own follows the
 * schema of its root when it stands beside it; indexes and owned sequences always stand beside
 * their table, so they follow it too, under their own names. Two things with one name on the target
 * are a finding, unless they are tables that the plan merges.
 */
#include "blueprint/build.h"

#include "base/str.h"
#include "plan/suggest.h"

#include <stdlib.h>
#include <string.h>

static bool is_table(const CatRelation *relation)
{
    return relation->kind == 'r' || relation->kind == 'p';
}

static bool is_root(const CatRelation *relation)
{
    return is_table(relation) && !relation->is_partition;
}

Place *build_place(const Build *build, const CatRelation *relation)
{
    return &build->places[relation - build->source->relations];
}

void build_find_map(Build *build, Diag diag, const PlanMap *map, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(build->arena, format, args);
    va_end(args);
    uint32_t span = 0;
    for (const char *at = map->target; *at != '\0'; at++)
        span += (*at & 0xC0) != 0x80;
    build_find(build, diag, map->pos, span, "%s", text);
}

/* --- names --- */

static void expand(Build *build, const PlanMap *map, const CatRelation *relation)
{
    Place *place = build_place(build, relation);
    AUTO_ERR Err err = {0};
    Name target = {0};
    place->map = map;
    if (selector_expand(build->arena, &map->source.selector, &relation->name, map->target, &target,
                        &err)) {
        place->target = target;
        return;
    }
    build_find_map(build, DIAG_MAP_NAME, map, "select.map: %s gets no name from %s: %s",
                   build_name(build, &relation->name), map->target, err.message);
}

/* The first entry that matches; every one that does is noted in `matched`. */
static const PlanMap *map_of(const Build *build, const CatRelation *relation, bool *matched)
{
    const PlanMap *found = NULL;
    for (size_t m = 0; m < build->plan->select.map_count; m++) {
        const PlanMap *map = &build->plan->select.map[m];
        if (!selector_matches(&map->source.selector, &relation->name))
            continue;
        matched[m] = true;
        if (found == NULL)
            found = map;
    }
    return found;
}

static void follow_root(Build *build, const CatRelation *relation)
{
    const CatRelation *root = catalog_relation(build->source, relation->root);
    Place *place = build_place(build, relation);
    if (root == NULL || root == relation || place->map != NULL ||
        strcmp(root->name.schema, relation->name.schema) != 0)
        return;
    place->target.schema = build_place(build, root)->target.schema;
}

static void no_match(Build *build, const PlanMap *map)
{
    const PlanSelector *source = &map->source;
    if (source->optional)
        return;
    const CatRelation *there = source->selector.pattern == NULL
                                   ? catalog_relation_named(build->source, &source->selector.name)
                                   : NULL;
    if (there != NULL && build_mark(build, there)->selected) {
        build_find_at(build, DIAG_MAP_KIND, source,
                      "select.map: %s is no table, and only tables get another name",
                      source->selector.text);
        build_hint(build, "Exclude it, and create it on the target under its other name.");
        return;
    }
    build_find_at(build, DIAG_MAP_UNUSED, source, "select.map: no selected table %s %s",
                  source->selector.pattern == NULL ? "is called" : "matches",
                  source->selector.text);
    if (source->selector.pattern != NULL)
        return;
    Suggest suggest = suggest_begin(source->selector.text);
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = build->source->by_name[i];
        if (is_table(relation) && build_mark(build, relation)->selected)
            suggest_offer(&suggest, build_name(build, &relation->name));
    }
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
}

static void name_tables(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    const Catalog *source = build->source;
    bool *matched = arena_array(&scratch, bool, build->plan->select.map_count);
    for (size_t i = 0; i < source->relations_count; i++)
        build->places[i].target = source->relations[i].name;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = source->by_name[i];
        if (!is_table(relation) || !build_mark(build, relation)->selected)
            continue;
        const PlanMap *map = map_of(build, relation, matched);
        if (map != NULL)
            expand(build, map, relation);
    }
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = source->by_name[i];
        if (relation->is_partition && build_mark(build, relation)->selected)
            follow_root(build, relation);
    }
    for (size_t m = 0; m < build->plan->select.map_count; m++)
        if (!matched[m])
            no_match(build, &build->plan->select.map[m]);
}

/* --- what takes a name on the target --- */

typedef struct Taker {
    Name target;
    const Name *source;
    const char *kind;
    const CatRelation *table; /* itself, or what it belongs to; NULL: neither */
    bool itself;              /* is that table */
} Taker;

typedef VEC(Taker) Takers;

static int by_target(const void *a, const void *b)
{
    const Taker *left = a;
    const Taker *right = b;
    int order = name_compare(&left->target, &right->target);
    return order != 0 ? order : name_compare(left->source, right->source);
}

static const char *kind_of(const CatRelation *relation)
{
    switch (relation->kind) {
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'S':
        return "sequence";
    default:
        return "table";
    }
}

static const CatRelation *owner_of(const Build *build, const CatRelation *sequence)
{
    for (size_t i = 0; i < build->source->sequences_count; i++)
        if (build->source->sequences[i].oid == sequence->oid)
            return catalog_relation(build->source, build->source->sequences[i].owner_relation);
    return NULL;
}

static void take_relation(Build *build, Arena *scratch, Takers *takers, const CatRelation *relation)
{
    const CatRelation *table = relation;
    Name target = build_place(build, relation)->target;
    if (relation->kind == 'S') {
        table = owner_of(build, relation);
        if (table != NULL)
            target.schema = build_place(build, table)->target.schema;
    }
    const CatRelation *wanted = table == NULL ? relation : table;
    if (!build_mark(build, wanted)->selected)
        return;
    *vec_push(scratch, takers) = (Taker){
        .target = target,
        .source = &relation->name,
        .kind = kind_of(relation),
        .table = is_table(wanted) ? wanted : NULL,
        .itself = wanted == relation && is_table(relation),
    };
}

static void take_indexes(Build *build, Arena *scratch, Takers *takers)
{
    for (size_t i = 0; i < build->source->indexes_count; i++) {
        const CatIndex *index = &build->source->indexes[i];
        const CatRelation *table = catalog_relation(build->source, index->relation);
        if (table == NULL || !index->valid || !is_table(table) ||
            !build_mark(build, table)->selected)
            continue;
        *vec_push(scratch, takers) = (Taker){
            .target = {build_place(build, table)->target.schema, index->name.rel},
            .source = &index->name,
            .kind = "index",
            .table = table,
        };
    }
}

static const PlanMap *map_behind(const Build *build, const Taker *taker)
{
    if (taker->table == NULL)
        return NULL;
    const PlanMap *map = build_place(build, taker->table)->map;
    const CatRelation *root = catalog_relation(build->source, taker->table->root);
    return map != NULL || root == NULL ? map : build_place(build, root)->map;
}

static bool is_merged(const Build *build, const Taker *taker)
{
    return taker->table != NULL && build_place(build, taker->table)->merge != NULL;
}

static void clash(Build *build, const Taker *first, const Taker *second)
{
    const PlanMap *map = map_behind(build, second);
    if (map == NULL)
        map = map_behind(build, first);
    if (map == NULL)
        return;
    build_find_map(build, DIAG_MAP_CLASH, map,
                   "select.map: %s %s and %s %s would both be %s on the target", first->kind,
                   build_name(build, first->source), second->kind,
                   build_name(build, second->source), build_name(build, &first->target));
    if (first->itself && second->itself)
        build_hint(build, "Give them different names, or write merge: true to make them one.");
    else if (strcmp(first->kind, "index") == 0 || strcmp(second->kind, "index") == 0)
        build_hint(build, "Rename one on the source (ALTER INDEX ... RENAME TO locks it for a "
                          "moment only), or map to another schema.");
}

/* Tables of one target, all of whose entries say merge: they become one, made from the first. */
static bool mark_merge(Build *build, Taker *takers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const PlanMap *map = takers[i].itself ? build_place(build, takers[i].table)->map : NULL;
        if (map == NULL || !map->merge || !is_root(takers[i].table))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        build_place(build, takers[i].table)->merge = takers[0].table;
    build->has_merges = true;
    return true;
}

static void merge_tables(Build *build, Takers *takers)
{
    for (size_t from = 0, to = 0; from < takers->count; from = to) {
        for (to = from + 1; to < takers->count &&
                            name_equal(&takers->items[to].target, &takers->items[from].target);
             to++)
            ;
        if (to - from > 1)
            (void)mark_merge(build, &takers->items[from], to - from);
    }
}

/* What belongs to a merged table other than the first does not come to the target. */
static bool stays_behind(const Build *build, const Taker *taker)
{
    if (taker->table == NULL)
        return false;
    const CatRelation *first = build_place(build, taker->table)->merge;
    return first != NULL && first != taker->table;
}

static void check_names(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    Takers takers = {0};
    for (size_t i = 0; i < build->source->relations_count; i++)
        if (build->source->relations[i].kind != 'f')
            take_relation(build, &scratch, &takers, &build->source->relations[i]);
    take_indexes(build, &scratch, &takers);
    if (takers.count > 1)
        qsort(takers.items, takers.count, sizeof(Taker), by_target);
    merge_tables(build, &takers);
    const Taker *last = NULL;
    for (size_t i = 0; i < takers.count; i++) {
        const Taker *taker = &takers.items[i];
        if (stays_behind(build, taker) && !(taker->itself && is_merged(build, taker)))
            continue;
        bool together = last != NULL && taker->itself && is_merged(build, taker) &&
                        is_merged(build, last) && last->itself;
        if (last != NULL && name_equal(&last->target, &taker->target) && !together)
            clash(build, last, taker);
        last = taker;
    }
}

/* --- what is renamed --- */

static int by_oid(const void *a, const void *b)
{
    uint32_t left = ((const Rename *)a)->oid;
    uint32_t right = ((const Rename *)b)->oid;
    return (left > right) - (left < right);
}

static void add_rename(Build *build, Renames *renames, uint32_t oid, const Name *source,
                       Name target, bool follows)
{
    if (!name_equal(source, &target))
        *vec_push(build->arena, renames) = (Rename){oid, *source, target, follows};
}

static const CatRelation *moving_table(Build *build, uint32_t oid)
{
    const CatRelation *table = oid == 0 ? NULL : catalog_relation(build->source, oid);
    if (table == NULL || !is_table(table) || !build_mark(build, table)->selected)
        return NULL;
    const CatRelation *first = build_place(build, table)->merge;
    return first == NULL || first == table ? table : NULL;
}

static void list_renames(Build *build)
{
    const Catalog *source = build->source;
    Renames renames = {0};
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        if (moving_table(build, relation->oid) != NULL)
            add_rename(build, &renames, relation->oid, &relation->name,
                       build_place(build, relation)->target, false);
    }
    for (size_t i = 0; i < source->indexes_count; i++) {
        const CatIndex *index = &source->indexes[i];
        const CatRelation *table = moving_table(build, index->relation);
        if (table != NULL)
            add_rename(build, &renames, index->oid, &index->name,
                       (Name){build_place(build, table)->target.schema, index->name.rel}, true);
    }
    for (size_t i = 0; i < source->sequences_count; i++) {
        const CatSequence *sequence = &source->sequences[i];
        const CatRelation *table = moving_table(build, sequence->owner_relation);
        if (table != NULL)
            add_rename(build, &renames, sequence->oid, &sequence->name,
                       (Name){build_place(build, table)->target.schema, sequence->name.rel}, true);
    }
    if (renames.count > 1)
        qsort(renames.items, renames.count, sizeof(Rename), by_oid);
    build->blueprint->renames = renames.items;
    build->blueprint->rename_count = renames.count;
}

/* --- partitions that become one table --- */

const PlanHypertable *build_gathering(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->plan->hypertable_count; i++)
        if (build->plan->hypertables[i].from_partitioned &&
            name_equal(&build->plan->hypertables[i].target_table, target))
            return &build->plan->hypertables[i];
    return NULL;
}

/* Of such a root's partitions the rows come to the target, the structure does not. */
static void gather_partitions(Build *build)
{
    const Catalog *source = build->source;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        const CatRelation *root =
            relation->is_partition ? catalog_relation(source, relation->root) : NULL;
        if (root == NULL || root == relation || root->kind != 'p' ||
            build_gathering(build, &build_place(build, root)->target) == NULL)
            continue;
        Place *place = build_place(build, relation);
        place->target = build_place(build, root)->target;
        place->merge = root;
        build->has_merges = true;
    }
}

void build_map(Build *build)
{
    build->places = arena_array(build->arena, Place, build->source->relations_count);
    name_tables(build);
    if (build->plan->select.map_count > 0)
        check_names(build);
    gather_partitions(build);
    if (build->plan->select.map_count > 0)
        list_renames(build);
}

static int oid_of_rename(const void *key, const void *item)
{
    uint32_t left = *(const uint32_t *)key;
    uint32_t right = ((const Rename *)item)->oid;
    return (left > right) - (left < right);
}

const Rename *blueprint_rename(const Blueprint *blueprint, uint32_t oid)
{
    return blueprint->rename_count == 0 ? NULL
                                        : bsearch(&oid, blueprint->renames, blueprint->rename_count,
                                                  sizeof(Rename), oid_of_rename);
}

Name blueprint_target_name(const Blueprint *blueprint, uint32_t oid, const Name *source)
{
    const Rename *rename = blueprint_rename(blueprint, oid);
    return rename == NULL ? *source : rename->target;
}
