/*
 * Several plans at once: names that clash, a plan that is given twice.
 */
#include "plan/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define GOOD         "tests/plans/good/"

static void check(const PlanFile *file, size_t index, const char *code, uint32_t line,
                  const char *message, const char *hint)
{
    assert_true(index < file->findings.count);
    const PlanFinding *finding = &file->findings.items[index];
    assert_string_equal(finding->code, code);
    assert_int_equal(finding->pos.line, line);
    assert_string_equal(finding->message, message);
    assert_string_equal(finding->hint, hint);
}

static void names_clash_and_plans_are_given_twice(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    PlanFile files[] = {
        {.path = GOOD "minimal.yaml"},
        {.path = GOOD "complete.yaml"},
        {.path = GOOD "defaults_written_out.yaml"},
        {.path = GOOD "../good/minimal.yaml"},
    };
    assert_true(plan_set_load(files, COUNT(files), &err));
    assert_int_equal(plan_set_errors(files, COUNT(files)), 1);
    assert_true(files[0].is_valid);
    assert_true(files[1].is_valid);
    assert_false(files[2].is_valid);
    assert_true(files[3].is_valid);
    assert_int_equal(files[0].findings.count, 0);
    check(&files[2], 0, "P230", 2,
          "the plan \"" GOOD "minimal.yaml\" has the name \"metrics\" as well",
          "It stands there in line 3. Slots, publications and runs are named after the plan.");
    check(&files[3], 0, "P260", 0, "this plan is given twice", "It is \"" GOOD "minimal.yaml\".");
    plan_set_release(files, COUNT(files));
}

static void a_plan_with_other_faults_clashes_too(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    PlanFile files[] = {
        {.path = "tests/plans/bad/wide.yaml"},
        {.path = GOOD "none.yaml"},
        {.path = "tests/plans/bad/enum.yaml"},
    };
    assert_true(plan_set_load(files, COUNT(files), &err));
    check(&files[2], 0, "P230", 2,
          "the plan \"tests/plans/bad/wide.yaml\" has the name \"metrics\" as well",
          "It stands there in line 2. Slots, publications and runs are named after the plan.");
    assert_true(files[2].findings.count > 1);
    assert_string_equal(files[1].findings.items[0].code, "P013");
    plan_set_release(files, COUNT(files));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_clash_and_plans_are_given_twice),
        cmocka_unit_test(a_plan_with_other_faults_clashes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
