/*
 * godwit cleanup PLAN: slot, publication, fences of an unfinished cutover, the journal. The data on
 * the target stays. Idempotent; finds orphans of a run whose journal is gone by their names.
 */
#include "cmd/command.h"
#include "cmd/source_left.h"
#include "cmd/undo.h"
#include "cmd/undone.h"
#include "copy/leaves.h"
#include "cutover/fence.h"
#include "journal/run_state_table.h"
#include "pg/ddl.h"
#include "sql_text.h"

static const char QUESTION[] =
    "Drop slot, publication and journal of this run? What was copied stays on the target.";
static const char QUESTION_TARGET_ONLY[] = "Drop the journal of this run, and what it made on the "
                                           "target for itself? What was copied stays "
                                           "there; nothing is done on the source.";

/* Not so after a cutover whose plan left the source open (stop_writes: manual, command), or when
 * somebody has opened it since. */
static bool tell_closed(Session *session, Conn *conn, Err *err)
{
    const char *setting = NULL;
    AUTO_STR Str sql = {0};
    if (conn == NULL)
        return true;
    if (!fence_database_previous(&session->arena, conn, &setting, err) ||
        !fence_open_sql(&sql, conn, err))
        return false;
    if (text_equal(setting, "on"))
        printf("the %s stays read-only; to open it again: %s\n", conn_side_name(conn_side(conn)),
               sql.data);
    return true;
}

static bool tell_identities(Session *session, const Orphans *source, Err *err)
{
    AUTO_STR Str names = {0};
    AUTO_ROWS Rows *rows = NULL;
    for (size_t i = 0; i < source->publication_count; i++)
        list_append(&names, source->publications[i]);
    if (source->publication_count == 0)
        return true;
    list_end(&names);
    if (!pg_rows(session->source, SQL_CLEANUP_IDENTITIES, PARAMS(names.data), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "ALTER TABLE ");
        ddl_qname(&sql, session->source, &(Name){rows_text(rows, r, 0), rows_text(rows, r, 1)});
        str_append(&sql, " REPLICA IDENTITY DEFAULT;");
        printf("the replica identity of a table is %s, and no journal says whether the run has "
               "set it; to take it back: %s\n",
               rows_text(rows, r, 2), sql.data);
    }
    return true;
}

/* Without the journal nobody knows what the run has set on objects that are not its own: what may
 * be its doing is told, with the way back. A tombstone means that the journal went in good order.
 */
static bool tell_unknown(Session *session, const Orphans *source, Err *err)
{
    JournalTombstone tombstone = {0};
    Conn *const sides[] = {session->source, session->target};
    if (session->journal.id != 0)
        return true;
    if (!journal_tombstone(&session->arena, session->target, session->plan.name, &tombstone, err))
        return false;
    for (size_t i = 0; tombstone.outcome == NULL && i < 2; i++)
        if (!tell_closed(session, sides[i], err))
            return false;
    return tombstone.outcome != NULL || tell_identities(session, source, err);
}

/* A run that was not switched, or is back on its source, must not make a later apply say "done". */
static const char *outcome(const Session *session)
{
    const char *state = session->journal.state;
    if (text_equal(state, RUN_FINISHED) || text_equal(state, RUN_SWITCHED))
        return RUN_FINISHED;
    return text_equal(state, RUN_FAILED_BACK) ? RUN_FAILED_BACK : "abandoned";
}

static bool bury(Session *session, Err *err)
{
    if (session->journal.id == 0)
        return true;
    const char *end = outcome(session);
    if (!journal_bury_run(session->target, session->journal.id, end, err))
        return false;
    printf("dropped the journal of run \"%s\" on the target; a tombstone stays\n",
           session->plan.name);
    if (text_equal(end, RUN_FINISHED))
        return tell_closed(session, session->source, err);
    return tell_closed(session, session->target, err); /* by a failback, some run ago */
}

typedef struct Remains {
    Orphans source;
    Orphans target;
    bool way_back;
} Remains;

static bool find_remains(Session *session, Remains *remains, Err *err)
{
    return undo_find_orphans(session, session->source, &remains->source, err) &&
           undo_find_orphans(session, session->target, &remains->target, err) &&
           undo_find_way_back(session, &remains->way_back, err);
}

static bool is_clean(const Orphans *orphans)
{
    return orphans->slot_count + orphans->publication_count + orphans->index_count +
               orphans->spool_count ==
           0;
}

static bool drop_remains(Session *session, const Remains *remains, Err *err)
{
    /* The primary first: whatever fails behind that, applications go on. */
    return tell_unknown(session, &remains->source, err) && undo_open_source(session, err) &&
           undo_closed(session, false, err) &&
           undo_drop_orphans(session, session->source, &remains->source, err) &&
           undo_drop_orphans(session, session->target, &remains->target, err) &&
           undo_way_back(session, err) && undo_on_source(session, err);
}

/* Who gives a switched run up is told before what no engine will do any more. That it cannot be
 * told keeps nobody from giving up. */
static void tell_undone(Session *session)
{
    AUTO_ERR Err err = {0};
    UndoneVec undone = {0};
    if (session->journal.id == 0 || !text_equal(session->journal.state, RUN_SWITCHED))
        return;
    if (!undone_find(session, &undone, &err)) {
        log_err(&(LogCtx){.run = session->plan.name}, LOG_WARN, &err);
        printf("what is left undone behind the switch cannot be told\n");
        return;
    }
    for (size_t i = 0; i < undone.count; i++)
        printf("left undone behind the switch: %s\n", undone.items[i]);
    if (undone.count > 0)
        printf("\"godwit apply\" does what is left; behind a cleanup nobody does\n");
}

/* Nothing is undone that the source would have a word in: a target that an unfinished cutover or
 * failback has closed stays so, and how it is opened is told. */
static bool drop_target_only(const Options *options, Session *session, Err *err)
{
    Orphans target = {0};
    if (!undo_find_orphans(session, session->target, &target, err))
        return false;
    if (session->journal.id == 0 && is_clean(&target)) {
        printf("nothing to clean up on the target for plan \"%s\"\n", session->plan.name);
        return source_left_tell(session, err);
    }
    return source_left_tell(session, err) && session_confirm(options, QUESTION_TARGET_ONLY, err) &&
           undo_closed(session, false, err) &&
           undo_drop_orphans(session, session->target, &target, err) && bury(session, err);
}

/* Another target with the same plan, or this plan with another target. */
static bool none_left(Session *session, const Remains *remains, Err *err)
{
    const char *plan = session->plan.name;
    if (!undo_refuse_others(&remains->source, plan, err) ||
        !undo_refuse_others(&remains->target, plan, err))
        return false;
    printf("nothing to clean up for plan \"%s\"\n", plan);
    return tell_unknown(session, &remains->source, err);
}

static bool same_servers(Session *session, Err *err)
{
    if (session_same_servers(session, err))
        return true;
    return err->code == ERR_STALE &&
           err_hint(err, "Nothing is dropped. Name the servers of the run; a database that was "
                         "renamed since, name back for that time. Is the source gone for good, "
                         "\"godwit cleanup --target-only\" says what stays there.");
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    Remains remains = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, !options->target_only, true, false, err) ||
        !session_lock(&session, err) || !session_journal(&session, err) ||
        !same_servers(&session, err))
        return false;
    if (options->target_only)
        return drop_target_only(options, &session, err);
    if (!find_remains(&session, &remains, err))
        return false;
    if (session.journal.id == 0 && is_clean(&remains.source) && is_clean(&remains.target) &&
        !remains.way_back)
        return none_left(&session, &remains, err);
    tell_undone(&session);
    undo_tell_others(&remains.source);
    undo_tell_others(&remains.target);
    return session_confirm(options, QUESTION, err) && undo_fences(&session, err) &&
           drop_remains(&session, &remains, err) && bury(&session, err);
}

extern const Command COMMAND_CLEANUP;
const Command COMMAND_CLEANUP = {
    .name = "cleanup",
    .arguments = "PLAN",
    .summary = "drops slot, publication and journal; keeps the data; asks",
    .touches = "writes to both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_YES, OPTION_TARGET_ONLY, OPTION_NONE},
    .run = run,
};
