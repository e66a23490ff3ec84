/*
 * godwit resync PLAN TABLE...: copies tables anew while the rest replicates. The engine that runs
 * does it; without one this process does, as far as caught up. With --all everything is copied anew
 * under a new slot, when the old one is lost.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/ended.h"
#include "cmd/engine.h"
#include "cmd/late.h"
#include "cmd/paused.h"
#include "cmd/request.h"
#include "cmd/resync_all.h"
#include "journal/run_state_table.h"

/* The running engine is not stopped for what it could not do. */
static bool may_ask(Session *session, const char *argument, Err *err)
{
    if (session->journal.id == 0)
        return ended_no_run(session, "\"godwit apply\" begins one, and copies everything.", err);
    if (text_equal(session->journal.state, RUN_SWITCHED) ||
        text_equal(session->journal.state, RUN_FAILBACK) ||
        text_equal(session->journal.state, RUN_FINISHED)) {
        err_set(err, ERR_RUN,
                "the run is switched: the target is the primary, and is not overwritten");
        return err_hint(err, "What differs on it now was written there.");
    }
    session->resync = argument;
    return session_connect(session, true, false, true, err) && session_inspect(session, err) &&
           session_may_change(session, CHANGES_REFUSED, err) &&
           late_check(&session->blueprint, argument, err) && paused_may_resume(session, err);
}

static bool ask(Session *session, const char *argument, Err *err)
{
    JournalRequest request = {0};
    fprintf(stderr, "asked the running engine to copy them anew; waiting until they have caught "
                    "up\n");
    if (!request_done(
            session, "resync", argument,
            "\"godwit apply\" goes on with the copy if it was begun; \"godwit status\" tells.",
            &request, err))
        return false;
    printf("run \"%s\" has copied them anew: %s\n", session->plan.name, argument);
    return true;
}

static bool resync_tables(const Options *options, Err *err)
{
    bool lives = false;
    AUTO_SESSION Session session = {0};
    if (!request_begin(&session, options->arguments[0], &lives, err))
        return false;
    const char *argument =
        jsontext_list(&session.arena, options->arguments + 1, (size_t)options->argument_count - 1);
    if (!may_ask(&session, argument, err))
        return false;
    if (lives)
        return ask(&session, argument, err);
    conn_close(session.source);
    conn_close(session.target);
    session.source = NULL;
    session.target = NULL;
    AUTO_SESSION Session own = {0};
    return session_plan(&own, options->arguments[0], err) &&
           engine_run(&own, &(EngineOptions){.until = "catchup", .resync = argument}, err);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (options->all != (options->argument_count == 1)) {
        err_set(err, ERR_USAGE, "say what is to be copied anew: tables, or --all");
        return err_hint(err, "--all is for everything, as when the slot is lost.");
    }
    if (!options->all)
        return resync_tables(options, err);
    return session_plan(&session, options->arguments[0], err) && resync_all(&session, options, err);
}

extern const Command COMMAND_RESYNC;
const Command COMMAND_RESYNC = {
    .name = "resync",
    .arguments = "PLAN [TABLE...]",
    .summary =
        "copies tables anew while the rest replicates; with --all everything, under a new slot",
    .touches = "writes to the target, with --all to both servers; or asks the running engine",
    .min_arguments = 1,
    .max_arguments = 63,
    .options = (const OptionId[]){OPTION_ALL, OPTION_YES, OPTION_NONE},
    .run = run,
};
