/*
 * The mirror of continuous aggregates and jobs: what the source has becomes the same description
 * that an entry of the plan gives. An entry of the plan for the same view, or the same procedure
 * and configuration, stands in its place.
 */
#include "base/str.h"
#include "blueprint/mirror_internal.h"
#include "plan/mentions.h"

#include <string.h>

/* --- aggregates --- */

static const PlanAggregate *plan_entry(const Build *build, const Name *view)
{
    for (size_t i = 0; i < build->plan->aggregate_count; i++)
        if (name_equal(&build->plan->aggregates[i].target_view, view))
            return &build->plan->aggregates[i];
    return NULL;
}

/* The last hypertable below aggregates; NULL when it is not known. */
static const Name *raw_of(const Build *build, const CatAggregate *aggregate)
{
    const Name *reads = &aggregate->reads;
    for (size_t depth = 0; depth <= build->source->aggregates_count; depth++) {
        const CatAggregate *below = NULL;
        for (size_t i = 0; i < build->source->aggregates_count && below == NULL; i++)
            if (reads->rel != NULL && name_equal(&build->source->aggregates[i].view, reads))
                below = &build->source->aggregates[i];
        if (below == NULL)
            return reads->rel == NULL ? NULL : reads;
        reads = &below->reads;
    }
    return NULL;
}

static void refuse(Build *build, const CatAggregate *from, const char *why, const char *hint)
{
    build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1, "continuous aggregate %s %s",
               build_name(build, &from->view), why);
    build_hint(build, "%s", hint);
}

/* A relation that its query names and that bears another name on the target. */
static const CatRelation *renamed_in(const Build *build, const char *query)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = &build->source->relations[i];
        const Place *place = build_place(build, relation);
        if (place->map != NULL && !name_equal(&place->target, &relation->name) &&
            sql_mentions(query, &relation->name))
            return relation;
    }
    return NULL;
}

/* Another aggregate, whose entry in the plan says that what is left of its rows is enough. */
static bool reads_rebuilt(const Build *build, const CatAggregate *from)
{
    const PlanAggregate *entry = plan_entry(build, &from->reads);
    return entry != NULL && !entry->carry;
}

static void check_aggregate(Build *build, const CatAggregate *from)
{
    const CatRelation *renamed = renamed_in(build, from->query);
    const Name *raw = raw_of(build, from);
    const CatExtension *here = catalog_extension(build->source, "timescaledb");
    const CatExtension *there = catalog_extension(build->target, "timescaledb");
    if (!from->is_finalized)
        refuse(build, from, "is of the form that TimescaleDB 2.25 dropped",
               arena_printf(build->arena, "Bring it into the new form: CALL cagg_migrate('%s').",
                            build_name(build, &from->view)));
    if (renamed != NULL)
        refuse(build, from,
               arena_printf(build->arena, "names %s, which select.map gives another name",
                            build_name(build, &renamed->name)),
               "Write it as an entry of continuous_aggregates, with the names of the target.");
    if (here != NULL && there != NULL && !text_equal(here->schema, there->schema))
        refuse(build, from,
               arena_printf(build->arena,
                            "names functions of TimescaleDB in schema %s, which are in %s "
                            "on the target",
                            here->schema, there->schema),
               "Write it as an entry of continuous_aggregates, with functions without schema.");
    if (raw != NULL && mirror_job_of(build, raw, "policy_retention") != NULL &&
        reads_rebuilt(build, from))
        refuse(build, from,
               arena_printf(build->arena,
                            "may hold what retention has dropped from %s, and reads %s, which the "
                            "plan computes anew from the rows that are left",
                            build_name(build, raw), build_name(build, &from->reads)),
               "Write data: carry in that one's entry; or, if what is left is enough, write this "
               "one as an entry of continuous_aggregates, too.");
}

static const PlanRefresh *refresh_of(Build *build, const CatAggregate *from)
{
    const CatJob *job = mirror_job_of(build, &from->view, "policy_refresh_continuous_aggregate");
    if (job == NULL)
        return NULL;
    PlanRefresh *refresh = arena_new(build->arena, PlanRefresh);
    *refresh = (PlanRefresh){
        .start_offset = job->start_offset,
        .start_is_integer = job->start_is_integer,
        .end_offset = job->end_offset,
        .end_is_integer = job->end_is_integer,
        .policy = mirror_policy(build, job),
    };
    return refresh;
}

/* TimescaleDB named it, after a number that is another one on the target. */
static bool has_own_name(const CatAggregate *from, const CatIndex *index)
{
    size_t length = strlen(from->materialization.rel);
    return strncmp(index->name.rel, from->materialization.rel, length) == 0 &&
           index->name.rel[length] == '_';
}

/* The index without its table, in two pieces. \return false for what comes by itself: the index by
 * time that each hypertable gets. */
static bool index_pieces(Build *build, const CatAggregate *from, const CatIndex *index,
                         const char *pieces[2])
{
    AUTO_STR Str on = {0};
    bool own = has_own_name(from, index);
    str_appendf(&on, " ON %s USING ", build_name(build, &from->materialization));
    const char *found = strstr(index->sql, on.data);
    if (found == NULL || !index->valid || (own && index->key_count == 1))
        return false;
    pieces[0] = own ? "CREATE INDEX ON "
                    : arena_printf(build->arena, "%.*s ON ", (int)(found - index->sql), index->sql);
    pieces[1] = found + on.length - strlen(" USING ");
    return true;
}

static void fill_indexes(Build *build, const CatAggregate *from, PlanAggregate *to)
{
    const CatRelation *rows = catalog_relation_named(build->source, &from->materialization);
    size_t count = 0;
    const CatIndex *indexes =
        rows == NULL ? NULL : catalog_indexes(build->source, rows->oid, &count);
    to->indexes = arena_array(build->arena, const char *, 2 * count);
    for (size_t i = 0; i < count; i++)
        if (index_pieces(build, from, &indexes[i], &to->indexes[2 * to->index_count]))
            to->index_count++;
}

static void take_aggregate(Build *build, const CatAggregate *from, Mark *mark)
{
    mark->selected = false; /* its view is not restored: the aggregate brings it */
    mark->excluded = true;
    if (plan_entry(build, &from->view) != NULL)
        return;
    check_aggregate(build, from);
    PlanAggregate *to = arena_new(build->arena, PlanAggregate);
    *to = (PlanAggregate){
        .target_view = from->view,
        .query = from->query,
        .materialized_only = from->materialized_only,
        .carry = carry_is_needed(build, from),
        .refresh = refresh_of(build, from),
        .columnstore = mirror_columnstore(build, &from->view),
        .retention = mirror_retention(build, &from->view),
        .mirrored = true,
        .pos = build->plan->mirror_pos,
    };
    fill_indexes(build, from, to);
    *vec_push(build->arena, &build->aggregates) = to;
}

static void mirror_aggregates(Build *build)
{
    for (size_t i = 0; i < build->source->aggregates_count; i++) {
        const CatAggregate *from = &build->source->aggregates[i];
        const CatRelation *view = catalog_relation_named(build->source, &from->view);
        if (view != NULL && build_mark(build, view)->selected)
            take_aggregate(build, from, build_mark(build, view));
    }
}

/* --- jobs --- */

static bool plan_has_job(const Build *build, const CatJob *job)
{
    for (size_t i = 0; i < build->plan->job_count; i++)
        if (name_equal(&build->plan->jobs[i].procedure, &job->procedure) &&
            text_equal(build->plan->jobs[i].config, job->config))
            return true;
    return false;
}

/* A job is known by its procedure and configuration: a second one of both would count as made. */
static bool is_twin(const Build *build, const CatJob *job)
{
    for (size_t i = 0; i < build->jobs.count; i++)
        if (name_equal(&build->jobs.items[i]->procedure, &job->procedure) &&
            text_equal(build->jobs.items[i]->config, job->config))
            return true;
    return false;
}

static bool is_policy(const CatJob *job)
{
    return schema_is_timescaledb(job->procedure.schema);
}

/* A policy that neither a table nor an aggregate's description has a word for. */
static void tell_policy(Build *build, const CatJob *job)
{
    static const char *const KNOWN[] = {"policy_compression", "policy_retention", "policy_reorder",
                                        "policy_refresh_continuous_aggregate"};
    for (size_t k = 0; k < sizeof(KNOWN) / sizeof(*KNOWN); k++)
        if (strcmp(job->procedure.rel, KNOWN[k]) == 0)
            return;
    mirror_not(build,
               arena_printf(build->arena, "job %lld (%s, every %s) is not mirrored",
                            (long long)job->id, job->procedure.rel, job->schedule_interval),
               "Add the policy on the target after the run.");
}

static void take_job(Build *build, const CatJob *job)
{
    if (!build_schema_selected(build, job->procedure.schema, NULL) &&
        build_function(build->target, &job->procedure) == NULL) {
        mirror_not(build,
                   arena_printf(build->arena,
                                "job %lld (%s, every %s) is not mirrored: its "
                                "procedure is not selected",
                                (long long)job->id, build_name(build, &job->procedure),
                                job->schedule_interval),
                   "Select the procedure's schema, or create it on the target beforehand.");
        return;
    }
    if (is_twin(build, job)) {
        mirror_not(build,
                   arena_printf(build->arena,
                                "job %lld (%s) is not mirrored: another one has the same "
                                "procedure and configuration",
                                (long long)job->id, build_name(build, &job->procedure)),
                   "Add it on the target after the run, or tell them apart by their "
                   "configuration.");
        return;
    }
    PlanJob *to = arena_new(build->arena, PlanJob);
    *to = (PlanJob){
        .procedure = job->procedure,
        .config = job->config,
        .policy = mirror_policy(build, job),
        .mirrored = true,
        .drifts = !job->is_fixed,
        .check = job->check,
        .owner = job->owner,
    };
    to->policy.more = NULL; /* its configuration is taken whole */
    *vec_push(build->arena, &build->jobs) = to;
}

static void mirror_jobs(Build *build)
{
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (is_policy(job))
            tell_policy(build, job);
        else if (!plan_has_job(build, job))
            take_job(build, job);
    }
}

/* --- the whole --- */

void build_mirror_community(Build *build)
{
    const Plan *plan = build->plan;
    Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < plan->aggregate_count; i++)
        *vec_push(build->arena, &build->aggregates) = &plan->aggregates[i];
    for (size_t i = 0; i < plan->job_count; i++)
        *vec_push(build->arena, &build->jobs) = &plan->jobs[i];
    if (plan->mirror) {
        mirror_aggregates(build);
        mirror_jobs(build);
        build_carried(build);
    }
    blueprint->hypertables = build->hypertables.items;
    blueprint->hypertable_count = build->hypertables.count;
    blueprint->aggregates = build->aggregates.items;
    blueprint->aggregate_count = build->aggregates.count;
    blueprint->jobs = build->jobs.items;
    blueprint->job_count = build->jobs.count;
}
