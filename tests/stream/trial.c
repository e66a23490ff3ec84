/*
 * Trial: drives the stream alone, for tests. Slot, publication and tables must be there; the run,
 * its epoch and its lane row are made here.
 *
 *     stream_trial PLAN SLOT PUBLICATION [SYNC_LSN]
 *
 * Commands come by lines on standard input, each is answered by one line of JSON:
 * applied LSN TIMEOUT_MS | marker NONCE TIMEOUT_MS | wait NONCE TIMEOUT_MS | emit NONCE |
 * after NONCE | status | memory | touched SCHEMA.RELATION | stop. A command that fails answers
 * {"error": CODE, "message": ...}. The exit status is that of the error that ended the stream.
 */
#include "base/log.h"
#include "base/str.h"
#include "blueprint/blueprint.h"
#include "cdc/stream.h"
#include "journal/journal.h"
#include "pg/query.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Trial {
    Arena arena;
    Plan plan;
    Catalog source_catalog;
    Catalog target_catalog;
    Blueprint blueprint;
    Endpoint source;
    Endpoint target;
    JournalRun run;
    Stop stop;
    StreamSpec spec;
    Budget budget;
    Stream *stream;
    Conn *source_conn;
} Trial;

static void answer(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    printf("%s\n", text);
    fflush(stdout);
    free(text);
    json_decref(object);
}

static void answer_error(const Err *err)
{
    answer(json_pack("{s:s, s:s, s:s, s:s}", "error", err_code_name(err->code), "message",
                     err->message, "detail", err->detail != NULL ? err->detail : "", "hint",
                     err->hint != NULL ? err->hint : ""));
}

static Endpoint endpoint(ConnSide side, const PlanEndpoint *plan, const char *run)
{
    return (Endpoint){.side = side,
                      .conninfo =
                          plan->conninfo_env != NULL ? getenv(plan->conninfo_env) : plan->conninfo,
                      .passfile = plan->passfile,
                      .run = run};
}

static bool make_blueprint(Trial *trial, const char *path, Err *err)
{
    PlanFindings findings = {0};
    bool ok = plan_load(&trial->plan, path, &findings, err);
    if (ok) {
        trial->source = endpoint(CONN_SOURCE, &trial->plan.source, trial->plan.name);
        trial->target = endpoint(CONN_TARGET, &trial->plan.target, trial->plan.name);
        AUTO_CONN Conn *target = NULL;
        ConnOptions options = {.purpose = "trial"};
        ok = conn_open(&trial->source_conn, &trial->source, &options, err) &&
             conn_open(&target, &trial->target, &options, err) &&
             catalog_inspect(&trial->source_catalog, trial->source_conn, err) &&
             catalog_inspect(&trial->target_catalog, target, err) &&
             blueprint_build(&trial->blueprint, &trial->plan, &trial->source_catalog,
                             &trial->target_catalog, &findings, err);
    }
    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%s\n",
                plan_finding_text(&trial->arena, &trial->plan, &findings.items[i], COLOR_NOWHERE));
    return ok;
}

static bool make_run(Trial *trial, const char *slot, Err *err)
{
    AUTO_CONN Conn *target = NULL;
    AUTO_ROWS Rows *rows = NULL;
    ConnOptions options = {.purpose = "trial"};
    if (!conn_open(&target, &trial->target, &options, err) || !journal_create(target, err) ||
        !journal_find_run(&trial->arena, target, trial->plan.name, &trial->run, err))
        return false;
    if (trial->run.id == 0) {
        trial->run = (JournalRun){.name = trial->plan.name,
                                  .fingerprint = trial->plan.fingerprint,
                                  .canonical = trial->plan.canonical,
                                  .mark = "0123abcd",
                                  .state = "running",
                                  .source_system = "1",
                                  .target_system = "2"};
        if (!journal_create_run(target, &trial->run, "trial", err))
            return false;
    }
    if (!pg_one(trial->source_conn,
                "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1",
                PARAMS(slot), &rows, err))
        return false;
    return journal_lane_create(target, trial->run.id, 0, rows_lsn(rows, 0, 0), err) &&
           journal_take_epoch(target, trial->run.id, &trial->run.epoch, err);
}

static bool start(Trial *trial, char **argv, const char *sync_lsn, Err *err)
{
    Lsn sync = 0;
    if (sync_lsn != NULL && !lsn_parse(sync_lsn, &sync, err))
        return false;
    Lsn *sync_lsns = arena_array(&trial->arena, Lsn, trial->blueprint.leaf_count);
    for (size_t i = 0; i < trial->blueprint.leaf_count; i++)
        sync_lsns[i] = sync;
    BudgetNeeds needs = plan_budget_needs(&trial->plan, trial->blueprint.leaf_count);
    if (!budget_begin(&trial->budget, trial->plan.memory_bytes, &needs))
        return err_set(err, ERR_RUN, "limits.memory is too small");
    trial->spec = (StreamSpec){.blueprint = &trial->blueprint,
                               .source = &trial->source,
                               .target = &trial->target,
                               .slot_name = argv[2],
                               .publications = argv[3],
                               .run_mark = "godwit trial",
                               .run_id = trial->run.id,
                               .epoch = trial->run.epoch,
                               .sync_lsn = sync_lsns,
                               .spool_owner = "trial\n",
                               .receive_only = getenv("TRIAL_RECEIVE_ONLY") != NULL,
                               .stop = &trial->stop,
                               .budget = &trial->budget,
                               .log = {.run = trial->plan.name}};
    return stream_start(&trial->stream, &trial->spec, err);
}

static void answer_status(Trial *trial)
{
    StreamStatus s;
    stream_status(trial->stream, &s);
    answer(json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:s?, s:I, s:i, "
        "s:s}",
        "received", lsn_text(s.received).text, "applied", lsn_text(s.applied).text, "reported",
        lsn_text(s.reported).text, "source_head", lsn_text(s.source_head).text, "lag_bytes",
        (json_int_t)s.lag_bytes, "lag_us", (json_int_t)s.lag_us, "transactions",
        (json_int_t)s.transactions, "changes", (json_int_t)s.changes, "skipped",
        (json_int_t)s.skipped, "conflicts", (json_int_t)s.conflicts, "retained_bytes",
        (json_int_t)s.retained_bytes, "failed", (int)s.failed, "caught_up_once",
        (int)s.caught_up_once, "held", (json_int_t)s.held, "waits_for",
        s.waits_for != NULL ? s.waits_for->source.rel : NULL, "spool_bytes",
        (json_int_t)s.spool.bytes, "spool_pressure", (int)s.spool.pressure, "spool_durable",
        lsn_text(s.spool.durable).text));
}

/* Of every share: its limit, its peak; and what passed beside them. */
static void answer_memory(const Trial *trial)
{
    const Budget *budget = &trial->budget;
    json_t *shares = json_object();
    for (size_t i = 0; i < BUDGET_USES; i++)
        json_object_set_new(shares, budget_use_name((BudgetUse)i),
                            json_pack("[I, I]", (json_int_t)budget->shares[i].limit,
                                      (json_int_t)atomic_load(&budget->shares[i].peak)));
    answer(json_pack("{s:I, s:I, s:I, s:o}", "limit", (json_int_t)budget->limit, "fixed",
                     (json_int_t)budget->fixed, "beside",
                     (json_int_t)atomic_load(&budget->beside_peak), "shares", shares));
}

static void answer_touched(Trial *trial, const char *text)
{
    AUTO_ARENA Arena arena = {0};
    Name name;
    Relation *relation =
        name_parse(&arena, text, &name) ? blueprint_relation(&trial->blueprint, &name) : NULL;
    if (relation == NULL) {
        answer(json_pack("{s:s, s:s}", "error", "trial", "message", "no such relation"));
        return;
    }
    TouchedKeys keys;
    stream_touched_take(&arena, trial->stream, relation, &keys);
    json_t *list = json_array();
    for (size_t i = 0; i < keys.count * (relation->key != NULL ? relation->key->count : 0); i++)
        json_array_append_new(list, json_string(keys.values[i]));
    answer(json_pack("{s:b, s:o}", "overflow", (int)keys.overflow, "keys", list));
}

/* hold, sync LSN, release: all leaves of a relation. */
static bool hold(Trial *trial, const char *verb, const char *what, const char *lsn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Name name;
    Lsn sync = 0;
    Relation *relation =
        name_parse(&arena, what, &name) ? blueprint_relation(&trial->blueprint, &name) : NULL;
    if (relation == NULL)
        return err_set(err, ERR_USAGE, "no such relation");
    if (lsn != NULL && !lsn_parse(lsn, &sync, err))
        return false;
    for (size_t i = 0; i < relation->leaf_count; i++) {
        const Leaf *leaf = relation->leaves[i];
        bool ok = strcmp(verb, "hold") == 0   ? stream_leaf_hold(trial->stream, leaf, err)
                  : strcmp(verb, "sync") == 0 ? stream_leaf_sync(trial->stream, leaf, sync, err)
                                              : stream_leaf_release(trial->stream, leaf, err);
        if (!ok)
            return false;
    }
    return true;
}

static bool wait_applied(Trial *trial, const char *text, int timeout_ms, Err *err)
{
    Lsn lsn = 0;
    return lsn_parse(text, &lsn, err) && stream_wait_applied(trial->stream, lsn, timeout_ms, err);
}

static bool emit(Trial *trial, const char *nonce, Err *err)
{
    AUTO_CONN Conn *source = NULL;
    ConnOptions options = {.purpose = "trial"};
    Lsn lsn = 0;
    return conn_open(&source, &trial->source, &options, err) &&
           stream_marker_emit(source, trial->spec.run_mark, nonce, &lsn, err);
}

/* \return false to end */
static bool command(Trial *trial, char *line)
{
    AUTO_ERR Err err = {0};
    char *save = NULL;
    const char *verb = strtok_r(line, " \n", &save);
    const char *what = strtok_r(NULL, " \n", &save);
    const char *time = strtok_r(NULL, " \n", &save);
    int timeout_ms = time != NULL ? atoi(time) : 60000;
    bool ok = true;
    if (verb == NULL || strcmp(verb, "stop") == 0)
        return false;
    if (strcmp(verb, "status") == 0) {
        answer_status(trial);
        return true;
    }
    if (strcmp(verb, "memory") == 0) {
        answer_memory(trial);
        return true;
    }
    if (strcmp(verb, "touched") == 0) {
        answer_touched(trial, what);
        return true;
    }
    if (strcmp(verb, "after") == 0) {
        answer(json_pack("{s:I}", "changes", (json_int_t)stream_after_marker(trial->stream, what)));
        return true;
    }
    if (strcmp(verb, "applied") == 0)
        ok = wait_applied(trial, what, timeout_ms, &err);
    else if (strcmp(verb, "emit") == 0)
        ok = emit(trial, what, &err);
    else if (strcmp(verb, "wait") == 0)
        ok = stream_wait_marker(trial->stream, what, timeout_ms, &err);
    else if (strcmp(verb, "hold") == 0 || strcmp(verb, "sync") == 0 || strcmp(verb, "release") == 0)
        ok = hold(trial, verb, what, time, &err);
    else if (strcmp(verb, "marker") == 0)
        ok = emit(trial, what, &err) && stream_wait_marker(trial->stream, what, timeout_ms, &err);
    else
        ok = err_set(&err, ERR_USAGE, "unknown command");
    if (ok)
        answer(json_pack("{s:b}", "ok", 1));
    else
        answer_error(&err);
    return true;
}

static bool run(Trial *trial, int argc, char **argv, Err *err)
{
    if (!stop_init(&trial->stop, err) || !make_blueprint(trial, argv[1], err) ||
        !make_run(trial, argv[2], err) || !start(trial, argv, argc > 4 ? argv[4] : NULL, err))
        return false;
    answer(json_pack("{s:b}", "ok", 1));
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0 && command(trial, line))
        continue;
    free(line);
    Stream *stream = trial->stream;
    trial->stream = NULL;
    return stream_stop(stream, err);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    log_init(text_equal(getenv("TRIAL_DEBUG"), "1") ? LOG_DEBUG : LOG_INFO, false);
    AUTO_ERR Err err = {0};
    Trial trial = {.stop = {.fd = -1}};
    bool ok = run(&trial, argc, argv, &err);
    if (ok)
        answer(json_pack("{s:b}", "ok", 1));
    else
        answer_error(&err);
    conn_close(trial.source_conn);
    blueprint_release(&trial.blueprint);
    catalog_release(&trial.source_catalog);
    catalog_release(&trial.target_catalog);
    plan_release(&trial.plan);
    stop_release(&trial.stop);
    arena_release(&trial.arena);
    return ok ? 0 : err_exit_status(err.code);
}
