/*
 * Rollback: the servers' fences come down first, in one transaction with the journal's word of it;
 * then people's commands let the writers go on; then the run is `running` again. Nothing here obeys
 * a stop.
 */
#include "base/clock.h"
#include "cdc/retry_table.h"
#include "cutover/cutover_internal.h"
#include "cutover/fence.h"
#include "hook/notify.h"
#include "journal/run_state_table.h"

#define ROLLBACK_TRIES     5
#define ROLLBACK_PERIOD_MS 60000 /* for a server that restarts */
#define ROLLBACK_WAIT_MS   1000
#define ROLLBACK_LOCK_MS   10000

/* Both ways end here: `run` is the way there, whose journal knows every fence. */

/* On the target in the transaction that is open there: its sessions follow when that is committed.
 */
static bool unfence_side(Run *run, Conn *target, const JournalFence *fence, Err *err)
{
    AUTO_CONN Conn *source = NULL;
    if (fence->side == CONN_SOURCE) {
        if (!conn_open(&source, &run->source, &(ConnOptions){.purpose = "rollback"}, err) ||
            !fence_database_restore(source, fence->previous, err))
            return false;
        fence_renew_others(source);
    } else if (!fence_database_restore(target, fence->previous, err)) {
        return false;
    }
    return journal_fence_clear(target, run->journal.id, fence->side, err);
}

static bool is_command(const JournalFence *fence)
{
    return text_equal(fence->method, fence_method_name(PLAN_STOP_COMMAND));
}

static bool take_fences_down(Run *run, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalFence *fences = NULL;
    size_t count = 0;
    if (!journal_fences(&arena, target, run->journal.id, &fences, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        /* Commands are undone once the servers' own fences are down; see people_back(). */
        bool stays = is_command(&fences[i]) || text_equal(fences[i].method, FENCE_CLOSED);
        if (!stays && !unfence_side(run, target, &fences[i], err))
            return false;
    }
    return true;
}

static bool goes_back(const Run *run)
{
    return text_equal(run->journal.state, RUN_FAILBACK);
}

/* --- what people do -------------------------------------------------------------------------- */

HookCall cutover_writers_call(Run *run, const char *place, const Stop *stop)
{
    return (HookCall){.run = run_main(run),
                      .step = "cutover.source_fence",
                      .phase = run->forth != NULL ? "failback" : "cutover",
                      .place = place,
                      .stop = stop,
                      .downtime_ms = cutover_downtime_ms(run),
                      .log = {.run = run->plan->name, .step = "cutover.source_fence"}};
}

/* The command is run again when its engine died before the journal knew that it was undone. */
static bool writers_back(Run *run, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalFence *fences = NULL;
    size_t count = 0;
    HookCall call = cutover_writers_call(run, "undo", NULL);
    if (!journal_fences(&arena, target, run->journal.id, &fences, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_command(&fences[i]))
            continue;
        if (run->plan->cutover.undo.argc > 0 && !hook_command(&call, &run->plan->cutover.undo, err))
            return err_context(err, "cutover.stop_writes.undo");
        return journal_fence_clear(target, run->journal.id, fences[i].side, err);
    }
    return true;
}

static bool run_hook(Run *run, Conn *target, const PlanStep *hook, Err *err)
{
    HookCall call = {.run = run,
                     .step = hook->id,
                     .phase = "cutover",
                     .place = "on_rollback",
                     .is_patient = true,
                     .target = target,
                     .log = {.run = run->plan->name, .step = hook->id}};
    int64_t id = run->journal.id;
    if (!journal_step(target, id, hook->id, "running", NULL, err))
        return false;
    if (hook_run(&call, hook, err)) {
        log_info(&call.log, "done");
        return journal_step(target, id, hook->id, "done", NULL, err);
    }
    AUTO_ERR Err ignored = {0};
    if (!journal_step(target, id, hook->id, "failed", err->message, &ignored))
        log_debug(&call.log, "could not record a failure: %s", ignored.message);
    return err_context(err, "hook \"%s\" of on_rollback", hook->id);
}

/* One that fails keeps no other from running: each lets something go on. */
static bool run_hooks(Run *run, Conn *target, Err *err)
{
    if (goes_back(run)) /* they are for clients of the source */
        return true;
    const PlanSteps *hooks = &run->plan->cutover.on_rollback;
    for (size_t i = 0; i < hooks->count; i++) {
        AUTO_ERR Err failed = {0};
        if (run_hook(run, target, &hooks->items[i], &failed))
            continue;
        if (err_is_set(err))
            log_err(&run->log, LOG_ERROR, &failed);
        else
            err_move(err, &failed);
    }
    return !err_is_set(err);
}

static bool people_back(Run *run, Err *err)
{
    AUTO_CONN Conn *target = NULL;
    AUTO_ERR Err writers = {0};
    bool ok = conn_open(&target, &run->target, &(ConnOptions){.purpose = "rollback"}, &writers) &&
              writers_back(run, target, &writers);
    if (target != NULL && !run_hooks(run, target, err) && !ok)
        log_err(&run->log, LOG_ERROR, &writers);
    else if (!ok)
        err_move(err, &writers);
    if (!err_is_set(err))
        return true;
    err_recode(err, ERR_STILL_FENCED);
    err_context(err, "the servers take writes again, but the rollback is not complete");
    return err_hint(err, "Mend it, then run \"godwit apply\" again: first thing it runs "
                         "cutover.stop_writes.undo and the hooks of on_rollback again. What they "
                         "would do can be done by hand meanwhile.");
}

/* --- the way back ---------------------------------------------------------------------------- */

/* Whether people have something to do on the way back: then the run's state waits for it. */
static bool people_wait(const Run *run)
{
    return (!goes_back(run) && run->plan->cutover.on_rollback.count > 0) ||
           run->plan->cutover.method == PLAN_STOP_COMMAND;
}

/* In a transaction that holds the run's row. The answer to the switch's COMMIT may have been lost,
 * and the server may be about to commit it still; or it was an earlier attempt of ours whose answer
 * got lost. What the journal says decides, not what this engine thinks. */
static bool hold_run(Run *run, Conn *target, bool *held, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *state = NULL;
    if (!journal_run_lock(&arena, target, run->journal.id, &state, err))
        return false;
    *held = text_equal(state, RUN_CUTOVER) || text_equal(state, RUN_FAILBACK);
    static const char *const ENDS[] = {RUN_RUNNING, RUN_SWITCHED, RUN_FAILED_BACK};
    for (size_t i = 0; !*held && i < sizeof(ENDS) / sizeof(*ENDS); i++)
        if (text_equal(state, ENDS[i]))
            run->journal.state = ENDS[i];
    return true;
}

static bool end_attempt(Run *run, Conn *target, Err *err)
{
    return journal_event(target, run->journal.id, "rolled_back", NULL, err) &&
           journal_run_state(target, &run->journal, goes_back(run) ? RUN_SWITCHED : RUN_RUNNING,
                             err);
}

static bool servers_back(Run *run, Conn *target, Err *err)
{
    bool held = false;
    if (!hold_run(run, target, &held, err) || !held)
        return !err_is_set(err);
    return take_fences_down(run, target, err) &&
           journal_spend_approvals(target, run->journal.id, err) &&
           (people_wait(run) || end_attempt(run, target, err));
}

static bool attempt_back(Run *run, Conn *target, Err *err)
{
    bool held = false;
    if (!hold_run(run, target, &held, err) || !held)
        return !err_is_set(err);
    return end_attempt(run, target, err);
}

typedef bool Rollback(Run *run, Conn *target, Err *err);

static bool rollback_once(Run *run, Rollback *part, Err *err)
{
    AUTO_CONN Conn *target = NULL;
    const char *before = run->journal.state;
    const char *switched = goes_back(run) ? RUN_FAILED_BACK : RUN_SWITCHED;
    if (conn_open(&target, &run->target,
                  &(ConnOptions){.purpose = "rollback", .lock_timeout_ms = ROLLBACK_LOCK_MS},
                  err) &&
        pg_begin(target, NULL, err) && part(run, target, err) && pg_commit(target, err)) {
        if (!text_equal(run->journal.state, switched))
            fence_renew_others(target);
        return true;
    }
    run->journal.state = before;
    return false;
}

/* As the connection strings name it: a server that could say it may not answer. */
static const char *database_of(Arena *arena, const Endpoint *endpoint)
{
    AUTO_ERR Err ignored = {0};
    const char *host = "";
    const char *port = "";
    const char *dbname = "";
    if (!endpoint_describe(arena, endpoint, &host, &port, &dbname, &ignored) || *dbname == '\0')
        return "its database";
    return arena_printf(arena, "database \"%s\"", dbname);
}

static bool hint_by_hand(const Run *run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (goes_back(run))
        return err_hint(
            err,
            "Run \"godwit failback\" or \"godwit apply\" again when both servers answer: "
            "it takes the fence down first thing. By hand, on the target (%s) alone: "
            "BEGIN READ WRITE; ALTER DATABASE that_database RESET "
            "default_transaction_read_only; COMMIT; the source stays closed.",
            database_of(&arena, &run->target));
    return err_hint(err,
                    "Run \"godwit apply\" again when both servers answer: it takes the fences down "
                    "first thing. By hand, on the source (%s), then on the target (%s): BEGIN READ "
                    "WRITE; ALTER DATABASE that_database RESET default_transaction_read_only; "
                    "COMMIT;",
                    database_of(&arena, &run->source), database_of(&arena, &run->target));
}

static bool rollback_patiently(Run *run, Rollback *part, Err *err)
{
    int64_t began_ms = clock_ms();
    for (int attempt = 1;; attempt++) {
        AUTO_ERR Err failed = {0};
        if (rollback_once(run, part, &failed))
            return true;
        log_err(&run->log, LOG_WARN, &failed);
        bool passes = retry_class(&failed) == RETRY_SESSION;
        if (attempt < ROLLBACK_TRIES || (passes && clock_ms() - began_ms < ROLLBACK_PERIOD_MS)) {
            (void)stop_sleep(NULL, ROLLBACK_WAIT_MS);
            continue;
        }
        err_move(err, &failed);
        err_recode(err, ERR_STILL_FENCED);
        err_context(err, "the cutover could not be rolled back");
        return hint_by_hand(run, err);
    }
}

/* One commit publishes them and gives the locks back: nobody writes to them in between. Without it
 * the next engine finds them copied and not published, and says so. */
static void publish_chunks(Cutover *cutover, const LogCtx *log)
{
    AUTO_ERR Err err = {0};
    conn_set_stop(cutover->fence, NULL);
    if (!pg_commit(cutover->fence, &err))
        log_err(log, LOG_WARN, &err);
}

static bool attempt_is_open(const Run *run)
{
    return text_equal(run->journal.state, RUN_CUTOVER) || goes_back(run);
}

bool cutover_rollback(Run *attempt, Err *err)
{
    Run *run = run_main(attempt);
    if (attempt->cutover != NULL && attempt->cutover->fence != NULL) {
        if (attempt->cutover->publishes)
            publish_chunks(attempt->cutover, &run->log);
        conn_close(attempt->cutover->fence); /* the SHARE locks fall with their session */
        attempt->cutover->fence = NULL;
    }
    const char *undone = goes_back(run) ? RUN_SWITCHED : RUN_RUNNING;
    if (!rollback_patiently(run, servers_back, err))
        return false;
    if (attempt_is_open(run) &&
        !(people_back(run, err) && rollback_patiently(run, attempt_back, err)))
        return false;
    if (text_equal(run->journal.state, undone))
        notify_event(run, "rolled_back", NULL, NULL);
    return true;
}
