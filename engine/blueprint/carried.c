/*
 * Continuous aggregates whose rows are carried over (data: carry, or what the mirror chooses where
 * retention drops what an aggregate reads): whether the source has them in a form that can be
 * read, and whether they stand still meanwhile.
 */
#include "base/str.h"
#include "blueprint/mirror_internal.h"

#include <string.h>

bool carry_is_needed(const Build *build, const CatAggregate *from)
{
    return from->reads.rel != NULL &&
           mirror_job_of(build, &from->reads, "policy_retention") != NULL;
}

bool build_is_carried(const Build *build, const Name *view)
{
    for (size_t i = 0; i < build->aggregates.count; i++)
        if (build->aggregates.items[i]->carry &&
            name_equal(&build->aggregates.items[i]->target_view, view))
            return true;
    return false;
}

static const CatAggregate *on_source(const Build *build, const Name *view)
{
    for (size_t i = 0; i < build->source->aggregates_count; i++)
        if (name_equal(&build->source->aggregates[i].view, view))
            return &build->source->aggregates[i];
    return NULL;
}

static void refuse(Build *build, const PlanAggregate *aggregate, const char *why, const char *hint)
{
    build_find(build, DIAG_MIRROR, aggregate->pos, 1,
               "rows of continuous aggregate %s cannot be carried over: %s",
               build_name(build, &aggregate->target_view), why);
    build_hint(build, "%s", hint);
}

static bool has_chunk(const Build *build, const Name *table)
{
    const CatRelation *found =
        table->rel == NULL ? NULL : catalog_relation_named(build->source, table);
    for (size_t i = 0; found != NULL && i < build->source->relations_count; i++)
        if (build->source->relations[i].is_chunk &&
            build->source->relations[i].hypertable == found->oid)
            return true;
    return false;
}

/* Rows of which nothing raw is left: no refresh would move the watermark up to them. */
static bool is_hidden(const Build *build, const PlanAggregate *aggregate, const CatAggregate *from)
{
    const CatAggregate *below = on_source(build, &from->reads);
    return !aggregate->materialized_only && has_chunk(build, &from->materialization) &&
           !has_chunk(build, below == NULL ? &from->reads : &below->materialization);
}

static void check_jobs(Build *build, const PlanAggregate *aggregate)
{
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (job->table.rel == NULL || !name_equal(&job->table, &aggregate->target_view) ||
            !job->scheduled || build_job_rests(build, job))
            continue;
        refuse(build, aggregate,
               arena_printf(build->arena, "job %lld (%s) would change them meanwhile",
                            (long long)job->id, job->procedure.rel),
               arena_printf(build->arena,
                            "Let the run pause it (source.pause_jobs), or pause it on the source: "
                            "SELECT alter_job(%lld, scheduled => false); then it is made paused on "
                            "the target, too, unless an entry of continuous_aggregates says what "
                            "it is.",
                            (long long)job->id));
    }
}

static void check(Build *build, const PlanAggregate *aggregate)
{
    const CatAggregate *from = on_source(build, &aggregate->target_view);
    if (from == NULL) {
        refuse(build, aggregate, "the source has no continuous aggregate of that name",
               "Give it the name that it has there, or write data: rebuild.");
        return;
    }
    if (!from->is_finalized && !aggregate->mirrored)
        refuse(build, aggregate, "it is of the form that TimescaleDB 2.25 dropped",
               arena_printf(build->arena, "Bring it into the new form: CALL cagg_migrate('%s').",
                            build_name(build, &from->view)));
    if (is_hidden(build, aggregate, from))
        refuse(build, aggregate,
               arena_printf(build->arena,
                            "%s has no rows, and real-time aggregation would not show them",
                            build_name(build, &from->reads)),
               arena_printf(build->arena,
                            "Let it show what is materialized, on the source: ALTER MATERIALIZED "
                            "VIEW %s SET (timescaledb.materialized_only = true); or in an entry of "
                            "continuous_aggregates.",
                            build_name(build, &from->view)));
    check_jobs(build, aggregate);
}

void build_carried(Build *build)
{
    for (size_t i = 0; i < build->aggregates.count; i++)
        if (build->aggregates.items[i]->carry)
            check(build, build->aggregates.items[i]);
}
