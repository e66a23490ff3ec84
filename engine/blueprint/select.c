/*
 * Which relations the plan takes: select.schemas, select.tables, minus select.exclude. Partitions
 * follow their root. A selector that matches nothing is a finding, with what was meant perhaps.
 */
#include "blueprint/build.h"

#include "base/str.h"
#include "plan/suggest.h"

#include <stdlib.h>
#include <string.h>

static bool may_be_selected(const CatRelation *relation)
{
    return !relation->of_extension && !schema_is_timescaledb(relation->name.schema);
}

static bool is_table(const CatRelation *relation)
{
    return relation->kind == 'r' || relation->kind == 'p';
}

static void schema_no_match(Build *build, const PlanSelector *selector)
{
    if (selector->optional)
        return;
    build_find_at(build, DIAG_NO_MATCH, selector, "select.schemas: no schema of the source %s %s",
                  selector->selector.pattern == NULL ? "is called" : "matches",
                  selector->selector.text);
    Suggest suggest = suggest_begin(selector->selector.text);
    for (size_t i = 0; i < build->source->objects_count; i++) {
        const CatObject *object = &build->source->objects[i];
        if (object->class_oid == CAT_CLASS_NAMESPACE)
            suggest_offer(&suggest, name_part_text(build->arena, object->name));
    }
    if (suggest.best != NULL && selector->selector.pattern == NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
}

/* Whether a schema selector takes a schema; every one that does is noted in `matched`. */
static const PlanSelector *schema_cause(const PlanSelectors *selectors, const char *schema,
                                        bool *matched)
{
    const PlanSelector *cause = NULL;
    for (size_t s = 0; s < selectors->count; s++) {
        if (!selector_matches(&selectors->items[s].selector, &(Name){schema, NULL}))
            continue;
        matched[s] = true;
        if (cause == NULL)
            cause = &selectors->items[s];
    }
    return cause;
}

typedef struct Taken {
    const char *schema;
    const PlanSelector *cause;
} Taken;

static int compare_taken(const void *a, const void *b)
{
    return strcmp(((const Taken *)a)->schema, ((const Taken *)b)->schema);
}

static void select_schemas(Build *build)
{
    const PlanSelectors *selectors = &build->plan->select.schemas;
    AUTO_ARENA Arena scratch = {0};
    bool *matched = arena_array(&scratch, bool, selectors->count);
    VEC(Taken) taken = {0};
    for (size_t i = 0; i < build->source->objects_count; i++) {
        const CatObject *object = &build->source->objects[i];
        if (object->class_oid != CAT_CLASS_NAMESPACE || object->extension != 0 ||
            schema_is_timescaledb(object->name))
            continue;
        const PlanSelector *cause = schema_cause(selectors, object->name, matched);
        if (cause != NULL && !build_schema_reserved(build, object->name, cause))
            *vec_push(&scratch, &taken) = (Taken){object->name, cause};
    }
    if (taken.count > 1)
        qsort(taken.items, taken.count, sizeof(Taken), compare_taken);
    build->schemas = arena_array(build->arena, const char *, taken.count);
    build->schema_causes = arena_array(build->arena, const PlanSelector *, taken.count);
    build->schema_count = taken.count;
    for (size_t i = 0; i < taken.count; i++) {
        build->schemas[i] = taken.items[i].schema;
        build->schema_causes[i] = taken.items[i].cause;
    }
    for (size_t s = 0; s < selectors->count; s++)
        if (!matched[s])
            schema_no_match(build, &selectors->items[s]);
}

void build_no_match(Build *build, const PlanSelector *selector, const char *where)
{
    if (selector->optional)
        return;
    build_find_at(build, DIAG_NO_MATCH, selector, "%s: no relation of the source %s %s", where,
                  selector->selector.pattern == NULL ? "is called" : "matches",
                  selector->selector.text);
    if (selector->selector.pattern != NULL)
        return;
    AUTO_ARENA Arena scratch = {0};
    Suggest suggest = suggest_begin(selector->selector.text);
    for (size_t i = 0; i < build->source->relations_count; i++)
        if (may_be_selected(build->source->by_name[i]))
            suggest_offer(&suggest, name_text(&scratch, &build->source->by_name[i]->name));
    if (suggest.best != NULL)
        build_hint(build, "did you mean \"%s\"?", suggest.best);
}

bool build_each_match(Build *build, const PlanSelector *selector,
                      void (*take)(Build *, const CatRelation *, const void *), const void *data)
{
    if (selector->selector.pattern == NULL) {
        const CatRelation *relation =
            catalog_relation_named(build->source, &selector->selector.name);
        if (relation == NULL || !may_be_selected(relation))
            return false;
        take(build, relation, data);
        return true;
    }
    bool any = false;
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = build->source->by_name[i];
        if (!may_be_selected(relation) || !selector_matches(&selector->selector, &relation->name))
            continue;
        take(build, relation, data);
        any = true;
    }
    return any;
}

static void take_table(Build *build, const CatRelation *relation, const void *data)
{
    const PlanSelector *selector = data;
    Mark *mark = build_mark(build, relation);
    if (selector->selector.pattern != NULL && !mark->selected &&
        (build_schema_reserved(build, relation->name.schema, NULL) ||
         build_relation_reserved(build, relation, selector)))
        return;
    mark->selected = true;
    if (mark->cause == NULL)
        mark->cause = selector;
}

static void exclude_table(Build *build, const CatRelation *relation, const void *selector)
{
    Mark *mark = build_mark(build, relation);
    mark->selected = false;
    mark->excluded = true;
    mark->cause = selector;
}

static void ignore_table(Build *build, const CatRelation *relation, const void *selector)
{
    (void)build;
    (void)relation;
    (void)selector;
}

/* Selectors whose matching nothing is a finding. */
static void match_all(Build *build, const PlanSelectors *selectors,
                      void (*take)(Build *, const CatRelation *, const void *), const char *where)
{
    for (size_t i = 0; i < selectors->count; i++) {
        const PlanSelector *selector = &selectors->items[i];
        if (!build_each_match(build, selector, take, selector))
            build_no_match(build, selector, where);
    }
}

static void take_schemas(Build *build)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = &build->source->relations[i];
        Mark *mark = &build->marks[i];
        if (!may_be_selected(relation) ||
            !build_schema_selected(build, relation->name.schema, &mark->cause))
            continue;
        mark->selected = !build_relation_reserved(build, relation, mark->cause);
    }
}

/* A partition has the mark of its root; one that was named for itself otherwise is a finding. */
static void partitions_follow(Build *build)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = build->source->by_name[i];
        const CatRelation *root = catalog_relation(build->source, relation->root);
        if (!relation->is_partition || root == NULL || root == relation)
            continue;
        Mark *mark = build_mark(build, relation);
        const Mark *above = build_mark(build, root);
        bool differs = mark->selected != above->selected &&
                       (mark->selected || (mark->excluded && above->selected));
        if (differs) {
            build_find_at(build, DIAG_PARTITION_ALONE, mark->cause,
                          "%s is a partition of %s and cannot be %s alone",
                          build_name(build, &relation->name), build_name(build, &root->name),
                          mark->selected ? "selected" : "excluded");
            build_hint(build, "Partitions follow their root: name %s instead.",
                       build_name(build, &root->name));
        }
        *mark = *above;
    }
}

static void refuse_unsupported(Build *build, const CatRelation *relation, Mark *mark)
{
    const char *name = build_name(build, &relation->name);
    if (relation->kind == 'f') {
        build_find_at(build, DIAG_FOREIGN_TABLE, mark->cause,
                      "%s is a foreign table, its rows live elsewhere: it is left out", name);
        mark->selected = false;
    } else if (relation->is_chunk && build->plan->mirror) {
        mark->selected = false; /* its rows are its hypertable's */
    } else if (relation->is_hypertable || relation->is_chunk) {
        if (build->plan->mirror)
            return;
        build_find_at(build, DIAG_SOURCE_HYPERTABLE, mark->cause,
                      "%s is a %s on the source, and the plan does not say what it becomes", name,
                      relation->is_chunk ? "chunk of a hypertable" : "hypertable");
        build_hint(build, "Write \"timescaledb: {mirror: true}\" to make it one on the target, "
                          "too, with all its settings; or exclude it.");
    }
}

static void check_selected(Build *build)
{
    size_t tables = 0;
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = build->source->by_name[i];
        Mark *mark = build_mark(build, relation);
        if (!mark->selected)
            continue;
        refuse_unsupported(build, relation, mark);
        tables += mark->selected && is_table(relation);
    }
    if (tables > 0)
        return;
    const PlanSelect *select = &build->plan->select;
    const PlanSelector *first = select->schemas.count > 0  ? &select->schemas.items[0]
                                : select->tables.count > 0 ? &select->tables.items[0]
                                                           : NULL;
    build_find_at(build, DIAG_NOTHING_SELECTED, first,
                  "the selection holds no table of database %s", build->source->server.database);
}

void build_select(Build *build)
{
    const PlanSelect *select = &build->plan->select;
    select_schemas(build);
    take_schemas(build);
    match_all(build, &select->tables, take_table, "select.tables");
    match_all(build, &select->exclude, exclude_table, "select.exclude");
    for (size_t v = 0; v < build->plan->verify_count; v++)
        match_all(build, &build->plan->verifies[v].tables, ignore_table, "verify.tables");
    partitions_follow(build);
    check_selected(build);
}
