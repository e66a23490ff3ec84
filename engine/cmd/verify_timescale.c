/*
 * Verify, TimescaleDB: the steps of the plan are asked whether what they made is there still.
 */
#include "cmd/verify_timescale.h"

#include "cmd/verify_carried.h"
#include "graph/build.h"

static const char *const KINDS[] = {"hypertable", "columnstore",      "aggregate",
                                    "policy",     "aggregate.policy", "job"};

static bool is_looked_at(const Step *step)
{
    bool kind = false;
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        kind = kind || text_equal(step->kind->name, KINDS[i]);
    return kind;
}

static bool is_done(const Step *step, const Rows *journaled)
{
    for (size_t r = 0; !step->barrier && r < rows_count(journaled); r++)
        if (text_equal(rows_text(journaled, r, 0), step->id))
            return text_equal(rows_text(journaled, r, 1), "done");
    return false;
}

static bool look(Session *session, Run *run, const Step *step, TimescaleResult *result, Err *err)
{
    Observation seen = {0};
    StepCtx ctx = {.run = run,
                   .step = step,
                   .source = session->source,
                   .target = session->target,
                   .arena = &session->arena,
                   .log = {.run = session->plan.name, .step = step->id},
                   .recorded_done = true};
    if (!step->kind->observe(&ctx, &seen, err))
        return err_context(err, "could not look at %s", step->id);
    result->compared++;
    if (seen.state == OBSERVED_NEEDED)
        *vec_push(&session->arena, &result->differences) =
            arena_printf(&session->arena, "missing on the target: %s", step->id);
    else if (seen.state != OBSERVED_SATISFIED)
        *vec_push(&session->arena, &result->differences) =
            arena_printf(&session->arena, "not as planned: %s: %s", step->id,
                         seen.reason == NULL ? "it has changed" : seen.reason);
    return true;
}

bool verify_timescale(Session *session, TimescaleResult *result, Err *err)
{
    AUTO_ROWS Rows *journaled = NULL;
    Run run = {0};
    Graph graph = {0};
    *result = (TimescaleResult){0};
    if (session->journal.id == 0)
        return true;
    session_run(session, &run);
    bool ok = journal_steps(session->target, session->journal.id, &journaled, err) &&
              graph_build(&graph, STEP_KINDS, &session->blueprint, err);
    for (size_t i = 0; ok && i < graph.count; i++) {
        const Step *step = graph.steps[i];
        if (!is_done(step, journaled))
            continue;
        if (is_looked_at(step))
            ok = look(session, &run, step, result, err);
        else if (text_equal(step->kind->name, "aggregate.carry"))
            ok = verify_carried(session, step, result, err);
    }
    graph_release(&graph);
    arena_release(&run.arena);
    return ok;
}
