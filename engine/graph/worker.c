/*
 * Worker: observe, apply, verify, record. The journal remembers, the databases decide: a step that
 * the journal has as done is observed again all the same.
 */
#include "graph/worker.h"

#include "base/clock.h"
#include "base/thread.h"
#include "step/common.h"

#include <unistd.h>

#define WORKER_LOCK_TIMEOUT_MS 30000

static bool worker_conn(Worker *worker, ConnSide side, Conn **conn, Err *err)
{
    if (*conn != NULL && conn_is_ok(*conn) && !conn_in_transaction(*conn))
        return true;
    conn_close(*conn);
    *conn = NULL;
    AUTO_ARENA Arena arena = {0};
    const Endpoint *endpoint = side == CONN_SOURCE ? &worker->run->source : &worker->run->target;
    ConnOptions options = {
        .purpose = arena_printf(&arena, "worker %d", worker->number),
        .lock_timeout_ms = WORKER_LOCK_TIMEOUT_MS,
        .stop = worker->run->stop,
    };
    return conn_open(conn, endpoint, &options, err);
}

static bool ctx_open(Worker *worker, const Piece *piece, Arena *arena, StepCtx *ctx, Err *err)
{
    const Step *step = piece->step;
    *ctx = (StepCtx){
        .run = worker->run,
        .step = step,
        .arena = arena,
        .log = {.run = worker->run->plan->name, .step = step->id},
        .recorded_done = piece->recorded_done,
    };
    /* The journal is on the target: every step may need it. */
    if (!worker_conn(worker, CONN_TARGET, &worker->target, err))
        return false;
    if ((step->kind->flags & STEP_NEEDS_SOURCE) != 0 &&
        !worker_conn(worker, CONN_SOURCE, &worker->source, err))
        return false;
    ctx->target = worker->target;
    ctx->quiet = &worker->quiet;
    ctx->source = worker->source;
    conn_set_step(worker->target, step->id);
    if (worker->source != NULL)
        conn_set_step(worker->source, step->id);
    return true;
}

static bool drift_error(const Observation *seen, Err *err)
{
    ErrCode code = seen->state == OBSERVED_IMPOSSIBLE ? ERR_RUN : ERR_DRIFT;
    return err_set(err, code, "%s",
                   seen->reason != NULL ? seen->reason
                                        : "what is there is not what the plan wants");
}

static bool step_proves(StepCtx *ctx, Err *err)
{
    const StepKind *kind = ctx->step->kind;
    if (kind->verify != NULL)
        return kind->verify(ctx, err);
    Observation after = {0};
    if (!kind->observe(ctx, &after, err))
        return false;
    if (after.state == OBSERVED_SATISFIED)
        return true;
    err_set(err, ERR_RUN, "the step ran, but its effect cannot be seen");
    return after.reason == NULL ? false : err_detail(err, "%s", after.reason);
}

static bool record(StepCtx *ctx, const char *state, const char *detail, Err *err)
{
    return journal_step(ctx->target, ctx->run->journal.id, ctx->step->id, state, detail, err);
}

static bool piece_begin(StepCtx *ctx, Piece *piece, Err *err)
{
    const StepKind *kind = piece->step->kind;
    Observation seen = {.state = OBSERVED_SATISFIED};
    if (!run_is_past(ctx->run, kind) && !kind->observe(ctx, &seen, err))
        return false;
    if (seen.state == OBSERVED_DRIFTED || seen.state == OBSERVED_IMPOSSIBLE)
        return drift_error(&seen, err);
    piece->satisfied = seen.state == OBSERVED_SATISFIED;
    if (piece->satisfied)
        return piece->recorded_done || record(ctx, "done", "was there", err);
    /* A step of the user journals itself: its row is all that is known of it. */
    if ((kind->flags & STEP_USER) != 0)
        return kind->apply(ctx, err);
    if (!record(ctx, "running", NULL, err))
        return false;
    piece->parted = kind->part_count != NULL;
    if (piece->parted)
        return kind->part_count(ctx, &piece->part_count, err);
    return kind->apply(ctx, err) && step_proves(ctx, err) && record(ctx, "done", NULL, err);
}

static bool piece_end(StepCtx *ctx, Err *err)
{
    const StepKind *kind = ctx->step->kind;
    if (kind->apply != NULL && !kind->apply(ctx, err))
        return false;
    return step_proves(ctx, err) && record(ctx, "done", NULL, err);
}

static bool piece_run(StepCtx *ctx, Piece *piece, Err *err)
{
    switch (piece->kind) {
    case PIECE_BEGIN:
        return piece_begin(ctx, piece, err);
    case PIECE_PART:
        return piece->step->kind->part_apply(ctx, piece->part, err);
    case PIECE_END:
        return piece_end(ctx, err);
    }
    BUG("a piece of unknown kind");
}

/* The failure is journalled for `status`; the connection may be the very thing that failed. */
static void record_failure(Worker *worker, const Piece *piece)
{
    AUTO_ERR Err ignored = {0};
    if ((piece->step->kind->flags & STEP_USER) != 0)
        return;
    if (worker->target == NULL || !conn_is_ok(worker->target) || stop_reason(worker->run->stop))
        return;
    /* Who left at a gate or a missing approval has begun the step, and did not fail in it. */
    bool waits = piece->err.code == ERR_WAITING || piece->err.code == ERR_GATE;
    if (!journal_step(worker->target, worker->run->journal.id, piece->step->id,
                      waits ? "running" : "failed", piece->err.message, &ignored))
        log_debug(&worker->run->log, "could not record a failure: %s", ignored.message);
}

static void piece_do(Worker *worker, Piece *piece)
{
    AUTO_ARENA Arena arena = {0};
    StepCtx ctx = {0};
    int64_t began = clock_us();
    piece->ok =
        ctx_open(worker, piece, &arena, &ctx, &piece->err) && piece_run(&ctx, piece, &piece->err);
    piece->elapsed_us = clock_us() - began;
    if (piece->ok)
        return;
    err_step(&piece->err, piece->step->id);
    pg_rollback(worker->source);
    pg_rollback(worker->target);
    record_failure(worker, piece);
}

static void *worker_main(void *data)
{
    Worker *worker = data;
    for (Piece *piece = queue_take(worker->work, -1); piece != NULL;
         piece = queue_take(worker->work, -1)) {
        piece_do(worker, piece);
        if (!queue_put(worker->done, piece, 1, -1))
            BUG("the executor closed its queue before its workers ended");
        const uint64_t one = 1;
        if (write(worker->wake_fd, &one, sizeof(one)) < 0)
            log_debug(&worker->run->log, "the executor is awake already");
    }
    conn_close(worker->source);
    conn_close(worker->target);
    conn_close(worker->quiet);
    return NULL;
}

bool worker_start(Worker *worker, Err *err)
{
    return thread_begin(&worker->thread, "worker", worker_main, worker, err);
}

void worker_join(Worker *worker)
{
    pthread_join(worker->thread, NULL);
}
