/*
 * godwit refresh PLAN: takes in what was added to the selection since the run began. The engine
 * that runs does it; without one this process does, as far as caught up.
 */
#include "cmd/command.h"
#include "cmd/engine.h"
#include "cmd/findings.h"
#include "cmd/request.h"

/* The running engine is not stopped for what it could not take in. */
static bool may_ask(Session *session, Err *err)
{
    if (session->pinned != NULL) {
        err_set(err, ERR_STALE, "a pinned plan is held to what was reviewed; it takes nothing in");
        return err_hint(err, "Refresh with the plan itself, after a review of its own.");
    }
    session->take_added = true;
    return session_connect(session, true, false, true, err) && session_inspect(session, err) &&
           engine_may_refresh(session, err) && findings_preflight(session, true, err);
}

/* The engine reads the file that it was started with. */
static bool same_file(Session *session, Err *err)
{
    if (!session_journal(session, err))
        return false;
    if (text_equal(session->journal.fingerprint, session->plan.fingerprint))
        return true;
    err_set(err, ERR_STALE, "the running engine has another plan (%.12s, this is %.12s)",
            session->journal.fingerprint, session->plan.fingerprint);
    return err_hint(err, "It reads the file that it was started with: change that one.");
}

static bool ask(Session *session, Err *err)
{
    JournalRequest request = {0};
    fprintf(stderr, "asked the running engine to take in what was added; waiting until it has "
                    "caught up\n");
    if (!request_done(session, "refresh", NULL, "Run \"godwit refresh\" again.", &request, err) ||
        !same_file(session, err))
        return false;
    printf("run \"%s\" has taken in what was added\n", session->plan.name);
    return true;
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    if (lives && session.journal.id != 0)
        return may_ask(&session, err) && ask(&session, err);
    conn_close(session.target);
    session.target = NULL;
    return engine_run(&session, &(EngineOptions){.until = "catchup", .changes = CHANGES_ADDED},
                      err);
}

extern const Command COMMAND_REFRESH;
const Command COMMAND_REFRESH = {
    .name = "refresh",
    .arguments = "PLAN",
    .summary = "takes in relations that were added to the selection",
    .touches = "writes to both servers, or asks the running engine",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
