/*
 * Every statement of a migration fails once: one small migration, from its first statement to its
 * last, by engines of this process one after the other, until one finishes. What then is there is
 * what was there. Cuts and kills: tests/scenario/test_fault_sweep.py.
 */
#include "base/clock.h"
#include "cmd/engine.h"
#include "lib/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static World world;

static const char KEYS[] = "cutover: {approval: {required: false}, gates: {stable_for: 1ms}}\n";

static const char TABLES[] = "SELECT 1";

static const char ROWS[] =
    "CREATE TABLE one (id int PRIMARY KEY, v text);"
    "CREATE TABLE two (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, one int REFERENCES one);"
    "INSERT INTO one SELECT i, 'v' || i FROM generate_series(1, 50) AS i;"
    "INSERT INTO two (one) SELECT i FROM generate_series(1, 50) AS i";

static bool engine(Err *err)
{
    AUTO_SESSION Session session = {0};
    EngineOptions options = {0};
    return session_plan(&session, world.plan_path, err) && engine_run(&session, &options, err);
}

static void every_statement_fails_once(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    size_t engines = 0;
    int64_t began = clock_ms();
    for (bool done = false; !done; engines++) {
        AUTO_ERR Err err = {0};
        size_t before = world_faults(&world);
        int64_t start = clock_ms();
        done = engine(&err);
        print_message("%4zu: %5lld ms, %zu faults, %s: %s\n", engines,
                      (long long)(clock_ms() - start), world_faults(&world) - before,
                      err_code_name(err.code), done ? "" : err.message);
        if (!done && world_faults(&world) == before)
            fail_msg("%s without a fault (%s)", err.message, err.detail);
        if (engines > 2000)
            break;
    }
    print_message("%zu faults, %zu engines, %lld ms\n", world_faults(&world), engines,
                  (long long)(clock_ms() - began));
    assert_true(world_is_same(&world, "one"));
    assert_true(world_is_same(&world, "two"));
}

static int setup(void **state)
{
    (void)state;
    const char *rule = getenv("RULE");
    if (world_setup(&world, rule ? rule : "both:pass:1:0", KEYS, TABLES, ROWS) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    server_script(world.target, "DROP SCHEMA godwit CASCADE"); /* the world's own run */
    AUTO_ARENA Arena arena = {0};
    setenv("SOURCE", arena_strdup(&arena, server_endpoint(CONN_SOURCE, "src").conninfo), 1);
    setenv("TARGET", arena_strdup(&arena, server_endpoint(CONN_TARGET, "dst").conninfo), 1);
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
