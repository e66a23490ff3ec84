/*
 * Whether each table that the plan converts can become a hypertable on this target. Every finding
 * says what to do about it.
 */
#include "blueprint/build.h"

#include "base/str.h"
#include "plan/suggest.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_INT8        20
#define TYPE_INT2        21
#define TYPE_INT4        23
#define TYPE_DATE        1082
#define TYPE_TIMESTAMP   1114
#define TYPE_TIMESTAMPTZ 1184

/* The version as one number: 2.16.1 is 216. */
int timescaledb_release(const char *version)
{
    char *rest = NULL;
    if (version == NULL)
        return 0;
    long major = strtol(version, &rest, 10);
    long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return (int)(major * 100 + minor);
}

bool timescaledb_drops_created(const char *version)
{
    int release = timescaledb_release(version);
    const char *patch = release == 226 ? strrchr(version, '.') : NULL;
    return release > 226 || (patch != NULL && strtol(patch + 1, NULL, 10) >= 3);
}

const char *build_target_version(const Build *build)
{
    const char *version = build->target->server.timescaledb_version;
    if (version != NULL)
        return version;
    const CatAvailable *available = catalog_available(build->target, "timescaledb");
    return available == NULL ? NULL : available->default_version;
}

int build_target_release(const Build *build)
{
    return timescaledb_release(build_target_version(build));
}

static const char *target_text(Build *build, const PlanHypertable *hypertable)
{
    return build_name(build, &hypertable->target_table);
}

static Relation *find_relation(Build *build, const PlanHypertable *hypertable)
{
    Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (name_equal(&blueprint->relations[i].target, &hypertable->target_table))
            return &blueprint->relations[i];
    const char *wanted = target_text(build, hypertable);
    build_find(build, DIAG_HYPERTABLE_UNSELECTED, hypertable->pos, 1,
               "hypertables: %s is no selected table", wanted);
    Suggest suggest = suggest_begin(wanted);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        suggest_offer(&suggest, build_name(build, &blueprint->relations[i].target));
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
    return NULL;
}

static const CatColumn *find_column(Build *build, const PlanHypertable *hypertable,
                                    const PlanDimension *dimension, const Relation *relation)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    Suggest suggest = suggest_begin(dimension->column_name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, dimension->column_name) == 0)
            return &columns[i];
        suggest_offer(&suggest, columns[i].name);
    }
    build_find(build, DIAG_HYPERTABLE_COLUMN, dimension->pos, 1, "hypertables: %s has no column %s",
               target_text(build, hypertable), dimension->column_name);
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
    return NULL;
}

/* An integer column's interval is a number, a time column's has units. */
static void check_interval(Build *build, const PlanHypertable *hypertable,
                           const PlanDimension *range, const CatColumn *column, bool is_integer)
{
    bool is_given = range->partition_interval != NULL;
    bool is_number = is_given && range->interval_is_integer;
    if (is_integer && !is_number) {
        build_find(build, DIAG_HYPERTABLE_TYPE, range->pos, 1,
                   "hypertables: column %s of %s is of type %s, its partition_interval must be a "
                   "whole number",
                   column->name, target_text(build, hypertable), column->type_text);
        build_hint(build, "Write the interval in the column's own unit, for example "
                          "partition_interval: 86400000 for a day of milliseconds.");
    }
    if (!is_integer && is_number) {
        build_find(build, DIAG_HYPERTABLE_TYPE, range->pos, 1,
                   "hypertables: column %s of %s is of type %s, its partition_interval must be an "
                   "interval",
                   column->name, target_text(build, hypertable), column->type_text);
        build_hint(build, "Write it with a unit, for example partition_interval: 7 days.");
    }
}

static bool type_is_integer(const CatColumn *column)
{
    uint32_t type = column->base_type_oid;
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
}

static void check_range(Build *build, const PlanHypertable *hypertable, const PlanDimension *range,
                        const CatColumn *column)
{
    uint32_t type = column->base_type_oid;
    bool is_integer = type_is_integer(column);
    bool is_time = type == TYPE_DATE || type == TYPE_TIMESTAMP || type == TYPE_TIMESTAMPTZ;
    if (range->partition_func != NULL)
        return;
    if (!is_integer && !is_time) {
        build_find(build, DIAG_HYPERTABLE_TYPE, range->pos, 1,
                   "hypertables: column %s of %s is of type %s", column->name,
                   target_text(build, hypertable), column->type_text);
        build_hint(build, "A range dimension needs timestamptz, timestamp, date or an integer, or "
                          "a partition_func.");
        return;
    }
    check_interval(build, hypertable, range, column, is_integer);
    if (!column->not_null)
        build_find(build, DIAG_HYPERTABLE_NULLABLE, range->pos, 1,
                   "hypertables: column %s of %s may be null on the source; a hypertable makes it "
                   "NOT NULL and refuses such rows",
                   column->name, target_text(build, hypertable));
}

/* --- functions --- */

const CatObject *build_function(const Catalog *catalog, const Name *name)
{
    for (size_t i = 0; i < catalog->objects_count; i++) {
        const CatObject *object = &catalog->objects[i];
        if (object->class_oid == CAT_CLASS_PROC && text_equal(object->schema, name->schema) &&
            text_equal(object->name, name->rel))
            return object;
    }
    return NULL;
}

/* It comes along with the selection, or stands on the target already. */
static void check_function(Build *build, const PlanHypertable *hypertable, PlanPos pos,
                           const char *key, const char *text)
{
    Name name;
    if (text == NULL || !name_parse(build->arena, text, &name) ||
        build_function(build->target, &name) != NULL)
        return;
    const CatObject *function = build_function(build->source, &name);
    if (function != NULL &&
        (function->extension != 0 ||
         blueprint_keeps_object(build->blueprint, CAT_CLASS_PROC, function->oid)))
        return;
    build_find(build, DIAG_HYPERTABLE_FUNCTION, pos, 1,
               function == NULL ? "hypertables: %s of %s: neither server has a function %s"
                                : "hypertables: %s of %s: function %s is not selected",
               key, target_text(build, hypertable), build_name(build, &name));
    build_hint(build, function == NULL
                          ? "Create it on the source, or on the target beforehand."
                          : "Select its schema, or create it on the target beforehand.");
}

static void check_now(Build *build, const PlanHypertable *hypertable, const CatColumn *column)
{
    bool is_integer = type_is_integer(column) || hypertable->interval_is_integer;
    const char *table = target_text(build, hypertable);
    check_function(build, hypertable, hypertable->pos, "integer_now_func",
                   hypertable->integer_now_func);
    if (hypertable->integer_now_func != NULL && !is_integer) {
        build_find(build, DIAG_HYPERTABLE_FUNCTION, hypertable->pos, 1,
                   "hypertables: integer_now_func of %s: column %s is of type %s, which has a now "
                   "of its own",
                   table, column->name, column->type_text);
        build_hint(build, "Leave integer_now_func out.");
    }
}

/* --- keys --- */

static const char *column_name(const Build *build, uint32_t relation, int attnum)
{
    const CatColumn *column = catalog_column(build->source, relation, attnum);
    return column != NULL ? column->name : "(expression)";
}

static bool index_has(const Build *build, const CatIndex *index, const char *column)
{
    for (int k = 0; k < index->key_count; k++)
        if (strcmp(column_name(build, index->relation, index->attnums[k]), column) == 0)
            return true;
    return false;
}

/* The columns that a hypertable is partitioned by, the first dimension's first. */
static const char *dimension_column(const PlanHypertable *hypertable, size_t index)
{
    return index == 0 ? hypertable->column_name : hypertable->dimensions[index - 1].column_name;
}

/* "a", "a and b", "a, b and c": those that the index lacks; NULL when it has all. */
static const char *missing_columns(Build *build, const PlanHypertable *hypertable,
                                   const CatIndex *index, size_t *count)
{
    const char *text = NULL;
    *count = 0;
    for (size_t i = 0; i <= hypertable->dimension_count; i++) {
        const char *column = dimension_column(hypertable, i);
        if (index_has(build, index, column))
            continue;
        text = text == NULL ? column : arena_printf(build->arena, "%s and %s", text, column);
        *count += 1;
    }
    return text;
}

/* "(id, time)": the index's columns and those that are missing. */
static const char *wider_key(Build *build, const PlanHypertable *hypertable, const CatIndex *index)
{
    AUTO_STR Str text = {0};
    for (int i = 0; i < index->key_count; i++)
        str_appendf(
            &text, "%s%s", i == 0 ? "(" : ", ",
            name_part_text(build->arena, column_name(build, index->relation, index->attnums[i])));
    for (size_t i = 0; i <= hypertable->dimension_count; i++) {
        const char *column = dimension_column(hypertable, i);
        if (!index_has(build, index, column))
            str_appendf(&text, ", %s", name_part_text(build->arena, column));
    }
    str_append(&text, ")");
    return str_dup(build->arena, &text);
}

static void key_lacks_columns(Build *build, const PlanHypertable *hypertable,
                              const Relation *relation, const CatIndex *index, const char *missing,
                              size_t count)
{
    const char *table = build_name(build, &relation->source);
    const char *name = name_part_text(build->arena, index->name.rel);
    const char *wider = wider_key(build, hypertable, index);
    build_find(build, DIAG_HYPERTABLE_KEY, hypertable->pos, 1,
               "hypertables: unique index %s of %s lacks the partition column%s %s", name, table,
               count > 1 ? "s" : "", missing);
    if (index->exclusion)
        build_hint(build, "Add %s WITH = to the exclusion constraint on the source, or drop it.",
                   missing);
    else if (index->primary)
        build_hint(build,
                   "On the source: ALTER TABLE %s DROP CONSTRAINT %s, ADD PRIMARY KEY %s; (foreign "
                   "keys that point to it must go first).",
                   table, name, wider);
    else if (index->constraint != 0)
        build_hint(build, "On the source: ALTER TABLE %s DROP CONSTRAINT %s, ADD UNIQUE %s;", table,
                   name, wider);
    else
        build_hint(build, "On the source: CREATE UNIQUE INDEX ON %s %s; and drop %s.", table, wider,
                   build_name(build, &index->name));
}

static void check_keys(Build *build, const PlanHypertable *hypertable, const Relation *relation)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++) {
        size_t lacking = 0;
        if (!indexes[i].unique && !indexes[i].exclusion)
            continue;
        const char *missing = missing_columns(build, hypertable, &indexes[i], &lacking);
        if (missing != NULL)
            key_lacks_columns(build, hypertable, relation, &indexes[i], missing, lacking);
    }
}

static void check_foreign_keys(Build *build, const PlanHypertable *hypertable,
                               const Relation *relation)
{
    int release = build_target_release(build);
    for (size_t i = 0; i < build->blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &build->blueprint->foreign_keys[i];
        bool between = key->relation->hypertable != NULL;
        if (!name_equal(&key->referenced, &relation->target) || (!between && release >= 216))
            continue;
        build_find(build, DIAG_HYPERTABLE_FOREIGN_KEY, hypertable->pos, 1,
                   "hypertables: foreign key %s of %s points to %s, %s",
                   name_part_text(build->arena, key->name), build_name(build, &key->table),
                   target_text(build, hypertable),
                   between ? "and one hypertable cannot point to another"
                           : "which TimescaleDB allows from 2.16 only");
        build_hint(build, "Drop the foreign key on the source%s.",
                   between ? "" : ", or update TimescaleDB on the target");
    }
}

static void check_features(Build *build, const PlanHypertable *hypertable, const Relation *relation)
{
    const char *table = target_text(build, hypertable);
    const CatRelation *from = catalog_relation(build->source, relation->oid);
    if (relation->partitioned && !hypertable->from_partitioned) {
        build_find(build, DIAG_HYPERTABLE_PARTITIONED, hypertable->pos, 1,
                   "hypertables: %s is a partitioned table on the source", table);
        build_hint(build, "Write from_partitioned: true to make one table of its partitions, or "
                          "leave it partitioned: remove it from hypertables.");
    }
    if (!relation->partitioned && hypertable->from_partitioned) {
        build_find(build, DIAG_HYPERTABLE_PARTITIONED, hypertable->pos, 1,
                   "hypertables: %s is no partitioned table on the source", table);
        build_hint(build, "Leave from_partitioned out.");
    }
    if (from != NULL && from->persistence == 'u')
        build_find(build, DIAG_HYPERTABLE_FEATURE, hypertable->pos, 1,
                   "hypertables: %s is unlogged, a hypertable cannot be", table);
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (constraints[i].type == 'c' && strstr(constraints[i].sql, ") NO INHERIT") != NULL)
            build_find(build, DIAG_HYPERTABLE_FEATURE, hypertable->pos, 1,
                       "hypertables: constraint %s of %s is NO INHERIT, a hypertable cannot have "
                       "it",
                       name_part_text(build->arena, constraints[i].name), table);
}

/* --- partitions that become one table --- */

static bool root_has_check(const Build *build, const Relation *relation, const char *sql)
{
    size_t count = 0;
    const CatConstraint *constraints = catalog_constraints(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (constraints[i].type == 'c' && strcmp(constraints[i].sql, sql) == 0)
            return true;
    return false;
}

static bool root_has_trigger(const Build *build, const Relation *relation, const char *name)
{
    size_t count = 0;
    const CatTrigger *triggers = catalog_triggers(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(triggers[i].name, name) == 0)
            return true;
    return false;
}

static void part_left_out(Build *build, const PlanHypertable *hypertable, const Leaf *leaf,
                          const char *kind, const char *name)
{
    build_find(build, DIAG_PARTITION_LEFT_OUT, hypertable->pos, 1,
               "hypertables: %s %s of partition %s is left out: it is not one of the whole table",
               kind, name_part_text(build->arena, name), build_name(build, &leaf->source));
}

/* What stands on one partition only has no place on a hypertable. */
static void check_leaf(Build *build, const PlanHypertable *hypertable, const Relation *relation,
                       const Leaf *leaf)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, leaf->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (indexes[i].parent == 0 && indexes[i].valid)
            part_left_out(build, hypertable, leaf, "index", indexes[i].name.rel);
    const CatConstraint *constraints = catalog_constraints(build->source, leaf->oid, &count);
    for (size_t i = 0; i < count; i++) {
        bool own_check =
            constraints[i].type == 'c' && !root_has_check(build, relation, constraints[i].sql);
        bool own_key = constraints[i].type == 'f' && constraints[i].parent == 0;
        if (own_check || own_key)
            part_left_out(build, hypertable, leaf, own_check ? "check" : "foreign key",
                          constraints[i].name);
    }
    const CatTrigger *triggers = catalog_triggers(build->source, leaf->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (!root_has_trigger(build, relation, triggers[i].name))
            part_left_out(build, hypertable, leaf, "trigger", triggers[i].name);
}

/* Rules of the table's own (a view's is internal to it). */
static void check_rules(Build *build, const PlanHypertable *hypertable, const Relation *relation)
{
    for (size_t i = 0; i < build->source->dependencies_count; i++) {
        const CatDependency *dependency = &build->source->dependencies[i];
        if (dependency->class_oid != CAT_CLASS_RULE || dependency->type != 'a' ||
            dependency->ref_class_oid != CAT_CLASS_RELATION || dependency->ref_oid != relation->oid)
            continue;
        build_find(build, DIAG_HYPERTABLE_FEATURE, hypertable->pos, 1,
                   "hypertables: %s has a rule, a hypertable cannot have one",
                   target_text(build, hypertable));
        build_hint(build, "Make it a trigger, or drop it on the source.");
        return;
    }
}

/* Where the plan asks for TimescaleDB first. */
static bool first_use(const Build *build, PlanPos *pos)
{
    const PlanPos *first = build_first_hypertable(build);
    if (first != NULL)
        *pos = *first;
    else if (build->aggregates.count > 0)
        *pos = build->aggregates.items[0]->pos;
    else if (build->jobs.count > 0)
        *pos = build->jobs.items[0]->policy.pos;
    return build->hypertables.count + build->aggregates.count + build->jobs.count > 0;
}

static void check_target(Build *build)
{
    PlanPos first = {0};
    if (!first_use(build, &first))
        return;
    if (build_target_release(build) == 0) {
        build_find(build, DIAG_NO_TIMESCALEDB, first, 1,
                   "hypertables: TimescaleDB is not installed on the target");
        build_hint(build, "Install it, add timescaledb to shared_preload_libraries, restart, and "
                          "run CREATE EXTENSION timescaledb in the target database.");
    } else if (build_target_release(build) < 213) {
        build_find(build, DIAG_NO_TIMESCALEDB, first, 1,
                   "hypertables: TimescaleDB on the target is older than 2.13");
        build_hint(build, "Update it: ALTER EXTENSION timescaledb UPDATE; as the first command of "
                          "a session.");
    }
}

/* Every dimension; the first is one like the others. \return false when a column is not there */
static bool check_dimensions(Build *build, const PlanHypertable *hypertable,
                             const Relation *relation)
{
    const PlanDimension first = {
        .column_name = hypertable->column_name,
        .partition_interval = hypertable->partition_interval,
        .interval_is_integer = hypertable->interval_is_integer,
        .partition_func = hypertable->partition_func,
        .pos = hypertable->pos,
    };
    bool found = true;
    for (size_t i = 0; i <= hypertable->dimension_count; i++) {
        const PlanDimension *dimension = i == 0 ? &first : &hypertable->dimensions[i - 1];
        const CatColumn *column = find_column(build, hypertable, dimension, relation);
        found = found && column != NULL;
        if (column == NULL)
            continue;
        if (dimension->number_partitions == 0)
            check_range(build, hypertable, dimension, column);
        check_function(build, hypertable, dimension->pos, "partition_func",
                       dimension->partition_func);
        if (i > 0)
            continue;
        check_now(build, hypertable, column);
        build_retention(build, &hypertable->target_table, hypertable->retention,
                        hypertable->integer_now_func != NULL ||
                            !(type_is_integer(column) || hypertable->interval_is_integer));
    }
    return found;
}

void build_hypertables(Build *build)
{
    check_target(build);
    for (size_t i = 0; i < build->hypertables.count; i++) {
        const PlanHypertable *hypertable = build->hypertables.items[i];
        const Relation *relation = find_relation(build, hypertable);
        if (relation == NULL || !check_dimensions(build, hypertable, relation))
            continue;
        check_keys(build, hypertable, relation);
        check_foreign_keys(build, hypertable, relation);
        check_features(build, hypertable, relation);
        check_rules(build, hypertable, relation);
        build_community(build, hypertable, relation);
        for (size_t l = 0; relation_is_gathered(relation) && l < relation->leaf_count; l++)
            check_leaf(build, hypertable, relation, relation->leaves[l]);
    }
}
