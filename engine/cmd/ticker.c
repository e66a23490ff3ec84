/*
 * Ticker: see ticker.h.
 */
#include "cmd/ticker.h"

#include "base/clock.h"
#include "cmd/late.h"
#include "cutover/cutover.h"
#include "step/common.h"
#include "step/slot_watch.h"

#define REQUEST_POLL_MS 500
#define SAMPLE_MS       1000
#define MEND_MS         2000

/* A cutover that has begun goes to its end: stopping it would take it back. */
static bool answer_pause(const Ticker *ticker, const JournalRequest *request, Err *err)
{
    Run *run = ticker->run;
    if (atomic_load(&run->cutover->begun) && !atomic_load(&run->keeping))
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

/* Asked when it is done already, or cannot come. */
static bool answer_cutover_request(const Ticker *ticker, const JournalRequest *request, Err *err)
{
    AUTO_ERR Err paused = {0};
    if (!none_is_paused(ticker->run->blueprint, &paused))
        return journal_answer_request(ticker->session->target, request->id,
                                      err_exit_status(paused.code), paused.message, err);
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

void ticker_tick(void *data, const ExecuteView *view)
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
