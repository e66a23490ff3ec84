/*
 * Whether the target can have the continuous aggregates and jobs of the plan: names that are free,
 * a hypertable to read, a clock that counts, a procedure to run.
 */
#include "blueprint/build.h"

#include "plan/mentions.h"

/* --- aggregates --- */

static const char *view_text(Build *build, const PlanAggregate *aggregate)
{
    return build_name(build, &aggregate->target_view);
}

/* What comes from the source under this name. */
static const CatRelation *find_namesake(const Build *build, const Name *view)
{
    const Catalog *source = build->source;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        if (!blueprint_keeps_object(build->blueprint, CAT_CLASS_RELATION, relation->oid))
            continue;
        Name name = blueprint_target_name(build->blueprint, relation->oid, &relation->name);
        if (name_equal(&name, view))
            return relation;
    }
    return NULL;
}

static void check_taken(Build *build, const PlanAggregate *aggregate)
{
    const CatRelation *other = find_namesake(build, &aggregate->target_view);
    if (other == NULL)
        return;
    build_find(build, DIAG_AGGREGATE_TAKEN, aggregate->pos, 1,
               "continuous_aggregates: %s comes from the source, too", view_text(build, aggregate));
    build_hint(build,
               "Add %s to select.exclude if the aggregate is to take its place, or give the "
               "aggregate another name.",
               build_name(build, &other->name));
}

static bool reads_hypertable(const Build *build, const PlanAggregate *aggregate)
{
    for (size_t i = 0; i < build->hypertables.count; i++)
        if (sql_mentions(aggregate->query, &build->hypertables.items[i]->target_table))
            return true;
    for (size_t i = 0; i < build->aggregates.count; i++)
        if (build->aggregates.items[i] != aggregate &&
            sql_mentions(aggregate->query, &build->aggregates.items[i]->target_view))
            return true;
    for (size_t i = 0; i < build->target->hypertables_count; i++)
        if (sql_mentions(aggregate->query, &build->target->hypertables[i].name))
            return true;
    return false;
}

static void check_reads(Build *build, const PlanAggregate *aggregate)
{
    if (reads_hypertable(build, aggregate))
        return;
    build_find(build, DIAG_AGGREGATE_READS, aggregate->pos, 1,
               "continuous_aggregates: the query of %s names no hypertable",
               view_text(build, aggregate));
    build_hint(build, "Write the hypertable, or the aggregate it stands on, with its schema and "
                      "its name on the target; a hypertable must be listed in hypertables.");
}

static bool counts_in_integers(const PlanAggregate *aggregate)
{
    const PlanRefresh *refresh = aggregate->refresh;
    return (refresh != NULL && (refresh->start_is_integer || refresh->end_is_integer)) ||
           (aggregate->columnstore != NULL && aggregate->columnstore->after_is_integer) ||
           (aggregate->retention != NULL && aggregate->retention->drop_after_is_integer);
}

/* A policy that counts in integers needs the hypertable's now. */
static void check_clock(Build *build, const PlanAggregate *aggregate)
{
    const PlanRefresh *refresh = aggregate->refresh;
    if (!counts_in_integers(aggregate))
        return;
    for (size_t i = 0; i < build->hypertables.count; i++) {
        const PlanHypertable *table = build->hypertables.items[i];
        if (table->integer_now_func == NULL && sql_mentions(aggregate->query, &table->target_table))
            build_find(build, DIAG_POLICY_NAME,
                       refresh != NULL ? refresh->policy.pos : aggregate->pos, 1,
                       "continuous_aggregates: a policy of %s counts in integers, and no "
                       "integer_now_func of %s says what now is",
                       view_text(build, aggregate), build_name(build, &table->target_table));
    }
}

void build_aggregates(Build *build)
{
    for (size_t i = 0; i < build->aggregates.count; i++) {
        const PlanAggregate *aggregate = build->aggregates.items[i];
        check_taken(build, aggregate);
        check_reads(build, aggregate);
        check_clock(build, aggregate);
        if (aggregate->refresh != NULL && !aggregate->mirrored)
            build_config_keys(
                build, aggregate->refresh->policy.pos,
                arena_printf(build->arena, "the refresh policy of %s", view_text(build, aggregate)),
                aggregate->refresh->policy.more);
        build_retention(build, &aggregate->target_view, aggregate->retention, true);
    }
    if (build->aggregates.count > 0)
        build_edition(build, build->aggregates.items[0]->pos,
                      arena_printf(build->arena, "continuous_aggregates: %s",
                                   view_text(build, build->aggregates.items[0])));
}

/* --- jobs --- */

static void check_procedure(Build *build, const PlanJob *job)
{
    if (build_function(build->target, &job->procedure) != NULL)
        return;
    const CatObject *function = build_function(build->source, &job->procedure);
    if (function != NULL && blueprint_keeps_object(build->blueprint, CAT_CLASS_PROC, function->oid))
        return;
    build_find(build, DIAG_JOB_PROCEDURE, job->policy.pos, 1,
               function == NULL ? "jobs: neither server has a procedure %s"
                                : "jobs: procedure %s is not selected",
               build_name(build, &job->procedure));
    build_hint(build, function == NULL
                          ? "Create it on the source, or on the target beforehand."
                          : "Select its schema, or create it on the target beforehand.");
}

void build_jobs(Build *build)
{
    for (size_t i = 0; i < build->jobs.count; i++)
        check_procedure(build, build->jobs.items[i]);
    if (build->jobs.count == 0)
        return;
    const PlanJob *first = build->jobs.items[0];
    build_edition(build, first->policy.pos,
                  arena_printf(build->arena, "jobs: %s", build_name(build, &first->procedure)));
}
