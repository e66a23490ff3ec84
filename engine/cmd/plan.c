/*
 * godwit plan PLAN: the dry run: every step with its state and, with --format sql, the exact
 * statements. Its sessions are read-only transactions; on quiet servers it prints the same bytes
 * twice.
 */
#include "cmd/command.h"
#include "cmd/pinned.h"
#include "cmd/session.h"
#include "report/plan_text.h"
#include "step/common.h"

#include "base/clock.h"

/* Before a run there is nothing to ask most steps: the journal is not there. Schema steps look at
 * the target. */
static bool observe(Session *session, StepCtx *ctx, PlannedStep *planned, Err *err)
{
    const StepKind *kind = ctx->step->kind;
    planned->observation.state = OBSERVED_NEEDED;
    if (session->journal.id == 0 && kind->phase != PHASE_SCHEMA)
        return true;
    if (run_is_past(ctx->run, kind)) {
        planned->observation.state = OBSERVED_SATISFIED;
        return true;
    }
    return kind->observe(ctx, &planned->observation, err);
}

static bool plan_step(Session *session, Run *run, const Step *step, PlannedStep *planned, Err *err)
{
    StepCtx ctx = {.run = run,
                   .step = step,
                   .source = session->source,
                   .target = session->target,
                   .arena = &session->arena,
                   .log = {.run = session->plan.name, .step = step->id}};
    planned->step = step;
    return observe(session, &ctx, planned, err) &&
           step->kind->describe(&ctx, &planned->description, err);
}

static bool plan_steps(Session *session, Run *run, const Graph *graph, PlannedSteps *planned,
                       Err *err)
{
    planned->items = arena_array(&session->arena, PlannedStep, graph->count);
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->steps[i]->barrier)
            continue;
        if (!plan_step(session, run, graph->steps[i], &planned->items[planned->count], err))
            return err_context(err, "%s", graph->steps[i]->id);
        planned->count++;
    }
    return true;
}

static bool write_pinned(Session *session, const PlannedSteps *planned, const char *path, Err *err)
{
    Pinned pinned = {
        .name = session->plan.name,
        .fingerprint = session->plan.fingerprint,
        .plan_text = session->plan.text,
        .source_system = session_system(&session->arena, &session->source_catalog),
        .target_system = session_system(&session->arena, &session->target_catalog),
        .catalog = pinned_catalog(&session->arena, &session->blueprint),
        .steps = arena_array(&session->arena, const char *, planned->count),
        .step_count = planned->count,
        .written_at = clock_rfc3339(&session->arena, clock_unix_us()),
    };
    if (!pinned_is(path)) {
        err_set(err, ERR_USAGE, "a pinned plan's name ends in .pinned, not \"%s\"", path);
        return err_hint(err, "Use --out %s.pinned.", path);
    }
    for (size_t i = 0; i < planned->count; i++)
        pinned.steps[i] = planned->items[i].step->id;
    return pinned_write(path, &pinned, err);
}

static bool dry_run(Session *session, const Options *options, Run *run, Graph *graph, Err *err)
{
    AUTO_STR Str out = {0};
    PlannedSteps planned = {0};
    if (!graph_build(graph, STEP_KINDS, &session->blueprint, err) ||
        !plan_steps(session, run, graph, &planned, err))
        return false;
    plan_print(&out, &session->plan, &planned, options->format);
    fputs(str_text(&out), stdout);
    if (options->out != NULL && !write_pinned(session, &planned, options->out, err))
        return false;
    if (options->detailed_exitcode && plan_changes(&planned) > 0)
        return err_set(err, ERR_PENDING, "there are changes to make");
    return true;
}

/* Each server is read in one read-only transaction that is rolled back. */
static bool begin_reading(Session *session, Err *err)
{
    return pg_begin(session->source, "READ ONLY", err) &&
           pg_begin(session->target, "READ ONLY", err);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, true, err) || !session_journal(&session, err) ||
        !session_inspect(&session, err) || !session_tools(&session, err))
        return false;
    if (session.journal.id != 0 && !session_same_run(&session, false, err))
        return false;
    Run planned = {0};
    Graph graph = {0};
    session_run(&session, &planned);
    bool ok = begin_reading(&session, err) && dry_run(&session, options, &planned, &graph, err);
    pg_rollback(session.source);
    pg_rollback(session.target);
    graph_release(&graph);
    arena_release(&planned.arena);
    return ok;
}

extern const Command COMMAND_PLAN;
const Command COMMAND_PLAN = {
    .name = "plan",
    .arguments = "PLAN",
    .summary = "dry run: every step, its state, the exact SQL; writes nothing",
    .touches = "reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_OUT, OPTION_DETAILED_EXITCODE, OPTION_NONE},
    .formats = "text|sql|json",
    .run = run,
};
