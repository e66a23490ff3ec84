/*
 * Hold: gathering facts, and the comparison that a pinned plan was written for.
 */
#include "cmd/hold.h"

#include "copy/leaves.h"
#include "journal/run_state_table.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>
#include <unistd.h>

#define MOVES_SHOWN 60

/* --- what is there now --- */

static bool keeps(const Blueprint *blueprint, const Rows *rows, size_t row)
{
    return blueprint_keeps_object(blueprint, (uint32_t)rows_int64(rows, row, 0),
                                  (uint32_t)rows_int64(rows, row, 1));
}

/* \param schemas array literal, NULL: all \param blueprint what it keeps is wanted; NULL: all */
static bool definitions(Arena *arena, Conn *conn, const char *schemas, const Blueprint *blueprint,
                        FactVec *facts, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_CATALOG_DEFINITIONS, PARAMS(schemas), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *definition = rows_text(rows, r, 3);
        if (blueprint == NULL || keeps(blueprint, rows, r))
            facts_add(arena, facts, rows_text(rows, r, 2), definition == NULL ? "" : definition);
    }
    return true;
}

static void server_facts(Arena *arena, const Catalog *catalog, FactVec *facts)
{
    const CatServer *server = &catalog->server;
    facts_add(arena, facts, "server",
              arena_printf(arena, "PostgreSQL %s, %s", conn_version_text(arena, server->version),
                           server->encoding));
}

static const char *schema_list(Arena *arena, const Blueprint *blueprint)
{
    AUTO_STR Str list = {0};
    for (size_t i = 0; i < blueprint->schema_count; i++)
        list_append(&list, blueprint->schemas[i]);
    list_end(&list);
    return str_dup(arena, &list);
}

static bool journal_facts(Arena *arena, Session *session, FactVec *facts, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const JournalRun *run = &session->journal;
    if (run->id == 0) {
        facts_add(arena, facts, "run", "none");
        return true;
    }
    facts_add(
        arena, facts, "run",
        arena_printf(arena, "%" PRId64 ", %s, epoch %" PRId64, run->id, run->state, run->epoch));
    if (!journal_steps(session->target, run->id, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        facts_add(arena, facts, arena_printf(arena, "step %s", rows_text(rows, r, 0)),
                  rows_text(rows, r, 1));
    return true;
}

static bool graph_facts(Arena *arena, const Blueprint *blueprint, FactVec *facts, Err *err)
{
    Graph graph = {0};
    bool ok = graph_build(&graph, STEP_KINDS, blueprint, err);
    for (size_t i = 0; ok && i < graph.count; i++) {
        if (!graph.steps[i]->barrier)
            facts_add(arena, facts, arena_printf(arena, "step %s", graph.steps[i]->id), "");
    }
    graph_release(&graph);
    return ok;
}

static void file_facts(Arena *arena, const Plan *plan, FactVec *facts)
{
    for (size_t i = 0; i < plan->files.count; i++)
        facts_add(arena, facts, plan->files.items[i].path, plan->files.items[i].digest);
    facts_sort(facts);
}

bool hold_facts(Arena *arena, Session *session, PinnedFacts *facts, Err *err)
{
    *facts = (PinnedFacts){0};
    const Blueprint *blueprint = &session->blueprint;
    server_facts(arena, &session->source_catalog, &facts->source);
    server_facts(arena, &session->target_catalog, &facts->target);
    file_facts(arena, &session->plan, &facts->files);
    if (!definitions(arena, session->source, NULL, blueprint, &facts->source, err) ||
        !definitions(arena, session->target, schema_list(arena, blueprint), NULL, &facts->target,
                     err) ||
        !journal_facts(arena, session, &facts->journal, err) ||
        !graph_facts(arena, blueprint, &facts->steps, err))
        return false;
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++)
        facts_sort(pinned_group(facts, group));
    return true;
}

/* --- what moved --- */

static bool stale(Err *err)
{
    return err_hint(err, "Run \"godwit plan --out\" again and have the new one reviewed.");
}

static bool engine_stands(const Pinned *pinned, Err *err)
{
    if (text_equal(pinned->engine, GODWIT_VERSION))
        return true;
    err_set(err, ERR_STALE, "the plan was pinned by godwit %s, this is godwit %s", pinned->engine,
            GODWIT_VERSION);
    return stale(err);
}

/* The text is sealed; what it names is not. */
static bool files_stand(Session *session, Err *err)
{
    const Pinned *pinned = session->pinned;
    FactVec now = {0};
    if (text_equal(pinned->fingerprint, session->plan.fingerprint))
        return true;
    file_facts(&session->arena, &session->plan, &now);
    err_set(err, ERR_STALE, "a file that the plan names changed since the plan was pinned at %s",
            pinned->written_at);
    err_detail(err, "%s", facts_diff(&session->arena, &pinned->facts.files, &now));
    return stale(err);
}

/* The plan file, where it still lies beside the pinned plan, is what people take for the plan. */
static bool plan_stands(Session *session, Err *err)
{
    const Pinned *pinned = session->pinned;
    Plan now = {0};
    PlanFindings findings = {0};
    AUTO_ERR Err invalid = {0};
    if (access(pinned->plan_file, F_OK) != 0)
        return true;
    bool valid = plan_load(&now, pinned->plan_file, &findings, &invalid);
    bool same = valid && text_equal(now.fingerprint, pinned->fingerprint);
    if (!valid) {
        err_set(err, ERR_STALE, "%s changed since the plan was pinned at %s, and is not valid",
                pinned->plan_file, pinned->written_at);
    } else if (!same) {
        err_set(err, ERR_STALE,
                "%s changed since the plan was pinned at %s (%.12s then, %.12s now)",
                pinned->plan_file, pinned->written_at, pinned->fingerprint, now.fingerprint);
        err_detail(err, "%s", plan_diff(&session->arena, pinned->canonical, now.canonical));
    }
    plan_release(&now);
    return same || stale(err);
}

static bool system_stands(const char *side, const char *then, const char *now, Err *err)
{
    if (text_equal(then, now))
        return true;
    err_set(err, ERR_STALE, "the plan was pinned for %s %s, this is %s", side, then, now);
    return stale(err);
}

static bool systems_stand(Session *session, Err *err)
{
    const Pinned *pinned = session->pinned;
    return system_stands("source", pinned->source_system,
                         session_system(&session->arena, &session->source_catalog), err) &&
           system_stands("target", pinned->target_system,
                         session_system(&session->arena, &session->target_catalog), err);
}

typedef struct Moves {
    Str lines;
    Str words; /* "the source and the journal" */
    size_t shown;
    size_t hidden;
} Moves;

static void add_line(Moves *moves, const char *word, const char *line, size_t length)
{
    if (moves->shown == MOVES_SHOWN) {
        moves->hidden++;
        return;
    }
    moves->shown++;
    str_appendf(&moves->lines, "%s%s: %.*s", moves->lines.length > 0 ? "\n" : "", word, (int)length,
                line);
}

/* \param only_new what is gone is no move */
static void add_moves(Moves *moves, const char *word, const char *diff, bool only_new)
{
    size_t before = moves->shown + moves->hidden;
    for (const char *line = diff; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (!only_new || !text_starts_with(line, "gone: "))
            add_line(moves, word, line, length);
        line += length + (line[length] == '\n');
    }
    if (moves->shown + moves->hidden > before)
        str_appendf(&moves->words, "%sthe %s", moves->words.length > 0 ? " and " : "", word);
}

/* What a run changes on the source by itself and takes back at its end. */
static bool is_the_runs(const Session *session, const Fact *fact)
{
    AUTO_ARENA Arena arena = {0};
    return text_starts_with(fact->key, "replica identity of ") ||
           text_starts_with(fact->key,
                            arena_printf(&arena, "index godwit_%s_", session->plan.name));
}

static void without_the_runs(const Session *session, FactVec *facts)
{
    size_t kept = 0;
    for (size_t i = 0; i < facts->count; i++) {
        if (!is_the_runs(session, &facts->items[i]))
            facts->items[kept++] = facts->items[i];
    }
    facts->count = kept;
}

static void find_moves(Session *session, PinnedFacts *then, PinnedFacts *now, Moves *moves)
{
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++)
        add_moves(moves, group->word,
                  facts_diff(&session->arena, pinned_group(then, group), pinned_group(now, group)),
                  false);
}

/* In a run of this very pinned plan, the target and the journal are what the run made of them; but
 * no step may come on top, and the source is still what was reviewed. */
static void find_moves_in_own_run(Session *session, PinnedFacts *then, PinnedFacts *now,
                                  Moves *moves)
{
    without_the_runs(session, &then->source);
    without_the_runs(session, &now->source);
    add_moves(moves, "source", facts_diff(&session->arena, &then->source, &now->source), false);
    add_moves(moves, "graph", facts_diff(&session->arena, &then->steps, &now->steps), true);
}

static bool tell_moves(const Pinned *pinned, Moves *moves, Err *err)
{
    if (moves->lines.length == 0)
        return true;
    if (moves->hidden > 0)
        str_appendf(&moves->lines, "\n... and %zu more", moves->hidden);
    err_set(err, ERR_STALE, "%s changed since the plan was pinned at %s", moves->words.data,
            pinned->written_at);
    err_detail(err, "%s", moves->lines.data);
    return stale(err);
}

static bool facts_stand(Session *session, bool own_run, Err *err)
{
    PinnedFacts now = {0};
    PinnedFacts then = session->pinned->facts;
    Moves moves = {0};
    if (!hold_facts(&session->arena, session, &now, err))
        return false;
    if (own_run)
        find_moves_in_own_run(session, &then, &now, &moves);
    else
        find_moves(session, &then, &now, &moves);
    bool ok = tell_moves(session->pinned, &moves, err);
    str_release(&moves.lines);
    str_release(&moves.words);
    return ok;
}

const char *session_pin(const Session *session)
{
    return session->pinned == NULL ? NULL : session->pinned->digest;
}

bool session_hold(Session *session, Err *err)
{
    const Pinned *pinned = session->pinned;
    if (pinned == NULL)
        return true;
    if (!engine_stands(pinned, err) || !files_stand(session, err) || !plan_stands(session, err) ||
        !systems_stand(session, err))
        return false;
    bool own_run = text_equal(session->journal.pinned, pinned->digest);
    bool past = own_run && (text_equal(session->journal.state, RUN_SWITCHED) ||
                            text_equal(session->journal.state, RUN_FAILED_BACK));
    return past || facts_stand(session, own_run, err);
}
