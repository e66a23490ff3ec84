/*
 * Ended: see the header.
 */
#include "cmd/ended.h"

#include "journal/run_state_table.h"

bool ended_look(Session *session, const char **sentence, Err *err)
{
    JournalTombstone tombstone = {0};
    *sentence = NULL;
    if (session->journal.id != 0)
        return true;
    if (!journal_tombstone(&session->arena, session->target, session->plan.name, &tombstone, err))
        return false;
    if (text_equal(tombstone.outcome, RUN_FINISHED))
        *sentence = arena_printf(&session->arena,
                                 "run \"%s\" is finished since %s and was cleaned "
                                 "up; nothing to do",
                                 session->plan.name, tombstone.ended_at);
    return true;
}

bool ended_no_run(Session *session, const char *hint, Err *err)
{
    const char *sentence = NULL;
    if (!ended_look(session, &sentence, err))
        return false;
    if (sentence != NULL) {
        err_set(err, ERR_RUN, "%s", sentence);
        return err_hint(err, "Another migration to this target gets another name in its plan.");
    }
    err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target", session->plan.name);
    return hint != NULL && err_hint(err, "%s", hint);
}
