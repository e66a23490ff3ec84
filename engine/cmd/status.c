/*
 * godwit status PLAN: what the journal on the target says: run, copy, lag, slot, gates, steps. From
 * any machine.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "report/status_text.h"

#define WATCH_MS 2000

static bool print(Session *session, const Options *options, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str out = {0};
    Status status = {0};
    if (!status_read(&arena, session->target, &session->journal, &session->plan, &status, err))
        return false;
    status_print(&out, &status, options->format);
    fputs(str_text(&out), stdout);
    fflush(stdout);
    return true;
}

static bool no_run(Session *session, const Options *options, Err *err)
{
    JournalTombstone tombstone = {0};
    if (!journal_tombstone(&session->arena, session->target, session->plan.name, &tombstone, err))
        return false;
    bool json = text_equal(options->format, "json");
    const char *outcome = tombstone.outcome != NULL ? tombstone.outcome : "none";
    if (json)
        printf("{\"v\": 1, \"state\": \"%s\"}\n", outcome);
    else if (tombstone.outcome != NULL)
        printf("run \"%s\" is %s since %s and was cleaned up\n", session->plan.name, outcome,
               tombstone.ended_at);
    else
        printf("there is no run of plan \"%s\" on this target\n", session->plan.name);
    return true;
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, false, true, true, err))
        return false;
    do {
        session.journal = (JournalRun){0};
        if (!session_journal(&session, err))
            return false;
        bool ok = session.journal.id != 0 ? print(&session, options, err)
                                          : no_run(&session, options, err);
        if (!ok)
            return false;
    } while (options->watch && stop_sleep(&session.stop, WATCH_MS));
    return true;
}

extern const Command COMMAND_STATUS;
const Command COMMAND_STATUS = {
    .name = "status",
    .arguments = "PLAN",
    .summary = "shows where a run stands: copy, lag, slot, gates, steps",
    .touches = "reads the target",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_WATCH, OPTION_NONE},
    .formats = "text|json",
    .run = run,
};
