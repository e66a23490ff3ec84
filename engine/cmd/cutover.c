/*
 * godwit cutover PLAN: from caught up to switched or rolled back. A request to the engine that
 * holds the lock, whose progress is followed; without one this process does it.
 */
#include "cmd/command.h"
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

static bool outcome(Session *session, const JournalRequest *request, Err *err)
{
    Totals totals = {0};
    if (request->exit_status != 0)
        return request_error(request, err);
    if (!totals_read(&session->arena, session->target, session->journal.id, &totals, err))
        return false;
    fputs(totals_text(&session->arena, &totals, -1), stdout);
    return true;
}

static bool follow(Session *session, Err *err)
{
    bool answered = false;
    JournalRequest request = {0};
    if (!approved(session, err))
        return false;
    fprintf(stderr, "asking the running engine to cut over; following it\n");
    if (!request_follow(session, "cutover", NULL, &request, &answered, err))
        return false;
    if (!answered)
        return err_set(err, ERR_RUN,
                       "the engine ended before it answered; run \"godwit apply\" again");
    return outcome(session, &request, err);
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    if (session.journal.id == 0) {
        err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target", session.plan.name);
        return err_hint(err, "\"godwit apply\" begins one.");
    }
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
