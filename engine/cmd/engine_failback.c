/*
 * Engine, the way back: `failback` is a cutover of the run whose source is the plan's target.
 *
 * What fails where: before its switch everything is taken back and the target is primary, as in a
 * cutover; behind it the source is primary, and the next engine finishes what is left: the
 * source's fence, the hooks, what the way back stood on.
 */
#include "base/clock.h"
#include "cmd/engine_internal.h"
#include "cmd/hold.h"
#include "cmd/undo.h"
#include "cutover/cutover.h"
#include "hook/hook.h"
#include "journal/run_state_table.h"
#include "step/failback_graph.h"
#include "step/way_back.h"
#include "verify/verify.h"

#include <inttypes.h>

static bool is_in(const Run *run, const char *state)
{
    return text_equal(run->journal.state, state);
}

/* What was armed to go there again, before it came to that. */
static void withdraw_there(Session *session, Run *run)
{
    AUTO_ERR Err err = {0};
    if (!undo_leg_there(session, run, &err))
        log_err(&run->log, LOG_WARN, &err);
}

static void past_switch(Err *failure)
{
    err_recode(failure, ERR_PAST_SWITCH);
    err_hint(failure, "The source is the primary. Run \"godwit failback\" again: it finishes what "
                      "is left.");
}

static void answer_failure(Session *session, Run *run, Err *failure)
{
    AUTO_ERR Err rollback = {0};
    if (is_in(run, RUN_FAILED_BACK)) {
        past_switch(failure);
        return;
    }
    bool attempted = is_in(run, RUN_FAILBACK);
    if (attempted && !cutover_rollback(&run->back->run, &rollback)) {
        log_err(&run->log, LOG_ERROR, failure);
        err_release(failure);
        err_move(failure, &rollback);
        return;
    }
    if (is_in(run, RUN_FAILED_BACK)) {
        past_switch(failure);
        return;
    }
    withdraw_there(session, run);
    if (!attempted)
        return;
    err_recode(failure, ERR_ROLLED_BACK);
    err_context(failure, "failback rolled back, the target is primary and writable");
    err_hint(failure, "Mend the cause, then \"godwit failback\" again. Until then \"godwit apply\" "
                      "keeps the way back open.");
}

static bool release_back(Run *back, Err *err)
{
    bool ok = engine_release_run(back, err);
    back->notifier = NULL;
    return ok;
}

/* \param found false: nothing is left to do */
static bool go_back(Session *session, EngineOptions *options, Run *run, Again *again, bool *found,
                    Err *err)
{
    AUTO_CONN Conn *source = NULL;
    AUTO_ERR Err ended = {0};
    if (!conn_open(&source, &run->source, &(ConnOptions){.purpose = "failback", .stop = run->stop},
                   err) ||
        !way_back_take(run, source, session->target, found, err))
        return false;
    if (!*found)
        return true;
    Run *back = &run->back->run;
    back->notifier = run->notifier;
    bool ok = engine_execute(session, options, back, FAILBACK_KINDS, err);
    again->passing = !ok && again_passes(&session->stop, err);
    if (!ok)
        answer_failure(session, run, err);
    conn_set_stop(session->target, NULL);
    atomic_store(&run->counters.downtime_ms, atomic_load(&back->counters.downtime_ms));
    if (!release_back(back, &ended) && ok)
        ok = err_move(err, &ended);
    engine_answer_slots(back, session->target, err);
    return ok && way_back_drop(run, source, session->target, err);
}

static bool may_go_back(const Session *session, Err *err)
{
    const char *state = session->journal.state;
    if (text_equal(state, RUN_SWITCHED) || text_equal(state, RUN_FAILED_BACK))
        return true;
    if (text_equal(state, RUN_FINISHED)) {
        err_set(err, ERR_RUN, "run \"%s\" is finished since %s: there is no way back any more",
                session->plan.name, session->journal.ended_at);
        return err_hint(err, "failback.prepare and failback.keep_for keep one open.");
    }
    err_set(err, ERR_RUN, "run \"%s\" is not switched: the source is the primary",
            session->plan.name);
    return err_hint(err, "\"godwit status\" shows where it stands.");
}

static bool prepare(Session *session, Run *run, Err *err)
{
    if (session->journal.id == 0)
        return err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target",
                       session->plan.name);
    if (!undo_fences(session, err) || !may_go_back(session, err) ||
        !session_inspect(session, err) || !session_same_run(session, CHANGES_SAFE, err) ||
        !session_hold(session, err) || !hook_variables(&session->plan, err) ||
        !journal_create(session->target, err))
        return false;
    session_run(session, run);
    return journal_take_epoch(session->target, run->journal.id, &run->journal.epoch, err);
}

static bool no_way_back(const Run *run, bool was_back, Err *err)
{
    if (was_back) {
        printf("run \"%s\" is back on its source already; nothing to do\n", run->plan->name);
        return true;
    }
    err_set(err, ERR_RUN, "no way back was prepared for run \"%s\"", run->plan->name);
    return err_hint(err, "failback.prepare: true in the plan prepares one in the cutover.");
}

/* Who has stopped the writers, not the engine, keeps them from it. */
static const char *target_text(const Plan *plan)
{
    switch (plan->cutover.method) {
    case PLAN_STOP_LOCK:
    case PLAN_STOP_READ_ONLY:
        return "the target stays read-only\n";
    case PLAN_STOP_MANUAL:
        return "the target is not closed (cutover.stop_writes.method is manual): keep writers away "
               "from it\n";
    case PLAN_STOP_COMMAND:
        return "the target is not closed (cutover.stop_writes.method is command), and "
               "stop_writes.undo was run: keep writers away from it\n";
    }
    BUG("an unknown method of stopping writes");
}

static const char *outcome(Arena *arena, const Run *run)
{
    AUTO_STR Str text = {0};
    str_appendf(&text, "run \"%s\" is back on its source\n", run->plan->name);
    long long downtime = atomic_load(&run->counters.downtime_ms);
    if (downtime > 0)
        str_appendf(&text, "downtime           %lld ms\n", downtime);
    str_append(&text, target_text(run->plan));
    str_append(&text, "\"godwit apply\" replicates to the target again\n");
    return str_dup(arena, &text);
}

/* Here, and to who asked for it: what the engine itself prints nobody may read. */
static bool tell(Session *session, const Run *run, bool found, bool was_back, Err *err)
{
    AUTO_ERR Err untold = {0};
    if (!found)
        return no_way_back(run, was_back, err);
    const char *text = outcome(&session->arena, run);
    fputs(text, stdout);
    if (!journal_finish_requests(session->target, run->journal.id, 0, text, &untold))
        log_debug(&run->log, "requests: %s", untold.message);
    return true;
}

bool engine_failback(Session *session, EngineOptions *options, Again *again, Err *err)
{
    Run run = {0};
    bool found = false;
    if (!prepare(session, &run, err))
        return false;
    bool was_back = is_in(&run, RUN_FAILED_BACK);
    engine_tell_start(&run);
    again->epoch = run.journal.epoch;
    again->began_ms = clock_ms();
    bool ok = go_back(session, options, &run, again, &found, err);
    AUTO_ERR Err ended = {0};
    if (!engine_release_run(&run, &ended) && ok)
        ok = err_move(err, &ended);
    ok = ok && tell(session, &run, found, was_back, err);
    bool goes_on = !ok && (engine_begins_anew(session) || again_may(again, &session->stop, err));
    if (!goes_on)
        engine_finish_requests(session, &run, err);
    engine_tell_end(&run, err, goes_on);
    arena_release(&run.arena);
    return ok;
}

/* Steps of the cutover and behind it that look at their own rows. */
static bool forget_cutover(Session *session, Err *err)
{
    Graph graph = {0};
    VEC(const char *) ids = {0};
    bool ok = graph_build(&graph, STEP_KINDS, &session->blueprint, err);
    for (size_t i = 0; ok && i < graph.count; i++) {
        const Step *step = graph.steps[i];
        if (!step->barrier && step->kind->phase >= PHASE_CUTOVER &&
            (step->kind->flags & STEP_USER) == 0)
            *vec_push(&session->arena, &ids) = step->id;
    }
    ok =
        ok && journal_forget_steps(session->target, session->journal.id, ids.items, ids.count, err);
    graph_release(&graph);
    return ok;
}

bool engine_go_there_again(Session *session, Err *err)
{
    Run run = {0};
    EngineOptions options = {0};
    Again again = {0};
    bool found = false;
    session_run(session, &run);
    if (!journal_take_epoch(session->target, run.journal.id, &run.journal.epoch, err))
        return false;
    bool ok = go_back(session, &options, &run, &again, &found, err);
    AUTO_ERR Err ended = {0};
    if (!engine_release_run(&run, &ended) && ok)
        ok = err_move(err, &ended);
    conn_set_stop(session->target, &session->stop);
    ok = ok && forget_cutover(session, err) &&
         verify_forget(session->target, run.journal.id, err) &&
         journal_run_state(session->target, &run.journal, RUN_RUNNING, err);
    session->journal.state = run.journal.state;
    arena_release(&run.arena);
    return ok;
}
