/*
 * SourceLeft: read from the journal before it is dropped: nobody knows it afterwards.
 */
#include "cmd/source_left.h"

#include "journal/run_state_table.h"
#include "pg/query.h"
#include "sql_text.h"

static const char *identity_word(char identity)
{
    return identity == 'f'   ? "FULL"
           : identity == 'n' ? "NOTHING"
           : identity == 'i' ? "USING INDEX"
                             : "DEFAULT";
}

static bool tell_identities(Session *session, const char *run, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(session->target, SQL_JOURNAL_IDENTITIES, PARAMS(run), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Name table = {rows_text(rows, r, 0), rows_text(rows, r, 1)};
        const char *index = rows_text(rows, r, 3);
        printf("  replica identity of %s; before the run it was %s%s%s\n",
               name_text(&session->arena, &table), identity_word(rows_char(rows, r, 2)),
               index != NULL ? " " : "", index != NULL ? index : "");
        if (rows_bool(rows, r, 6))
            printf("  index %s, made for it\n",
                   name_part_text(&session->arena, rows_text(rows, r, 5)));
    }
    return true;
}

static bool tell_jobs(Session *session, const char *run, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(session->target, SQL_JOURNAL_SOURCE_JOBS, PARAMS(run), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        printf("  job %s of TimescaleDB rests\n", rows_text(rows, r, 0));
    return true;
}

/* Behind a switch it is closed for good; in a cutover it may be. */
static bool may_be_closed(const Session *session)
{
    const char *state = session->journal.state;
    return text_equal(state, RUN_SWITCHED) || text_equal(state, RUN_FINISHED) ||
           text_equal(state, RUN_CUTOVER) || text_equal(state, RUN_FAILBACK);
}

bool source_left_tell(Session *session, Err *err)
{
    const Plan *plan = &session->plan;
    const char *run = arena_int64(&session->arena, session->journal.id);
    const char *mark = session->journal.id == 0 ? "*" : session->journal.mark;
    printf("stays on the source, where it is there still:\n"
           "  slot and publication godwit_%s_%s (the slot holds WAL)\n",
           plan->name, mark);
    if (session->journal.id != 0 &&
        (!tell_identities(session, run, err) || !tell_jobs(session, run, err)))
        return false;
    if (session->journal.id != 0 && may_be_closed(session))
        printf("  default_transaction_read_only = on, of the database\n");
    if (plan->failback.prepare)
        printf("  schema godwit: the journal of the way back, without which replica identities "
               "that were set for it on the target stay\n");
    if (plan->replication.spool_directory != NULL)
        printf("stays on this machine: %s/godwit_%s_%s; what it holds of the source may be on the "
               "target nowhere\n",
               plan->replication.spool_directory, plan->name, mark);
    return true;
}
