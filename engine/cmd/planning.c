/*
 * Planning: observe, describe, place findings, look for drift.
 */
#include "cmd/planning.h"

#include "cmd/paused.h"

#include "blueprint/structure.h"
#include "cmd/findings.h"
#include "pg/query.h"
#include "plan/secret.h"
#include "report/graph_text.h"
#include "step/common.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct Planning {
    Session *session;
    Run run;
    Graph graph;
    DryRun *dry;
    VEC(const char *) done; /* steps that the journal has as done, sorted */
} Planning;

/* --- steps --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_done(Planning *planning, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Session *session = planning->session;
    if (session->journal.id == 0)
        return true;
    if (!journal_steps(session->target, session->journal.id, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (text_equal(rows_text(rows, r, 1), "done"))
            *vec_push(&session->arena, &planning->done) =
                arena_strdup(&session->arena, rows_text(rows, r, 0));
    }
    if (planning->done.count > 1)
        qsort(planning->done.items, planning->done.count, sizeof(char *), by_text);
    return true;
}

static bool is_done(const Planning *planning, const char *id)
{
    return planning->done.count > 0 && bsearch(&id, planning->done.items, planning->done.count,
                                               sizeof(char *), by_text) != NULL;
}

/* Before a run there is nothing to ask most steps: the journal is not there. Schema steps look at
 * the target. */
static bool observe(const Planning *planning, StepCtx *ctx, Observation *observation, Err *err)
{
    const StepKind *kind = ctx->step->kind;
    if (planning->session->journal.id == 0 && kind->phase != PHASE_SCHEMA) {
        observation->state = OBSERVED_NEEDED;
        return true;
    }
    return run_is_past(ctx->run, kind) || kind->observe(ctx, observation, err);
}

/* Where a step leaves what it makes: there its last statement runs. */
static const char *step_side(const Description *description)
{
    size_t count = description->sql.count;
    return conn_side_name(count > 0 ? description->sql.items[count - 1].side : CONN_TARGET);
}

static DryState state_of(const StepKind *kind, const Observation *observation)
{
    if (observation->state == OBSERVED_SATISFIED)
        return DRY_DONE;
    if (observation->state != OBSERVED_NEEDED)
        return DRY_FINDING;
    return observation->there || (kind->flags & STEP_CHANGES) != 0 ? DRY_CHANGE : DRY_CREATE;
}

/* What a run made, and what stands no more as it made it. A kind with a proof of its own may leave
 * nothing behind that observe() could see as done: then only what it calls drifted tells drift. */
static void look_for_drift(Planning *planning, const StepCtx *ctx, const Description *description,
                           DryStep *out)
{
    Arena *arena = &planning->session->arena;
    if (!ctx->recorded_done || out->state == DRY_DONE ||
        (ctx->step->kind->flags & STEP_SESSION) != 0 ||
        (ctx->step->kind->verify != NULL && out->state != DRY_FINDING))
        return;
    const char *what = out->reason != NULL ? out->reason : "what it made is not there any more";
    out->state = DRY_FINDING;
    out->reason = arena_printf(arena, "the run has done this, but %s", what);
    *vec_push(arena, &planning->dry->drift) =
        arena_printf(arena, "%s: step %s was done, but %s", step_side(description), out->id, what);
}

/* A setting of the source may be a secret; no other statement holds one, and should one ever, it
 * ends here. */
static void take_sql(Arena *arena, const Description *description, DryStep *out)
{
    for (size_t i = 0; i < description->sql.count; i++) {
        const StepSql *from = &description->sql.items[i];
        char *copy = arena_strdup(arena, from->sql);
        secret_mask(copy, strlen(copy));
        secret_mask_setting(copy);
        *vec_push(arena, &out->sql) = (StepSql){.side = from->side, .sql = copy};
    }
}

static bool plan_step(Planning *planning, const Step *step, Err *err)
{
    Session *session = planning->session;
    Observation observation = {0};
    Description description = {0};
    StepCtx ctx = {.run = &planning->run,
                   .step = step,
                   .source = session->source,
                   .target = session->target,
                   .arena = &session->arena,
                   .log = {.run = session->plan.name, .step = step->id},
                   .recorded_done = is_done(planning, step->id)};
    if (!observe(planning, &ctx, &observation, err) ||
        !step->kind->describe(&ctx, &description, err))
        return err_context(err, "%s", step->id);
    DryStep *out = vec_push(&session->arena, &planning->dry->steps);
    *out = (DryStep){.id = arena_strdup(&session->arena, step->id),
                     .kind = step->kind->name,
                     .phase = phase_name(step->kind->phase),
                     .state = state_of(step->kind, &observation),
                     .sentence = description.sentence,
                     .reason = observation.reason,
                     .pos = step->pos,
                     .parts = description.parts,
                     .estimate = description.estimate};
    take_sql(&session->arena, &description, out);
    look_for_drift(planning, &ctx, &description, out);
    return true;
}

static bool plan_steps(Planning *planning, Err *err)
{
    for (size_t i = 0; i < planning->graph.count; i++) {
        if (!planning->graph.steps[i]->barrier &&
            !plan_step(planning, planning->graph.steps[i], err))
            return false;
    }
    return true;
}

/* --- findings --- */

static const char *kind_of(const char *code)
{
    for (size_t i = 0; i < FINDING_PLACE_COUNT; i++) {
        if (strcmp(FINDING_PLACES[i].code, code) == 0)
            return FINDING_PLACES[i].kind;
    }
    return "preflight";
}

/* The step of the very object, else the first of the kind, else preflight. */
static DryStep *place_of(DryRun *dry, const DryFinding *finding)
{
    const char *kind = kind_of(finding->code);
    DryStep *first = &dry->steps.items[0];
    for (size_t i = dry->steps.count; i-- > 0;) {
        DryStep *step = &dry->steps.items[i];
        if (strcmp(step->kind, kind) != 0)
            continue;
        size_t length = strlen(kind);
        if (step->id[length] == ':' && text_equal(step->id + length + 1, finding->object))
            return step;
        first = step;
    }
    return first;
}

/* What `check` measures may be another number at the next call: a dry run says the same twice. */
static bool moves_with_load(const Finding *finding)
{
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    if (finding->severity == FINDING_ERROR)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(codes[i].code, finding->code) == 0 && (codes[i].flags & CODE_PASSING) != 0)
            return true;
    }
    return finding->severity == FINDING_INFO;
}

static void place_findings(Planning *planning, const PreflightReport *report)
{
    Arena *arena = &planning->session->arena;
    for (size_t i = 0; i < report->findings.count; i++) {
        const Finding *from = &report->findings.items[i];
        if (moves_with_load(from))
            continue;
        const DryFinding finding = {
            .code = arena_strdup(arena, from->code),
            .severity = finding_severity_name(from->severity),
            .server = conn_side_name(from->side),
            .object = arena_strdup(arena, from->object),
            .message = arena_strdup(arena, from->message),
            .remedy = arena_strdup(arena, from->remedy),
        };
        *vec_push(arena, &place_of(planning->dry, &finding)->findings) = finding;
    }
}

/* --- the whole --- */

static bool look_at_source(Planning *planning, Err *err)
{
    Session *session = planning->session;
    const char *recorded = NULL;
    if (session->journal.id == 0 || run_is_switched(&planning->run))
        return true;
    if (!journal_structure_read(&session->arena, session->target, session->journal.id, &recorded,
                                err))
        return false;
    if (recorded == NULL)
        return true;
    char *save = NULL;
    char *diff = structure_diff(&session->arena, paused_rest(session, recorded),
                                structure_text(&session->arena, &session->blueprint));
    for (char *line = strtok_r(diff, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        *vec_push(&session->arena, &planning->dry->drift) =
            arena_printf(&session->arena, "source: %s", line);
    return true;
}

static const char *server_text(Arena *arena, const Catalog *catalog)
{
    return arena_printf(arena, "%s, PostgreSQL %d", session_system(arena, catalog),
                        catalog->server.version / 10000);
}

static const char *run_text(Arena *arena, const Planning *planning)
{
    const JournalRun *run = &planning->session->journal;
    if (run->id == 0)
        return "none yet";
    return arena_printf(arena, "%s since %s, epoch %" PRId64 ", %zu steps done", run->state,
                        run->started_at, run->epoch, planning->done.count);
}

static void begin_dry_run(Session *session, DryRun *dry, const char *run)
{
    const Plan *plan = &session->plan;
    *dry = (DryRun){
        .name = plan->name,
        .fingerprint = plan->fingerprint,
        .path = plan->path,
        .source = server_text(&session->arena, &session->source_catalog),
        .target = server_text(&session->arena, &session->target_catalog),
        .run = run,
        .jobs = {[WORK_COPY] = plan->copy.table_jobs,
                 [WORK_INDEX] = plan->copy.index_jobs,
                 [WORK_VERIFY] = 1},
    };
}

/* Each server is read in one read-only transaction that is rolled back. */
static bool look(Planning *planning, Err *err)
{
    Session *session = planning->session;
    bool ok = pg_begin(session->source, "READ ONLY", err) &&
              pg_begin(session->target, "READ ONLY", err) && read_done(planning, err) &&
              graph_build(&planning->graph, STEP_KINDS, &session->blueprint, err);
    if (ok) {
        begin_dry_run(session, planning->dry, run_text(&session->arena, planning));
        ok = look_at_source(planning, err) && plan_steps(planning, err);
    }
    pg_rollback(session->source);
    pg_rollback(session->target);
    return ok;
}

void planning_ended(Session *session, DryRun *dry, const char *sentence)
{
    begin_dry_run(session, dry, sentence);
}

bool planning_make(Session *session, DryRun *dry, Err *err)
{
    Planning planning = {.session = session, .dry = dry};
    PreflightReport report = {0};
    session_run(session, &planning.run);
    bool past = run_is_switched(&planning.run);
    bool ok =
        look(&planning, err) &&
        (past || findings_collect(session, &(FindingsScope){.resuming = session->journal.id != 0},
                                  &report, err));
    if (ok)
        place_findings(&planning, &report);
    preflight_release(&report);
    graph_release(&planning.graph);
    arena_release(&planning.run.arena);
    return ok;
}
