/*
 * Tables that become one on the target (select.map with merge). The first by name gives it its
 * structure; the others must fit into that without a doubt: the same columns, the same key, no
 * check that their rows may not meet. That no key value stands in two of them is proved by
 * preflight, on the rows.
 */
#include "blueprint/build.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

bool build_is_merged_away(const Build *build, const CatRelation *relation)
{
    const CatRelation *first = build_place(build, relation)->merge;
    return first != NULL && first != relation;
}

static const PlanMap *map_of(const Build *build, const Relation *relation)
{
    return build_place(build, catalog_relation(build->source, relation->oid))->map;
}

/* --- columns --- */

static const CatColumn *find_column(const Build *build, const Relation *relation, const char *name)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

static void compare_column(Build *build, const Relation *first, const Relation *other,
                           const CatColumn *column, const CatColumn *twin)
{
    const PlanMap *map = map_of(build, other);
    const char *name = name_part_text(build->arena, column->name);
    const char *there = build_name(build, &first->source);
    const char *here = build_name(build, &other->source);
    if (twin == NULL)
        build_find_map(build, DIAG_MERGE_COLUMNS, map,
                       "select.map: %s has a column %s, %s has none of this name", there, name,
                       here);
    else if (strcmp(column->type_text, twin->type_text) != 0)
        build_find_map(build, DIAG_MERGE_COLUMNS, map,
                       "select.map: column %s is of type %s in %s, of type %s in %s", name,
                       column->type_text, there, twin->type_text, here);
    else if (column->generated != twin->generated)
        build_find_map(build, DIAG_MERGE_COLUMNS, map,
                       "select.map: column %s is generated in %s only", name,
                       column->generated ? there : here);
    else if (column->not_null && !twin->not_null)
        build_find_map(build, DIAG_MERGE_COLUMNS, map,
                       "select.map: column %s is NOT NULL in %s, whose structure the target gets, "
                       "and may be null in %s",
                       name, there, here);
}

static void compare_columns(Build *build, const Relation *first, const Relation *other)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, first->oid, &count);
    for (size_t i = 0; i < count; i++)
        compare_column(build, first, other, &columns[i],
                       find_column(build, other, columns[i].name));
    columns = catalog_columns(build->source, other->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (find_column(build, first, columns[i].name) == NULL)
            compare_column(build, other, first, &columns[i], NULL);
}

/* --- keys --- */

static bool key_has(const Relation *relation, const char *column)
{
    for (size_t k = 0; k < relation->key->count; k++)
        if (strcmp(relation->columns[relation->key->columns[k]].name, column) == 0)
            return true;
    return false;
}

static const char *key_text(Build *build, const Relation *relation)
{
    AUTO_STR Str text = {0};
    for (size_t k = 0; k < relation->key->count; k++)
        str_appendf(
            &text, "%s%s", k == 0 ? "(" : ", ",
            name_part_text(build->arena, relation->columns[relation->key->columns[k]].name));
    str_append_char(&text, ')');
    return str_dup(build->arena, &text);
}

static void compare_key(Build *build, const Relation *first, const Relation *other)
{
    if (first->key == NULL || other->key == NULL)
        return;
    bool same = first->key->count == other->key->count;
    for (size_t k = 0; k < first->key->count && same; k++)
        same = key_has(other, first->columns[first->key->columns[k]].name);
    if (!same)
        build_find_map(build, DIAG_MERGE_KEY, map_of(build, other),
                       "select.map: the key of %s is %s, that of %s is %s",
                       build_name(build, &first->source), key_text(build, first),
                       build_name(build, &other->source), key_text(build, other));
}

static void need_key(Build *build, const Relation *relation)
{
    if (relation->key != NULL)
        return;
    build_find_map(build, DIAG_MERGE_KEY, map_of(build, relation),
                   "select.map: %s has no key that names one row, so its rows could not be told "
                   "from those it is merged with",
                   build_name(build, &relation->source));
    build_hint(build, "Add a primary key to every table that is merged.");
}

/* A unique index of the first holds on the target over all rows: only one over plain columns can be
 * proved beforehand. */
static void provable_indexes(Build *build, const Relation *first)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, first->oid, &count);
    for (size_t i = 0; i < count; i++) {
        const CatIndex *index = &indexes[i];
        const char *why = index->exclusion                          ? "is an exclusion constraint"
                          : index->unique && index->has_expressions ? "is unique over expressions"
                          : index->unique && index->partial         ? "is unique over some rows"
                                                                    : NULL;
        if (why == NULL || !index->valid)
            continue;
        build_find_map(build, DIAG_MERGE_KEY, map_of(build, first),
                       "select.map: %s of %s %s; that it holds over all merged tables cannot be "
                       "proved",
                       build_name(build, &index->name), build_name(build, &first->source), why);
        build_hint(build, "Drop it on the source, and make it on the target after the cutover.");
    }
}

/* --- the rest of the structure --- */

static bool has_check(const Build *build, const Relation *relation, const char *sql)
{
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (constraints[i].type == 'c' && strcmp(constraints[i].sql, sql) == 0)
            return true;
    return false;
}

static void compare_checks(Build *build, const Relation *first, const Relation *other)
{
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, first->oid, &count);
    for (size_t i = 0; i < count; i++) {
        if (constraints[i].type != 'c' || has_check(build, other, constraints[i].sql))
            continue;
        build_find_map(build, DIAG_MERGE_COLUMNS, map_of(build, other),
                       "select.map: %s has the check %s, which rows of %s may not meet",
                       build_name(build, &first->source),
                       name_part_text(build->arena, constraints[i].name),
                       build_name(build, &other->source));
        build_hint(build, "Drop it on the source, or add the same check to every table that is "
                          "merged.");
    }
    constraints = catalog_constraints(build->source, other->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (constraints[i].type == 'c' && !has_check(build, first, constraints[i].sql))
            build_find_map(build, DIAG_MERGE_LEFT_OUT, map_of(build, other),
                           "select.map: check %s of %s is left out: %s, whose structure the target "
                           "gets, has none like it",
                           name_part_text(build->arena, constraints[i].name),
                           build_name(build, &other->source), build_name(build, &first->source));
}

static const char *column_name(const Build *build, uint32_t relation, int attnum)
{
    const CatColumn *column = catalog_column(build->source, relation, attnum);
    return column != NULL ? column->name : "";
}

static bool same_index(const Build *build, const CatIndex *a, const CatIndex *b)
{
    if (a->unique != b->unique || a->key_count != b->key_count || a->partial != b->partial ||
        a->has_expressions != b->has_expressions || a->exclusion != b->exclusion)
        return false;
    for (int k = 0; k < a->key_count; k++)
        if (strcmp(column_name(build, a->relation, a->attnums[k]),
                   column_name(build, b->relation, b->attnums[k])) != 0)
            return false;
    return true;
}

static void compare_indexes(Build *build, const Relation *first, const Relation *other)
{
    size_t first_count = 0;
    size_t count = 0;
    const CatIndex *there = catalog_indexes(build->source, first->oid, &first_count);
    const CatIndex *here = catalog_indexes(build->source, other->oid, &count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < first_count && !found; j++)
            found = same_index(build, &here[i], &there[j]);
        if (!found && here[i].valid)
            build_find_map(build, DIAG_MERGE_LEFT_OUT, map_of(build, other),
                           "select.map: index %s is left out: %s, whose structure the target gets, "
                           "has none like it",
                           build_name(build, &here[i].name), build_name(build, &first->source));
    }
}

static void compare_triggers(Build *build, const Relation *first, const Relation *other)
{
    size_t first_count = 0;
    size_t count = 0;
    const CatTrigger *there = catalog_triggers(build->source, first->oid, &first_count);
    const CatTrigger *here = catalog_triggers(build->source, other->oid, &count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < first_count && !found; j++)
            found = strcmp(here[i].name, there[j].name) == 0;
        if (!found)
            build_find_map(build, DIAG_MERGE_LEFT_OUT, map_of(build, other),
                           "select.map: trigger %s of %s is left out: %s, whose structure the "
                           "target gets, has none of this name",
                           name_part_text(build->arena, here[i].name),
                           build_name(build, &other->source), build_name(build, &first->source));
    }
}

static void refuse_kind(Build *build, const Relation *relation)
{
    const char *why = relation->partitioned          ? "is partitioned"
                      : relation->chunked            ? "is a hypertable on the source"
                      : relation->schema_only        ? "comes without rows (select.schema_only)"
                      : relation->filter != NULL     ? "has a row filter (select.rows)"
                      : relation->left_out_count > 0 ? "has a column list (select.columns)"
                                                     : NULL;
    if (why != NULL)
        build_find_map(build, DIAG_MERGE_KIND, map_of(build, relation),
                       "select.map: %s %s and cannot be merged in this version",
                       build_name(build, &relation->source), why);
}

static void check_conflicts(Build *build, const Relation *first)
{
    if (build->plan->apply.on_conflict == PLAN_CONFLICT_STOP)
        return;
    build_find_map(build, DIAG_MERGE_KEY, map_of(build, first),
                   "select.map: tables are merged into %s only with apply.on_conflict: stop",
                   build_name(build, &first->target));
    build_hint(build, "Otherwise two rows of different tables with one key would become one "
                      "without a word.");
}

/* Relations are visited by name, the first before all others. */
static void chain(Relation *first, Relation *other)
{
    Relation *last = first;
    while (last->merge_next != NULL)
        last = last->merge_next;
    if (last != other)
        last->merge_next = other;
}

static void join(Build *build, Relation *first, Relation *other)
{
    other->merge = first;
    refuse_kind(build, other);
    need_key(build, other);
    if (first == other) {
        provable_indexes(build, first);
        check_conflicts(build, first);
        return;
    }
    compare_columns(build, first, other);
    compare_key(build, first, other);
    compare_checks(build, first, other);
    compare_indexes(build, first, other);
    compare_triggers(build, first, other);
    other->hypertable = first->hypertable;
    other->binary = first->binary = first->binary && other->binary;
    other->further_unique = first->further_unique = first->further_unique || other->further_unique;
}

/* Merged tables' rows cannot be told apart on the target, nor those of partitions by hash. */
static Relation *pool_of(Relation *relation)
{
    for (size_t i = 0; relation_is_gathered(relation) && i < relation->leaf_count; i++)
        if (relation->leaves[i]->bounds == NULL)
            return relation;
    return relation->merge;
}

void build_merges(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        Relation *relation = &blueprint->relations[i];
        const CatRelation *from = catalog_relation(build->source, relation->oid);
        const CatRelation *first = build_place(build, from)->merge;
        if (first != NULL)
            chain(build_relation(build, first->oid), relation);
        if (first != NULL)
            join(build, build_relation(build, first->oid), relation);
    }
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        Relation *relation = &blueprint->relations[i];
        if (relation->merge != NULL)
            relation->further_unique = relation->merge->further_unique;
        relation->pool = pool_of(relation);
    }
}

/* --- foreign keys --- */

/* Where the words REFERENCES begin, outside of quotes. */
static size_t columns_length(const char *sql)
{
    bool quoted = false;
    for (const char *at = sql; *at != '\0'; at++) {
        quoted = quoted != (*at == '"');
        if (!quoted && text_starts_with(at, " REFERENCES "))
            return (size_t)(at - sql);
    }
    return strlen(sql);
}

static bool same_foreign_key(const Build *build, const CatConstraint *a, const CatConstraint *b)
{
    if (b->type != 'f')
        return false;
    const CatRelation *left = catalog_relation(build->source, a->referenced);
    const CatRelation *right = catalog_relation(build->source, b->referenced);
    size_t length = columns_length(a->sql);
    return left != NULL && right != NULL &&
           name_equal(&build_place(build, left)->target, &build_place(build, right)->target) &&
           length == columns_length(b->sql) && strncmp(a->sql, b->sql, length) == 0;
}

const Relation *build_lacks_foreign_key(const Build *build, const Relation *first,
                                        const CatConstraint *key)
{
    for (size_t i = 0; first->merge == first && i < build->blueprint->relation_count; i++) {
        const Relation *other = &build->blueprint->relations[i];
        size_t count = 0;
        const CatConstraint *constraints = catalog_constraints(build->source, other->oid, &count);
        bool found = other->merge != first;
        for (size_t c = 0; c < count && !found; c++)
            found = same_foreign_key(build, key, &constraints[c]);
        if (!found)
            return other;
    }
    return NULL;
}
