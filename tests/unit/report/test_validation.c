/*
 * What validate prints for machines, byte by byte, over a sample of plans: wide characters, hints,
 * warnings, secrets, places in other lines, no place at all.
 *
 * GODWIT_GOLDEN=write rewrites tests/plans/formats; read the difference before committing it.
 */
#include "report/validation.h"

#include "lib/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const SAMPLE[] = {
    "tests/plans/bad/wide.yaml",
    "tests/plans/bad/warnings.yaml",
    "tests/plans/bad/password.yaml",
    "tests/plans/bad/anchor.yaml",
    "tests/plans/bad/syntax_tab.yaml",
    "tests/plans/bad/control_nul.yaml",
    "tests/plans/bad",
};

static void compare(Arena *arena, const char *path, const char *text)
{
    golden_write(path, text);
    assert_string_equal(file_text(arena, path), text);
}

static void formats_are_the_golden_ones(void **state)
{
    (void)state;
    static const char *const FORMATS[] = {"json", "github", "sarif"};
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    PlanFile files[COUNT(SAMPLE)] = {0};
    for (size_t i = 0; i < COUNT(SAMPLE); i++)
        files[i].path = SAMPLE[i];
    if (!plan_set_load(files, COUNT(SAMPLE), &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < COUNT(FORMATS); i++) {
        AUTO_STR Str out = {0};
        validation_print(&out, files, COUNT(SAMPLE), FORMATS[i]);
        compare(&arena, arena_printf(&arena, "tests/plans/formats/sample.%s", FORMATS[i]),
                str_text(&out));
        assert_null(strstr(str_text(&out), "hunter2"));
    }
    plan_set_release(files, COUNT(SAMPLE));
}

static void no_findings_are_an_empty_answer(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    PlanFile file = {.path = "tests/plans/good/minimal.yaml"};
    assert_true(plan_set_load(&file, 1, &err));
    assert_int_equal(plan_set_errors(&file, 1), 0);
    AUTO_STR Str github = {0};
    validation_print(&github, &file, 1, "github");
    assert_string_equal(str_text(&github), "");
    AUTO_STR Str sarif = {0};
    validation_print(&sarif, &file, 1, "sarif");
    assert_non_null(strstr(str_text(&sarif), "\"results\": []"));
    assert_non_null(strstr(str_text(&sarif), "\"rules\": []"));
    plan_set_release(&file, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_the_golden_ones),
        cmocka_unit_test(no_findings_are_an_empty_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
