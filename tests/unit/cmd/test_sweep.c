/*
 * Every statement of a migration fails once: one small migration, from its first statement to its
 * last, by engines of this process one after the other, until one finishes. Steps that may be tried
 * again are, in their engine. What then is there is what was there, rows that came meanwhile too.
 *
 * Cuts and kills: tests/scenario/test_fault_sweep.py. GODWIT_SWEEP_RULE is another rule.
 */
#include "base/clock.h"
#include "cmd/engine.h"
#include "lib/world.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RULE         "any:pass:1:0"
#define MOST_ENGINES 1000

/* Fewer than were there when this was written: 247 texts. */
#define LEAST_FAULTS 200

static World world;

static const char KEYS[] = "copy: {table_jobs: 1, index_jobs: 1}\n"
                           "cutover: {approval: {required: false}, gates: {stable_for: 1ms}}\n";

static const char ROWS[] =
    "CREATE TABLE one (id int PRIMARY KEY, v text);"
    "CREATE TABLE two (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, one int REFERENCES one);"
    "CREATE INDEX two_one ON two (one);"
    "INSERT INTO one SELECT i, 'v' || i FROM generate_series(1, 50) AS i;"
    "INSERT INTO two (one) SELECT i FROM generate_series(1, 50) AS i";

/* What the application does between two engines. */
static const char WORK[] =
    "WITH new AS (INSERT INTO one SELECT max(id) + 1, 'new' FROM one RETURNING id)"
    " UPDATE one SET v = v || '.' WHERE id % 7 = 3;"
    "INSERT INTO two (one) SELECT max(id) FROM one; DELETE FROM two WHERE id % 11 = 5";

static bool run_engine(Err *err)
{
    AUTO_SESSION Session session = {0};
    EngineOptions options = {0};
    return session_plan(&session, world.plan_path, err) && engine_run(&session, &options, err);
}

static size_t worked; /* how often */

/* A fence refuses an application while it stands, behind the switch for good; the session here is
 * like the engine's own, which it lets in. */
static const char FENCED[] =
    "SELECT EXISTS (SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d"
    " ON d.oid = s.setdatabase AND d.datname = current_database()"
    " WHERE 'default_transaction_read_only=on' = ANY (s.setconfig))";

static void work(void)
{
    if (strcmp(server_value(&world.texts, world.source, FENCED), "t") == 0)
        return;
    server_script(world.source, WORK);
    worked++;
}

/* \return engines */
static size_t run_until_done(void)
{
    for (size_t engines = 1; engines <= MOST_ENGINES; engines++) {
        AUTO_ERR Err err = {0};
        size_t before = world_faults(&world);
        if (run_engine(&err))
            return engines;
        if (getenv("GODWIT_SWEEP_SHOW") != NULL)
            print_message("%zu: %s\n", engines, err.message);
        if (world_faults(&world) == before)
            fail_msg("%s without a fault (%s)", err.message, err.detail);
        work();
    }
    fail_msg("not done after %d engines", MOST_ENGINES);
    return 0;
}

static const char *there(const char *sql)
{
    return server_value(&world.texts, world.target, sql);
}

static void every_statement_fails_once(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    int64_t began = clock_ms();
    size_t engines = run_until_done();
    print_message("%zu statements failed, %zu engines, %zu times rows came meanwhile, %lld s: "
                  "0 lost, 0 twice\n",
                  world_faults(&world), engines, worked, (long long)(clock_ms() - began) / 1000);
    assert_true(world_faults(&world) >= LEAST_FAULTS);
    assert_true(worked > 10);
    assert_true(world_is_same(&world, "one"));
    assert_true(world_is_same(&world, "two"));
    const char *next = "SELECT last_value || ' ' || is_called FROM two_id_seq";
    assert_string_equal(there(next), server_value(&world.texts, world.source, next));
    assert_string_equal(there("SELECT count(*) FROM pg_index WHERE indisvalid AND "
                              "indrelid IN ('one'::regclass, 'two'::regclass)"),
                        "3");
    assert_string_equal(there("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND "
                              "convalidated AND conrelid = 'two'::regclass"),
                        "1");
    assert_string_equal(server_value(&world.texts, world.source,
                                     "SELECT (SELECT count(*) FROM pg_replication_slots) + "
                                     "(SELECT count(*) FROM pg_publication)"),
                        "0");
}

/* The programs themselves: what stands in the PATH may be a script that looks for them. */
static const char *programs(Arena *arena)
{
    glob_t found = {0};
    const char *given = getenv("GODWIT_UNIT_PG_BIN");
    if (given == NULL && glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0)
        given = found.gl_pathv[found.gl_pathc - 1];
    const char *line = given == NULL ? "" : arena_printf(arena, "tools: {pg_bin: %s}\n", given);
    globfree(&found);
    return line;
}

static int setup(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *rule = getenv("GODWIT_SWEEP_RULE");
    const char *keys = arena_printf(&arena, "%s%s", KEYS, programs(&arena));
    if (world_setup(&world, rule != NULL ? rule : RULE, keys, "SELECT 1", ROWS) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    server_script(world.target, "DROP SCHEMA godwit CASCADE"); /* the world's own run */
    setenv("SOURCE", server_endpoint(CONN_SOURCE, "src").conninfo, 1);
    setenv("TARGET", server_endpoint(CONN_TARGET, "dst").conninfo, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return world_teardown(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_fails_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
