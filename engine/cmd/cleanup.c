/*
 * godwit cleanup PLAN: slot, publication, fences of an unfinished cutover, the journal. The data on
 * the target stays. Idempotent; finds orphans of a run whose journal is gone by their names.
 */
#include "cmd/command.h"
#include "cmd/undo.h"
#include "cutover/fence.h"
#include "journal/run_state_table.h"

static const char QUESTION[] =
    "Drop slot, publication and journal of this run? What was copied stays on the target.";

/* Not so after a cutover whose plan left the source open (stop_writes: manual, command), or when
 * somebody has opened it since. */
static bool tell_closed(Session *session, Err *err)
{
    const char *setting = NULL;
    AUTO_STR Str sql = {0};
    if (!fence_database_previous(&session->arena, session->source, &setting, err) ||
        !fence_open_sql(&sql, session->source, err))
        return false;
    if (text_equal(setting, "on"))
        printf("the source stays read-only; to open it again: %s\n", sql.data);
    return true;
}

/* A run that was not switched did not end well: its tombstone must not make a later apply say
 * "done". */
static bool bury(Session *session, Err *err)
{
    if (session->journal.id == 0)
        return true;
    bool finished = text_equal(session->journal.state, RUN_FINISHED) ||
                    text_equal(session->journal.state, RUN_SWITCHED);
    if (!journal_bury_run(session->target, session->journal.id,
                          finished ? RUN_FINISHED : "abandoned", err))
        return false;
    printf("dropped the journal of run \"%s\" on the target; a tombstone stays\n",
           session->plan.name);
    return !finished || tell_closed(session, err);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    Orphans orphans = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, false, err) || !session_lock(&session, err) ||
        !session_journal(&session, err) || !undo_find_orphans(&session, &orphans, err))
        return false;
    if (session.journal.id == 0 &&
        orphans.slot_count + orphans.publication_count + orphans.index_count == 0) {
        printf("nothing to clean up for plan \"%s\"\n", session.plan.name);
        return true;
    }
    return session_confirm(options, QUESTION, err) && undo_fences(&session, err) &&
           undo_open_source(&session, err) && undo_drop_orphans(&session, &orphans, err) &&
           undo_identities(&session, err) && bury(&session, err);
}

extern const Command COMMAND_CLEANUP;
const Command COMMAND_CLEANUP = {
    .name = "cleanup",
    .arguments = "PLAN",
    .summary = "drops slot, publication and journal; keeps the data; asks",
    .touches = "writes to both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_YES, OPTION_NONE},
    .run = run,
};
