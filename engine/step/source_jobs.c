/*
 * Step source_jobs: jobs of a TimescaleDB source that would compress, reorder or drop what is being
 * copied, and those of which nobody knows what they do, rest for the time of the run. Which they
 * are is in the journal before the first is paused, so that finish, reset and cleanup let exactly
 * these run again: a kill in between leaves a row that says what is still so. One that runs at that
 * moment is waited for. See docs/adr/0032.
 */
#include "step/source_jobs.h"

#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"
#include "step/common.h"
#include "timescale/sql.h"

#include <inttypes.h>

#define JOBS_LOCK_TIMEOUT_MS 10000
#define JOBS_LOOK_MS         500
/* The scheduler may have begun a worker that does not hold its job's lock yet. */
#define JOBS_QUIET_LOOKS 2
#define JOBS_TELL_EVERY  60

extern const StepKind STEP_SOURCE_JOBS;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    if (blueprint->paused_job_count == 0)
        return true;
    Step *step = step_add_after(builder, &STEP_SOURCE_JOBS, "control_schema");
    step_at(step, blueprint->plan->source.pos);
    return true;
}

/* ---- statements ----------------------------------------------------------------------------- */

/* \param timezone NULL: the job has none
 *
 * \note Source: alter_job() forgets the time zone of a job unless it is told, and then counts anew
 * when it starts next, so that this is told, too (tsl/src/bgw_policy/job_api.c, job_alter, 2.19 to
 * 2.29). */
static const char *alter_sql(Arena *arena, const Conn *conn, const char *schema, int64_t job,
                             const char *timezone, bool scheduled)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT ");
    ts_function(&sql, conn, schema, "alter_job");
    str_appendf(&sql, "%" PRId64 ", scheduled => %s", job, scheduled ? "true" : "false");
    if (timezone != NULL) {
        str_append(&sql, ", timezone => ");
        ddl_literal(&sql, conn, timezone);
        str_appendf(&sql,
                    ", next_start => (SELECT NULLIF(j.next_start, '-infinity') "
                    "FROM timescaledb_information.jobs j WHERE j.job_id = %" PRId64 ")",
                    job);
    }
    str_append(&sql, ")");
    return str_dup(arena, &sql);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const char *schema = NULL;
    const Blueprint *blueprint = ctx->run->blueprint;
    size_t count = blueprint->paused_job_count;
    if (!timescaledb_schema(ctx->arena, ctx->source, &schema, err))
        return false;
    description->sentence =
        arena_printf(ctx->arena, "pause %zu job%s of the source until the run ends", count,
                     count == 1 ? "" : "s");
    for (size_t i = 0; schema != NULL && i < count; i++) {
        const CatJob *job = blueprint->paused_jobs[i];
        description_add(ctx->arena, description, CONN_SOURCE,
                        alter_sql(ctx->arena, ctx->source, schema, job->id, job->timezone, false));
    }
    return true;
}

/* ---- what they do now ----------------------------------------------------------------------- */

typedef VEC(int64_t) JobIds;

typedef struct FoundJob {
    int64_t id;
    const char *timezone;
} FoundJob;

typedef VEC(FoundJob) FoundJobs;

static FoundJob found_job(Arena *arena, const Rows *rows, size_t row)
{
    const char *timezone = rows_text(rows, row, 3);
    return (FoundJob){rows_int64(rows, row, 0),
                      timezone == NULL ? NULL : arena_strdup(arena, timezone)};
}

static const char *array_text(Arena *arena, const JobIds *ids)
{
    AUTO_STR Str text = {0};
    str_append(&text, "{");
    for (size_t i = 0; i < ids->count; i++)
        str_appendf(&text, "%s%" PRId64, i > 0 ? "," : "", ids->items[i]);
    str_append(&text, "}");
    return str_dup(arena, &text);
}

static bool look(Arena *arena, Conn *conn, const JobIds *ids, Rows **rows, Err *err)
{
    return pg_rows(conn, SQL_STEP_SOURCE_JOBS, PARAMS(array_text(arena, ids)), rows, err);
}

/* Those that rest during the run and are scheduled now. */
static bool scheduled(StepCtx *ctx, Conn *conn, JobIds *all, FoundJobs *found, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; i < blueprint->paused_job_count; i++)
        *vec_push(ctx->arena, all) = blueprint->paused_jobs[i]->id;
    if (!look(ctx->arena, conn, all, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        if (rows_bool(rows, r, 1))
            *vec_push(ctx->arena, found) = found_job(ctx->arena, rows, r);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    JobIds all = {0};
    FoundJobs found = {0};
    if (run_is_switched(ctx->run))
        return true;
    if (!scheduled(ctx, ctx->source, &all, &found, err))
        return false;
    /* An engine that was killed behind the last of them may not have waited for it. */
    observation->state =
        found.count == 0 && ctx->recorded_done ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

/* ---- pausing -------------------------------------------------------------------------------- */

static bool open_own(const StepCtx *ctx, Conn **conn, Err *err)
{
    return conn_open(conn, &ctx->run->source,
                     &(ConnOptions){.purpose = "jobs",
                                    .lock_timeout_ms = JOBS_LOCK_TIMEOUT_MS,
                                    .stop = ctx->run->stop},
                     err);
}

static bool schema_of(StepCtx *ctx, Conn *conn, const char **schema, Err *err)
{
    if (!timescaledb_schema(ctx->arena, conn, schema, err))
        return false;
    return *schema != NULL || err_set(err, ERR_RUN, "the source has no TimescaleDB any more");
}

static bool record(StepCtx *ctx, const FoundJobs *found, Err *err)
{
    JobIds ids = {0};
    for (size_t i = 0; i < found->count; i++)
        *vec_push(ctx->arena, &ids) = found->items[i].id;
    return ids.count == 0 || pg_none(ctx->target, SQL_JOURNAL_SOURCE_JOBS_ADD,
                                     PARAMS(arena_int64(ctx->arena, ctx->run->journal.id),
                                            array_text(ctx->arena, &ids)),
                                     err);
}

static bool alter(StepCtx *ctx, Conn *conn, const char *schema, const FoundJob *job, bool on,
                  Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, alter_sql(ctx->arena, conn, schema, job->id, job->timezone, on), NO_PARAMS,
                 &rows, err))
        return err_context(err, "job %" PRId64 " of the source", job->id);
    log_info(&ctx->log, "job %" PRId64 " of the source %s", job->id,
             on ? "is scheduled again" : "rests until the run ends");
    return true;
}

static int64_t running(const Rows *rows)
{
    for (size_t r = 0; r < rows_count(rows); r++)
        if (rows_bool(rows, r, 2))
            return rows_int64(rows, r, 0);
    return 0;
}

/* Ending it is not ours: what a job does is somebody's work. It may take as long as it takes. */
static bool wait_idle(StepCtx *ctx, Conn *conn, const JobIds *ids, Err *err)
{
    int quiet = 0;
    for (int looks = 0;; looks++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ROWS Rows *rows = NULL;
        if (!look(&arena, conn, ids, &rows, err))
            return false;
        int64_t job = running(rows);
        quiet = job == 0 ? quiet + 1 : 0;
        if (quiet == JOBS_QUIET_LOOKS)
            return true;
        if (job != 0 && looks % JOBS_TELL_EVERY == 0)
            log_info(&ctx->log, "job %" PRId64 " of the source runs still: waiting for its end",
                     job);
        if (!stop_sleep(ctx->run->stop, JOBS_LOOK_MS))
            return stop_error(ctx->run->stop, err);
    }
}

static bool apply(StepCtx *ctx, Err *err)
{
    JobIds all = {0};
    FoundJobs found = {0};
    const char *schema = NULL;
    AUTO_CONN Conn *own = NULL;
    if (!open_own(ctx, &own, err) || !schema_of(ctx, own, &schema, err) ||
        !scheduled(ctx, own, &all, &found, err) || !record(ctx, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (!alter(ctx, own, schema, &found.items[i], false, err))
            return false;
    return wait_idle(ctx, own, &all, err);
}

/* ---- restoring ------------------------------------------------------------------------------ */

static bool forget(StepCtx *ctx, int64_t job, Err *err)
{
    return pg_none(
        ctx->target, SQL_JOURNAL_SOURCE_JOB_CLEAR,
        PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), arena_int64(ctx->arena, job)), err);
}

static bool restore_one(StepCtx *ctx, Conn *own, const char *schema, int64_t job, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    JobIds ids = {0};
    *vec_push(ctx->arena, &ids) = job;
    if (!look(ctx->arena, own, &ids, &rows, err))
        return false;
    if (rows_count(rows) == 0) {
        log_warn(&ctx->log, "job %" PRId64 " is not on the source any more", job);
    } else if (!rows_bool(rows, 0, 1)) {
        FoundJob found = found_job(ctx->arena, rows, 0);
        if (!alter(ctx, own, schema, &found, true, err))
            return false;
    }
    return forget(ctx, job, err);
}

bool source_jobs_restore(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_CONN Conn *own = NULL;
    const char *schema = NULL;
    if (ctx->run->journal.id == 0)
        return true;
    if (!pg_rows(ctx->target, SQL_JOURNAL_SOURCE_JOBS,
                 PARAMS(arena_int64(ctx->arena, ctx->run->journal.id)), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    if (!open_own(ctx, &own, err) || !timescaledb_schema(ctx->arena, own, &schema, err))
        return false;
    for (size_t r = 0; schema != NULL && r < rows_count(rows); r++)
        if (!restore_one(ctx, own, schema, rows_int64(rows, r, 0), err))
            return false;
    return true;
}

const StepKind STEP_SOURCE_JOBS = {
    .name = "source_jobs",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET,
    .summary = "Pauses jobs of a TimescaleDB source for the time of the run.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
    .undo = source_jobs_restore,
};
