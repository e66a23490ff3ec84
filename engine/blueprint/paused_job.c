/*
 * Jobs of a TimescaleDB source that rest during the run: policies that compress, reorder or drop
 * chunks of selected hypertables, all policies of continuous aggregates whose rows are carried
 * over, and the user's own jobs, of which nobody knows what they do. What refreshes other
 * aggregates goes on, and so do policies of hypertables that are not selected: no row of the run
 * comes from them. What is off already stays as it is.
 */
#include "blueprint/build.h"

static bool is_of_selected(Build *build, const CatJob *job)
{
    const CatRelation *table =
        job->table.rel == NULL ? NULL : catalog_relation_named(build->source, &job->table);
    return table != NULL && table->is_hypertable && build_mark(build, table)->selected;
}

static bool is_of_carried(const Build *build, const CatJob *job)
{
    return job->table.rel != NULL && build_is_carried(build, &job->table);
}

bool build_job_rests(Build *build, const CatJob *job)
{
    return build->plan->mirror && build->plan->source.pause_jobs && job->scheduled &&
           !build_job_fails(build, job) &&
           (is_of_selected(build, job) || is_of_carried(build, job) ||
            !schema_is_timescaledb(job->procedure.schema));
}

static void check_owner(Build *build, const CatJob *job)
{
    if (job->may_alter)
        return;
    build_find(build, DIAG_MIRROR, build->plan->source.pos, 1,
               "source.pause_jobs: job %lld (%s) is %s's, and %s may not pause it",
               (long long)job->id, build_name(build, &job->procedure), job->owner,
               build->source->server.user);
    build_hint(build, "Make it a member on the source: GRANT %s TO %s. Or pause the job by hand.",
               job->owner, build->source->server.user);
}

void build_paused_jobs(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    if (!blueprint->has_chunked)
        return;
    blueprint->paused_jobs =
        arena_array(build->arena, const CatJob *, build->source->jobs_count + 1);
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (!build_job_rests(build, job))
            continue;
        check_owner(build, job);
        blueprint->paused_jobs[blueprint->paused_job_count++] = job;
    }
}
