/*
 * Step job:P adds one job of the user's own, that TimescaleDB will run. Behind the switch and the
 * refresh of the aggregates: before it no job is there that could run. A job is known by its
 * procedure and its configuration.
 */
#include "timescale/job.h"

#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_JOB;

/* "app.rollup", "app.rollup.2": several jobs may run one procedure. */
static const char *job_text(Arena *arena, const Blueprint *blueprint, size_t index)
{
    const Name *procedure = &blueprint->jobs[index]->procedure;
    size_t earlier = 0;
    for (size_t i = 0; i < index; i++)
        earlier += name_equal(&blueprint->jobs[i]->procedure, procedure) ? 1 : 0;
    const char *name = name_text(arena, procedure);
    return earlier == 0 ? name : arena_printf(arena, "%s.%zu", name, earlier + 1);
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->job_count; i++) {
        const PlanJob *job = blueprint->jobs[i];
        Step *step = step_add(builder, &STEP_JOB, job_text(&arena, blueprint, i), job, 0);
        step_at(step, job->policy.pos);
        step_needs_kind(builder, step, "cutover.unfence");
        step_needs_kind(builder, step, "aggregate.refresh");
        step_needs_kind(builder, step, "aggregate.carry");
    }
    return true;
}

static const char *sentence(StepCtx *ctx)
{
    const PlanJob *job = ctx->step->object;
    return arena_printf(ctx->arena, "add the job that runs %s",
                        name_text(ctx->arena, &job->procedure));
}

static SqlList statements(StepCtx *ctx, const TsTarget *target)
{
    return job_sql(ctx->arena, ctx->target, ctx->step->object, target);
}

static bool find(StepCtx *ctx, bool *there, Err *err)
{
    return job_find(ctx->target, ctx->step->object, there, err);
}

static const CommunityFeature JOB = {
    .sentence = sentence,
    .statements = statements,
    .find = find,
};

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    return community_describe(ctx, &JOB, description, err);
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    return community_observe(ctx, &JOB, observation, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return community_apply(ctx, &JOB, err);
}

const StepKind STEP_JOB = {
    .name = "job",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Adds one job of the user's own, behind the switch.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
