/*
 * Journal: the run, its steps, events, findings and its end. Leaves, parts and lanes: leaf.c;
 * gates, approvals, requests and fences: gate.c.
 */
#include "journal/journal.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "journal/run_state_table.h"
#include "sql_text.h"

static bool presence(Conn *target, bool *control, bool *tombstone, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_PRESENCE, NO_PARAMS, &rows, err))
        return false;
    *control = rows_bool(rows, 0, 0);
    *tombstone = rows_bool(rows, 0, 1);
    return true;
}

bool journal_exists(Conn *target, bool *exists, Err *err)
{
    bool tombstone = false;
    return presence(target, exists, &tombstone, err);
}

bool journal_create(Conn *target, Err *err)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "BEGIN;\n%s\nCOMMIT;", SQL_CONTROL);
    if (!pg_script(target, sql.data, err)) {
        pg_rollback(target);
        return err_context(err, "could not make the journal");
    }
    return true;
}

bool journal_find_run(Arena *arena, Conn *target, const char *name, JournalRun *run, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *run = (JournalRun){0};
    if (!pg_rows(target, SQL_JOURNAL_RUN_FIND, PARAMS(name), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    run->id = rows_int64(rows, 0, 0);
    const char **texts[] = {&run->name,  &run->fingerprint,   &run->canonical,    &run->mark,
                            &run->state, &run->source_system, &run->target_system};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = arena_strdup(arena, rows_text(rows, 0, i + 1));
    run->epoch = rows_int64(rows, 0, 8);
    run->runner = arena_strdup(arena, rows_text(rows, 0, 9));
    run->started_at = arena_strdup(arena, rows_text(rows, 0, 10));
    run->ended_at = arena_strdup(arena, rows_text(rows, 0, 11));
    run->downtime_ms = rows_int64(rows, 0, 12);
    run->pinned = arena_strdup(arena, rows_text(rows, 0, 13));
    return true;
}

bool journal_create_run(Conn *target, JournalRun *run, const char *engine_version, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_RUN_CREATE,
                PARAMS(run->name, run->mark, run->fingerprint, run->canonical, engine_version,
                       run->source_system, run->target_system),
                &rows, err))
        return false;
    run->id = rows_int64(rows, 0, 0);
    run->state = RUN_RUNNING;
    return true;
}

/* \param epoch NULL: whoever has the run */
static bool move(Conn *target, JournalRun *run, const char *to, const char *epoch, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const RunStateEdge *edge = RUN_STATE_EDGES;
    while (edge->from != NULL && !(text_equal(edge->from, run->state) && text_equal(edge->to, to)))
        edge++;
    if (edge->from == NULL)
        BUG("a run cannot go from state %s to %s", run->state, to);
    int64_t affected = 0;
    if (!pg_affected(target, SQL_JOURNAL_RUN_STATE,
                     PARAMS(arena_int64(&arena, run->id), run->state, to, epoch), &affected, err))
        return false;
    if (affected != 1)
        return err_set(err, ERR_STALE,
                       "run \"%s\" is not in state %s any more: another engine %s it", run->name,
                       run->state, epoch == NULL ? "moved" : "has taken");
    run->state = edge->to;
    return true;
}

bool journal_run_state(Conn *target, JournalRun *run, const char *to, Err *err)
{
    return move(target, run, to, NULL, err);
}

bool journal_run_switch(Conn *target, JournalRun *run, const char *to, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return move(target, run, to, arena_int64(&arena, run->epoch), err);
}

bool journal_run_lock(Arena *arena, Conn *target, int64_t run, const char **state, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_RUN_LOCK, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *state = arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool journal_structure(Arena *arena, Conn *target, int64_t run, const char *structure,
                       const char **recorded, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_STRUCTURE, PARAMS(arena_int64(arena, run), structure), &rows,
                err))
        return false;
    *recorded = arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool journal_structure_grow(Conn *target, int64_t run, const char *structure, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_STRUCTURE_GROW, PARAMS(arena_int64(&arena, run), structure),
                   err);
}

bool journal_structure_read(Arena *arena, Conn *target, int64_t run, const char **recorded,
                            Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_STRUCTURE_READ, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *recorded = rows_count(rows) == 0 ? NULL : arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool journal_accept_plan(Conn *target, JournalRun *run, const Plan *plan, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    run->fingerprint = plan->fingerprint;
    run->canonical = plan->canonical;
    return pg_none(target, SQL_JOURNAL_RUN_ACCEPT,
                   PARAMS(arena_int64(&arena, run->id), plan->fingerprint, plan->canonical), err);
}

bool journal_pin(Conn *target, int64_t run, const char *digest, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_RUN_PIN, PARAMS(arena_int64(&arena, run), digest), err);
}

bool journal_switched(Conn *target, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_SWITCHED, PARAMS(arena_int64(&arena, run)), err);
}

bool journal_switched_for(Conn *target, int64_t run, int64_t *ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_SWITCHED_FOR, PARAMS(arena_int64(&arena, run)), &rows, err))
        return false;
    *ms = rows_int64(rows, 0, 0);
    return true;
}

bool journal_forget_steps(Conn *target, int64_t run, const char **steps, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_STEPS_FORGET,
                   PARAMS(arena_int64(&arena, run), jsontext_list(&arena, steps, count)), err);
}

bool journal_downtime(Conn *target, int64_t run, int64_t downtime_ms, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_DOWNTIME,
                   PARAMS(arena_int64(&arena, run), arena_int64(&arena, downtime_ms)), err);
}

bool journal_tombstone(Arena *arena, Conn *target, const char *name, JournalTombstone *tombstone,
                       Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    bool control = false;
    bool exists = false;
    *tombstone = (JournalTombstone){0};
    if (!presence(target, &control, &exists, err))
        return false;
    if (!exists)
        return true;
    if (!pg_rows(target, SQL_JOURNAL_TOMBSTONE, PARAMS(name), &rows, err))
        return false;
    if (rows_count(rows) == 1) {
        tombstone->fingerprint = arena_strdup(arena, rows_text(rows, 0, 0));
        tombstone->outcome = arena_strdup(arena, rows_text(rows, 0, 1));
        tombstone->ended_at = arena_strdup(arena, rows_text(rows, 0, 2));
    }
    return true;
}

static bool bury(Conn *target, int64_t run, const char *outcome, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_none(target, SQL_JOURNAL_TOMBSTONE_ADD, PARAMS(arena_int64(&arena, run), outcome), err))
        return false;
    if (!pg_one(target, "SELECT count(*) FROM godwit.run", NO_PARAMS, &rows, err))
        return false;
    return rows_int64(rows, 0, 0) > 0 || pg_script(target, SQL_CONTROL_DROP, err);
}

bool journal_bury_run(Conn *target, int64_t run, const char *outcome, Err *err)
{
    if (!pg_begin(target, NULL, err))
        return false;
    if (!bury(target, run, outcome, err)) {
        pg_rollback(target);
        return false;
    }
    return pg_commit(target, err);
}

static bool forget(Conn *conn, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_none(conn, SQL_JOURNAL_RUN_FORGET, PARAMS(arena_int64(&arena, run)), err) ||
        !pg_one(conn, "SELECT count(*) FROM godwit.run", NO_PARAMS, &rows, err))
        return false;
    return rows_int64(rows, 0, 0) > 0 ||
           (pg_script(conn, SQL_CONTROL_DROP, err) && pg_script(conn, SQL_CONTROL_FORGET, err));
}

bool journal_forget_run(Conn *conn, int64_t run, Err *err)
{
    if (!pg_begin(conn, NULL, err))
        return false;
    if (!forget(conn, run, err)) {
        pg_rollback(conn);
        return false;
    }
    return pg_commit(conn, err);
}

bool journal_step(Conn *target, int64_t run, const char *step, const char *state,
                  const char *detail, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_STEP, PARAMS(arena_int64(&arena, run), step, state, detail),
                   err);
}

bool journal_settle_step(Conn *target, int64_t run, const char *step, const char *state, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    int64_t affected = 0;
    if (!pg_affected(target, SQL_JOURNAL_STEP_SETTLE,
                     PARAMS(arena_int64(&arena, run), step, state, "by the word of the operator"),
                     &affected, err))
        return false;
    if (affected == 1)
        return true;
    err_set(err, ERR_USAGE, "\"%s\" is not a step whose outcome is unknown", step);
    return err_hint(err, "\"godwit status\" shows those that are running.");
}

bool journal_steps(Conn *target, int64_t run, Rows **rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_rows(target, SQL_JOURNAL_STEPS, PARAMS(arena_int64(&arena, run)), rows, err);
}

bool journal_event(Conn *target, int64_t run, const char *kind, const char *detail, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_EVENT, PARAMS(arena_int64(&arena, run), kind, detail), err);
}

bool journal_finding(Conn *target, int64_t run, const char *code, const char *severity,
                     const char *object, const char *message, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_FINDING,
                   PARAMS(arena_int64(&arena, run), code, severity, object, message), err);
}

bool journal_finding_told(Conn *target, int64_t run, const char *code, const char *object,
                          const char *message, bool *told, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_FINDING_TOLD,
                PARAMS(arena_int64(&arena, run), code, object, message), &rows, err))
        return false;
    *told = rows_bool(rows, 0, 0);
    return true;
}

bool journal_open_findings(Conn *target, int64_t run, const char *code, Rows **rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_rows(target, SQL_JOURNAL_FINDING_OPEN, PARAMS(arena_int64(&arena, run), code), rows,
                   err);
}

bool journal_settle_findings(Conn *target, int64_t run, const char *code, const Name *source,
                             const Name *target_name, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_FINDING_SETTLE,
                   PARAMS(arena_int64(&arena, run), code, name_text(&arena, source),
                          name_text(&arena, target_name)),
                   err);
}

bool journal_metric(Conn *target, int64_t run, const char *json, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_METRIC, PARAMS(arena_int64(&arena, run), json), err);
}

bool journal_verification(Conn *target, int64_t run, const char *id, const Name *relation,
                          int64_t source_rows, int64_t target_rows, int64_t differences, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_VERIFICATION,
                   PARAMS(arena_int64(&arena, run), id, relation->schema, relation->rel,
                          arena_int64(&arena, source_rows), arena_int64(&arena, target_rows),
                          arena_int64(&arena, differences)),
                   err);
}
