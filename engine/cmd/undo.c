/*
 * Undo: orphans by name, steps by their kind's undo, fences by the journal.
 */
#include "cmd/undo.h"

#include "cutover/cutover.h"
#include "journal/run_state_table.h"
#include "pg/ddl.h"
#include "step/replica_identity.h"
#include "sql_text.h"

bool undo_open_source(Session *session, Err *err)
{
    conn_close(session->source);
    session->source = NULL;
    return conn_open(
        &session->source, &session->source_endpoint,
        &(ConnOptions){.purpose = "undo", .lock_timeout_ms = 10000, .stop = &session->stop}, err);
}

bool undo_find_orphans(Session *session, Orphans *orphans, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *prefix = arena_printf(&session->arena, "godwit_%s_", session->plan.name);
    const char *mark = arena_printf(&session->arena, "godwit %s ", session->plan.name);
    if (!pg_rows(session->source, SQL_CLEANUP_ORPHANS, PARAMS(prefix, mark), &rows, err))
        return false;
    orphans->indexes = arena_array(&session->arena, Name, rows_count(rows));
    orphans->slots = arena_array(&session->arena, const char *, rows_count(rows));
    orphans->publications = arena_array(&session->arena, const char *, rows_count(rows));
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *name = arena_strdup(&session->arena, rows_text(rows, r, 2));
        if (text_equal(rows_text(rows, r, 0), "slot"))
            orphans->slots[orphans->slot_count++] = name;
        else if (text_equal(rows_text(rows, r, 0), "index"))
            orphans->indexes[orphans->index_count++] =
                (Name){arena_strdup(&session->arena, rows_text(rows, r, 1)), name};
        else
            orphans->publications[orphans->publication_count++] = name;
    }
    return true;
}

bool undo_drop_orphans(Session *session, const Orphans *orphans, Err *err)
{
    for (size_t i = 0; i < orphans->slot_count; i++) {
        if (!pg_none(session->source, SQL_SLOT_DROP, PARAMS(orphans->slots[i]), err))
            return false;
        printf("dropped slot %s on the source\n", orphans->slots[i]);
    }
    for (size_t i = 0; i < orphans->publication_count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "DROP PUBLICATION IF EXISTS ");
        ddl_ident(&sql, session->source, orphans->publications[i]);
        if (!pg_none(session->source, sql.data, NO_PARAMS, err))
            return false;
        printf("dropped publication %s on the source\n", orphans->publications[i]);
    }
    for (size_t i = 0; i < orphans->index_count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "DROP INDEX CONCURRENTLY IF EXISTS ");
        ddl_qname(&sql, session->source, &orphans->indexes[i]);
        if (!pg_none(session->source, sql.data, NO_PARAMS, err))
            return false;
        printf("dropped index %s on the source\n",
               name_text(&session->arena, &orphans->indexes[i]));
    }
    return true;
}

bool undo_identities(Session *session, Err *err)
{
    Run run = {.plan = &session->plan,
               .journal = session->journal,
               .source = session->source_endpoint,
               .target = session->target_endpoint,
               .stop = &session->stop,
               .log = {.run = session->plan.name}};
    StepCtx ctx = {.run = &run,
                   .source = session->source,
                   .target = session->target,
                   .arena = &session->arena,
                   .log = run.log};
    return identity_restore(&ctx, err);
}

static bool undo_graph(Session *session, Run *run, const Graph *graph, Err *err)
{
    for (size_t i = graph->count; i-- > 0;) {
        const Step *step = graph->steps[i];
        if (step->barrier || step->kind->undo == NULL)
            continue;
        StepCtx ctx = {.run = run,
                       .step = step,
                       .source = session->source,
                       .target = session->target,
                       .arena = &session->arena,
                       .log = {.run = session->plan.name, .step = step->id}};
        if (!step->kind->undo(&ctx, err))
            return err_context(err, "could not undo %s", step->id);
    }
    return true;
}

bool undo_steps(Session *session, Err *err)
{
    Run run = {0};
    Graph graph = {0};
    session_run(session, &run);
    bool ok = graph_build(&graph, STEP_KINDS, &session->blueprint, err) &&
              undo_graph(session, &run, &graph, err);
    graph_release(&graph);
    arena_release(&run.arena);
    return ok;
}

bool undo_fences(Session *session, Err *err)
{
    if (session->journal.id == 0 || !text_equal(session->journal.state, RUN_CUTOVER))
        return true;
    if (!session_catalogs(session, err) || !session_same_systems(session, err))
        return false;
    Run run = {.plan = &session->plan,
               .journal = session->journal,
               .source = session->source_endpoint,
               .target = session->target_endpoint,
               .log = {.run = session->plan.name}};
    log_warn(&run.log,
             "an earlier cutover ended before the switch and was not taken back: rolling it back");
    bool ok = cutover_rollback(&run, err);
    session->journal = run.journal;
    return ok;
}
