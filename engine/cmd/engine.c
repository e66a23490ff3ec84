/*
 * Engine: the order of things around a run. What is written first is the journal, and only when
 * preflight passed.
 */
#include "cmd/engine.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/signals.h"
#include "blueprint/structure.h"
#include "cdc/stream.h"
#include "cmd/again.h"
#include "cmd/engine_internal.h"
#include "cmd/findings.h"
#include "cmd/gone.h"
#include "cmd/guard.h"
#include "cmd/hold.h"
#include "cmd/late.h"
#include "cmd/paused.h"
#include "cmd/undo.h"

#include "copy/wave.h"
#include "cutover/cutover.h"
#include "graph/execute.h"
#include "hook/hook.h"
#include "hook/notify.h"
#include "journal/run_state_table.h"
#include "lob/lob.h"
#include "report/progress.h"
#include "report/totals.h"
#include "step/common.h"
#include "step/slot_watch.h"
#include "step/way_back.h"

#include <unistd.h>

#define REQUEST_POLL_MS 500
#define SAMPLE_MS       1000
#define MEND_MS         2000

typedef struct Ticker {
    Session *session;
    Run *run;  /* whose graph is executed: there, or the way back */
    Run *main; /* the one that the journal knows */
    Progress *progress;
    int64_t
        refresh; /* a request of that kind, or resync: to be answered, or what the stop is for */
    const char *resync;   /* what that stop is for */
    bool cutover_is_told; /* who asked for the cutover does not wait for the way back's end */
    Guard guard;
    int64_t last_request_ms;
    int64_t last_sample_ms;
    int64_t last_mend_ms;
} Ticker;

/* A cutover that has begun goes to its end: stopping it would take it back. */
static bool answer_pause(const Ticker *ticker, const JournalRequest *request, Err *err)
{
    Run *run = ticker->run;
    if (atomic_load(&run->cutover->begun))
        return journal_answer_request(ticker->session->target, request->id,
                                      err_exit_status(ERR_RUN),
                                      "the cutover has begun: it is not paused", err);
    log_warn(&run->log, "paused: stopping at a checkpoint; apply again resumes");
    stop_request(run->stop, STOP_PAUSE);
    return true;
}

/* The engine ends its graph at a checkpoint, and begins anew with what was added. */
static bool answer_refresh(Ticker *ticker, const JournalRequest *request, Err *err)
{
    Run *run = ticker->run;
    if (atomic_load(&run->cutover->begun))
        return journal_answer_request(ticker->session->target, request->id,
                                      err_exit_status(ERR_RUN),
                                      "the cutover has begun: nothing is taken in any more", err);
    log_info(&run->log, "refresh: stopping at a checkpoint to take in what was added");
    ticker->refresh = request->id;
    stop_request(run->stop, STOP_REFRESH);
    return true;
}

/* The same for tables that are copied anew. */
static bool answer_resync(Ticker *ticker, const JournalRequest *request, Err *err)
{
    Run *run = ticker->run;
    AUTO_ERR Err refused = {0};
    Conn *target = ticker->session->target;
    if (atomic_load(&run->cutover->begun))
        err_set(&refused, ERR_RUN, "the cutover has begun: nothing is copied anew any more");
    if (err_is_set(&refused) || !late_check(run->blueprint, request->argument, &refused))
        return journal_answer_request(target, request->id, err_exit_status(refused.code),
                                      refused.message, err);
    log_info(&run->log, "resync: stopping at a checkpoint to copy %s anew", request->argument);
    ticker->refresh = request->id;
    ticker->resync = arena_strdup(&ticker->session->arena, request->argument);
    stop_request(run->stop, STOP_LATE);
    return true;
}

/* A partition that came is copied beside the stream; the cutover looks at the structure itself. */
static void watch_partitions(const Run *run, const StreamStatus *status)
{
    if (!status->partitions_moved || atomic_load(&run->cutover->begun))
        return;
    log_info(&run->log, "stopping at a checkpoint to take in partitions that came or went");
    stop_request(run->stop, STOP_LATE);
}

/* What is kept open is what a failback goes by. */
static bool answer_failback(const Ticker *ticker, const JournalRequest *request, Err *err)
{
    Run *run = ticker->run;
    if (!atomic_load(&run->keeping))
        return journal_answer_request(ticker->session->target, request->id,
                                      err_exit_status(ERR_RUN),
                                      "the run is not switched, or its way back is not open", err);
    log_info(&run->log, "failback: going back to the source");
    stop_request(run->stop, STOP_FAILBACK);
    return true;
}

/* Asked when it is done already. */
static bool answer_cutover_request(const Ticker *ticker, const JournalRequest *request, Err *err)
{
    return !atomic_load(&ticker->run->keeping) ||
           journal_answer_request(ticker->session->target, request->id, 0, "done", err);
}

static void answer_cutover_when_kept(Ticker *ticker)
{
    AUTO_ERR Err err = {0};
    if (ticker->cutover_is_told || !atomic_load(&ticker->run->keeping))
        return;
    ticker->cutover_is_told = true;
    if (!journal_finish_requests(ticker->session->target, ticker->main->journal.id, 0, "done",
                                 &err))
        log_debug(&ticker->run->log, "requests: %s", err.message);
}

static void answer_when_caught_up(Ticker *ticker, const ExecuteView *view)
{
    AUTO_ERR Err err = {0};
    const Step *step = ticker->refresh == 0 ? NULL : graph_find(view->graph, "catchup");
    if (step == NULL || view->states[step->index] != STEP_DONE)
        return;
    if (!journal_answer_late(ticker->session->target, ticker->run->journal.id, ticker->refresh, 0,
                             "caught up", &err))
        log_debug(&ticker->run->log, "requests: %s", err.message);
    ticker->refresh = 0;
}

/* What other commands ask. `cutover` needs nothing more than to be noticed: the graph goes there by
 * itself. */
static bool answer_request(Ticker *ticker, const JournalRequest *request, Err *err)
{
    if (text_equal(request->kind, "pause"))
        return answer_pause(ticker, request, err);
    if (text_equal(request->kind, "refresh"))
        return answer_refresh(ticker, request, err);
    if (text_equal(request->kind, "resync"))
        return answer_resync(ticker, request, err);
    if (text_equal(request->kind, "failback"))
        return answer_failback(ticker, request, err);
    if (text_equal(request->kind, "cutover"))
        return answer_cutover_request(ticker, request, err);
    log_info(&ticker->run->log, "request %s: on its way", request->kind);
    return true;
}

static void take_requests(Ticker *ticker)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    JournalRequest request = {0};
    if (!journal_take_request(&arena, ticker->session->target, ticker->main->journal.id, &request,
                              &err) ||
        (request.id != 0 && !answer_request(ticker, &request, &err)))
        log_debug(&ticker->run->log, "requests: %s", err.message);
}

static void write_sample(Ticker *ticker)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    if (!journal_metric(ticker->session->target, ticker->main->journal.id,
                        progress_sample(&arena, ticker->run), &err))
        log_debug(&ticker->run->log, "metric: %s", err.message);
}

/* From the step on that made it, the slot's loss is the run's. */
static void watch_slot(const Ticker *ticker, const ExecuteView *view)
{
    AUTO_ERR Err err = {0};
    const Step *step = graph_find(view->graph, "slot");
    Conn *target = ticker->session->target;
    if (step != NULL && view->states[step->index] == STEP_DONE)
        slot_watch_arm(ticker->run->slot_watch);
    if (!slot_watch_journal(ticker->main, ticker->run->slot_watch, target, &err) ||
        !slot_watch_journal(ticker->main, ticker->run->back_watch, target, &err))
        log_debug(&ticker->run->log, "slot watch: %s", err.message);
}

static void watch_downtime(const Run *run)
{
    if (atomic_load(&run->cutover->switched))
        return;
    if (cutover_downtime_ms(run) * 1000 > run->plan->cutover.max_downtime_us)
        stop_request(run->stop, STOP_DOWNTIME);
}

/* The session for requests and samples may be the only one that ended: the steps have their own,
 * and the run goes on with another. Not in the downtime, which must not wait for that. */
static bool mend_session(Ticker *ticker, int64_t now)
{
    AUTO_ERR Err err = {0};
    if (conn_is_ok(ticker->session->target))
        return true;
    bool downtime =
        atomic_load(&ticker->run->cutover->begun) && !atomic_load(&ticker->run->keeping);
    if (downtime || now - ticker->last_mend_ms < MEND_MS)
        return false;
    bool ok = session_mend(ticker->session, &err);
    if (ok)
        log_info(&ticker->run->log, "the session for requests was lost: another one is open");
    else
        log_debug(&ticker->run->log, "requests: %s", err.message);
    ticker->last_mend_ms = clock_ms();
    return ok;
}

static void tick(void *data, const ExecuteView *view)
{
    Ticker *ticker = data;
    int64_t now = clock_ms();
    progress_draw(ticker->progress, view);
    watch_downtime(ticker->run);
    if (stop_reason(ticker->run->stop) != STOP_NONE || !mend_session(ticker, now))
        return;
    answer_when_caught_up(ticker, view);
    StreamStatus status = {0};
    if (run_stream_status(ticker->run, &status)) {
        watch_partitions(ticker->run, &status);
        guard_tick(&ticker->guard, &ticker->session->arena, ticker->run, ticker->session->target,
                   &status);
    }
    watch_slot(ticker, view);
    answer_cutover_when_kept(ticker);
    if (now - ticker->last_request_ms > REQUEST_POLL_MS) {
        ticker->last_request_ms = now;
        take_requests(ticker);
    }
    if (now - ticker->last_sample_ms > SAMPLE_MS && stop_reason(ticker->run->stop) == STOP_NONE) {
        ticker->last_sample_ms = now;
        write_sample(ticker);
    }
}

/* --- before --- */

static bool say_finished(const char *name, const char *when)
{
    printf("run \"%s\" is finished since %s; nothing to do\n", name, when);
    return true;
}

/* \param done set when a tombstone or a finished run says that there is nothing to do */
static bool find_run(Session *session, const EngineOptions *options, bool *done, Err *err)
{
    JournalTombstone tombstone = {0};
    *done = false;
    if (!session_journal(session, err) ||
        !journal_tombstone(&session->arena, session->target, session->plan.name, &tombstone, err))
        return false;
    if (options->failback) /* says for itself what there is to do */
        return true;
    if (session->journal.id != 0 && text_equal(session->journal.state, RUN_FINISHED)) {
        *done = say_finished(session->plan.name, session->journal.ended_at);
    } else if (session->journal.id == 0 && text_equal(tombstone.outcome, RUN_FINISHED)) {
        *done = say_finished(session->plan.name, tombstone.ended_at);
    }
    return true;
}

static bool hold_to_structure(Session *session, const Run *run, const EngineOptions *options,
                              Err *err)
{
    const char *now = structure_text(&session->arena, &session->blueprint);
    const char *recorded = NULL;
    if (!paused_may_resume(session, err) || !paused_note(session, err))
        return false;
    if (options->changes == CHANGES_ADDED) /* compared in only_grew() */
        return journal_structure_grow(session->target, run->journal.id, now, err);
    if (!journal_structure(&session->arena, session->target, run->journal.id, now, &recorded, err))
        return false;
    const LateMoves late = {.recorded = paused_rest(session, recorded),
                            .now = paused_rest(session, now),
                            .whole = now,
                            .resync = options->resync};
    if (strcmp(late.recorded, late.now) == 0)
        return session->resumed.count == 0 ||
               journal_structure_grow(session->target, run->journal.id, now, err);
    return late_moves(&session->blueprint, session->target, run->journal.id, &late, err);
}

/* What the stream is told of the source, behind what this engine has found there. */
static bool look_aside(Session *session, const Run *run, Err *err)
{
    Blueprint *blueprint = &session->blueprint;
    if (!gone_remember(blueprint, session->target, run->journal.id, err) ||
        !gone_oids(&session->arena, session->target, run->journal.id, &blueprint->left_out,
                   &blueprint->left_out_count, err))
        return false;
    paused_oids(session);
    return true;
}

static bool stand_on(Session *session, const Run *run, const EngineOptions *options, Err *err)
{
    return hold_to_structure(session, run, options, err) && paused_resume(session, err) &&
           look_aside(session, run, err);
}

/* Before the plan's changes are taken over: what they come to must be additions. */
static bool only_grew(Session *session, Err *err)
{
    const char *recorded = NULL;
    if (!journal_structure_read(&session->arena, session->target, session->journal.id, &recorded,
                                err))
        return false;
    return recorded == NULL ||
           structure_grew(
               paused_rest(session, recorded),
               paused_rest(session, structure_text(&session->arena, &session->blueprint)), err);
}

bool engine_may_refresh(Session *session, Err *err)
{
    if (session->journal.id == 0) {
        err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target", session->plan.name);
        return err_hint(err, "\"godwit apply\" begins one, with everything that is selected.");
    }
    if (text_equal(session->journal.state, RUN_SWITCHED) ||
        text_equal(session->journal.state, RUN_FAILBACK))
        return err_set(err, ERR_RUN, "the run is switched: nothing comes from the source any more");
    return only_grew(session, err) && session_may_change(session, CHANGES_ADDED, err);
}

static bool is_own_step(const Plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        if (text_equal(plan->steps.items[i].id, id))
            return true;
    }
    return false;
}

/* What the operator says of a step that a dead engine left behind. */
static bool settle_step(const Session *session, const Run *run, const char *id, const char *state,
                        Err *err)
{
    if (id == NULL)
        return true;
    if (!is_own_step(&session->plan, id))
        return err_set(err, ERR_USAGE, "the plan has no step \"%s\"", id);
    return journal_settle_step(session->target, run->journal.id, id, state, err);
}

static bool settle_steps(const Session *session, const EngineOptions *options, const Run *run,
                         Err *err)
{
    return settle_step(session, run, options->step_done, "done", err) &&
           settle_step(session, run, options->step_again, "failed", err) &&
           late_note(&session->blueprint, session->target, run->journal.id, options->resync, err) &&
           journal_expire_pauses(session->target, run->journal.id, err);
}

static bool begin_run(Session *session, Run *run, const EngineOptions *options, Err *err)
{
    if (!journal_create(session->target, err))
        return false;
    session_run(session, run);
    if (run->journal.id == 0 &&
        !journal_create_run(session->target, &run->journal, GODWIT_VERSION, err))
        return false;
    bool switched = text_equal(run->journal.state, RUN_SWITCHED);
    return journal_pin(session->target, run->journal.id, session_pin(session), err) &&
           (switched || stand_on(session, run, options, err)) &&
           journal_take_epoch(session->target, run->journal.id, &run->journal.epoch, err) &&
           (switched || journal_replicating(session->target, run->journal.id,
                                            &session->blueprint.replicating, err));
}

static bool prepare_old(Session *session, const EngineOptions *options, bool resuming, Err *err)
{
    session->resync = options->resync;
    session->take_added =
        options->changes == CHANGES_ADDED || (session->plan.ddl.add && !options->leave_added);
    if (!undo_fences(session, err) || !session_inspect(session, err))
        return false;
    if (session->left_out != NULL)
        guard_warn_added(&(LogCtx){.run = session->plan.name}, session->left_out);
    if (options->changes == CHANGES_ADDED && !engine_may_refresh(session, err))
        return false;
    if (resuming && !session_same_run(session, options->changes, err))
        return false;
    if (!session_hold(session, err) || !undo_prepared(session, err))
        return false;
    return !resuming || !text_equal(session->journal.state, RUN_FAILED_BACK) ||
           engine_go_there_again(session, err);
}

static bool prepare(Session *session, const EngineOptions *options, Run *run, Err *err)
{
    bool resuming = session->journal.id != 0;
    if (!prepare_old(session, options, resuming, err))
        return false;
    bool switched = resuming && text_equal(session->journal.state, RUN_SWITCHED);
    if (!switched && !findings_preflight(session, resuming, err))
        return false;
    return (switched || session_tools(session, err)) && hook_variables(&session->plan, err) &&
           begin_run(session, run, options, err) && settle_steps(session, options, run, err);
}

/* --- after --- */

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
    ExecuteOptions execution = {.until = options->until, .tick = tick, .tick_data = &ticker};
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

static bool run_session(Session *session, EngineOptions *options, Again *again, Err *err)
{
    bool done = false;
    Run run = {0};
    if (!session_connect(session, true, true, false, err) ||
        !find_run(session, options, &done, err))
        return false;
    if (done)
        return true;
    /* The lock decides who looks next: what was read before it may be old. */
    if (!again_is_ours(again, session, err) ||
        (session->lock == NULL && !session_lock(session, err)) ||
        !find_run(session, options, &done, err) || !again_is_ours(again, session, err))
        return false;
    if (done)
        return true;
    if (options->failback)
        return engine_failback(session, options, again, err);
    if (!prepare(session, options, &run, err))
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
