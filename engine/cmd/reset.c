/*
 * godwit reset PLAN: starts again from nothing: drops what this run made on the target, its slot
 * and publication, and its journal. Refuses once the run was switched: the target is then the
 * primary.
 */
#include "cmd/command.h"
#include "cmd/undo.h"
#include "journal/run_state_table.h"

static const char QUESTION[] =
    "Drop everything that this run made on the target, and its slot and publication?";

/* Asked again behind undo_fences(), which may find that a switch was committed after all. */
static bool may_reset(Session *session, Err *err)
{
    if (session->journal.id == 0) {
        err_set(err, ERR_RUN, "there is no run of plan \"%s\" to reset", session->plan.name);
        return err_hint(err, "\"godwit cleanup\" drops what an earlier run left behind.");
    }
    if (!text_equal(session->journal.state, RUN_SWITCHED) &&
        !text_equal(session->journal.state, RUN_FAILBACK) &&
        !text_equal(session->journal.state, RUN_FINISHED))
        return true;
    err_set(err, ERR_RUN, "run \"%s\" is switched: the target is the primary and is not reset",
            session->plan.name);
    return err_hint(err, "\"godwit cleanup\" removes slot, publication and journal.");
}

/* The plan may have been edited since: publications are found by their mark, identities by the
 * journal; these go last, as a published table needs one. */
static bool undo_all(Session *session, Err *err)
{
    Orphans source = {0};
    Orphans target = {0};
    if (!undo_find_orphans(session, session->source, &source, err) ||
        !undo_find_orphans(session, session->target, &target, err))
        return false;
    undo_tell_others(&source);
    undo_tell_others(&target);
    return undo_drop_orphans(session, session->source, &source, err) &&
           undo_drop_orphans(session, session->target, &target, err) &&
           undo_way_back(session, err) && undo_closed(session, true, err) &&
           undo_steps(session, err) && undo_on_source(session, err) &&
           journal_bury_run(session->target, session->journal.id, "reset", err);
}

static bool same_servers(Session *session, Err *err)
{
    if (session_same_servers(session, err))
        return true;
    return err->code == ERR_STALE &&
           err_hint(err, "Nothing is dropped. Name the servers of the run. Is the source gone for "
                         "good, \"godwit cleanup --target-only\" gives the run up, and what was "
                         "copied is dropped by hand.");
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, false, err) || !session_lock(&session, err) ||
        !session_journal(&session, err) || !same_servers(&session, err) ||
        !may_reset(&session, err) || !session_confirm(options, QUESTION, err) ||
        !undo_fences(&session, err) || !may_reset(&session, err) ||
        !session_inspect(&session, err) || !undo_open_source(&session, err) ||
        !undo_all(&session, err))
        return false;
    printf("run \"%s\" is reset; \"godwit apply\" begins anew\n", session.plan.name);
    return true;
}

extern const Command COMMAND_RESET;
const Command COMMAND_RESET = {
    .name = "reset",
    .arguments = "PLAN",
    .summary = "drops what this run made on the target, to start again; asks",
    .touches = "writes to both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_YES, OPTION_NONE},
    .run = run,
};
