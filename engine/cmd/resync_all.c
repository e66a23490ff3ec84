/*
 * Resync of everything.
 *
 * What fails where: the slot goes first, alone; killed behind that, the journal still says what was
 * copied, `apply` ends with 14 and names this command, which then has no slot to drop. Rows and
 * journal go together in one transaction of the target, so never is a row left that the journal
 * forgot, nor a table empty that the journal has as copied.
 */
#include "cmd/resync_all.h"

#include "cdc/spool.h"
#include "cmd/undo.h"
#include "journal/run_state_table.h"
#include "pg/ddl.h"
#include "sql_text.h"

static const char QUESTION[] =
    "Empty every selected table on the target, drop the slot, and copy everything anew?";

/* Asked again behind undo_fences(), which may find that a switch was committed after all. */
static bool may_begin_anew(const Session *session, Err *err)
{
    const char *name = session->plan.name;
    if (session->journal.id == 0) {
        err_set(err, ERR_RUN, "there is no run of plan \"%s\" on this target", name);
        return err_hint(err, "\"godwit apply\" begins one.");
    }
    if (text_equal(session->journal.state, RUN_SWITCHED) ||
        text_equal(session->journal.state, RUN_FAILBACK) ||
        text_equal(session->journal.state, RUN_FINISHED))
        return err_set(err, ERR_RUN, "run \"%s\" is switched: the target is the primary", name);
    if (session->plan.copy.data)
        return true;
    err_set(err, ERR_RUN, "the plan copies no rows (copy.data is false): nothing can be had anew");
    return err_hint(err, "Bring the target to where the source is, then \"godwit cleanup\" and "
                         "\"godwit apply\".");
}

static void add_table(Str *sql, const Conn *target, const Name *table, bool only)
{
    str_append(sql, sql->length == 0 ? "TRUNCATE " : ", ");
    str_append(sql, only ? "ONLY " : "");
    ddl_qname(sql, target, table);
}

/* The steps make them again, behind the rows. */
static bool drop_foreign_keys(const Blueprint *blueprint, Conn *target, Err *err)
{
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        AUTO_STR Str sql = {0};
        str_append(&sql, "ALTER TABLE IF EXISTS ");
        ddl_qname(&sql, target, &key->table);
        str_append(&sql, " DROP CONSTRAINT IF EXISTS ");
        ddl_ident(&sql, target, key->name);
        if (!pg_none(target, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

/* A partitioned or converted table's rows are not its own. */
static bool empty_tables(const Blueprint *blueprint, Conn *target, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        bool again = relation->merge != NULL && relation->merge != relation;
        if (!relation->schema_only && !again)
            add_table(&sql, target, &relation->target,
                      !relation->partitioned && relation->hypertable == NULL);
    }
    return sql.length == 0 || pg_none(target, sql.data, NO_PARAMS, err);
}

/* The step fills only what is not filled. */
static bool empty_matviews(const Blueprint *blueprint, Conn *target, Err *err)
{
    if (!blueprint->plan->copy.refresh_materialized_views)
        return true;
    for (size_t i = blueprint->matview_count; i-- > 0;) {
        AUTO_ROWS Rows *rows = NULL;
        AUTO_STR Str sql = {0};
        const Name *name = &blueprint->matviews[i].name;
        if (!pg_rows(target, SQL_SCHEMA_MATVIEW, PARAMS(name->schema, name->rel), &rows, err))
            return false;
        if (rows_count(rows) == 0)
            continue;
        str_append(&sql, "REFRESH MATERIALIZED VIEW ");
        ddl_qname(&sql, target, name);
        str_append(&sql, " WITH NO DATA");
        if (!pg_none(target, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

static bool forget(Session *session, Conn *target, Err *err)
{
    const char *run = arena_int64(&session->arena, session->journal.id);
    return pg_begin(target, NULL, err) && drop_foreign_keys(&session->blueprint, target, err) &&
           empty_tables(&session->blueprint, target, err) &&
           empty_matviews(&session->blueprint, target, err) &&
           pg_none(target, SQL_JOURNAL_BEGIN_ANEW, PARAMS(run), err) &&
           journal_event(target, session->journal.id, "resync", "{\"all\": true}", err) &&
           pg_commit(target, err);
}

/* Triggers on TRUNCATE are not to act: this is no change of the application's. */
static bool forget_quietly(Session *session, Err *err)
{
    AUTO_CONN Conn *target = NULL;
    ConnOptions options = {.purpose = "resync",
                           .replica_sql = session->blueprint.target->server.replica_sql,
                           .lock_timeout_ms = 10000,
                           .stop = &session->stop};
    return conn_open(&target, &session->target_endpoint, &options, err) &&
           forget(session, target, err);
}

/* What it holds is of the slot that is gone. */
static bool drop_spool(const Run *run, Err *err)
{
    bool removed = false;
    const char *directory = run->plan->replication.spool_directory;
    return directory == NULL || spool_remove(directory, run->slot_name, &removed, err);
}

bool resync_all(Session *session, const Options *options, Err *err)
{
    Run run = {0};
    if (!session_connect(session, true, true, false, err) || !session_lock(session, err) ||
        !session_journal(session, err) || !may_begin_anew(session, err) ||
        !undo_fences(session, err) || !may_begin_anew(session, err) ||
        !session_inspect(session, err) || !session_same_run(session, CHANGES_REFUSED, err) ||
        !session_confirm(options, QUESTION, err) || !undo_open_source(session, err))
        return false;
    session_run(session, &run);
    if (!pg_none(session->source, SQL_SLOT_DROP, PARAMS(run.slot_name), err) ||
        !drop_spool(&run, err) || !forget_quietly(session, err))
        return false;
    printf(
        "run \"%s\": %zu table%s emptied on the target, the slot is dropped; \"godwit apply %s\" "
        "makes a new one and copies anew\n",
        session->plan.name, session->blueprint.relation_count,
        session->blueprint.relation_count == 1 ? "" : "s", session->plan.path);
    return true;
}
