/*
 * plan_diff: what a person is told when a plan was edited between two runs.
 */
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct DiffCase {
    const char *before;
    const char *after;
    const char *expected;
} DiffCase;

static void changes_are_listed_one_a_line(void **state)
{
    (void)state;
    static const DiffCase CASES[] = {
        {"{}", "{}", ""},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ""},
        {"{\"copy\":{\"table_jobs\":4}}", "{\"copy\":{\"table_jobs\":8}}",
         "copy.table_jobs: 4 -> 8\n"},
        {"{\"b\":true,\"a\":\"x y\"}", "{\"b\":false,\"a\":null}",
         "a: x y -> (none)\nb: true -> false\n"},
        {"{\"a\":\"x\"}", "{\"a\":\"x\",\"z\":{\"k\":1}}", "z: (none) -> {\"k\": 1}\n"},
        {"{\"r\":[\"a\",\"b\"]}", "{\"r\":[\"a\"]}", "r: [\"a\", \"b\"] -> [\"a\"]\n"},
        {"{\"v\":[{\"id\":\"a\",\"m\":1},{\"id\":\"b\",\"m\":1}]}",
         "{\"v\":[{\"id\":\"c\",\"m\":3},{\"id\":\"b\",\"m\":2}]}",
         "v[a]: {\"id\": \"a\", \"m\": 1} -> (none)\nv[b].m: 1 -> 2\n"
         "v[c]: (none) -> {\"id\": \"c\", \"m\": 3}\n"},
        {"{\"v\":[{\"match\":\"a\"},{\"match\":\"b\"}]}",
         "{\"v\":[{\"match\":\"b\"},{\"match\":\"a\"}]}", "v: the order changed\n"},
        {"{\"a\":\"x\\u001b[2J\"}", "{\"a\":\"y\"}", "a: x\\x1b[2J -> y\n"},
        {"not json", "{}", "the recorded plan cannot be read\n"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        AUTO_ARENA Arena arena = {0};
        assert_string_equal(plan_diff(&arena, CASES[i].before, CASES[i].after), CASES[i].expected);
    }
}

static void two_real_plans_differ_where_they_do(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    Plan minimal = {0};
    Plan odd = {0};
    PlanFindings findings;
    assert_true(plan_load(&minimal, "tests/plans/good/minimal.yaml", &findings, &err));
    assert_true(plan_load(&odd, "tests/plans/good/odd_text.yaml", &findings, &err));
    assert_string_equal(plan_diff(&arena, minimal.canonical, minimal.canonical), "");
    const char *diff = plan_diff(&arena, minimal.canonical, odd.canonical);
    assert_non_null(strstr(diff, "name: metrics -> _odd_\n"));
    assert_non_null(strstr(diff, "hypertables[public.metrics]: {"));
    assert_non_null(strstr(diff, "source.kind: rds -> self_hosted\n"));
    assert_non_null(strstr(diff, "source.conninfo_env: SOURCE -> (none)\n"));
    assert_non_null(strstr(diff, "verify[all]: {"));
    assert_null(strstr(diff, "copy"));
    plan_release(&minimal);
    plan_release(&odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_listed_one_a_line),
        cmocka_unit_test(two_real_plans_differ_where_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
