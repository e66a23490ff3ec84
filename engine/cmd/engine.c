/*
 * Engine: the order of things around a run's graph, and how it ends.
 */
#include "cmd/engine.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/signals.h"
#include "cdc/stream.h"
#include "cmd/again.h"
#include "cmd/engine_internal.h"
#include "cmd/paused.h"
#include "cmd/ticker.h"
#include "copy/wave.h"
#include "cutover/cutover.h"
#include "hook/notify.h"
#include "journal/run_state_table.h"
#include "lob/lob.h"
#include "report/totals.h"
#include "step/common.h"
#include "step/slot_watch.h"
#include "step/way_back.h"

#include <unistd.h>

bool engine_release_run(Run *run, Err *err)
{
    AUTO_ERR Err ended = {0};
    if (!stream_stop(run_withdraw_spooler(run), &ended))
        log_err(&run->log, LOG_WARN, &ended);
    bool ok = stream_stop(run_withdraw_stream(run), err);
    wave_free(run->wave);
    slot_watch_end(run->slot_watch);
    slot_watch_end(run->back_watch);
    cutover_free(run->cutover);
    lob_free(run->lob);
    way_back_free(run->back);
    run->wave = NULL;
    run->cutover = NULL;
    run->back = NULL;
    return ok;
}

/* The attempt is taken back, not the run: its copy stands, and a job that drops chunks would leave
 * rows on the target that no change takes away. Who gives up gets the jobs back. */
static void tell_jobs_rest(const Run *run, Err *failure)
{
    size_t count = run->blueprint->paused_job_count;
    if (count > 0)
        err_hint(failure,
                 "%zu job%s of the source rest%s as long as the run stands (source.pause_jobs): "
                 "\"godwit cleanup\" ends it and schedules %s again.",
                 count, count == 1 ? "" : "s", count == 1 ? "s" : "", count == 1 ? "it" : "them");
}

/* A failure in the cutover: before the switch everything is taken back, behind it the next engine
 * goes on. */
static void answer_past_switch(Err *failure)
{
    err_recode(failure, ERR_PAST_SWITCH);
    err_hint(failure,
             "The target is the primary. Run \"godwit apply\" again: it finishes what is left.");
}

static void answer_cutover(Run *run, Err *failure)
{
    if (atomic_load(&run->keeping)) /* the cutover is over */
        return;
    if (text_equal(run->journal.state, RUN_SWITCHED)) {
        answer_past_switch(failure);
        return;
    }
    if (!text_equal(run->journal.state, RUN_CUTOVER)) {
        if (run->back != NULL) /* prepared, and nothing was fenced */
            way_back_withdraw(run);
        return;
    }
    AUTO_ERR Err rollback = {0};
    bool back = cutover_rollback(run, &rollback);
    if (run->back != NULL && text_equal(run->journal.state, RUN_RUNNING))
        way_back_withdraw(run);
    if (!back) {
        log_err(&run->log, LOG_ERROR, failure);
        err_release(failure);
        err_move(failure, &rollback);
    } else if (text_equal(run->journal.state, RUN_SWITCHED)) {
        answer_past_switch(failure);
    } else {
        err_recode(failure, ERR_ROLLED_BACK);
        err_context(failure, "cutover rolled back, the source is primary and writable");
        err_hint(failure, "Mend the cause, then \"godwit apply\" again: it goes on replicating and "
                          "cuts over once it is "
                          "approved anew.");
        tell_jobs_rest(run, failure);
    }
}

void engine_finish_requests(Session *session, const Run *run, const Err *failure)
{
    AUTO_ERR Err err = {0};
    int status = err_is_set(failure) ? err_exit_status(failure->code) : 0;
    const char *message = err_is_set(failure) ? failure->message : "done";
    if (conn_is_ok(session->target) &&
        !journal_finish_requests(session->target, run->journal.id, status, message, &err))
        log_debug(&run->log, "requests: %s", err.message);
}

static bool print_totals(Session *session, Run *run, Err *err)
{
    Totals totals = {0};
    if (!totals_read(&session->arena, session->target, run->journal.id, &totals, err))
        return false;
    int64_t lag = totals.switched ? atomic_load(&run->counters.lag_at_cutover_bytes) : -1;
    fputs(totals_text(&session->arena, &totals, lag), stdout);
    return true;
}

/* The way back's is there from its first step to its last. */
static void watch_slots(Run *run)
{
    if (run->forth != NULL || !run_is_switched(run))
        run->slot_watch = slot_watch_begin(run);
    if (run->forth != NULL)
        slot_watch_arm(run->slot_watch);
    else if (run->plan->failback.prepare)
        run->back_watch = slot_watch_begin_back(run);
}

bool engine_execute(Session *session, EngineOptions *options, Run *run,
                    const StepKind *const *kinds, Err *err)
{
    Graph graph = {0};
    bool live = isatty(STDERR_FILENO) != 0;
    Ticker ticker = {.session = session,
                     .run = run,
                     .main = run_main(run),
                     .refresh = options->refresh,
                     .guard.leave_added = options->leave_added,
                     .progress = progress_begin(live)};
    ExecuteOptions execution = {.until = options->until, .tick = ticker_tick, .tick_data = &ticker};
    run->exit_at_gate = options->exit_at_gate;
    run->cutover = cutover_new();
    atomic_store(&run->cutover->begun, run_is_switched(run));
    watch_slots(run);
    bool ok = graph_build(&graph, kinds, run->blueprint, err) &&
              graph_execute(&graph, run, &execution, err);
    progress_end(ticker.progress);
    options->refresh = ticker.refresh;
    options->resync = ticker.resync;
    options->leave_added = false; /* another try when it begins anew */
    guard_failed(&ticker.guard, &session->arena, run, session->target, err);
    guard_answer(&ticker.guard, run, err);
    graph_release(&graph);
    return ok;
}

void engine_tell_start(Run *run)
{
    run->notifier = notifier_begin(run);
    notify_event(run, "started", NULL, NULL);
}

/* The last event, when the run did not come to its end; then what is queued goes out. */
void engine_tell_end(Run *run, const Err *failure, bool goes_on)
{
    AUTO_ARENA Arena arena = {0};
    if (err_is_set(failure) && !goes_on) {
        json_t *detail = json_pack("{s:s, s:i}", "code", err_code_name(failure->code),
                                   "exit_status", err_exit_status(failure->code));
        notify_event(run, "stopped", failure->message, jsontext_compact(&arena, detail));
    }
    notifier_end(run->notifier);
    run->notifier = NULL;
}

/* Whether the engine goes on with another graph: who asked for something waits for that. */
bool engine_begins_anew(const Session *session)
{
    StopReason reason = stop_reason(&session->stop);
    return reason == STOP_REFRESH || reason == STOP_SNAPSHOT || reason == STOP_LATE ||
           reason == STOP_FAILBACK;
}

static void end_watch(Run *main, SlotWatch **watch, Conn *target, Err *failure)
{
    if (failure != NULL)
        slot_watch_answer(main, *watch, target, failure);
    slot_watch_free(*watch);
    *watch = NULL;
}

/* A cutover that was taken back is the greater news; the next engine sees the slot anew. */
void engine_answer_slots(Run *run, Conn *target, Err *failure)
{
    bool of_cutover = failure->code == ERR_ROLLED_BACK || failure->code == ERR_STILL_FENCED ||
                      failure->code == ERR_PAST_SWITCH;
    Err *answered = err_is_set(failure) && !of_cutover ? failure : NULL;
    end_watch(run_main(run), &run->slot_watch, target, answered);
    end_watch(run_main(run), &run->back_watch, target, answered);
}

/* Not once the cutover began: it is taken back, as for anything else. */
static bool pause_drifted(Session *session, Run *run, const Err *failure)
{
    StreamStatus status = {0};
    return run->forth == NULL && stop_reason(&session->stop) == STOP_NONE &&
           run_stream_status(run, &status) &&
           paused_by_stream(session, run, status.drifted, failure);
}

static bool run_graph(Session *session, EngineOptions *options, Run *run, Again *again, Err *err)
{
    engine_tell_start(run);
    again->epoch = run->journal.epoch;
    again->began_ms = clock_ms();
    bool ok = engine_execute(session, options, run, STEP_KINDS, err);
    if (!ok && pause_drifted(session, run, err))
        stop_request(&session->stop, STOP_LATE);
    again->passing = !ok && again_passes(&session->stop, err);
    if (!ok)
        answer_cutover(run, err);
    AUTO_ERR Err ended = {0};
    if (!engine_release_run(run, &ended) && ok)
        ok = err_move(err, &ended);
    conn_set_stop(session->target,
                  NULL); /* what is left to write is short, and a stop must not lose it */
    AUTO_ERR Err lost = {0};
    if (ok && !session_mend(session, &lost))
        log_debug(&run->log, "the end: %s", lost.message);
    engine_answer_slots(run, session->target, err);
    bool goes_on = !ok && again_may(again, &session->stop, err);
    if (!engine_begins_anew(session) && !goes_on)
        engine_finish_requests(session, run, err);
    engine_tell_end(run, err, goes_on);
    if (!ok)
        return false;
    return print_totals(session, run, err);
}

/* The lock decides who looks next: what was read before it may be old. Before anything of the
 * source: an engine that begins anew while that is gone holds the run all the same. */
static bool hold_run(Session *session, const EngineOptions *options, const Again *again, bool *done,
                     Err *err)
{
    if (!session_connect(session, false, true, false, err) ||
        !engine_find_run(session, options, done, err))
        return false;
    if (*done)
        return true;
    return again_is_ours(again, session, err) &&
           (session->lock != NULL || session_lock(session, err)) &&
           engine_find_run(session, options, done, err) && again_is_ours(again, session, err);
}

/* What a dead engine was asked to pause this one was not; but an engine that begins anew was. */
static bool leave_old_pauses(Session *session, const Again *again, Err *err)
{
    int64_t run = session->journal.id;
    return again->epoch != 0 || run == 0 || journal_expire_pauses(session->target, run, err);
}

static bool run_session(Session *session, EngineOptions *options, Again *again, Err *err)
{
    bool done = false;
    Run run = {0};
    if (!hold_run(session, options, again, &done, err))
        return false;
    if (done)
        return true;
    if (!leave_old_pauses(session, again, err) ||
        !session_connect(session, true, false, false, err))
        return false;
    if (options->failback)
        return engine_failback(session, options, again, err);
    if (!engine_prepare(session, options, &run, err))
        return false;
    bool ok = run_graph(session, options, &run, again, err);
    arena_release(&run.arena);
    return ok;
}

/* With ddl.added: add, what a plan or a check refuses is no reason to stop what is there. */
static bool could_not_add(const Session *session, EngineOptions *now, Err *err)
{
    LogCtx ctx = {.run = session->plan.name};
    int status = err_exit_status(err->code);
    bool refused = status == err_exit_status(ERR_PLAN) || status == err_exit_status(ERR_PREFLIGHT);
    if (!refused || !session->take_added || now->changes == CHANGES_ADDED ||
        session->journal.id == 0 || stop_reason(&session->stop) != STOP_NONE)
        return false;
    log_err(&ctx, LOG_ERROR, err);
    log_warn(&ctx, "what came to the source since the run began is not taken in");
    err_release(err);
    now->leave_added = true;
    return true;
}

/* Readies the next beginning. \return false when there is none, with what is the end */
static bool next_beginning(Session *session, const EngineOptions *options, EngineOptions *now,
                           Again *again, Err *err)
{
    /* What the operator said of a step was said once. */
    now->step_done = NULL;
    now->step_again = NULL;
    now->changes = options->changes;
    if (could_not_add(session, now, err))
        return true;
    if (!engine_begins_anew(session))
        return again_may(again, &session->stop, err) && again_wait(again, session, err);
    StopReason reason = stop_reason(&session->stop);
    if (!stop_withdraw(&session->stop, reason))
        return false; /* a signal came meanwhile */
    err_release(err);
    now->failback = reason == STOP_FAILBACK || (reason == STOP_LATE && now->failback);
    if (reason == STOP_REFRESH)
        now->changes = CHANGES_ADDED;
    return true;
}

bool engine_run(Session *session, const EngineOptions *options, Err *err)
{
    Again again = {0};
    Signals *signals = NULL;
    if (!signals_begin(&signals, &session->stop, err))
        return false;
    EngineOptions now = *options;
    bool ok = run_session(session, &now, &again, err);
    while (!ok && next_beginning(session, options, &now, &again, err))
        ok = session_renew(session, err) && run_session(session, &now, &again, err);
    signals_end(signals);
    /* What was to be a new beginning became the end. */
    if (!ok && err->code == ERR_PAUSED && stop_reason(&session->stop) != STOP_NONE) {
        err_release(err);
        return stop_error(&session->stop, err);
    }
    return ok;
}
