/*
 * godwit verify PLAN: counts, checksums, differing rows by key; works while replication runs.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/verify_columns.h"
#include "cmd/verify_timescale.h"
#include "cutover/sequences.h"
#include "journal/run_state_table.h"
#include "lob/lob.h"
#include "step/way_back.h"
#include "verify/objects.h"
#include "verify/verify.h"

#include <inttypes.h>

typedef struct Outcome {
    size_t relations;
    int64_t differences;
    int64_t busy; /* rows of which nothing can be said */
    json_t *json; /* array, NULL for text */
    int64_t large_objects;
    json_t *large;  /* NULL: none were looked at */
    json_t *schema; /* the same for objects of the schema */
    json_t *sequences;
    json_t *timescaledb;
    Conn *book;        /* where is written down how far it has come; NULL: nowhere */
    Throttle throttle; /* live */
    Run main;          /* of the way back */
    const Run *back;   /* it is kept: the target is the primary, the source follows; NULL */
} Outcome;

static void print_result(const PlanVerify *entry, const char *name, const VerifyResult *result)
{
    AUTO_ARENA Arena arena = {0};
    printf("%s %s: %" PRId64 " rows on the source, %" PRId64 " on the target, %s%" PRId64
           " differences\n",
           entry->id, name, result->source_rows, result->target_rows,
           result->more ? "at least " : "", result->difference_total);
    if (result->busy > 0)
        printf("  %" PRId64 " rows were written at every look; nothing can be said of them\n",
               result->busy);
    for (size_t i = 0; i < result->difference_count; i++)
        printf("  %s\n", difference_text(&arena, &result->differences[i]));
}

static void add_json(json_t *array, const PlanVerify *entry, const char *name,
                     const VerifyResult *result)
{
    AUTO_ARENA Arena arena = {0};
    json_t *rows = json_array();
    for (size_t i = 0; i < result->difference_count; i++)
        json_array_append_new(rows, json_string(difference_text(&arena, &result->differences[i])));
    json_array_append_new(
        array, json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:o}", "id", entry->id, "relation",
                         name, "source_rows", (json_int_t)result->source_rows, "target_rows",
                         (json_int_t)result->target_rows, "differences",
                         (json_int_t)result->difference_total, "more", (int)result->more, "busy",
                         (json_int_t)result->busy, "rows", rows));
}

/* One difference, and no rows. */
static void tell_apart(Outcome *outcome, const PlanVerify *entry, const char *name,
                       const char *apart)
{
    outcome->relations++;
    outcome->differences++;
    if (outcome->json == NULL)
        printf("%s %s: its rows cannot be compared: %s\n", entry->id, name, apart);
    else
        json_array_append_new(outcome->json,
                              json_pack("{s:s, s:s, s:n, s:n, s:i, s:b, s:i, s:[s]}", "id",
                                        entry->id, "relation", name, "source_rows", "target_rows",
                                        "differences", 1, "more", 0, "busy", 0, "rows", apart));
}

static bool is_live(const Session *session)
{
    return text_equal(session->journal.state, RUN_RUNNING) ||
           text_equal(session->journal.state, RUN_CUTOVER);
}

/* Behind the switch the source may follow the target: what lags then is no difference. Where that
 * cannot be told, or is no whole copy, both are compared as they are. */
static bool find_kept(Session *session, Outcome *outcome, Err *err)
{
    AUTO_ERR Err unknown = {0};
    bool found = false;
    if (!text_equal(session->journal.state, RUN_SWITCHED) || !session->plan.copy.data)
        return true;
    session_run(session, &outcome->main);
    if (!way_back_peek(&outcome->main, session->source, session->target, &found, &unknown)) {
        if (!conn_is_ok(session->source) || !conn_is_ok(session->target) ||
            stop_reason(&session->stop) != STOP_NONE)
            return err_move(err, &unknown);
        log_err(&outcome->main.log, LOG_WARN, &unknown);
    } else if (found) {
        outcome->back = &outcome->main.back->run;
    }
    return true;
}

static const Relation *find_back(const Run *back, const Relation *forth)
{
    const Blueprint *blueprint = back->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (name_equal(&blueprint->relations[i].source, &forth->target))
            return &blueprint->relations[i];
    }
    return NULL;
}

/* Looked at from the target: what is missing there is only there for us, and the other way round.
 */
static void turn_round(VerifyResult *result)
{
    int64_t rows = result->source_rows;
    result->source_rows = result->target_rows;
    result->target_rows = rows;
    for (size_t i = 0; i < result->difference_count; i++) {
        DifferenceKind *kind = &result->differences[i].kind;
        if (*kind == DIFF_MISSING)
            *kind = DIFF_EXTRA;
        else if (*kind == DIFF_EXTRA)
            *kind = DIFF_MISSING;
    }
}

/* Live over the way back, whose lane rows are on the source. */
static bool compare_back(Session *session, const PlanVerify *entry, const Relation *relation,
                         Outcome *outcome, Arena *arena, VerifyResult *result, Err *err)
{
    VerifySpec spec = {.relation = relation,
                       .method = entry->method,
                       .where = entry->where,
                       .source = session->target,
                       .target = session->source,
                       .run_id = outcome->back->journal.id,
                       .throttle = &outcome->throttle};
    if (!verify_relation(arena, &spec, result, err))
        return false;
    turn_round(result);
    return true;
}

/* The step of the same id has notes of its own. */
static VerifyNotes notes_of(Arena *arena, const Session *session, const PlanVerify *entry,
                            const Outcome *outcome)
{
    return (VerifyNotes){.book = outcome->book,
                         .run_id = session->journal.id,
                         .id = arena_printf(arena, "command:%s", entry->id)};
}

/* A session of its own: the others may not write. Without the right to it, a verification that is
 * ended begins from nothing the next time. */
static bool open_book(Session *session, Outcome *outcome, Err *err)
{
    bool may = false;
    if (!is_live(session))
        return true;
    ConnOptions options = {.purpose = "notes", .stop = &session->stop};
    if (!conn_open(&outcome->book, &session->target_endpoint, &options, err) ||
        !verify_may_note(outcome->book, &may, err))
        return false;
    if (!may) {
        conn_close(outcome->book);
        outcome->book = NULL;
    }
    return true;
}

/* All was looked at: the next one begins from nothing. */
static bool close_book(Session *session, Outcome *outcome, Err *err)
{
    for (size_t v = 0; outcome->book != NULL && v < session->plan.verify_count; v++) {
        AUTO_ARENA Arena arena = {0};
        VerifyNotes notes = notes_of(&arena, session, &session->plan.verifies[v], outcome);
        if (!verify_over(&notes, err))
            return false;
    }
    return true;
}

/* Rows that were written at every look get a second while of looks. */
static bool busy_again(Arena *arena, const VerifySpec *spec, VerifyResult *result, Err *err)
{
    VerifyResult again = {0};
    const TouchedKeys keys = result->busy_keys;
    if (result->busy == 0 || keys.overflow)
        return true;
    if (!verify_keys(arena, spec, &keys, &again, err))
        return false;
    result->busy = again.busy;
    result->busy_keys = again.busy_keys;
    result->difference_total += again.difference_total;
    if (result->differences == NULL)
        result->differences = again.differences;
    for (size_t i = 0; i < again.difference_count && result->difference_count < VERIFY_MAX_NAMED;
         i++)
        result->differences[result->difference_count++] = again.differences[i];
    return true;
}

static bool verify_one(Session *session, const PlanVerify *entry, const Relation *relation,
                       Outcome *outcome, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    VerifyResult result = {0};
    bool live = is_live(session);
    VerifyNotes notes = notes_of(&arena, session, entry, outcome);
    VerifySpec spec = {.relation = relation,
                       .method = entry->method,
                       .where = entry->where,
                       .partial = !session->plan.copy.data,
                       .source = session->source,
                       .target = session->target,
                       .run_id = live ? session->journal.id : 0,
                       .notes = outcome->book != NULL ? &notes : NULL,
                       .throttle = live ? &outcome->throttle : NULL};
    const char *name = name_text(&arena, &relation->source);
    const char *apart = verify_columns_apart(&arena, session, relation);
    if (apart != NULL) {
        tell_apart(outcome, entry, name, apart);
        return true;
    }
    const Relation *back = outcome->back == NULL ? NULL : find_back(outcome->back, relation);
    if (!(back == NULL ? verify_relation(&arena, &spec, &result, err) &&
                             busy_again(&arena, &spec, &result, err)
                       : compare_back(session, entry, back, outcome, &arena, &result, err)))
        return err_context(err, "could not compare %s", name);
    outcome->relations++;
    outcome->busy += result.busy;
    outcome->differences += result.difference_total;
    if (outcome->json != NULL)
        add_json(outcome->json, entry, name, &result);
    else
        print_result(entry, name, &result);
    return true;
}

static bool verify_all(Session *session, Outcome *outcome, Err *err)
{
    for (size_t v = 0; v < session->plan.verify_count; v++) {
        const PlanVerify *entry = &session->plan.verifies[v];
        for (size_t r = 0; r < session->blueprint.relation_count; r++) {
            const Relation *relation = &session->blueprint.relations[r];
            if (verify_selects(entry, relation, is_live(session) || outcome->back != NULL) &&
                !verify_one(session, entry, relation, outcome, err))
                return false;
        }
    }
    return true;
}

static void print_outcome(const Outcome *outcome)
{
    if (outcome->json == NULL) {
        printf("%zu relations verified, %" PRId64 " differences", outcome->relations,
               outcome->differences);
        if (outcome->busy > 0)
            printf(", %" PRId64 " rows not compared", outcome->busy);
        putchar('\n');
        return;
    }
    json_t *root =
        json_pack("{s:i, s:I, s:I, s:I, s:O}", "v", 1, "relations_verified",
                  (json_int_t)outcome->relations, "differences", (json_int_t)outcome->differences,
                  "busy", (json_int_t)outcome->busy, "relations", outcome->json);
    if (outcome->large != NULL)
        json_object_set(root, "large_objects", outcome->large);
    if (outcome->schema != NULL)
        json_object_set(root, "schema_objects", outcome->schema);
    if (outcome->sequences != NULL)
        json_object_set(root, "sequences", outcome->sequences);
    if (outcome->timescaledb != NULL)
        json_object_set(root, "timescaledb", outcome->timescaledb);
    AUTO_ARENA Arena arena = {0};
    fputs(jsontext_pretty(&arena, root), stdout);
}

static bool is_switched(const Session *session)
{
    return text_equal(session->journal.state, RUN_SWITCHED) ||
           text_equal(session->journal.state, RUN_FINISHED);
}

static void print_objects(const Lob *lob, Outcome *outcome)
{
    LobTotals totals = lob_totals(lob);
    size_t count = 0;
    const char *const *named = lob_differences(lob, &count);
    outcome->differences += totals.differences;
    outcome->large_objects = totals.compared;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(named[i]));
    outcome->large = json_pack("{s:I, s:I, s:I, s:o}", "compared", (json_int_t)totals.compared,
                               "behind", (json_int_t)totals.behind, "differences",
                               (json_int_t)totals.differences, "objects", list);
    if (outcome->json != NULL || totals.compared == 0)
        return;
    printf("large objects: %" PRId64 " compared, %" PRId64 " differences\n", totals.compared,
           totals.differences);
    if (totals.behind > 0)
        printf("  %" PRId64 " changed on the source since they were copied; they are copied again "
               "before the switch\n",
               totals.behind);
    for (size_t i = 0; i < count; i++)
        printf("  %s\n", named[i]);
}

static bool verify_large_objects(Session *session, Outcome *outcome, Err *err)
{
    Run run = {0};
    Lob *lob = NULL;
    if (session->journal.id == 0 || !session->plan.copy.data)
        return true;
    session_run(session, &run);
    bool ok =
        lob_compare_all(&lob, &run, is_switched(session), session->source, session->target, err);
    if (ok)
        print_objects(lob, outcome);
    lob_free(lob);
    arena_release(&run.arena);
    return ok;
}

static json_t *list_differences(Outcome *outcome, const char *what, size_t compared,
                                const char *const *named, size_t count)
{
    json_t *list = json_array();
    outcome->differences += (int64_t)count;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(named[i]));
    if (outcome->json == NULL)
        printf("%s: %zu compared, %zu differences\n", what, compared, count);
    for (size_t i = 0; outcome->json == NULL && i < count; i++)
        printf("  %s\n", named[i]);
    return json_pack("{s:I, s:I, s:o}", "compared", (json_int_t)compared, "differences",
                     (json_int_t)count, "objects", list);
}

/* The gates wait for all that makes the schema. */
static bool schema_is_made(const Session *session, bool *made, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *made = is_switched(session);
    if (*made || session->journal.id == 0)
        return true;
    if (!journal_steps(session->target, session->journal.id, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        *made = *made || text_equal(rows_text(rows, r, 0), "gates");
    return true;
}

static bool verify_schema(Session *session, Outcome *outcome, Err *err)
{
    bool made = false;
    ObjectsResult result = {0};
    if (!schema_is_made(session, &made, err))
        return false;
    if (!made || session->plan.schema.existing == PLAN_EXISTING_ADOPT)
        return true; /* what is adopted is the user's own */
    if (!objects_compare(&session->arena, &session->blueprint, session->source, session->target,
                         is_switched(session), &result, err))
        return false;
    outcome->schema = list_differences(outcome, "schema objects", result.compared,
                                       result.differences, result.difference_count);
    return true;
}

/* Before the switch the target's sequences are set to nothing yet. */
static bool verify_sequences(Session *session, Outcome *outcome, Err *err)
{
    Run run = {0};
    const char **named = NULL;
    size_t count = 0;
    if (!is_switched(session) || session->blueprint.sequence_count == 0)
        return true;
    session_run(session, &run);
    bool ok = sequences_behind(&session->arena, &run, session->source, session->target, &named,
                               &count, err);
    arena_release(&run.arena);
    if (ok)
        outcome->sequences =
            list_differences(outcome, "sequences", session->blueprint.sequence_count, named, count);
    return ok;
}

/* Nothing is said of it where the plan asks for nothing. */
static bool verify_settings(Session *session, Outcome *outcome, Err *err)
{
    TimescaleResult result = {0};
    if (!verify_timescale(session, &result, err))
        return false;
    if (result.compared > 0)
        outcome->timescaledb = list_differences(outcome, "TimescaleDB", result.compared,
                                                result.differences.items, result.differences.count);
    return true;
}

/* Before a run there is nothing to compare with, unless the plan copies into what is there. */
static bool has_all(const Session *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t r = 0; r < session->blueprint.relation_count; r++) {
        const Relation *relation = &session->blueprint.relations[r];
        if (catalog_relation_named(&session->target_catalog, &relation->target) != NULL)
            continue;
        err_set(err, ERR_RUN, "there is nothing to compare: the target has no %s",
                name_text(&arena, &relation->target));
        return err_hint(err, session->journal.id == 0
                                 ? "There is no run yet: \"godwit apply\" begins one."
                                 : "\"godwit status\" shows how far the run is.");
    }
    return true;
}

static bool compare(Session *session, Outcome *outcome, Err *err)
{
    return open_book(session, outcome, err) && find_kept(session, outcome, err) &&
           verify_all(session, outcome, err) && close_book(session, outcome, err) &&
           verify_large_objects(session, outcome, err) && verify_schema(session, outcome, err) &&
           verify_settings(session, outcome, err) && verify_sequences(session, outcome, err);
}

static void release_outcome(Outcome *outcome)
{
    conn_close(outcome->book);
    way_back_free(outcome->main.back);
    arena_release(&outcome->main.arena);
    json_decref(outcome->json);
    json_decref(outcome->large);
    json_decref(outcome->schema);
    json_decref(outcome->sequences);
    json_decref(outcome->timescaledb);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, true, err) || !session_journal(&session, err) ||
        !session_same_servers(&session, err) || !session_inspect(&session, err) ||
        !has_all(&session, err))
        return false;
    Outcome outcome = {.json = text_equal(options->format, "json") ? json_array() : NULL,
                       .throttle = THROTTLE(session.plan.verify_rows_per_second)};
    bool ok = compare(&session, &outcome, err);
    if (ok)
        print_outcome(&outcome);
    release_outcome(&outcome);
    if (!ok)
        return false;
    if (outcome.differences > 0)
        return err_set(err, ERR_DIFFERENCE,
                       "source and target differ in %" PRId64 " rows or objects",
                       outcome.differences);
    if (outcome.busy == 0)
        return true;
    err_set(err, ERR_GATE, "%" PRId64 " rows could not be compared in time", outcome.busy);
    return err_hint(err, "They were written at every look, or a transaction that writes their "
                         "table has not ended. Nothing else differs. Verify again when less is "
                         "written; the cutover compares them behind the fence.");
}

extern const Command COMMAND_VERIFY;
const Command COMMAND_VERIFY = {
    .name = "verify",
    .arguments = "PLAN",
    .summary = "compares source and target, live or still; names differing rows",
    .touches = "reads both servers; live, notes in the journal how far it is",
    .min_arguments = 1,
    .max_arguments = 1,
    .formats = "text|json",
    .run = run,
};
