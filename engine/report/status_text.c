/*
 * Status: reading and printing.
 */
#include "report/status_text.h"

#include "base/jsontext.h"
#include "base/units.h"
#include "journal/run_state_table.h"
#include "report/progress.h"
#include "step/way_back.h"
#include "sql_text.h"

#include <inttypes.h>

static bool read_steps(Arena *arena, Conn *target, int64_t run, Status *status, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!journal_steps(target, run, &rows, err))
        return false;
    status->step_count = rows_count(rows);
    status->steps = arena_array(arena, StatusStep, status->step_count);
    for (size_t i = 0; i < status->step_count; i++)
        status->steps[i] = (StatusStep){
            .id = arena_strdup(arena, rows_text(rows, i, 0)),
            .state = arena_strdup(arena, rows_text(rows, i, 1)),
            .detail = arena_strdup(arena, rows_text(rows, i, 2)),
            .started_at = arena_strdup(arena, rows_text(rows, i, 3)),
            .seconds = rows_double(rows, i, 4),
        };
    return true;
}

static bool read_gates(Arena *arena, Conn *target, int64_t run, Status *status, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_REPORT_GATES, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    status->gate_count = rows_count(rows);
    status->gates = arena_array(arena, StatusGate, status->gate_count);
    for (size_t i = 0; i < status->gate_count; i++)
        status->gates[i] = (StatusGate){
            .what = arena_strdup(arena, rows_text(rows, i, 0)),
            .when = arena_strdup(arena, rows_text(rows, i, 1)),
            .detail = arena_strdup(arena, rows_text(rows, i, 2)),
        };
    return true;
}

static bool read_conflicts(Arena *arena, Conn *target, int64_t run, Status *status, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_REPORT_CONFLICTS, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    status->conflict_count = rows_count(rows);
    status->conflicts = arena_array(arena, StatusConflict, status->conflict_count);
    for (size_t i = 0; i < status->conflict_count; i++)
        status->conflicts[i] = (StatusConflict){
            .relation = {arena_strdup(arena, rows_text(rows, i, 0)),
                         arena_strdup(arena, rows_text(rows, i, 1))},
            .kind = arena_strdup(arena, rows_text(rows, i, 2)),
            .outcome = arena_strdup(arena, rows_text(rows, i, 3)),
            .count = rows_int64(rows, i, 4),
            .last_key = arena_strdup(arena, rows_text(rows, i, 5)),
            .last_at = arena_strdup(arena, rows_text(rows, i, 6)),
        };
    return true;
}

static bool read_paused(Arena *arena, Conn *target, int64_t run, Status *status, Err *err)
{
    JournalPaused *paused = NULL;
    if (!journal_paused(arena, target, run, &paused, &status->paused_count, err))
        return false;
    status->paused = arena_array(arena, StatusPaused, status->paused_count + 1);
    for (size_t i = 0; i < status->paused_count; i++)
        status->paused[i] = (StatusPaused){.table = name_text(arena, &paused[i].source),
                                           .since = paused[i].since,
                                           .why = paused[i].why,
                                           .remedy = paused[i].remedy};
    return true;
}

static bool read_way_back(Arena *arena, Conn *target, const JournalRun *run, const Plan *plan,
                          Status *status, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!plan->failback.prepare)
        return true;
    StatusWayBack *back = &status->way_back;
    back->slot = way_back_slot(arena, plan->name, run->mark);
    if (!pg_rows(target, SQL_REPORT_WAY_BACK,
                 PARAMS(arena_int64(arena, run->id), back->slot,
                        arena_int64(arena, plan->failback.keep_for_us)),
                 &rows, err))
        return false;
    back->open = rows_count(rows) > 0;
    if (!back->open)
        return true;
    back->active = rows_bool(rows, 0, 0);
    back->retained_bytes = rows_int64(rows, 0, 1);
    back->lag_bytes = rows_int64(rows, 0, 2);
    back->until = arena_strdup(arena, rows_text(rows, 0, 3));
    return true;
}

bool status_read(Arena *arena, Conn *target, const JournalRun *run, const Plan *plan,
                 Status *status, Err *err)
{
    status->run = run;
    return totals_read(arena, target, run->id, &status->totals, err) &&
           run_lock_holder(arena, target, plan->name, &status->holder, err) &&
           read_steps(arena, target, run->id, status, err) &&
           read_gates(arena, target, run->id, status, err) &&
           read_conflicts(arena, target, run->id, status, err) &&
           read_paused(arena, target, run->id, status, err) &&
           read_way_back(arena, target, run, plan, status, err);
}

/* A number of the newest sample, 0 when there is none. */
static json_int_t sample_number(const json_t *sample, const char *key)
{
    return json_integer_value(json_object_get(sample, key));
}

/* Without an engine this is what the last one saw: it says what becomes of a slot that is unread.
 */
static void print_slot_unread(Str *out, const Status *status, const json_t *slot)
{
    AUTO_ARENA Arena arena = {0};
    const json_t *left = json_object_get(slot, "seconds_to_loss_unread");
    int64_t age_us = (int64_t)(status->totals.sample_age_s * 1e6);
    if (json_string_value(json_object_get(slot, "text")) == NULL)
        return;
    str_appendf(out, "slot               unread for %s: it then %s",
                units_interval_text(&arena, age_us),
                json_string_value(json_object_get(slot, "text")));
    if (json_is_integer(left)) {
        int64_t us = json_integer_value(left) * 1000000 - age_us;
        str_appendf(out, "; lost in %s at the rate of then",
                    units_interval_text(&arena, us > 0 ? us : 0));
    }
    str_append_char(out, '\n');
}

static int64_t sample_age_us(const Status *status)
{
    return (int64_t)(status->totals.sample_age_s * 1e6);
}

/* What was true when it was last seen is not said as if it were now. */
static void print_age(Str *out, int64_t age_us)
{
    AUTO_ARENA Arena arena = {0};
    if (progress_is_stale(age_us))
        str_appendf(out, "; last seen %s ago", units_interval_text(&arena, age_us));
}

static void print_slot(Str *out, const Status *status, const json_t *slot)
{
    const char *level = json_string_value(json_object_get(slot, "level"));
    if (level == NULL)
        return;
    const char *server = json_string_value(json_object_get(slot, "server"));
    str_appendf(out, "slot               %s%s%s: it %s", level, server != NULL ? ", on the " : "",
                server != NULL ? server : "", json_string_value(json_object_get(slot, "text")));
    print_age(out, sample_age_us(status) + sample_number(slot, "age_us"));
    str_append_char(out, '\n');
}

/* From when on the numbers of the lag no longer tell how far behind the run is. */
static void print_lag(Str *out, const Status *status, const json_t *sample)
{
    AUTO_ARENA Arena arena = {0};
    int64_t age_us = sample_age_us(status) + sample_number(sample, "head_age_us");
    const char *bytes = units_size_text(&arena, (uint64_t)sample_number(sample, "lag_bytes"));
    const char *time = units_interval_text(&arena, sample_number(sample, "lag_us"));
    if (progress_is_stale(sample_number(sample, "head_age_us")))
        str_appendf(out,
                    "lag                not known: the source does not answer, for %s now; "
                    "before that %s, %s\n",
                    units_interval_text(&arena, age_us), bytes, time);
    else
        str_appendf(out, "lag                %s, %s (%.0f s ago)\n", bytes, time,
                    status->totals.sample_age_s);
}

static void print_spool(Str *out, const json_t *sample)
{
    AUTO_ARENA Arena arena = {0};
    static const char *const WAITS[] = {"", "; it is full: WAL waits on the source",
                                        "; its device is full: WAL waits on the source"};
    json_int_t waits = sample_number(sample, "spool_waits");
    if (sample_number(sample, "spool_bytes") > 0 && waits >= 0 && waits < 3)
        str_appendf(out, "spool              holds %s%s\n",
                    units_size_text(&arena, (uint64_t)sample_number(sample, "spool_bytes")),
                    WAITS[waits]);
}

static void print_sample(Str *out, const Status *status, const json_t *sample)
{
    AUTO_ARENA Arena arena = {0};
    print_slot(out, status, json_object_get(sample, "slot"));
    if (!json_is_true(json_object_get(sample, "replicating")))
        return;
    print_lag(out, status, sample);
    str_appendf(out, "applied            %s, source at %s\n",
                json_string_value(json_object_get(sample, "applied_lsn")),
                json_string_value(json_object_get(sample, "source_lsn")));
    print_spool(out, sample);
    const char *waits_for = json_string_value(json_object_get(sample, "waits_for"));
    if (sample_number(sample, "held") > 0)
        str_appendf(out, "%-19s%" PRId64 " leaves are copied beside the stream\n", "late",
                    (int64_t)sample_number(sample, "held"));
    if (sample_number(sample, "chunks_waiting") > 0)
        str_appendf(out, "%-19s%" PRId64 " are there and not taken in yet\n", "new chunks",
                    (int64_t)sample_number(sample, "chunks_waiting"));
    if (waits_for != NULL)
        str_appendf(out, "%-19sa change of %s, until its rows are copied\n", "waits for",
                    waits_for);
}

/* "running" is what the journal knows last; without an engine nothing runs. */
static const char *step_word(const Status *status, const StatusStep *step)
{
    bool lives = status->holder.pid != 0;
    return !lives && text_equal(step->state, "running") ? "stopped" : step->state;
}

static void print_steps(Str *out, const Status *status)
{
    size_t done = 0;
    for (size_t i = 0; i < status->step_count; i++)
        done += text_equal(status->steps[i].state, "done");
    str_appendf(out, "steps              %zu done of %zu begun\n", done, status->step_count);
    for (size_t i = 0; i < status->step_count; i++) {
        const StatusStep *step = &status->steps[i];
        if (text_equal(step->state, "done"))
            continue;
        str_appendf(out, "  %-8s %s  %.0f s%s%s\n", step_word(status, step), step->id,
                    step->seconds, step->detail != NULL ? "  " : "",
                    step->detail != NULL ? step->detail : "");
    }
}

static void print_conflicts(Str *out, const Status *status)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < status->conflict_count; i++) {
        const StatusConflict *one = &status->conflicts[i];
        str_appendf(out, "  %" PRId64 " of %s, %s, %s; last %s  %s\n", one->count,
                    name_text(&arena, &one->relation), one->kind, one->outcome, one->last_at,
                    one->last_key);
    }
}

static void print_paused(Str *out, const Status *status)
{
    for (size_t i = 0; i < status->paused_count; i++) {
        const StatusPaused *one = &status->paused[i];
        str_appendf(out, "%-18s %s since %s; altered on the source: %.*s\n", "paused", one->table,
                    one->since, (int)strcspn(one->why, "\n"), one->why);
        str_appendf(out, "%-18s %s%s\"godwit resync PLAN %s\" copies it anew\n", "", one->remedy,
                    *one->remedy == '\0' ? "" : " on the target, then ", one->table);
    }
}

static json_t *paused_json(const Status *status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < status->paused_count; i++) {
        const StatusPaused *one = &status->paused[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "table", one->table, "since",
                                              one->since, "why", one->why, "remedy", one->remedy));
    }
    return list;
}

/* Of the leg itself, whether an engine runs or not: its slot holds the target's WAL either way. */
static void print_way_back(Str *out, const StatusWayBack *back)
{
    AUTO_ARENA Arena arena = {0};
    if (!back->open)
        return;
    str_appendf(out, "%-18s open until %s; %s\n", "way back", back->until,
                back->active ? "what the target takes is applied to the source"
                             : "nobody applies what the target takes: \"godwit apply\" does");
    str_appendf(out, "%-18s %s behind; slot %s retains %s of WAL on the target\n", "",
                units_size_text(&arena, (uint64_t)back->lag_bytes), back->slot,
                units_size_text(&arena, (uint64_t)back->retained_bytes));
}

static json_t *way_back_json(const StatusWayBack *back)
{
    return json_pack("{s:s, s:b, s:I, s:I, s:s}", "slot", back->slot, "active", back->active,
                     "lag_bytes", (json_int_t)back->lag_bytes, "retained_bytes",
                     (json_int_t)back->retained_bytes, "until", back->until);
}

/* Since when it is in its state, where the journal has that. */
static void print_run(Str *out, const Status *status)
{
    const Totals *totals = &status->totals;
    const char *since = text_equal(totals->state, RUN_RUNNING)    ? totals->started_at
                        : text_equal(totals->state, RUN_SWITCHED) ? totals->switched_at
                        : text_equal(totals->state, RUN_FINISHED) ? totals->ended_at
                                                                  : NULL;
    str_appendf(out, "run                \"%s\" %.12s, %s%s%s%s%s\n", status->run->name,
                status->run->fingerprint, totals->state, since != NULL ? " since " : "",
                since != NULL ? since : "", since != totals->started_at ? ", begun " : "",
                since != totals->started_at ? totals->started_at : "");
}

static bool target_is_primary(const Totals *totals)
{
    return text_equal(totals->state, RUN_SWITCHED) || text_equal(totals->state, RUN_FAILBACK) ||
           text_equal(totals->state, RUN_FINISHED);
}

static void print_primary(Str *out, const Totals *totals)
{
    const char *more = text_equal(totals->state, RUN_CUTOVER)    ? ", a cutover has begun"
                       : text_equal(totals->state, RUN_FAILBACK) ? ", a failback has begun"
                                                                 : "";
    str_appendf(out, "primary            the %s%s\n",
                target_is_primary(totals) ? "target" : "source", more);
}

static void print_text(Str *out, const Status *status, const json_t *sample)
{
    AUTO_ARENA Arena arena = {0};
    const Totals *totals = &status->totals;
    print_run(out, status);
    print_primary(out, totals);
    if (status->holder.pid != 0)
        str_appendf(out, "engine             runs: session %" PRId64 " of %s from %s\n",
                    status->holder.pid, status->holder.user, status->holder.address);
    else
        str_append(out, "engine             none runs\n");
    str_append(out, totals_text(&arena, totals, -1));
    print_conflicts(out, status);
    print_paused(out, status);
    print_way_back(out, &status->way_back);
    if (status->holder.pid != 0)
        print_sample(out, status, sample);
    else if (text_equal(totals->state, "running"))
        print_slot_unread(out, status, json_object_get(sample, "slot"));
    for (size_t i = 0; i < status->gate_count; i++)
        str_appendf(out, "%-18s %s%s%s\n", status->gates[i].what, status->gates[i].when,
                    status->gates[i].detail != NULL ? "  " : "",
                    status->gates[i].detail != NULL ? status->gates[i].detail : "");
    print_steps(out, status);
}

static json_t *steps_json(const Status *status)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < status->step_count; i++) {
        const StatusStep *step = &status->steps[i];
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s*, s:s*, s:f}", "id", step->id,
                                               "state", step_word(status, step), "detail",
                                               step->detail, "started_at", step->started_at,
                                               "seconds", step->seconds > 0 ? step->seconds : 0.0));
    }
    return steps;
}

static json_t *gates_json(const Status *status)
{
    json_t *gates = json_array();
    for (size_t i = 0; i < status->gate_count; i++)
        json_array_append_new(gates,
                              json_pack("{s:s, s:s, s:s*}", "what", status->gates[i].what, "when",
                                        status->gates[i].when, "detail", status->gates[i].detail));
    return gates;
}

static json_t *conflicts_json(const Status *status)
{
    json_t *conflicts = json_array();
    for (size_t i = 0; i < status->conflict_count; i++) {
        const StatusConflict *one = &status->conflicts[i];
        json_array_append_new(conflicts,
                              json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "schema",
                                        one->relation.schema, "relation", one->relation.rel, "kind",
                                        one->kind, "outcome", one->outcome, "count",
                                        (json_int_t)one->count, "last_key", one->last_key,
                                        "last_at", one->last_at));
    }
    return conflicts;
}

/* Nobody reads a slot whose engine is gone. */
static void mark_unread(const Status *status, json_t *sample)
{
    json_t *slot = json_object_get(sample, "slot");
    if (status->holder.pid == 0 && json_is_true(json_object_get(slot, "active")))
        json_object_set_new(slot, "active", json_false());
}

static void print_json(Str *out, const Status *status, json_t *sample)
{
    const Totals *t = &status->totals;
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s*, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, "
        "s:I, s:o, s:o, s:o, s:O*}",
        "v", 1, "name", status->run->name, "fingerprint", status->run->fingerprint, "state",
        t->state, "started_at", t->started_at, "ended_at", t->ended_at, "engine_runs",
        status->holder.pid != 0, "relations", (json_int_t)t->leaves, "relations_copied",
        (json_int_t)t->leaves_copied, "rows_copied", (json_int_t)t->rows, "bytes_copied",
        (json_int_t)t->bytes, "transactions_applied", (json_int_t)t->transactions,
        "changes_applied", (json_int_t)t->changes, "applied_lsn", lsn_text(t->applied).text,
        "relations_verified", (json_int_t)t->relations_verified, "differences",
        (json_int_t)t->differences, "gates", gates_json(status), "conflicts",
        conflicts_json(status), "steps", steps_json(status), "sample", sample);
    if (status->paused_count > 0)
        json_object_set_new(root, "paused", paused_json(status));
    if (t->switched)
        json_object_set_new(root, "downtime_ms", json_integer(t->downtime_ms));
    if (status->way_back.open)
        json_object_set_new(root, "way_back", way_back_json(&status->way_back));
    json_object_set_new(root, "primary", json_string(target_is_primary(t) ? "target" : "source"));
    if (t->switched_at != NULL && target_is_primary(t))
        json_object_set_new(root, "switched_at", json_string(t->switched_at));
    if (sample != NULL) {
        json_object_set_new(root, "sample_at", json_string(t->sample_at));
        json_object_set_new(root, "sample_age_s", json_real(t->sample_age_s));
    }
    mark_unread(status, sample);
    AUTO_ARENA Arena arena = {0};
    str_append(out, jsontext_pretty(&arena, root));
}

void status_print(Str *out, const Status *status, const char *format)
{
    json_t *sample =
        status->totals.sample != NULL ? json_loads(status->totals.sample, 0, NULL) : NULL;
    if (text_equal(format, "json"))
        print_json(out, status, sample);
    else
        print_text(out, status, sample);
    json_decref(sample);
}
