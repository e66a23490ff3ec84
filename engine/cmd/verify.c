/*
 * godwit verify PLAN: counts, checksums, differing rows by key; works while replication runs.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "journal/run_state_table.h"
#include "verify/verify.h"

#include <inttypes.h>

typedef struct Outcome {
    size_t relations;
    int64_t differences;
    json_t *json; /* array, NULL for text */
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

static bool verify_one(Session *session, const PlanVerify *entry, const Relation *relation,
                       Outcome *outcome, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    VerifyResult result = {0};
    bool live = text_equal(session->journal.state, RUN_RUNNING) ||
                text_equal(session->journal.state, RUN_CUTOVER);
    VerifySpec spec = {.relation = relation,
                       .method = entry->method,
                       .where = entry->where,
                       .partial = !session->plan.copy.data,
                       .source = session->source,
                       .target = session->target,
                       .run_id = live ? session->journal.id : 0};
    const char *name = name_text(&arena, &relation->source);
    if (!verify_relation(&arena, &spec, &result, err))
        return err_context(err, "could not compare %s", name);
    outcome->relations++;
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
            if (verify_selects(entry, relation) &&
                !verify_one(session, entry, relation, outcome, err))
                return false;
        }
    }
    return true;
}

static void print_outcome(const Outcome *outcome)
{
    if (outcome->json == NULL) {
        printf("%zu relations verified, %" PRId64 " differences\n", outcome->relations,
               outcome->differences);
        return;
    }
    json_t *root = json_pack("{s:i, s:I, s:I, s:O}", "v", 1, "relations_verified",
                             (json_int_t)outcome->relations, "differences",
                             (json_int_t)outcome->differences, "relations", outcome->json);
    AUTO_ARENA Arena arena = {0};
    fputs(jsontext_pretty(&arena, root), stdout);
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

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, true, err) || !session_journal(&session, err) ||
        !session_inspect(&session, err) || !has_all(&session, err))
        return false;
    Outcome outcome = {.json = text_equal(options->format, "json") ? json_array() : NULL};
    bool ok = verify_all(&session, &outcome, err);
    if (ok)
        print_outcome(&outcome);
    json_decref(outcome.json);
    if (!ok)
        return false;
    return outcome.differences == 0 ||
           err_set(err, ERR_DIFFERENCE, "source and target differ in %" PRId64 " rows",
                   outcome.differences);
}

extern const Command COMMAND_VERIFY;
const Command COMMAND_VERIFY = {
    .name = "verify",
    .arguments = "PLAN",
    .summary = "compares source and target, live or still; names differing rows",
    .touches = "reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .formats = "text|json",
    .run = run,
};
