/*
 * Offline: a blueprint of one object of each sort, so that the kinds themselves say what they need
 * and nothing is written down twice.
 */
#include "graph/offline.h"

#define ANY "*"

/* As it stands in ids: quoted, for it is no plain name. */
static const char ANY_ID[] = "\"" ANY "\"";

#define PLAN_VERSION 180000

static const Name ANY_NAME = {.schema = ANY, .rel = ANY};

static void add_relation(Blueprint *blueprint, const Name *name, const PlanHypertable *hypertable)
{
    blueprint->relations[blueprint->relation_count] = (Relation){
        .source = *name,
        .target = *name,
        .index = blueprint->relation_count,
        .hypertable = hypertable,
    };
    blueprint->relation_count++;
}

/* Those that the plan names, or the one that is made unasked, which has no name yet. */
static void add_publications(Arena *arena, Blueprint *blueprint, const PlanReplication *plan)
{
    size_t named = plan->publication_count;
    if (plan->plugin == PLAN_PLUGIN_TEST_DECODING)
        return;
    blueprint->publication_count = named > 0 ? named : 1;
    blueprint->publications = arena_array(arena, PublicationDef, blueprint->publication_count);
    for (size_t i = 0; i < named; i++) {
        blueprint->publications[i].name = plan->publications[i].name;
        blueprint->publications[i].pos = plan->publications[i].pos;
    }
}

/* The catalogs are empty: nobody is partitioned, the target is one that has every right. */
static Catalog *empty_catalog(Arena *arena)
{
    Catalog *catalog = arena_new(arena, Catalog);
    catalog->server.version = PLAN_VERSION;
    catalog->server.replica_sql = "";
    return catalog;
}

/* What the plan itself says is all that is known without servers. */
static void add_wishes(Arena *arena, Blueprint *blueprint, const Plan *plan)
{
    const PlanHypertable **tables =
        arena_array(arena, const PlanHypertable *, plan->hypertable_count);
    const PlanAggregate **views = arena_array(arena, const PlanAggregate *, plan->aggregate_count);
    const PlanJob **jobs = arena_array(arena, const PlanJob *, plan->job_count);
    for (size_t i = 0; i < plan->hypertable_count; i++)
        tables[i] = &plan->hypertables[i];
    for (size_t i = 0; i < plan->aggregate_count; i++)
        views[i] = &plan->aggregates[i];
    for (size_t i = 0; i < plan->job_count; i++)
        jobs[i] = &plan->jobs[i];
    blueprint->hypertables = tables;
    blueprint->hypertable_count = plan->hypertable_count;
    blueprint->aggregates = views;
    blueprint->aggregate_count = plan->aggregate_count;
    blueprint->jobs = jobs;
    blueprint->job_count = plan->job_count;
}

static Blueprint *sample(Arena *arena, const Plan *plan)
{
    Blueprint *blueprint = arena_new(arena, Blueprint);
    *blueprint = (Blueprint){
        .plan = plan,
        .source = empty_catalog(arena),
        .target = empty_catalog(arena),
        .relations = arena_array(arena, Relation, plan->hypertable_count + 1),
        .indexes = arena_new(arena, IndexDef),
        .index_count = 1,
        .foreign_keys = arena_new(arena, ForeignKey),
        .foreign_key_count = 1,
        .matviews = arena_new(arena, MatviewDef),
        .matview_count = 1,
    };
    add_wishes(arena, blueprint, plan);
    add_publications(arena, blueprint, &plan->replication);
    add_relation(blueprint, &ANY_NAME, NULL);
    for (size_t i = 0; i < plan->hypertable_count; i++)
        add_relation(blueprint, &plan->hypertables[i].target_table, &plan->hypertables[i]);
    Relation *any = &blueprint->relations[0];
    *blueprint->indexes = (IndexDef){
        .name = ANY_NAME,
        .relation = any,
        .table = ANY_NAME,
        .sql = "",
        .constraint_sql = "",
        .constraint_name = ANY,
        .constraint_type = 'p',
    };
    *blueprint->foreign_keys = (ForeignKey){
        .name = ANY,
        .relation = any,
        .table = ANY_NAME,
        .referenced = ANY_NAME,
        .sql = "",
        .validated = true,
    };
    *blueprint->matviews = (MatviewDef){.name = ANY_NAME, .populated = true};
    return blueprint;
}

bool graph_build_offline(Graph *graph, Arena *arena, const StepKind *const *kinds, const Plan *plan,
                         Err *err)
{
    if (!graph_build(graph, kinds, sample(arena, plan), err))
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        Step *step = graph->steps[i];
        if (!step->barrier && strstr(step->id, ANY_ID) != NULL)
            step->id = arena_printf(&graph->arena, "%s:" ANY, step->kind->name);
    }
    return true;
}
