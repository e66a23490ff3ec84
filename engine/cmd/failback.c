/*
 * godwit failback PLAN: back to the source, after a cutover that prepared the way. A request to the
 * engine that keeps it open, whose progress is followed; without one this process does it.
 */
#include "cmd/command.h"
#include "cmd/engine.h"
#include "cmd/request.h"

static bool follow(Session *session, Err *err)
{
    bool answered = false;
    JournalRequest request = {0};
    fprintf(stderr, "asking the running engine to go back; following it\n");
    if (!request_follow(session, "failback", NULL, &request, &answered, err))
        return false;
    if (!answered)
        return err_set(err, ERR_RUN,
                       "the engine ended before it answered; run \"godwit failback\" again");
    if (request.exit_status != 0)
        return request_error(&request, err);
    printf("run \"%s\" is back on its source\n", session->plan.name);
    return true;
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, false, true, false, err) || !session_journal(&session, err) ||
        !request_engine_lives(&session, &lives, err))
        return false;
    if (session.journal.id == 0)
        return err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target",
                       session.plan.name);
    if (lives)
        return follow(&session, err);
    conn_close(session.target);
    session.target = NULL;
    return engine_run(&session, &(EngineOptions){.failback = true, .exit_at_gate = true}, err);
}

extern const Command COMMAND_FAILBACK;
const Command COMMAND_FAILBACK = {
    .name = "failback",
    .arguments = "PLAN",
    .summary = "goes back to the source without loss, after a cutover; prints the downtime",
    .touches = "writes to both servers, or asks the running engine",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
