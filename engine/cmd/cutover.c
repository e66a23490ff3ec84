/*
 * godwit cutover PLAN: from caught up to switched or rolled back. A request to the engine that
 * holds the lock, whose progress is followed; without one this process does it.
 */
#include "cmd/command.h"
#include "cmd/ended.h"
#include "cmd/engine.h"
#include "cmd/request.h"
#include "report/totals.h"

static bool approved(Session *session, Err *err)
{
    JournalApproval approval = {0};
    if (!session->plan.cutover.approval_required)
        return true;
    if (!journal_find_approval(&session->arena, session->target, session->journal.id,
                               &session->plan, &approval, err))
        return false;
    if (approval.approver != NULL)
        return true;
    err_set(err, ERR_WAITING, "the cutover waits for an approval of plan %.12s",
            session->plan.fingerprint);
    return err_hint(err, "Run \"godwit approve\" with this plan first.");
}

static bool follow(Session *session, Err *err)
{
    Totals totals = {0};
    JournalRequest request = {0};
    if (!approved(session, err))
        return false;
    fprintf(stderr, "asking the running engine to cut over; following it\n");
    if (!request_done(session, "cutover", NULL,
                      "\"godwit apply\" goes on where the run stands, and cuts over once its gates "
                      "are reached and it is approved.",
                      &request, err) ||
        !totals_read(&session->arena, session->target, session->journal.id, &totals, err))
        return false;
    fputs(totals_text(&session->arena, &totals, -1), stdout);
    return true;
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    if (session.journal.id == 0)
        return ended_no_run(&session, "\"godwit apply\" begins one.", err);
    if (lives)
        return follow(&session, err);
    conn_close(session.target);
    session.target = NULL;
    return engine_run(&session, &(EngineOptions){.exit_at_gate = true}, err);
}

extern const Command COMMAND_CUTOVER;
const Command COMMAND_CUTOVER = {
    .name = "cutover",
    .arguments = "PLAN",
    .summary = "goes from caught up to switched, or rolls back; prints the downtime",
    .touches = "writes to both servers, or asks the running engine",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
