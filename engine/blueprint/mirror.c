/*
 * The mirror: hypertables of the source as if the plan had described them. What is found there
 * becomes the same description that an entry of `hypertables` gives, so that all that follows (what
 * is printed, made, checked, compared) knows one kind only. An entry of the plan for such a table
 * is put over it, key by key. What the description cannot say is told, never dropped in silence.
 */
#include "blueprint/build.h"

#include "base/str.h"

#include <string.h>

static const char *function_text(Build *build, const Name *function)
{
    return function->rel == NULL ? NULL : build_name(build, function);
}

static void fill_dimensions(Build *build, const Name *table, PlanHypertable *to)
{
    size_t count = 0;
    const CatDimension *dimensions = catalog_dimensions(build->source, table, &count);
    if (count == 0)
        return;
    to->column_name = dimensions[0].column_name;
    to->partition_interval = dimensions[0].interval;
    to->interval_is_integer = dimensions[0].interval_is_integer;
    to->partition_func = function_text(build, &dimensions[0].partition_func);
    to->integer_now_func = function_text(build, &dimensions[0].integer_now_func);
    to->dimension_count = count - 1;
    to->dimensions = arena_array(build->arena, PlanDimension, count);
    for (size_t i = 1; i < count; i++)
        to->dimensions[i - 1] = (PlanDimension){
            .column_name = dimensions[i].column_name,
            .partition_interval = dimensions[i].interval,
            .interval_is_integer = dimensions[i].interval_is_integer,
            .number_partitions = dimensions[i].number_partitions,
            .partition_func = function_text(build, &dimensions[i].partition_func),
            .pos = build->plan->mirror_pos,
        };
}

/* --- policies --- */

static void not_mirrored(Build *build, const char *what, const char *hint)
{
    build_find(build, DIAG_MIRROR_LEFT_OUT, build->plan->mirror_pos, 1, "%s", what);
    build_hint(build, "%s", hint);
}

static PlanPolicy policy_of(Build *build, const CatJob *job)
{
    PlanPolicy policy = {
        .schedule_interval = job->schedule_interval,
        .initial_start = job->initial_start,
        .timezone = job->timezone,
        .max_runtime = job->max_runtime,
        .retry_period = job->retry_period,
        .scheduled = job->scheduled,
        .pos = build->plan->mirror_pos,
    };
    if (job->max_retries >= 0) {
        uint32_t *retries = arena_new(build->arena, uint32_t);
        *retries = (uint32_t)job->max_retries;
        policy.max_retries = retries;
    }
    return policy;
}

static const CatJob *job_of(const Build *build, const Name *table, const char *procedure)
{
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (job->table.rel != NULL && name_equal(&job->table, table) &&
            strcmp(job->procedure.rel, procedure) == 0)
            return job;
    }
    return NULL;
}

static void tell_further(Build *build, const Name *table, const CatJob *job)
{
    if (job == NULL || job->further == NULL)
        return;
    not_mirrored(build,
                 arena_printf(build->arena,
                              "job %lld (%s of %s) has settings that are not "
                              "mirrored: %s",
                              (long long)job->id, job->procedure.rel, build_name(build, table),
                              job->further),
                 "Set them on the target after the run: SELECT alter_job(<id>, config => ...).");
}

static void fill_columnstore(Build *build, const Name *table, PlanHypertable *to)
{
    const CatColumnstore *from = catalog_columnstore(build->source, table);
    const CatJob *job = job_of(build, table, "policy_compression");
    if (from == NULL)
        return;
    PlanColumnstore *columnstore = arena_new(build->arena, PlanColumnstore);
    *columnstore = (PlanColumnstore){
        .segmentby = from->segmentby,
        .segmentby_count = from->segmentby_count,
        .orderby = from->orderby,
        .orderby_count = from->orderby_count,
        .policy = {.scheduled = true, .pos = build->plan->mirror_pos},
    };
    if (job != NULL) {
        columnstore->after = job->age;
        columnstore->after_is_integer = job->age_is_integer;
        columnstore->created_before = job->created_before;
        columnstore->policy = policy_of(build, job);
    }
    if (from->chunk_interval != NULL)
        not_mirrored(build,
                     arena_printf(build->arena,
                                  "compress_chunk_time_interval of %s is not mirrored (%s)",
                                  build_name(build, table), from->chunk_interval),
                     "Set it on the target after the run, by ALTER TABLE ... SET.");
    tell_further(build, table, job);
    to->columnstore = columnstore;
}

static void fill_retention(Build *build, const Name *table, PlanHypertable *to)
{
    const CatJob *job = job_of(build, table, "policy_retention");
    if (job == NULL)
        return;
    PlanRetention *retention = arena_new(build->arena, PlanRetention);
    *retention = (PlanRetention){
        .drop_after = job->age,
        .drop_after_is_integer = job->age_is_integer,
        .drop_created_before = job->created_before,
        .policy = policy_of(build, job),
    };
    tell_further(build, table, job);
    to->retention = retention;
}

static void fill_reorder(Build *build, const Name *table, PlanHypertable *to)
{
    const CatJob *job = job_of(build, table, "policy_reorder");
    if (job == NULL)
        return;
    PlanReorder *reorder = arena_new(build->arena, PlanReorder);
    *reorder = (PlanReorder){.index = job->index_name, .policy = policy_of(build, job)};
    tell_further(build, table, job);
    to->reorder = reorder;
}

/* --- the whole --- */

static const PlanHypertable *plan_entry(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->plan->hypertable_count; i++)
        if (name_equal(&build->plan->hypertables[i].target_table, target))
            return &build->plan->hypertables[i];
    return NULL;
}

/* What the plan says of the table goes before what it is on the source. */
static void put_over(PlanHypertable *to, const PlanHypertable *plan)
{
    bool same = text_equal(to->column_name, plan->column_name);
    to->column_name = plan->column_name;
    if (plan->partition_interval != NULL || !same) {
        to->partition_interval = plan->partition_interval;
        to->interval_is_integer = plan->interval_is_integer;
    }
    if (plan->partition_func != NULL || !same)
        to->partition_func = plan->partition_func;
    if (plan->integer_now_func != NULL || !same)
        to->integer_now_func = plan->integer_now_func;
    if (plan->dimension_count > 0) {
        to->dimensions = plan->dimensions;
        to->dimension_count = plan->dimension_count;
    }
    to->create_default_indexes = plan->create_default_indexes;
    to->from_partitioned = plan->from_partitioned;
    to->columnstore = plan->columnstore != NULL ? plan->columnstore : to->columnstore;
    to->retention = plan->retention != NULL ? plan->retention : to->retention;
    to->reorder = plan->reorder != NULL ? plan->reorder : to->reorder;
    to->pos = plan->pos;
}

/* What moves rows by itself on the source, which this version does not follow. */
static void check_movers(Build *build, const Name *table)
{
    if (catalog_columnstore(build->source, table) != NULL) {
        build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1,
                   "%s has a columnstore, which is not mirrored in this version",
                   build_name(build, table));
        build_hint(build, "Exclude it for now.");
    }
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        if (job->table.rel == NULL || !name_equal(&job->table, table) || !job->scheduled ||
            build_job_rests(build, job))
            continue;
        build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1,
                   "job %lld (%s of %s) would run during the migration", (long long)job->id,
                   job->procedure.rel, build_name(build, table));
        build_hint(build,
                   "Pause it on the source: SELECT alter_job(%lld, scheduled => false); it "
                   "is made paused on the target, too. Or let the run pause it: source.pause_jobs.",
                   (long long)job->id);
    }
}

static const PlanHypertable *mirrored(Build *build, const CatRelation *from, const Name *target)
{
    PlanHypertable *to = arena_new(build->arena, PlanHypertable);
    *to = (PlanHypertable){.target_table = *target, .pos = build->plan->mirror_pos};
    fill_dimensions(build, &from->name, to);
    fill_columnstore(build, &from->name, to);
    fill_retention(build, &from->name, to);
    fill_reorder(build, &from->name, to);
    check_movers(build, &from->name);
    const PlanHypertable *plan = plan_entry(build, target);
    if (plan != NULL)
        put_over(to, plan);
    return to;
}

/* Jobs of no hypertable, and those of procedures of the user's own. */
static void tell_jobs(Build *build)
{
    static const char *const KNOWN[] = {"policy_compression", "policy_retention", "policy_reorder"};
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        bool known = false;
        for (size_t k = 0; k < sizeof(KNOWN) / sizeof(*KNOWN); k++)
            known = known || strcmp(job->procedure.rel, KNOWN[k]) == 0;
        if (known)
            continue;
        not_mirrored(build,
                     arena_printf(build->arena, "job %lld (%s, every %s) is not mirrored",
                                  (long long)job->id, build_name(build, &job->procedure),
                                  job->schedule_interval),
                     "Add it on the target after the run: SELECT add_job(...).");
    }
}

static void tell_aggregates(Build *build)
{
    for (size_t i = 0; i < build->source->aggregates_count; i++) {
        const Name *view = &build->source->aggregates[i].view;
        const CatRelation *relation = catalog_relation_named(build->source, view);
        if (relation == NULL || !build_mark(build, relation)->selected)
            continue;
        build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1,
                   "continuous aggregate %s is not mirrored in this version",
                   build_name(build, view));
        build_hint(build, "Exclude it (select.exclude), and create it on the target.");
    }
}

static void check_source(Build *build)
{
    const CatSetting *restoring = catalog_setting(build->source, "timescaledb.restoring");
    if (restoring != NULL && strcmp(restoring->value, "on") == 0) {
        build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1,
                   "timescaledb.mirror: the source is in restoring mode");
        build_hint(build, "A restore there was not ended: SELECT timescaledb_post_restore().");
    }
    if (build->source->server.timescaledb_version != NULL)
        return;
    build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1,
               "timescaledb.mirror: the source has no TimescaleDB");
    build_hint(build, "Take the key out; \"hypertables\" says which tables become hypertables.");
}

static bool is_taken(const Build *build, const Name *target)
{
    for (size_t i = 0; i < build->hypertables.count; i++)
        if (name_equal(&build->hypertables.items[i]->target_table, target))
            return true;
    return false;
}

void build_mirror(Build *build)
{
    if (build->plan->mirror) {
        check_source(build);
        tell_aggregates(build);
        tell_jobs(build);
    }
    for (size_t i = 0; build->plan->mirror && i < build->source->relations_count; i++) {
        const CatRelation *from = build->source->by_name[i];
        if (from->is_hypertable && build_mark(build, from)->selected)
            *vec_push(build->arena, &build->hypertables) =
                mirrored(build, from, &build_place(build, from)->target);
    }
    for (size_t i = 0; i < build->plan->hypertable_count; i++)
        if (!is_taken(build, &build->plan->hypertables[i].target_table))
            *vec_push(build->arena, &build->hypertables) = &build->plan->hypertables[i];
}

const PlanPos *build_first_hypertable(const Build *build)
{
    return build->hypertables.count == 0 ? NULL : &build->hypertables.items[0]->pos;
}
