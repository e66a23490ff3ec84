/*
 * Undo: orphans by name, steps by their kind's undo, fences by the journal.
 */
#include "cmd/undo.h"

#include "cdc/spool.h"
#include "cutover/cutover.h"
#include "cutover/fence.h"
#include "journal/run_state_table.h"
#include "pg/ddl.h"
#include "step/replica_identity.h"
#include "step/source_jobs.h"
#include "step/way_back.h"
#include "sql_text.h"

bool undo_open_source(Session *session, Err *err)
{
    conn_close(session->source);
    session->source = NULL;
    return conn_open(
        &session->source, &session->source_endpoint,
        &(ConnOptions){.purpose = "undo", .lock_timeout_ms = 10000, .stop = &session->stop}, err);
}

static bool find_spools(Session *session, const char *prefix, const char *mark, Orphans *orphans,
                        Err *err)
{
    SpoolNames names = {0};
    const char *parent = session->plan.replication.spool_directory;
    if (parent != NULL && !spool_find(&session->arena, parent, prefix, &names, err))
        return false;
    orphans->spools = arena_array(&session->arena, const char *, names.count);
    for (size_t i = 0; i < names.count; i++) {
        if (mark == NULL || text_equal(names.items[i] + strlen(prefix), mark))
            orphans->spools[orphans->spool_count++] = names.items[i];
    }
    return true;
}

static bool drop_spools(const Session *session, const Orphans *orphans, Err *err)
{
    const char *parent = session->plan.replication.spool_directory;
    for (size_t i = 0; i < orphans->spool_count; i++) {
        bool removed = false;
        if (!spool_remove(parent, orphans->spools[i], &removed, err))
            return false;
        if (removed)
            printf("removed the spool %s/%s\n", parent, orphans->spools[i]);
    }
    return true;
}

/* \param row as SQL_CLEANUP_ORPHANS has it, of a slot or a publication */
static void sort_orphan(Session *session, Conn *conn, const Rows *rows, size_t row,
                        const char *mark, Orphans *orphans)
{
    bool is_slot = text_equal(rows_text(rows, row, 0), "slot");
    const char *name = arena_strdup(&session->arena, rows_text(rows, row, 2));
    if (mark == NULL || text_equal(rows_text(rows, row, 3), mark)) {
        if (is_slot)
            orphans->slots[orphans->slot_count++] = name;
        else
            orphans->publications[orphans->publication_count++] = name;
        return;
    }
    AUTO_STR Str drop = {0};
    str_append(&drop, is_slot ? "SELECT pg_drop_replication_slot(" : "DROP PUBLICATION ");
    if (is_slot)
        ddl_literal(&drop, conn, name);
    else
        ddl_ident(&drop, conn, name);
    str_append(&drop, is_slot ? ");" : ";");
    orphans->others[orphans->other_count++] =
        (Other){arena_printf(&session->arena, "%s %s on the %s", is_slot ? "slot" : "publication",
                             name, conn_side_name(conn_side(conn))),
                str_dup(&session->arena, &drop)};
}

/* Their names say no run: while another one is about it may be making them. */
static void find_indexes(Session *session, const Rows *rows, Orphans *orphans)
{
    for (size_t r = 0; orphans->other_count == 0 && r < rows_count(rows); r++) {
        if (text_equal(rows_text(rows, r, 0), "index"))
            orphans->indexes[orphans->index_count++] =
                (Name){arena_strdup(&session->arena, rows_text(rows, r, 1)),
                       arena_strdup(&session->arena, rows_text(rows, r, 2))};
    }
}

bool undo_find_orphans(Session *session, Conn *conn, Orphans *orphans, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *own = NULL;
    const char *prefix = arena_printf(&session->arena, "godwit_%s_", session->plan.name);
    const char *mark = arena_printf(&session->arena, "godwit %s ", session->plan.name);
    if (!session_mark(session, &own, err) ||
        !pg_rows(conn, SQL_CLEANUP_ORPHANS, PARAMS(prefix, mark), &rows, err))
        return false;
    orphans->indexes = arena_array(&session->arena, Name, rows_count(rows));
    orphans->slots = arena_array(&session->arena, const char *, rows_count(rows));
    orphans->publications = arena_array(&session->arena, const char *, rows_count(rows));
    orphans->others = arena_array(&session->arena, Other, rows_count(rows));
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (!text_equal(rows_text(rows, r, 0), "index"))
            sort_orphan(session, conn, rows, r, own, orphans);
    }
    find_indexes(session, rows, orphans);
    return conn_side(conn) != CONN_SOURCE || find_spools(session, prefix, own, orphans, err);
}

void undo_tell_others(const Orphans *orphans)
{
    for (size_t i = 0; i < orphans->other_count; i++)
        printf("left alone, of a run between other servers: %s\n", orphans->others[i].what);
}

bool undo_refuse_others(const Orphans *orphans, const char *plan, Err *err)
{
    if (orphans->other_count == 0)
        return true;
    err_set(err, ERR_STALE,
            "what bears the name of plan \"%s\" here was made by a run between other servers",
            plan);
    for (size_t i = 0; i < orphans->other_count; i++)
        err_detail(err, "%s", orphans->others[i].what);
    err_hint(err, "Nothing is dropped. Name the servers of that run: its journal is on its target. "
                  "Is that target gone for good, this drops them:");
    for (size_t i = 0; i < orphans->other_count; i++)
        err_hint(err, "%s", orphans->others[i].drop);
    return false;
}

bool undo_drop_orphans(Session *session, Conn *conn, const Orphans *orphans, Err *err)
{
    const char *side = conn_side_name(conn_side(conn));
    for (size_t i = 0; i < orphans->slot_count; i++) {
        if (!pg_none(conn, SQL_SLOT_DROP, PARAMS(orphans->slots[i]), err))
            return false;
        printf("dropped slot %s on the %s\n", orphans->slots[i], side);
    }
    for (size_t i = 0; i < orphans->publication_count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "DROP PUBLICATION IF EXISTS ");
        ddl_ident(&sql, conn, orphans->publications[i]);
        if (!pg_none(conn, sql.data, NO_PARAMS, err))
            return false;
        printf("dropped publication %s on the %s\n", orphans->publications[i], side);
    }
    for (size_t i = 0; i < orphans->index_count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "DROP INDEX CONCURRENTLY IF EXISTS ");
        ddl_qname(&sql, conn, &orphans->indexes[i]);
        if (!pg_none(conn, sql.data, NO_PARAMS, err))
            return false;
        printf("dropped index %s on the %s\n", name_text(&session->arena, &orphans->indexes[i]),
               side);
    }
    return drop_spools(session, orphans, err);
}

bool undo_on_source(Session *session, Err *err)
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
    return identity_restore(&ctx, err) && source_jobs_restore(&ctx, err);
}

bool undo_find_way_back(Session *session, bool *found, Err *err)
{
    Run run = {.plan = &session->plan};
    return session_mark(session, &run.journal.mark, err) &&
           way_back_exists(&run, session->source, found, err);
}

bool undo_way_back(Session *session, Err *err)
{
    bool found = false;
    Run run = {.plan = &session->plan,
               .journal = session->journal,
               .source = session->source_endpoint,
               .target = session->target_endpoint,
               .stop = &session->stop,
               .log = {.run = session->plan.name}};
    if (!undo_find_way_back(session, &found, err))
        return false;
    if (!found && run.journal.id == 0)
        return true; /* nothing of it is known; another run's stays */
    if (!way_back_drop(&run, session->source, session->target, err))
        return false;
    if (found)
        printf("dropped the journal of the way back on the source\n");
    return true;
}

/* A failback that did not come to the end of opening the source owes the writers their word. */
static bool writers_home(Session *session, const JournalFence *fence, Err *err)
{
    Run run = {.plan = &session->plan,
               .journal = session->journal,
               .source = session->source_endpoint,
               .target = session->target_endpoint,
               .stop = &session->stop,
               .stream_mutex = PTHREAD_MUTEX_INITIALIZER,
               .log = {.run = session->plan.name}};
    return fence->side != CONN_SOURCE || !text_equal(session->journal.state, RUN_FAILED_BACK) ||
           cutover_writers_home(&run, err);
}

static bool open_closed(Session *session, const JournalFence *fence, Err *err)
{
    Conn *conn = fence->side == CONN_SOURCE ? session->source : session->target;
    if (!fence_database_restore(conn, fence->previous, err) || !writers_home(session, fence, err) ||
        !journal_fence_clear(session->target, session->journal.id, fence->side, err))
        return false;
    fence_renew_others(conn);
    printf("the %s takes writes again\n", conn_side_name(fence->side));
    return true;
}

/* Behind a switch the source stays closed; what stands on the target still is the fence of the
 * cutover, whose engine did not come to take it down. A source that is gone is not opened. */
static bool comes_down(const Session *session, const JournalFence *fence, bool target)
{
    bool switched = text_equal(session->journal.state, RUN_SWITCHED) ||
                    text_equal(session->journal.state, RUN_FINISHED);
    return fence->side == CONN_TARGET ? switched || target : !switched && session->source != NULL;
}

bool undo_closed(Session *session, bool target, Err *err)
{
    JournalFence *fences = NULL;
    size_t count = 0;
    if (session->journal.id == 0)
        return true;
    if (!journal_fences(&session->arena, session->target, session->journal.id, &fences, &count,
                        err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (comes_down(session, &fences[i], target) && !open_closed(session, &fences[i], err))
            return false;
    return true;
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

bool undo_leg_there(Session *session, Run *run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *source = NULL;
    if (!conn_open(&source, &run->source,
                   &(ConnOptions){.purpose = "undo", .lock_timeout_ms = 10000}, err))
        return false;
    LegEnds ends = {
        .leg = run, .from = source, .to = session->target, .arena = &arena, .log = run->log};
    return leg_drop(&ends, false, err);
}

/* What the attempt had armed goes with it; what of it stays is made anew by the next one. */
static void undo_armed(Session *session, Run *run, bool back)
{
    AUTO_ERR Err err = {0};
    if (!back && run->plan->failback.prepare)
        way_back_withdraw(run);
    else if (back && !undo_leg_there(session, run, &err))
        log_err(&run->log, LOG_WARN, &err);
}

bool undo_prepared(Session *session, Err *err)
{
    bool found = false;
    Run run = {0};
    if (session->journal.id == 0 || !text_equal(session->journal.state, RUN_RUNNING))
        return true;
    if (!undo_find_way_back(session, &found, err))
        return false;
    if (!found)
        return true;
    session_run(session, &run);
    log_warn(&run.log,
             "an earlier engine ended between preparing the way back and its first fence: "
             "what it made of it is dropped");
    way_back_withdraw(&run);
    arena_release(&run.arena);
    return true;
}

bool undo_fences(Session *session, Err *err)
{
    bool back = text_equal(session->journal.state, RUN_FAILBACK);
    if (session->journal.id == 0 || (!back && !text_equal(session->journal.state, RUN_CUTOVER)))
        return true;
    if (!session_catalogs(session, err) || !session_same_systems(session, err))
        return false;
    Run run = {0};
    session_run(session, &run);
    run.blueprint = NULL; /* not made yet */
    log_warn(&run.log,
             "an earlier %s ended before the switch and was not taken back: rolling it back",
             back ? "failback" : "cutover");
    bool ok = cutover_rollback(&run, err);
    session->journal = run.journal;
    if (ok && text_equal(run.journal.state, back ? RUN_SWITCHED : RUN_RUNNING))
        undo_armed(session, &run, back);
    return ok;
}
