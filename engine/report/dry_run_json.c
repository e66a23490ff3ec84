/*
 * A dry run as JSON, and back.
 */
#include "report/dry_run.h"

#define VERSION 1

static const char *const WORK_NAMES[WORK_COUNT] = {
    [WORK_NONE] = "none", [WORK_COPY] = "copy", [WORK_INDEX] = "index", [WORK_VERIFY] = "verify"};

/* --- out --- */

static json_t *sql_json(const StepSqlVec *sql)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sql->count; i++)
        json_array_append_new(array,
                              json_pack("{s:s, s:s}", "server", conn_side_name(sql->items[i].side),
                                        "sql", sql->items[i].sql));
    return array;
}

static json_t *parts_json(const StepPartsVec *parts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < parts->count; i++)
        json_array_append_new(array, json_pack("{s:s, s:I, s:s}", "relation", parts->items[i].leaf,
                                               "parts", (json_int_t)parts->items[i].count, "reason",
                                               parts->items[i].reason));
    return array;
}

static json_t *findings_json(const DryStep *step)
{
    json_t *array = json_array();
    for (size_t i = 0; i < step->findings.count; i++) {
        const DryFinding *f = &step->findings.items[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "code", f->code,
                                        "severity", f->severity, "server", f->server, "object",
                                        f->object, "message", f->message, "remedy", f->remedy));
    }
    return array;
}

static double seconds(int64_t us)
{
    return (double)(us / 1000) / 1000.0;
}

static json_t *estimate_json(const DryStep *step)
{
    if (step->estimate.work == WORK_NONE)
        return NULL;
    json_t *json =
        json_pack("{s:s, s:I, s:f}", "work", WORK_NAMES[step->estimate.work], "bytes",
                  (json_int_t)step->estimate.bytes, "seconds", seconds(dry_step_us(step)));
    if (step->estimate.rows >= 0)
        json_object_set_new(json, "rows", json_integer((json_int_t)step->estimate.rows));
    return json;
}

static json_t *position_json(const DryRun *dry, const DryStep *step)
{
    if (step->pos.line == 0)
        return NULL;
    return json_pack("{s:s, s:I, s:I}", "file", dry->path, "line", (json_int_t)step->pos.line,
                     "column", (json_int_t)step->pos.column);
}

static json_t *step_json(const DryRun *dry, const DryStep *step)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:o*, s:o*, s:o, s:o, s:o}", "id", step->id,
                     "kind", step->kind, "phase", step->phase, "state", dry_state_name(step->state),
                     "sentence", step->sentence, "reason", step->reason, "position",
                     position_json(dry, step), "estimate", estimate_json(step), "parts",
                     parts_json(&step->parts), "findings", findings_json(step), "sql",
                     sql_json(&step->sql));
}

/* What is estimated, and by which assumption. */
static json_t *totals_json(const DryRun *dry)
{
    json_t *totals = json_object();
    for (StepWork work = WORK_NONE + 1; work < WORK_COUNT; work++) {
        DryTotal total = dry_run_total(dry, work);
        json_t *json = json_pack("{s:I, s:I, s:f, s:I, s:I}", "steps", (json_int_t)total.steps,
                                 "bytes", (json_int_t)total.bytes, "seconds", seconds(total.us),
                                 "assumed_bytes_per_second",
                                 (json_int_t)dry_assumption(work)->bytes_per_second, "jobs",
                                 (json_int_t)dry->jobs[work]);
        if (total.rows >= 0)
            json_object_set_new(json, "rows", json_integer((json_int_t)total.rows));
        json_object_set_new(totals, WORK_NAMES[work], json);
    }
    return totals;
}

json_t *dry_run_json(const DryRun *dry)
{
    json_t *drift = json_array();
    for (size_t i = 0; i < dry->drift.count; i++)
        json_array_append_new(drift, json_string(dry->drift.items[i]));
    json_t *steps = json_array();
    for (size_t i = 0; i < dry->steps.count; i++)
        json_array_append_new(steps, step_json(dry, &dry->steps.items[i]));
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o}", "v", VERSION,
                     "name", dry->name, "fingerprint", dry->fingerprint, "path", dry->path,
                     "source", dry->source, "target", dry->target, "run", dry->run, "to_do",
                     (json_int_t)dry_run_changes(dry), "drift", drift, "totals", totals_json(dry),
                     "steps", steps);
}

/* --- in --- */

static const char *text_of(Arena *arena, const json_t *json, const char *key)
{
    return arena_strdup(arena, json_string_value(json_object_get(json, key)));
}

/* For what must be there. */
static const char *need_text(Arena *arena, const json_t *json, const char *key, Err *err)
{
    const char *text = text_of(arena, json, key);
    if (text == NULL && !err_is_set(err))
        err_set(err, ERR_PLAN, "a dry run without a text \"%s\"", key);
    return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *json, const char *key, int64_t otherwise)
{
    const json_t *number = json_object_get(json, key);
    return json_is_integer(number) ? (int64_t)json_integer_value(number) : otherwise;
}

static void parse_sql(Arena *arena, const json_t *array, StepSqlVec *sql, Err *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        bool source =
            text_equal(need_text(arena, json, "server", err), conn_side_name(CONN_SOURCE));
        *vec_push(arena, sql) = (StepSql){.side = source ? CONN_SOURCE : CONN_TARGET,
                                          .sql = need_text(arena, json, "sql", err)};
    }
}

static void parse_parts(Arena *arena, const json_t *array, StepPartsVec *parts, Err *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        *vec_push(arena, parts) = (StepParts){.leaf = need_text(arena, json, "relation", err),
                                              .count = (size_t)number_of(json, "parts", 1),
                                              .reason = need_text(arena, json, "reason", err)};
    }
}

static void parse_findings(Arena *arena, const json_t *array, DryStep *step, Err *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        *vec_push(arena, &step->findings) = (DryFinding){
            .code = need_text(arena, json, "code", err),
            .severity = need_text(arena, json, "severity", err),
            .server = need_text(arena, json, "server", err),
            .object = need_text(arena, json, "object", err),
            .message = need_text(arena, json, "message", err),
            .remedy = need_text(arena, json, "remedy", err),
        };
    }
}

static StepEstimate parse_estimate(Arena *arena, const json_t *json)
{
    StepEstimate estimate = {0};
    const char *work = text_of(arena, json, "work");
    for (StepWork w = WORK_NONE; work != NULL && w < WORK_COUNT; w++) {
        if (strcmp(work, WORK_NAMES[w]) == 0)
            estimate.work = w;
    }
    estimate.rows = number_of(json, "rows", -1);
    estimate.bytes = (uint64_t)number_of(json, "bytes", 0);
    return estimate;
}

static DryState parse_state(const char *text)
{
    DryState state = DRY_CREATE;
    while (state < DRY_FINDING && strcmp(dry_state_name(state), text) != 0)
        state++;
    return state;
}

static void parse_step(Arena *arena, const json_t *json, DryStep *step, Err *err)
{
    const json_t *position = json_object_get(json, "position");
    *step = (DryStep){
        .id = need_text(arena, json, "id", err),
        .kind = need_text(arena, json, "kind", err),
        .phase = need_text(arena, json, "phase", err),
        .state = parse_state(need_text(arena, json, "state", err)),
        .sentence = need_text(arena, json, "sentence", err),
        .reason = text_of(arena, json, "reason"),
        .pos = {.line = (uint32_t)number_of(position, "line", 0),
                .column = (uint32_t)number_of(position, "column", 0)},
        .estimate = parse_estimate(arena, json_object_get(json, "estimate")),
    };
    parse_sql(arena, json_object_get(json, "sql"), &step->sql, err);
    parse_parts(arena, json_object_get(json, "parts"), &step->parts, err);
    parse_findings(arena, json_object_get(json, "findings"), step, err);
}

bool dry_run_parse(Arena *arena, const json_t *json, DryRun *dry, Err *err)
{
    *dry = (DryRun){
        .name = need_text(arena, json, "name", err),
        .fingerprint = need_text(arena, json, "fingerprint", err),
        .path = need_text(arena, json, "path", err),
        .source = need_text(arena, json, "source", err),
        .target = need_text(arena, json, "target", err),
        .run = need_text(arena, json, "run", err),
    };
    const json_t *totals = json_object_get(json, "totals");
    for (StepWork work = WORK_NONE + 1; work < WORK_COUNT; work++)
        dry->jobs[work] = (uint32_t)number_of(json_object_get(totals, WORK_NAMES[work]), "jobs", 1);
    const json_t *drift = json_object_get(json, "drift");
    for (size_t i = 0; i < json_array_size(drift); i++) {
        const char *line = json_string_value(json_array_get(drift, i));
        *vec_push(arena, &dry->drift) = arena_strdup(arena, line == NULL ? "" : line);
    }
    const json_t *steps = json_object_get(json, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++)
        parse_step(arena, json_array_get(steps, i), vec_push(arena, &dry->steps), err);
    return !err_is_set(err);
}
