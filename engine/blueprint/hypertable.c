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
static int timescaledb_release(const Build *build)
{
    const char *version = build->target->server.timescaledb_version;
    if (version == NULL) {
        const CatAvailable *available = catalog_available(build->target, "timescaledb");
        version = available == NULL ? NULL : available->default_version;
    }
    if (version == NULL)
        return 0;
    char *rest = NULL;
    long major = strtol(version, &rest, 10);
    long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return (int)(major * 100 + minor);
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
                                    const Relation *relation)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    Suggest suggest = suggest_begin(hypertable->column_name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, hypertable->column_name) == 0)
            return &columns[i];
        suggest_offer(&suggest, columns[i].name);
    }
    build_find(build, DIAG_HYPERTABLE_COLUMN, hypertable->pos, 1,
               "hypertables: %s has no column %s", target_text(build, hypertable),
               hypertable->column_name);
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
    return NULL;
}

/* An integer column's interval is a number, a time column's has units. */
static void check_interval(Build *build, const PlanHypertable *hypertable, const CatColumn *column,
                           bool is_integer)
{
    bool is_given = hypertable->partition_interval != NULL;
    bool is_number = is_given && hypertable->interval_is_integer;
    if (is_integer && !is_number) {
        build_find(build, DIAG_HYPERTABLE_TYPE, hypertable->pos, 1,
                   "hypertables: column %s of %s is of type %s, its partition_interval must be a "
                   "whole number",
                   column->name, target_text(build, hypertable), column->type_text);
        build_hint(build, "Write the interval in the column's own unit, for example "
                          "partition_interval: 86400000 for a day of milliseconds.");
    }
    if (!is_integer && is_number) {
        build_find(build, DIAG_HYPERTABLE_TYPE, hypertable->pos, 1,
                   "hypertables: column %s of %s is of type %s, its partition_interval must be an "
                   "interval",
                   column->name, target_text(build, hypertable), column->type_text);
        build_hint(build, "Write it with a unit, for example partition_interval: 7 days.");
    }
}

static void check_type(Build *build, const PlanHypertable *hypertable, const CatColumn *column)
{
    uint32_t type = column->base_type_oid;
    bool is_integer = type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
    bool is_time = type == TYPE_DATE || type == TYPE_TIMESTAMP || type == TYPE_TIMESTAMPTZ;
    if (hypertable->partition_func != NULL)
        return;
    if (!is_integer && !is_time) {
        build_find(build, DIAG_HYPERTABLE_TYPE, hypertable->pos, 1,
                   "hypertables: column %s of %s is of type %s", column->name,
                   target_text(build, hypertable), column->type_text);
        build_hint(build, "A range dimension needs timestamptz, timestamp, date or an integer, or "
                          "a partition_func.");
        return;
    }
    check_interval(build, hypertable, column, is_integer);
    if (!column->not_null)
        build_find(build, DIAG_HYPERTABLE_NULLABLE, hypertable->pos, 1,
                   "hypertables: column %s of %s may be null on the source; a hypertable makes it "
                   "NOT NULL and refuses such rows",
                   column->name, target_text(build, hypertable));
}

static const char *column_name(const Build *build, uint32_t relation, int attnum)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation, &count);
    for (size_t i = 0; i < count; i++)
        if (columns[i].attnum == attnum)
            return columns[i].name;
    return "(expression)";
}

/* "(id, time)": the index's columns and the one that is missing. */
static const char *wider_key(Build *build, const CatIndex *index, const char *missing)
{
    AUTO_STR Str text = {0};
    str_append(&text, "(");
    for (int i = 0; i < index->key_count; i++) {
        str_append(&text, name_part_text(build->arena,
                                         column_name(build, index->relation, index->attnums[i])));
        str_append(&text, ", ");
    }
    str_append(&text, name_part_text(build->arena, missing));
    str_append(&text, ")");
    return str_dup(build->arena, &text);
}

static void key_lacks_column(Build *build, const PlanHypertable *hypertable,
                             const Relation *relation, const CatIndex *index)
{
    const char *table = build_name(build, &relation->source);
    const char *name = name_part_text(build->arena, index->name.rel);
    const char *wider = wider_key(build, index, hypertable->column_name);
    build_find(build, DIAG_HYPERTABLE_KEY, hypertable->pos, 1,
               "hypertables: unique index %s of %s lacks the partition column %s", name, table,
               hypertable->column_name);
    if (index->exclusion)
        build_hint(build, "Add %s WITH = to the exclusion constraint on the source, or drop it.",
                   name_part_text(build->arena, hypertable->column_name));
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

static void check_keys(Build *build, const PlanHypertable *hypertable, const Relation *relation,
                       const CatColumn *column)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++) {
        const CatIndex *index = &indexes[i];
        bool has = !index->unique && !index->exclusion;
        for (int k = 0; k < index->key_count && !has; k++)
            has = index->attnums[k] == column->attnum;
        if (!has)
            key_lacks_column(build, hypertable, relation, index);
    }
}

static void check_foreign_keys(Build *build, const PlanHypertable *hypertable,
                               const Relation *relation)
{
    int release = timescaledb_release(build);
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
    if (relation->partitioned) {
        build_find(build, DIAG_HYPERTABLE_PARTITIONED, hypertable->pos, 1,
                   "hypertables: %s is a partitioned table on the source; this is not in this "
                   "version",
                   table);
        build_hint(build, "Leave it partitioned: remove it from hypertables.");
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

static void check_target(Build *build)
{
    if (build->plan->hypertable_count == 0)
        return;
    const PlanHypertable *first = &build->plan->hypertables[0];
    if (timescaledb_release(build) == 0) {
        build_find(build, DIAG_NO_TIMESCALEDB, first->pos, 1,
                   "hypertables: TimescaleDB is not installed on the target");
        build_hint(build, "Install it, add timescaledb to shared_preload_libraries, restart, and "
                          "run CREATE EXTENSION timescaledb in the target database.");
    } else if (timescaledb_release(build) < 213) {
        build_find(build, DIAG_NO_TIMESCALEDB, first->pos, 1,
                   "hypertables: TimescaleDB on the target is older than 2.13");
        build_hint(build, "Update it: ALTER EXTENSION timescaledb UPDATE; as the first command of "
                          "a session.");
    }
}

void build_hypertables(Build *build)
{
    check_target(build);
    for (size_t i = 0; i < build->plan->hypertable_count; i++) {
        const PlanHypertable *hypertable = &build->plan->hypertables[i];
        const Relation *relation = find_relation(build, hypertable);
        const CatColumn *column =
            relation == NULL ? NULL : find_column(build, hypertable, relation);
        if (column == NULL)
            continue;
        check_type(build, hypertable, column);
        check_keys(build, hypertable, relation, column);
        check_foreign_keys(build, hypertable, relation);
        check_features(build, hypertable, relation);
        check_rules(build, hypertable, relation);
    }
}
