/*
 * Array literals of keys, how differences are worded, and which relations a plan's entry looks at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "verify/verify_internal.h"

static void test_array(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        const char *elements[4];
        const char *want;
    } ROWS[] = {
        {0, {NULL}, "{}"},
        {1, {""}, "{\"\"}"},
        {2, {"1", "-2"}, "{\"1\",\"-2\"}"},
        {4, {"NULL", "a,b", "{}", " "}, "{\"NULL\",\"a,b\",\"{}\",\" \"}"},
        {2, {"\"", "\\"}, "{\"\\\"\",\"\\\\\"}"},
        {1, {"\xc3\xa9\n"}, "{\"\xc3\xa9\n\"}"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        AUTO_STR Str array = {0};
        for (size_t e = 0; e < ROWS[i].count; e++)
            array_append(&array, ROWS[i].elements[e]);
        array_end(&array);
        assert_string_equal(array.data, ROWS[i].want);
    }
}

static void test_difference_text(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    static const struct {
        Difference difference;
        const char *want;
    } ROWS[] = {
        {{DIFF_MISSING, "(id)=(42)", 1}, "missing on the target: (id)=(42)"},
        {{DIFF_EXTRA, "(a, b)=(1, x)", 1}, "only on the target: (a, b)=(1, x)"},
        {{DIFF_CHANGED, "(id)=(7)", 1}, "not the same: (id)=(7)"},
        {{DIFF_MISSING, "(6,\"\")", 3}, "missing on the target: (6,\"\") (3 times)"},
        {{DIFF_COUNT, "source 5 rows, target 3 rows", 2},
         "unequal counts: source 5 rows, target 3 rows"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        assert_string_equal(difference_text(&arena, &ROWS[i].difference), ROWS[i].want);
}

static void test_selects(void **state)
{
    (void)state;
    PlanSelector items[] = {{.selector = {.name = {"public", "a"}}},
                            {.selector = {.name = {"app", "b"}}}};
    const Relation a = {.source = {"public", "a"}};
    const Relation b = {.source = {"app", "b"}};
    const Relation c = {.source = {"public", "b"}};
    PlanVerify all = {.id = "all"};
    PlanVerify some = {.id = "some", .tables = {items, 2}};
    assert_true(verify_selects(&all, &c, true));
    assert_true(verify_selects(&some, &a, true));
    assert_true(verify_selects(&some, &b, true));
    assert_false(verify_selects(&some, &c, true));
    const Relation unlogged = {.source = {"public", "a"}, .unlogged = true};
    assert_false(verify_selects(&all, &unlogged, true)); /* not before the fence */
    assert_true(verify_selects(&all, &unlogged, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_difference_text),
        cmocka_unit_test(test_selects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
