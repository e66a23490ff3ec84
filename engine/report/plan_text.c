/*
 * Printing the dry run.
 */
#include "report/plan_text.h"

#include "base/jsontext.h"
#include "report/graph_text.h"

typedef struct StateText {
    const char *symbol;
    const char *word;
} StateText;

static const StateText STATE_TEXTS[] = {
    [OBSERVED_SATISFIED] = {"=", "done"},
    [OBSERVED_NEEDED] = {"+", "to do"},
    [OBSERVED_DRIFTED] = {"!", "differs"},
    [OBSERVED_IMPOSSIBLE] = {"!", "impossible"},
};

size_t plan_changes(const PlannedSteps *planned)
{
    size_t changes = 0;
    for (size_t i = 0; i < planned->count; i++)
        changes += planned->items[i].observation.state != OBSERVED_SATISFIED;
    return changes;
}

static void print_text(Str *out, const Plan *plan, const PlannedSteps *planned)
{
    str_appendf(out, "plan \"%s\" %.12s\n", plan->name, plan->fingerprint);
    StepPhase phase = PHASE_COUNT;
    for (size_t i = 0; i < planned->count; i++) {
        const PlannedStep *item = &planned->items[i];
        if (item->step->kind->phase != phase) {
            phase = item->step->kind->phase;
            str_appendf(out, "\n%s\n", phase_name(phase));
        }
        str_appendf(out, "  %s %s: %s\n", STATE_TEXTS[item->observation.state].symbol,
                    item->step->id, item->description.sentence);
        if (item->observation.reason != NULL)
            str_appendf(out, "      %s\n", item->observation.reason);
    }
    str_appendf(out, "\n%zu steps, %zu to do. + to do, = done, ! differs.\n", planned->count,
                plan_changes(planned));
}

static void print_sql(Str *out, const Plan *plan, const PlannedSteps *planned)
{
    str_appendf(out, "-- plan \"%s\" %.12s: every statement, in an order in which it may run.\n",
                plan->name, plan->fingerprint);
    for (size_t i = 0; i < planned->count; i++) {
        const PlannedStep *item = &planned->items[i];
        str_appendf(out, "\n-- %s (%s): %s\n", item->step->id,
                    STATE_TEXTS[item->observation.state].word, item->description.sentence);
        for (size_t s = 0; s < item->description.sql.count; s++) {
            const StepSql *statement = &item->description.sql.items[s];
            size_t length = strlen(statement->sql);
            while (length > 0 && strchr("; \n", statement->sql[length - 1]) != NULL)
                length--;
            str_appendf(out, "-- on the %s:\n%.*s;\n", conn_side_name(statement->side), (int)length,
                        statement->sql);
        }
    }
}

static json_t *step_json(const PlannedStep *item)
{
    json_t *sql = json_array();
    for (size_t s = 0; s < item->description.sql.count; s++)
        json_array_append_new(sql, json_pack("{s:s, s:s}", "server",
                                             conn_side_name(item->description.sql.items[s].side),
                                             "sql", item->description.sql.items[s].sql));
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:o}", "id", item->step->id, "phase",
                     phase_name(item->step->kind->phase), "state",
                     STATE_TEXTS[item->observation.state].word, "sentence",
                     item->description.sentence, "reason", item->observation.reason, "sql", sql);
}

static void print_json(Str *out, const Plan *plan, const PlannedSteps *planned)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < planned->count; i++)
        json_array_append_new(steps, step_json(&planned->items[i]));
    json_t *root = json_pack("{s:i, s:s, s:s, s:o}", "v", 1, "name", plan->name, "fingerprint",
                             plan->fingerprint, "steps", steps);
    AUTO_ARENA Arena arena = {0};
    str_append(out, jsontext_pretty(&arena, root));
}

void plan_print(Str *out, const Plan *plan, const PlannedSteps *planned, const char *format)
{
    if (text_equal(format, "json"))
        print_json(out, plan, planned);
    else if (text_equal(format, "sql"))
        print_sql(out, plan, planned);
    else
        print_text(out, plan, planned);
}
