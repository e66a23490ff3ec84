/*
 * godwit failback PLAN: back to the source, after a cutover that prepared the way. A request to the
 * engine that keeps it open, whose progress is followed; without one this process does it.
 */
#include "cmd/command.h"
#include "cmd/ended.h"
#include "cmd/engine.h"
#include "cmd/request.h"

static bool follow(Session *session, Err *err)
{
    fprintf(stderr, "asking the running engine to go back; following it\n");
    JournalRequest request = {0};
    if (!request_done(session, "failback", NULL,
                      "Run \"godwit failback\" again: it goes on where the run stands.", &request,
                      err))
        return false;
    fputs(request.message, stdout);
    return true;
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    if (session.journal.id == 0)
        return ended_no_run(&session, NULL, err);
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
