/*
 * godwit pause PLAN: the running engine stops at a checkpoint, and ends; `apply` goes on.
 */
#include "cmd/command.h"
#include "cmd/request.h"

static bool say_no_engine(const Session *session)
{
    printf("no engine runs plan \"%s\"; nothing to pause\n", session->plan.name);
    return true;
}

static bool say_paused(const Session *session)
{
    printf("run \"%s\" is paused; its slot holds WAL until \"godwit apply\" goes on\n",
           session->plan.name);
    return true;
}

static bool run(const Options *options, Err *err)
{
    bool lives = false;
    bool answered = false;
    JournalRequest request = {0};
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    if (!lives || session.journal.id == 0)
        return say_no_engine(&session);
    fprintf(stderr, "asked the running engine to stop at a checkpoint; waiting for it\n");
    if (!request_follow(&session, "pause", NULL, &request, &answered, err))
        return false;
    if (!answered)
        return say_no_engine(&session);
    if (request.exit_status == err_exit_status(ERR_PAUSED))
        return say_paused(&session);
    if (request.exit_status != 0)
        return request_error(&request, err);
    printf("run \"%s\" ended before it was paused\n", session.plan.name);
    return true;
}

extern const Command COMMAND_PAUSE;
const Command COMMAND_PAUSE = {
    .name = "pause",
    .arguments = "PLAN",
    .summary = "stops the running engine at a checkpoint; apply goes on",
    .touches = "one row on the target",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
