/*
 * godwit cutover PLAN: from caught up to switched or rolled back. A request to the engine that
 * holds the lock, whose progress is followed; without one this process does it.
 */
#include "cmd/command.h"
#include "cmd/engine.h"
#include "report/totals.h"

#define FOLLOW_MS 300

/* The engine ends with its last request: its lock says whether it lives. */
static bool engine_lives(Session *session, bool *lives, Err *err)
{
    LockHolder holder = {0};
    if (!run_lock_holder(&session->arena, session->target, session->plan.name, &holder, err))
        return false;
    *lives = holder.pid != 0;
    return true;
}

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
    if (request->exit_status != 0) {
        for (ErrCode code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
            if (err_exit_status(code) == request->exit_status)
                return err_set(err, code, "%s", request->message);
        }
        return err_set(err, ERR_RUN, "%s", request->message);
    }
    if (!totals_read(&session->arena, session->target, session->journal.id, &totals, err))
        return false;
    fputs(totals_text(&session->arena, &totals, -1), stdout);
    return true;
}

static bool follow(Session *session, Err *err)
{
    int64_t id = 0;
    JournalRequest request = {0};
    if (!approved(session, err) ||
        !journal_request(session->target, session->journal.id, "cutover", NULL, &id, err))
        return false;
    fprintf(stderr, "asked the running engine to cut over; following it\n");
    for (;;) {
        bool lives = false;
        if (!engine_lives(session, &lives, err) ||
            !journal_read_request(&session->arena, session->target, id, &request, err))
            return false;
        if (request.finished)
            return outcome(session, &request, err);
        if (!lives)
            return err_set(err, ERR_RUN,
                           "the engine ended before it answered; run \"godwit apply\" again");
        if (!stop_sleep(&session->stop, FOLLOW_MS))
            return stop_error(&session->stop, err);
    }
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, false, true, false, err) || !session_journal(&session, err) ||
        !engine_lives(&session, &lives, err))
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
