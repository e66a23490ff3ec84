/*
 * Step copy:T copies one relation in parts, each in one transaction of the target with its row in
 * the journal.
 */
#include "copy/job.h"
#include "copy/leaves.h"
#include "step/common.h"

extern const StepKind STEP_COPY;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (!relation_is_copied(blueprint, relation))
            continue;
        Step *step = step_add(builder, &STEP_COPY, name_text(&arena, &relation->source), relation,
                              (double)relation_bytes(relation));
        step_at(step, relation->pos);
        step_needs_id(builder, step, "wave");
    }
    return true;
}

/* The chunks that are there now; the wave copies those of its snapshot. */
static size_t describe_chunks(StepCtx *ctx, Description *description, const Leaf *leaf)
{
    const Catalog *catalog = ctx->run->blueprint->source;
    AUTO_STR Str sql = {0};
    size_t count = 0;
    for (size_t i = 0; i < catalog->relations_count; i++)
        count += catalog->relations[i].hypertable == leaf->oid;
    PartPlan plan = parts_by_chunk(ctx->arena, count);
    description_add_parts(ctx->arena, description, name_text(ctx->arena, &leaf->source), plan.count,
                          plan.reason);
    for (size_t i = 0; i < catalog->relations_count; i++) {
        if (catalog->relations[i].hypertable != leaf->oid)
            continue;
        PartRange range = {.by = PART_BY_CHUNK, .chunk = &catalog->relations[i].name};
        str_reset(&sql);
        part_source_sql(&sql, ctx->source, leaf, &range);
        description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    }
    str_reset(&sql);
    part_target_sql(&sql, ctx->target, leaf, false);
    description_add(ctx->arena, description, CONN_TARGET, sql.data);
    return plan.count;
}

static size_t describe_leaf(StepCtx *ctx, Description *description, const Leaf *leaf)
{
    AUTO_STR Str sql = {0};
    PartPlan plan =
        parts_plan(ctx->arena, leaf, leaf->pages, conn_version(ctx->source), &ctx->run->plan->copy);
    bool freeze = plan.count == 1 && part_may_freeze(leaf);
    /* Key ranges begin at values that only the snapshot knows: one statement stands for them. */
    PartPlan shown = plan.by == PART_BY_KEY ? (PartPlan){.by = PART_BY_NONE, .count = 1} : plan;
    description_add_parts(ctx->arena, description, name_text(ctx->arena, &leaf->source), plan.count,
                          plan.reason);
    for (size_t i = 0; i < shown.count; i++) {
        PartRange range = parts_range(&shown, i, 0, leaf->pages);
        str_reset(&sql);
        part_source_sql(&sql, ctx->source, leaf, &range);
        description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    }
    if (freeze) {
        str_reset(&sql);
        part_empty_sql(&sql, ctx->target, leaf, false);
        description_add(ctx->arena, description, CONN_TARGET, sql.data);
    }
    str_reset(&sql);
    part_target_sql(&sql, ctx->target, leaf, freeze);
    description_add(ctx->arena, description, CONN_TARGET, sql.data);
    return plan.count;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const Relation *relation = ctx->step->object;
    size_t parts = 0;
    for (size_t i = 0; i < relation->leaf_count; i++)
        parts += relation->chunked ? describe_chunks(ctx, description, relation->leaves[i])
                                   : describe_leaf(ctx, description, relation->leaves[i]);
    description->sentence = arena_printf(
        ctx->arena, "copy %s as %s in %zu part%s", name_text(ctx->arena, &relation->source),
        relation->binary ? "binary" : "text", parts, parts == 1 ? "" : "s");
    description->estimate.work = WORK_COPY;
    description_measure(description, relation);
    return true;
}

static bool in_wave(const Wave *wave, const Relation *relation)
{
    for (size_t i = 0; i < relation->leaf_count; i++) {
        if (wave_leaf(wave, relation->leaves[i])->included)
            return true;
    }
    return false;
}

/* Leaves not copied, of the relation and of those that are merged with it: they are copied under
 * one snapshot. */
static bool count_left(StepCtx *ctx, const Relation *relation, size_t *left, Err *err)
{
    const Relation *one = relation->merge == NULL ? relation : relation->merge;
    for (*left = 0; one != NULL; one = relation->merge == NULL ? NULL : one->merge_next) {
        size_t more = 0;
        if (!leaves_left(ctx->run, ctx->target, one->leaves, one->leaf_count, &more, err))
            return false;
        *left += more;
    }
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    const Relation *relation = ctx->step->object;
    size_t left = 0;
    if (run_is_switched(ctx->run))
        return true;
    observation->state = OBSERVED_NEEDED;
    if (ctx->run->wave != NULL) {
        /* The wave asked the journal when it began, and knows what was committed since. */
        bool done =
            !in_wave(ctx->run->wave, relation) || job_is_done(*wave_job(ctx->run->wave, relation));
        observation->state = done ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
        return true;
    }
    if (!count_left(ctx, relation, &left, err))
        return false;
    observation->state = left == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

static bool may_begin(const Run *run, const Step *step)
{
    return run->wave == NULL || wave_may_begin(run->wave, step->object);
}

static bool part_count(StepCtx *ctx, size_t *count, Err *err)
{
    const Relation *relation = ctx->step->object;
    CopyJob **job = wave_job(ctx->run->wave, relation);
    const PartTarget target = {ctx->target, ctx->quiet};
    if (!wave_admit(ctx->run->wave, relation, err))
        return false;
    if (!job_plan(job, ctx->run, ctx->run->wave, relation, ctx->source, &target, err))
        return false;
    *count = job_part_count(*job);
    return true;
}

static bool part_apply(StepCtx *ctx, size_t part, Err *err)
{
    CopyJob *job = *wave_job(ctx->run->wave, ctx->step->object);
    const PartTarget target = {ctx->target, ctx->quiet};
    return job_part(job, part, ctx->arena, ctx->source, &target, err);
}

/* Behind the last part. */
static bool apply(StepCtx *ctx, Err *err)
{
    (void)err;
    wave_leave(ctx->run->wave);
    return true;
}

const StepKind STEP_COPY = {
    .name = "copy",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_COPY_JOB,
    .summary = "Copies the rows of one table.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .may_begin = may_begin,
    .part_count = part_count,
    .part_apply = part_apply,
};
