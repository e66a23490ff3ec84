/*
 * The schema steps together, on a real server: a schema with everything that is awkward is carried
 * from one database to another step by step in the graph's order; afterwards pg_dump of both sides
 * says the same. Then: a second run changes nothing, `plan` writes nothing and says the same twice,
 * a half-made target is refused by name, and orphans are a warning.
 */
#include "base/process.h"
#include "blueprint/blueprint.h"
#include "graph/build.h"
#include "journal/journal.h"
#include "lib/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const StepKind STEP_EXTENSIONS, STEP_SCHEMA_PRE, STEP_HYPERTABLE, STEP_INDEX,
    STEP_CONSTRAINT, STEP_FOREIGN_KEY, STEP_VALIDATE, STEP_SCHEMA_POST, STEP_MATVIEW,
    STEP_TRIGGERS_LATE;

static const StepKind *const KINDS[] = {&STEP_EXTENSIONS,
                                        &STEP_SCHEMA_PRE,
                                        &STEP_HYPERTABLE,
                                        &STEP_INDEX,
                                        &STEP_CONSTRAINT,
                                        &STEP_FOREIGN_KEY,
                                        &STEP_SCHEMA_POST,
                                        &STEP_VALIDATE,
                                        &STEP_MATVIEW,
                                        &STEP_TRIGGERS_LATE,
                                        NULL};

static const char SCHEMA_FILE[] = "tests/unit/step/awkward.sql";

/* One migration's worth of state over two databases of the server. */
typedef struct Trial {
    Arena arena;
    Plan plan;
    PlanFindings findings;
    Catalog source_catalog;
    Catalog target_catalog;
    Blueprint blueprint;
    Graph graph;
    Stop stop;
    Run run;
    Conn *source;
    Conn *target;
} Trial;

static void must(bool ok, const Err *err)
{
    if (!ok)
        fail_msg("%s (%s)", err->message, err->detail == NULL ? "" : err->detail);
}

static const char *write_plan(Arena *arena)
{
    char *path = arena_strdup(arena, "/tmp/godwit_unit_plan_XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("version: 1\nname: awkward\n"
          "source: {kind: self_hosted, conninfo: host=127.0.0.1}\n"
          "target: {kind: self_hosted, conninfo: host=127.0.0.2}\n"
          "select:\n  schemas: [app, '\"Odd \"\"Schema\"\"\"', '\"TABLE\"', '\"ATTACH\"']\n",
          file);
    fclose(file);
    return path;
}

static const char *tool_path(const char *name)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    static char found[2][256];
    char *place = found[strcmp(name, "pg_dump") == 0];
    const char *const argv[] = {"sh", "-c",
                                "for d in $GODWIT_UNIT_PG_BIN /usr/lib/postgresql/*/bin; do "
                                "[ -x $d/$0 ] && printf %s $d/$0 && exit; done",
                                name, NULL};
    ProcessResult result;
    const ProcessSpec spec = {.argv = argv, .timeout_ms = 5000};
    must(process_run(&arena, &spec, NULL, &result, &err), &err);
    snprintf(place, 256, "%s", result.output);
    return place;
}

static void print_findings(const Trial *trial)
{
    for (size_t i = 0; i < trial->findings.count; i++) {
        if (trial->findings.items[i].is_error)
            print_error("%s\n", trial->findings.items[i].message);
    }
}

static void trial_begin(Trial *trial, const char *source_db, const char *target_db)
{
    AUTO_ERR Err err = {0};
    const char *path = write_plan(&trial->arena);
    bool loaded = plan_load(&trial->plan, path, &trial->findings, &err);
    unlink(path);
    print_findings(trial);
    must(loaded, &err);
    trial->source = server_open(CONN_SOURCE, source_db);
    trial->target = server_open(CONN_TARGET, target_db);
    must(catalog_inspect(&trial->source_catalog, trial->source, &err), &err);
    must(catalog_inspect(&trial->target_catalog, trial->target, &err), &err);
    bool built = blueprint_build(&trial->blueprint, &trial->plan, &trial->source_catalog,
                                 &trial->target_catalog, &trial->findings, &err);
    print_findings(trial);
    must(built, &err);
    must(graph_build(&trial->graph, KINDS, &trial->blueprint, &err), &err);
    must(stop_init(&trial->stop, &err), &err);
    must(journal_create(trial->target, &err), &err);
    trial->run.plan = &trial->plan;
    trial->run.blueprint = &trial->blueprint;
    trial->run.source = server_endpoint(CONN_SOURCE, source_db);
    trial->run.target = server_endpoint(CONN_TARGET, target_db);
    trial->run.stop = &trial->stop;
    trial->run.pg_dump = tool_path("pg_dump");
    trial->run.pg_restore = tool_path("pg_restore");
    trial->run.journal = (JournalRun){.name = "awkward",
                                      .fingerprint = trial->plan.fingerprint,
                                      .canonical = trial->plan.canonical,
                                      .mark = "0a1b2c3d",
                                      .state = "new",
                                      .source_system = "1",
                                      .target_system = "2"};
    must(journal_create_run(trial->target, &trial->run.journal, "test", &err), &err);
}

static void trial_end(Trial *trial)
{
    graph_release(&trial->graph);
    blueprint_release(&trial->blueprint);
    catalog_release(&trial->source_catalog);
    catalog_release(&trial->target_catalog);
    plan_release(&trial->plan);
    conn_close(trial->source);
    conn_close(trial->target);
    stop_release(&trial->stop);
    arena_release(&trial->arena);
}
#define AUTO_TRIAL __attribute__((cleanup(trial_end)))

static StepCtx ctx_of(Trial *trial, const Step *step, Arena *arena)
{
    return (StepCtx){.run = &trial->run,
                     .step = step,
                     .source = trial->source,
                     .target = trial->target,
                     .arena = arena,
                     .log = {.step = step->id}};
}

/* Runs one step as the executor does. \return whether there was something to do */
static bool run_step(Trial *trial, const Step *step)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    StepCtx ctx = ctx_of(trial, step, &arena);
    Observation seen = {0};
    must(step->kind->observe(&ctx, &seen, &err), &err);
    if (seen.state == OBSERVED_SATISFIED)
        return false;
    if (seen.state != OBSERVED_NEEDED)
        fail_msg("%s: %s", step->id, seen.reason);
    if (!step->kind->apply(&ctx, &err))
        fail_msg("%s: %s (%s)", step->id, err.message, err.detail == NULL ? "" : err.detail);
    if (step->kind->verify != NULL) {
        must(step->kind->verify(&ctx, &err), &err);
        return true;
    }
    Observation after = {0};
    must(step->kind->observe(&ctx, &after, &err), &err);
    if (after.state != OBSERVED_SATISFIED)
        fail_msg("%s: ran, but %s", step->id, after.reason == NULL ? "is needed" : after.reason);
    return true;
}

/* \return how many steps had something to do */
static size_t run_all(Trial *trial)
{
    size_t done = 0;
    for (size_t i = 0; i < trial->graph.count; i++)
        done += !trial->graph.steps[i]->barrier && run_step(trial, trial->graph.steps[i]);
    return done;
}

static const char *plan_text(Trial *trial, Arena *arena)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < trial->graph.count; i++) {
        if (trial->graph.steps[i]->barrier)
            continue;
        AUTO_ERR Err err = {0};
        StepCtx ctx = ctx_of(trial, trial->graph.steps[i], arena);
        Description description = {0};
        must(ctx.step->kind->describe(&ctx, &description, &err), &err);
        str_appendf(&text, "%s: %s\n", ctx.step->id, description.sentence);
        for (size_t s = 0; s < description.sql.count; s++)
            str_appendf(&text, "  %s;\n", description.sql.items[s].sql);
    }
    return str_dup(arena, &text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Entries that do not depend on each other stand in the order of their oids: sort them. */
static const char *sorted_entries(Arena *arena, const char *dump)
{
    static const char HEAD[] = "--\n-- Name: ";
    VEC(char *) entries = {0};
    const char *at = strstr(dump, HEAD);
    while (at != NULL) {
        const char *next = strstr(at + 1, HEAD);
        size_t length = next == NULL ? strcspn(at, "\\") : (size_t)(next - at);
        *vec_push(arena, &entries) = arena_memdup(arena, at, length);
        at = next;
    }
    if (entries.count > 1)
        qsort(entries.items, entries.count, sizeof(char *), by_text);
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < entries.count; i++)
        str_append(&text, entries.items[i]);
    return str_dup(arena, &text);
}

/* What pg_dump says of a database, without what is not moved in this version. */
static const char *dump_text(Arena *arena, ConnSide side, const char *dbname)
{
    AUTO_ERR Err err = {0};
    Endpoint endpoint = server_endpoint(side, dbname);
    const char *const argv[] = {tool_path("pg_dump"),
                                "--schema-only",
                                "--no-owner",
                                "--no-privileges",
                                "--no-publications",
                                "--exclude-schema=godwit",
                                "--exclude-schema=other",
                                "--restrict-key=x",
                                endpoint.conninfo,
                                NULL};
    const char *const old_argv[] = {argv[0], argv[1], argv[2], argv[3], argv[4],
                                    argv[5], argv[6], argv[8], NULL};
    ProcessResult result;
    ProcessSpec spec = {.argv = argv, .timeout_ms = 60000};
    must(process_run(arena, &spec, NULL, &result, &err), &err);
    if (result.exit_status != 0) {
        spec.argv = old_argv;
        must(process_run(arena, &spec, NULL, &result, &err), &err);
    }
    if (result.exit_status != 0)
        fail_msg("pg_dump: %s", result.errors);
    return sorted_entries(arena, result.output);
}

static void load_source(const char *dbname)
{
    AUTO_CONN Conn *admin = server_open(CONN_SOURCE, "postgres");
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_ROWS Rows *rows = NULL;
    must(pg_rows(admin, "SELECT FROM pg_database WHERE datname = $1", PARAMS(dbname), &rows, &err),
         &err);
    if (rows_count(rows) > 0)
        return;
    server_script(admin, arena_printf(&arena, "CREATE DATABASE %s", dbname));
    FILE *file = fopen(SCHEMA_FILE, "r");
    assert_non_null(file);
    char *text = arena_alloc(&arena, 65536);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, dbname);
    server_script(conn, "SET search_path = public");
    server_script(conn, text);
}

static void make_target(const char *dbname)
{
    AUTO_CONN Conn *admin = server_open(CONN_TARGET, "postgres");
    AUTO_ARENA Arena arena = {0};
    server_script(admin, arena_printf(&arena, "DROP DATABASE IF EXISTS %s", dbname));
    server_script(admin, arena_printf(&arena, "CREATE DATABASE %s", dbname));
}

static void show_difference(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    print_error("source: ...%.300s\n---\ntarget: ...%.300s\n", left, right);
}

static void everything_arrives_as_it_was(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    load_source("awkward");
    make_target("arrived");
    AUTO_TRIAL Trial trial = {0};
    trial_begin(&trial, "awkward", "arrived");

    const char *before = dump_text(&arena, CONN_TARGET, "arrived");
    const char *first = plan_text(&trial, &arena);
    assert_string_equal(plan_text(&trial, &arena), first);
    assert_string_equal(dump_text(&arena, CONN_TARGET, "arrived"), before);

    assert_true(run_all(&trial) > 20);
    const char *source = dump_text(&arena, CONN_SOURCE, "awkward");
    const char *target = dump_text(&arena, CONN_TARGET, "arrived");
    if (strcmp(source, target) != 0)
        show_difference(source, target);
    assert_true(strcmp(source, target) == 0);
    assert_int_equal(run_all(&trial), 0);
}

static const Step *step_named(const Trial *trial, const char *id)
{
    const Step *step = graph_find(&trial->graph, id);
    if (step == NULL)
        fail_msg("no step %s", id);
    return step;
}

static void run_named(Trial *trial, const char *id, bool expected)
{
    assert_int_equal(run_step(trial, step_named(trial, id)), expected);
}

static Observed observe_named(Trial *trial, Arena *arena, const char *id, const char **reason)
{
    AUTO_ERR Err err = {0};
    StepCtx ctx = ctx_of(trial, step_named(trial, id), arena);
    Observation seen = {0};
    must(ctx.step->kind->observe(&ctx, &seen, &err), &err);
    *reason = seen.reason == NULL ? "" : seen.reason;
    return seen.state;
}

static void objects_in_the_way_are_named(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    const char *reason = NULL;
    load_source("awkward");
    make_target("in_the_way");
    AUTO_TRIAL Trial trial = {0};
    trial_begin(&trial, "awkward", "in_the_way");
    server_script(trial.target, "CREATE SCHEMA app; CREATE TABLE app.child (x int)");
    assert_int_equal(observe_named(&trial, &arena, "schema_pre", &reason), OBSERVED_DRIFTED);
    assert_non_null(strstr(reason, "there: table{app,child}{}; missing: "));
    server_script(trial.target, "DROP TABLE app.child; CREATE FUNCTION app.add(a int, b int) "
                                "RETURNS int LANGUAGE sql AS 'SELECT 1'");
    assert_int_equal(observe_named(&trial, &arena, "schema_pre", &reason), OBSERVED_DRIFTED);
    assert_non_null(strstr(reason, "there: function{app,add}{integer,integer}; missing: table"));
    server_script(trial.target, "DROP FUNCTION app.add");
    assert_int_equal(observe_named(&trial, &arena, "schema_pre", &reason), OBSERVED_NEEDED);
}

/* The engine dies in the middle of the restore: its session goes, and with it all it made. */
static void a_broken_restore_leaves_nothing(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    const char *reason = NULL;
    load_source("awkward");
    make_target("broken");
    AUTO_TRIAL Trial trial = {0};
    trial_begin(&trial, "awkward", "broken");
    server_script(trial.target, "CREATE SCHEMA \"ATTACH\"; CREATE TYPE public.t AS (a int)");
    server_script(trial.target,
                  "CREATE FUNCTION public.cut() RETURNS event_trigger LANGUAGE plpgsql AS "
                  "'BEGIN IF (SELECT count(*) FROM pg_catalog.pg_class WHERE relname LIKE "
                  "''part%'') > 2 THEN PERFORM pg_catalog.pg_terminate_backend("
                  "pg_catalog.pg_backend_pid()); END IF; END';"
                  "CREATE EVENT TRIGGER cut ON ddl_command_end EXECUTE FUNCTION public.cut()");
    AUTO_ERR Err err = {0};
    StepCtx ctx = ctx_of(&trial, step_named(&trial, "schema_pre"), &arena);
    assert_false(ctx.step->kind->apply(&ctx, &err));
    assert_false(conn_is_ok(trial.target));
    conn_close(trial.target);
    trial.target = server_open(CONN_TARGET, "broken");
    server_script(trial.target, "DROP EVENT TRIGGER cut");
    assert_string_equal(
        server_value(
            &arena, trial.target,
            "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text = 'app'"),
        "0");
    assert_int_equal(observe_named(&trial, &arena, "schema_pre", &reason), OBSERVED_NEEDED);
    run_named(&trial, "schema_pre", true);
    run_named(&trial, "schema_pre", false);
}

static void an_invalid_index_is_built_again(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    const char *reason = NULL;
    load_source("awkward");
    make_target("invalid");
    AUTO_TRIAL Trial trial = {0};
    trial_begin(&trial, "awkward", "invalid");
    run_named(&trial, "schema_pre", true);
    server_script(trial.target, "CREATE INDEX cl ON app.ident (note);"
                                "UPDATE pg_catalog.pg_index SET indisvalid = false "
                                "WHERE indexrelid = 'app.cl'::regclass");
    assert_int_equal(observe_named(&trial, &arena, "index:app.cl", &reason), OBSERVED_NEEDED);
    run_named(&trial, "index:app.cl", true);
    assert_string_equal(
        server_value(&arena, trial.target,
                     "SELECT indisvalid AND indisclustered FROM pg_catalog.pg_index "
                     "WHERE indexrelid = 'app.cl'::regclass"),
        "t");
    server_script(trial.target, "CREATE INDEX ri ON app.ident (note)");
    assert_int_equal(observe_named(&trial, &arena, "index:app.ri", &reason), OBSERVED_DRIFTED);
    assert_string_equal(reason, "index app.ri stands on app.ident, not on app.child");
}

static void orphans_are_a_warning(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    load_source("awkward");
    make_target("orphans");
    AUTO_TRIAL Trial trial = {0};
    trial_begin(&trial, "awkward", "orphans");
    run_named(&trial, "schema_pre", true);
    server_script(trial.target, "INSERT INTO app.child VALUES (1, 4711, 'nobody''s')");
    for (size_t i = 0; i < trial.graph.count; i++) {
        const Step *step = trial.graph.steps[i];
        if (!step->barrier && step->kind->phase == PHASE_COPY)
            run_step(&trial, step);
    }
    run_named(&trial, "validate:app.child.child_iid_fkey", true);
    assert_string_equal(server_value(&arena, trial.target,
                                     "SELECT convalidated FROM pg_catalog.pg_constraint WHERE "
                                     "conname = 'child_iid_fkey'"),
                        "f");
    assert_string_equal(
        server_value(&arena, trial.target,
                     "SELECT detail ->> 'constraint' FROM godwit.event WHERE kind = "
                     "'orphans'"),
        "app.child.child_iid_fkey");
    server_script(trial.target, "DELETE FROM app.child");
    run_named(&trial, "validate:app.child.child_iid_fkey", true);
    run_named(&trial, "validate:app.child.child_iid_fkey", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_as_it_was),
        cmocka_unit_test(objects_in_the_way_are_named),
        cmocka_unit_test(a_broken_restore_leaves_nothing),
        cmocka_unit_test(an_invalid_index_is_built_again),
        cmocka_unit_test(orphans_are_a_warning),
    };
    if (server_setup(NULL) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, server_teardown);
    return failed;
}
