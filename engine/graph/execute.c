/*
 * Executor: the main thread's loop. Keeps a state per step; hands pieces of ready steps to workers;
 * takes outcomes; retries passing faults; ends when the stop is requested.
 */
#include "graph/execute.h"

#include "base/clock.h"
#include "base/units.h"
#include "cdc/retry_table.h"
#include "copy/wave.h"
#include "cutover/cutover.h"
#include "graph/worker.h"
#include "pg/fault.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TICK_MS          200
#define MAX_ATTEMPTS     5
#define RETRY_BACKOFF_MS 500
#define MAX_WORKERS      64
#define MAX_USER_WORKERS 4

/* What the executor knows of one step. */
typedef struct Node {
    size_t waits_for;   /* needs not done yet */
    size_t *dependents; /* indexes */
    size_t dependent_count;
    size_t parts_left; /* parted: parts not finished */
    size_t pieces_out; /* pieces handed to workers */
    bool wanted;       /* false: beyond `until` */
    bool failed_part;
    bool recorded_done;
    int64_t elapsed_us;
} Node;

typedef struct PieceVec {
    Piece **items;
    size_t count;
    size_t capacity;
} PieceVec;

typedef struct Executor {
    const Graph *graph;
    Run *run;
    const ExecuteOptions *options;
    Arena arena;
    Node *nodes;
    StepState *states;
    PieceVec ready; /* pieces that may run, best first is chosen at dispatch */
    Queue work;
    Queue done;
    int wake_fd;
    Worker workers[MAX_WORKERS];
    size_t worker_count;
    size_t running;      /* pieces handed out */
    size_t user_running; /* of them, pieces of the user's steps: nothing waits for their end */
    size_t user_workers; /* workers beside those that the plan's jobs are for */
    size_t copy_running;
    size_t index_running;
    size_t alone_running;
    int64_t started_ms;
    bool failing;
    Err first;   /* the first failure */
    Err service; /* what ended the stream; a step that waits for it may tell it before us */
} Executor;

/* --- preparing --- */

static void want(Executor *ex, const Step *step)
{
    if (ex->nodes[step->index].wanted)
        return;
    ex->nodes[step->index].wanted = true;
    for (size_t i = 0; i < step->needs.count; i++)
        want(ex, step->needs.items[i]);
}

static bool is_for_rollback(const Step *step)
{
    return !step->barrier && (step->kind->flags & STEP_ON_ROLLBACK) != 0;
}

static bool choose_wanted(Executor *ex, Err *err)
{
    const char *until = ex->options->until;
    if (until == NULL) {
        for (size_t i = 0; i < ex->graph->count; i++)
            ex->nodes[i].wanted = !is_for_rollback(ex->graph->steps[i]);
        return true;
    }
    bool found = false;
    for (size_t i = 0; i < ex->graph->count; i++) {
        const Step *step = ex->graph->steps[i];
        if (!step->barrier && !is_for_rollback(step) &&
            (strcmp(step->id, until) == 0 || strcmp(step->kind->name, until) == 0)) {
            want(ex, step);
            found = true;
        }
    }
    if (found)
        return true;
    err_set(err, ERR_USAGE, "no step is called \"%s\"", until);
    return err_hint(
        err, "\"godwit graph PLAN\" lists the steps; a kind such as \"copy\" means all its steps.");
}

static void link_nodes(Executor *ex)
{
    const Graph *graph = ex->graph;
    for (size_t i = 0; i < graph->count; i++) {
        const StepVec *needs = &graph->steps[i]->needs;
        ex->nodes[i].waits_for = needs->count;
        for (size_t n = 0; n < needs->count; n++)
            ex->nodes[needs->items[n]->index].dependent_count++;
    }
    for (size_t i = 0; i < graph->count; i++) {
        ex->nodes[i].dependents = arena_array(&ex->arena, size_t, ex->nodes[i].dependent_count);
        ex->nodes[i].dependent_count = 0;
    }
    for (size_t i = 0; i < graph->count; i++) {
        const StepVec *needs = &graph->steps[i]->needs;
        for (size_t n = 0; n < needs->count; n++) {
            Node *needed = &ex->nodes[needs->items[n]->index];
            needed->dependents[needed->dependent_count++] = i;
        }
    }
}

static Piece *push_ready(Executor *ex, Step *step, PieceKind kind, size_t part)
{
    Piece *piece = arena_new(&ex->arena, Piece);
    piece->step = step;
    piece->kind = kind;
    piece->part = part;
    piece->recorded_done = ex->nodes[step->index].recorded_done;
    ex->ready.items = vec_grow(&ex->arena, ex->ready.items, ex->ready.count, &ex->ready.capacity,
                               sizeof(Piece *));
    ex->ready.items[ex->ready.count++] = piece;
    return piece;
}

static void node_done(Executor *ex, size_t index);

static void node_ready(Executor *ex, size_t index)
{
    Step *step = ex->graph->steps[index];
    if (!ex->nodes[index].wanted)
        return;
    if (step->barrier)
        node_done(ex, index);
    else
        push_ready(ex, step, PIECE_BEGIN, 0);
}

static void node_done(Executor *ex, size_t index)
{
    Node *node = &ex->nodes[index];
    ex->states[index] = STEP_DONE;
    for (size_t i = 0; i < node->dependent_count; i++) {
        if (--ex->nodes[node->dependents[i]].waits_for == 0)
            node_ready(ex, node->dependents[i]);
    }
}

static bool read_recorded(Executor *ex, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    AUTO_ROWS Rows *rows = NULL;
    if (!conn_open(&conn, &ex->run->target,
                   &(ConnOptions){.purpose = "steps", .stop = ex->run->stop}, err) ||
        !journal_steps(conn, ex->run->journal.id, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Step *step = graph_find(ex->graph, rows_text(rows, r, 0));
        if (step != NULL)
            ex->nodes[step->index].recorded_done = text_equal(rows_text(rows, r, 1), "done");
    }
    return true;
}

/* --- dispatching --- */

/* Writes are stopped and the target is not open yet. */
static bool is_downtime(const Run *run)
{
    return atomic_load(&run->cutover->began_ms) != 0 && !atomic_load(&run->cutover->opened);
}

/* A step of the user runs beside everything: it holds up nobody but those that need it. Only in the
 * downtime none begins that is not part of it. */
static bool user_may_run(const Executor *ex, const Piece *piece)
{
    return ex->user_running < ex->user_workers &&
           (piece->step->kind->phase == PHASE_CUTOVER || !is_downtime(ex->run));
}

static bool may_begin(const Executor *ex, const Piece *piece)
{
    const StepKind *kind = piece->step->kind;
    return piece->kind != PIECE_BEGIN || kind->may_begin == NULL ||
           kind->may_begin(ex->run, piece->step);
}

static bool may_run(const Executor *ex, const Piece *piece)
{
    uint32_t flags = piece->step->kind->flags;
    const PlanCopy *copy = &ex->run->plan->copy;
    size_t running = ex->running - ex->user_running;
    if (piece->not_before_ms > clock_ms() || !may_begin(ex, piece))
        return false;
    if ((flags & STEP_USER) != 0)
        return user_may_run(ex, piece);
    if (running >= ex->worker_count - ex->user_workers)
        return false;
    if (ex->alone_running > 0 || ((flags & STEP_ALONE) != 0 && running > 0))
        return false;
    if ((flags & STEP_COPY_JOB) != 0 && ex->copy_running >= copy->table_jobs)
        return false;
    return (flags & STEP_INDEX_JOB) == 0 || ex->index_running < copy->index_jobs;
}

static void count_running(Executor *ex, const Piece *piece, bool starts)
{
    uint32_t flags = piece->step->kind->flags;
    size_t change = starts ? 1 : (size_t)-1;
    ex->running += change;
    if ((flags & STEP_USER) != 0)
        ex->user_running += change;
    if ((flags & STEP_COPY_JOB) != 0)
        ex->copy_running += change;
    if ((flags & STEP_INDEX_JOB) != 0)
        ex->index_running += change;
    if ((flags & STEP_ALONE) != 0)
        ex->alone_running += change;
}

/* Finishing what is begun comes first, then the longest. */
static bool better(const Piece *a, const Piece *b)
{
    if (b == NULL)
        return true;
    if (a->kind != b->kind && (a->kind == PIECE_END || b->kind == PIECE_END))
        return a->kind == PIECE_END;
    return a->step->cost > b->step->cost;
}

static void dispatch(Executor *ex)
{
    while (ex->running < ex->worker_count) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < ex->ready.count; i++) {
            Piece *best_piece = best == SIZE_MAX ? NULL : ex->ready.items[best];
            if (may_run(ex, ex->ready.items[i]) && better(ex->ready.items[i], best_piece))
                best = i;
        }
        if (best == SIZE_MAX)
            return;
        Piece *piece = ex->ready.items[best];
        memmove(&ex->ready.items[best], &ex->ready.items[best + 1],
                (ex->ready.count - best - 1) * sizeof(Piece *));
        ex->ready.count--;
        count_running(ex, piece, true);
        ex->nodes[piece->step->index].pieces_out++;
        ex->states[piece->step->index] = STEP_RUNNING;
        if (!queue_put(&ex->work, piece, 1, -1))
            BUG("the work queue is closed");
    }
}

/* --- outcomes --- */

static bool may_retry(const Executor *ex, const Piece *piece)
{
    uint32_t once = STEP_DOWNTIME | STEP_SERVICE | STEP_SESSION;
    return (piece->attempt + 1 < MAX_ATTEMPTS || fault_hurries()) && !ex->failing &&
           retry_class(&piece->err) != RETRY_NEVER && (piece->step->kind->flags & once) == 0 &&
           stop_reason(ex->run->stop) == STOP_NONE && !wave_is_lost(ex->run->wave);
}

static void retry(Executor *ex, Piece *piece)
{
    LogCtx ctx = {.run = ex->run->plan->name, .step = piece->step->id};
    log_err(&ctx, LOG_WARN, &piece->err);
    piece->attempt++;
    log_warn(&ctx, "trying again (attempt %d of %d)", piece->attempt + 1, MAX_ATTEMPTS);
    err_release(&piece->err);
    Piece *again = push_ready(ex, piece->step, piece->kind, piece->part);
    again->attempt = piece->attempt;
    again->not_before_ms =
        clock_ms() + (fault_hurries() ? 0 : RETRY_BACKOFF_MS << (piece->attempt - 1));
}

static void fail(Executor *ex, Piece *piece)
{
    LogCtx ctx = {.run = ex->run->plan->name, .step = piece->step->id};
    ex->states[piece->step->index] = STEP_FAILED;
    ex->nodes[piece->step->index].failed_part = true;
    ex->failing = true;
    /* The first failure goes to the caller, who prints it whole: but what runs beside it may take
     * hours. */
    if (!err_is_set(&ex->first)) {
        err_move(&ex->first, &piece->err);
        bool waits = ex->first.code == ERR_WAITING || ex->first.code == ERR_GATE;
        if (stop_reason(ex->run->stop) == STOP_NONE && waits)
            log_info(&ctx, "stopping here: %s", ex->first.message);
        else if (stop_reason(ex->run->stop) == STOP_NONE)
            log_warn(&ctx, "failed; what runs beside it may finish: %s", ex->first.message);
        return;
    }
    if (stop_reason(ex->run->stop) == STOP_NONE)
        log_err(&ctx, LOG_ERROR, &piece->err);
    err_release(&piece->err);
}

/* The stream is no step that somebody waits for during a copy of hours. Behind the switch nothing
 * hangs on it any more, and who keeps the way back open looks itself. */
static void watch_stream(Executor *ex)
{
    Run *run = ex->run;
    if (ex->failing || atomic_load(&run->cutover->switched) || atomic_load(&run->keeping) ||
        stop_reason(run->stop) != STOP_NONE || !run_stream_failure(run, &ex->service))
        return;
    LogCtx ctx = {.run = run->plan->name, .step = ex->service.step};
    const Step *step = graph_find(ex->graph, ex->service.step);
    if (step != NULL)
        ex->states[step->index] = STEP_FAILED;
    ex->failing = true;
    log_warn(&ctx, "failed; what runs beside it may finish");
}

static void step_finished(Executor *ex, const Piece *piece, bool was_there)
{
    AUTO_ARENA Arena arena = {0};
    const Node *node = &ex->nodes[piece->step->index];
    LogCtx ctx = {.run = ex->run->plan->name, .step = piece->step->id};
    if (was_there)
        log_debug(&ctx, "nothing to do");
    else
        log_info(&ctx, "done in %s", units_interval_text(&arena, node->elapsed_us));
    node_done(ex, piece->step->index);
}

static void begin_parts(Executor *ex, Piece *piece)
{
    Node *node = &ex->nodes[piece->step->index];
    node->parts_left = piece->part_count;
    if (piece->part_count == 0)
        push_ready(ex, piece->step, PIECE_END, 0);
    for (size_t part = 0; part < piece->part_count; part++)
        push_ready(ex, piece->step, PIECE_PART, part);
}

static void take_outcome(Executor *ex, Piece *piece)
{
    Node *node = &ex->nodes[piece->step->index];
    count_running(ex, piece, false);
    node->pieces_out--;
    node->elapsed_us += piece->elapsed_us;
    if (!piece->ok) {
        if (may_retry(ex, piece))
            retry(ex, piece);
        else
            fail(ex, piece);
        return;
    }
    if (node->failed_part)
        return;
    if (piece->kind == PIECE_BEGIN && piece->parted)
        begin_parts(ex, piece);
    else if (piece->kind == PIECE_PART) {
        if (--node->parts_left == 0)
            push_ready(ex, piece->step, PIECE_END, 0);
    } else
        step_finished(ex, piece, piece->satisfied);
}

/* --- the loop --- */

static void loop(Executor *ex)
{
    for (;;) {
        bool going = !ex->failing && !atomic_load(&ex->run->leaves) &&
                     stop_reason(ex->run->stop) == STOP_NONE;
        if (going)
            dispatch(ex);
        if (ex->running == 0 && (!going || ex->ready.count == 0))
            return;
        (void)stop_poll(NULL, ex->wake_fd, POLLIN, TICK_MS);
        uint64_t ignored = 0;
        while (read(ex->wake_fd, &ignored, sizeof(ignored)) > 0)
            ;
        for (Piece *piece = queue_take(&ex->done, 0); piece != NULL;
             piece = queue_take(&ex->done, 0))
            take_outcome(ex, piece);
        watch_stream(ex);
        if (ex->options->tick != NULL) {
            ExecuteView view = {ex->graph, ex->states, ex->run, ex->started_ms};
            ex->options->tick(ex->options->tick_data, &view);
        }
    }
}

static bool outcome(Executor *ex, Err *err)
{
    for (size_t i = 0; i < ex->graph->count; i++) {
        if (ex->nodes[i].wanted && ex->states[i] == STEP_WAITING)
            ex->states[i] = STEP_BLOCKED;
    }
    StopReason reason = stop_reason(ex->run->stop);
    if (reason != STOP_NONE && reason != STOP_DONE) {
        err_release(&ex->first);
        return stop_error(ex->run->stop, err);
    }
    if (err_is_set(&ex->first))
        return err_move(err, &ex->first);
    if (err_is_set(&ex->service))
        return err_move(err, &ex->service);
    return true;
}

static bool prepare(Executor *ex, Err *err)
{
    size_t count = ex->graph->count;
    ex->nodes = arena_array(&ex->arena, Node, count);
    ex->states = arena_array(&ex->arena, StepState, count);
    ex->started_ms = clock_ms();
    link_nodes(ex);
    if (!choose_wanted(ex, err) || !read_recorded(ex, err))
        return false;
    ex->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ex->wake_fd < 0)
        return err_set(err, ERR_IO, "could not create an event descriptor: %s", strerror(errno));
    return true;
}

static size_t count_user_steps(const Graph *graph)
{
    size_t count = 0;
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        count += !step->barrier && (step->kind->flags & STEP_USER) != 0;
    }
    return count < MAX_USER_WORKERS ? count : MAX_USER_WORKERS;
}

/* How many workers the caps leave room for. A worker has one session on the source, and two on the
 * target: what was begun before is copied anew in one of its own. */
static size_t worker_room(const Plan *plan)
{
    size_t source = plan->source.max_connections, target = plan->target.max_connections;
    size_t beside = plan_beside_target(plan) + plan->apply.lanes;
    size_t beside_source = plan_beside_source(plan);
    source = source > beside_source ? source - beside_source : 1;
    target = target > beside + 2 ? (target - beside) / 2 : 1;
    return source < target ? source : target;
}

static void count_workers(Executor *ex)
{
    const PlanCopy *copy = &ex->run->plan->copy;
    size_t jobs = (size_t)copy->table_jobs + copy->index_jobs;
    size_t users = count_user_steps(ex->graph);
    size_t room = worker_room(ex->run->plan);
    room = room < MAX_WORKERS ? room : MAX_WORKERS;
    room = users > 0 && room < 2 ? 2 : room; /* refused by P209 where the plan sets the cap */
    ex->user_workers = users < room ? users : room - 1;
    room -= ex->user_workers;
    ex->worker_count = ex->user_workers + (jobs < room ? jobs : room);
}

static void end_workers(Executor *ex, size_t count)
{
    queue_close(&ex->work);
    for (size_t i = 0; i < count; i++)
        worker_join(&ex->workers[i]);
}

static bool start_workers(Executor *ex, Err *err)
{
    count_workers(ex);
    for (size_t i = 0; i < ex->worker_count; i++) {
        ex->workers[i] = (Worker){.number = (int)i + 1,
                                  .run = ex->run,
                                  .work = &ex->work,
                                  .done = &ex->done,
                                  .wake_fd = ex->wake_fd};
        if (!worker_start(&ex->workers[i], err)) {
            end_workers(ex, i);
            return false;
        }
    }
    return true;
}

static bool execute(Executor *ex, Err *err)
{
    if (!prepare(ex, err) || !start_workers(ex, err))
        return false;
    for (size_t i = 0; i < ex->graph->count; i++) {
        if (ex->graph->steps[i]->needs.count == 0)
            node_ready(ex, i);
    }
    loop(ex);
    end_workers(ex, ex->worker_count);
    return outcome(ex, err);
}

bool graph_execute(const Graph *graph, Run *run, const ExecuteOptions *options, Err *err)
{
    Executor *ex = mem_resize(NULL, sizeof(Executor));
    *ex = (Executor){.graph = graph, .run = run, .options = options, .wake_fd = -1};
    queue_init(&ex->work, MAX_WORKERS * 2, SIZE_MAX);
    queue_init(&ex->done, MAX_WORKERS * 2, SIZE_MAX);
    bool ok = execute(ex, err);
    if (ex->wake_fd >= 0)
        close(ex->wake_fd);
    queue_release(&ex->work);
    queue_release(&ex->done);
    err_release(&ex->first);
    err_release(&ex->service);
    arena_release(&ex->arena);
    mem_free(ex);
    return ok;
}
