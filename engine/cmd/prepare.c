/*
 * Preparation of a run: what was there before, whether the plan and the source are still what it
 * stands on, preflight; then the journal is written. See engine_internal.h.
 */
#include "blueprint/structure.h"
#include "cmd/ended.h"
#include "cmd/engine_internal.h"
#include "cmd/findings.h"
#include "cmd/gone.h"
#include "cmd/guard.h"
#include "cmd/hold.h"
#include "cmd/late.h"
#include "cmd/paused.h"
#include "cmd/undo.h"
#include "hook/hook.h"
#include "journal/run_state_table.h"

static bool say_finished(const char *name, const char *when)
{
    printf("run \"%s\" is finished since %s; nothing to do\n", name, when);
    return true;
}

bool engine_find_run(Session *session, const EngineOptions *options, bool *done, Err *err)
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
        *done =
            say_finished(session->plan.name, arena_printf(&session->arena, "%s and was cleaned up",
                                                          tombstone.ended_at));
    }
    return true;
}

/* A table whose rows are to be copied anew gets its new file with that. */
static bool grow_structure(Session *session, const Run *run, const char *recorded, const char *now,
                           Err *err)
{
    const char *text = recorded == NULL
                           ? now
                           : structure_keep(&session->arena, paused_rest(session, recorded), now);
    return journal_structure_grow(session->target, run->journal.id, text, err);
}

static bool hold_to_structure(Session *session, const Run *run, const EngineOptions *options,
                              Err *err)
{
    const char *now = structure_text(&session->arena, &session->blueprint);
    const char *recorded = NULL;
    if (!paused_may_resume(session, err) || !paused_note(session, err))
        return false;
    if (options->changes == CHANGES_ADDED) /* compared in only_grew() */
        return journal_structure_read(&session->arena, session->target, run->journal.id, &recorded,
                                      err) &&
               grow_structure(session, run, recorded, now, err);
    if (!journal_structure(&session->arena, session->target, run->journal.id, now, &recorded, err))
        return false;
    const LateMoves late = {.recorded = paused_rest(session, recorded),
                            .now = paused_rest(session, now),
                            .whole = now,
                            .resync = options->resync};
    if (strcmp(late.recorded, late.now) == 0)
        return session->resumed.count == 0 || grow_structure(session, run, recorded, now, err);
    return late_moves(&session->blueprint, session->target, run->journal.id, &late, err);
}

/* What the stream is told of the source, behind what this engine has found there. */
static bool look_aside(Session *session, const Run *run, Err *err)
{
    Blueprint *blueprint = &session->blueprint;
    if (!gone_rebound(run, session->target, err) ||
        !gone_remember(blueprint, session->target, run->journal.id, err) ||
        !gone_oids(&session->arena, blueprint, session->target, run->journal.id,
                   &blueprint->left_out, &blueprint->left_out_count, err))
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
    if (session->journal.id == 0)
        return ended_no_run(session,
                            "\"godwit apply\" begins one, with everything that is selected.", err);
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
           late_note(&session->blueprint, session->target, run->journal.id, options->resync, err);
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

bool engine_prepare(Session *session, const EngineOptions *options, Run *run, Err *err)
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
