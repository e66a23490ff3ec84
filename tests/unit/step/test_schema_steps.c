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
    qsort(entries.items, entries.count, sizeof(char *), by_text);
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < entries.count; i++)
        str_append(&text, entries.items[i]);
    return str_dup(arena, &text);
}

/* What pg_dump says of a database, without what is not moved in this version. */
static const char *dump_text(Arena *arena, const char *dbname)
{
    AUTO_ERR Err err = {0};
    Endpoint endpoint = server_endpoint(CONN_SOURCE, dbname);
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

    const char *before = dump_text(&arena, "arrived");
    const char *first = plan_text(&trial, &arena);
    assert_string_equal(plan_text(&trial, &arena), first);
    assert_string_equal(dump_text(&arena, "arrived"), before);

    assert_true(run_all(&trial) > 20);
    const char *source = dump_text(&arena, "awkward");
    const char *target = dump_text(&arena, "arrived");
    if (strcmp(source, target) != 0)
        show_difference(source, target);
    assert_true(strcmp(source, target) == 0);
    assert_int_equal(run_all(&trial), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_as_it_was),
    };
    if (server_setup(NULL) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, server_teardown);
    return failed;
}
