/*
 * godwit validate PLAN...: the four layers of the plan language; touches no server.
 */
#include "cmd/command.h"
#include "cmd/session.h"

static bool validate_one(const char *path, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, path, err))
        return false;
    printf("%s: plan \"%s\" is valid, fingerprint %.12s\n", path, session.plan.name,
           session.plan.fingerprint);
    return true;
}

static bool run(const Options *options, Err *err)
{
    for (int i = 0; i < options->argument_count; i++) {
        AUTO_ERR Err one = {0};
        if (validate_one(options->arguments[i], &one))
            continue;
        if (err_is_set(err))
            continue; /* its findings are printed; the first error decides the exit status */
        err_move(err, &one);
    }
    return !err_is_set(err);
}

extern const Command COMMAND_VALIDATE;
const Command COMMAND_VALIDATE = {
    .name = "validate",
    .arguments = "PLAN...",
    .summary = "checks plans without touching a server: every fault, with its place",
    .touches = "nothing",
    .min_arguments = 1,
    .max_arguments = 64,
    .formats = "text",
    .run = run,
};
