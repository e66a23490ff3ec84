/*
 * Facts: what is kept as text comes back, and a diff says what moved from what to what.
 */
#include "base/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void diff_names_old_and_new(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    FactVec before = {0};
    FactVec after = {0};
    facts_add(&arena, &before, "table public.t", "oid 1");
    facts_add(&arena, &before, "column v of public.t", "text");
    facts_add(&arena, &before, "sequence public.s", "");
    facts_add(&arena, &after, "column w of public.t", "integer");
    facts_add(&arena, &after, "column v of public.t", "bigint");
    facts_add(&arena, &after, "table public.t", "oid 1");
    facts_sort(&before);
    facts_sort(&after);
    assert_string_equal(facts_diff(&arena, &before, &after),
                        "column v of public.t: text -> bigint\n"
                        "new: column w of public.t (integer)\n"
                        "gone: sequence public.s\n");
    assert_string_equal(facts_diff(&arena, &before, &before), "");
    assert_string_equal(facts_diff(&arena, &(FactVec){0}, &(FactVec){0}), "");
}

static void text_comes_back(void **state)
{
    (void)state;
    static const char *const AWKWARD[] = {"a\tb", "a\nb", "a\\tb", "\\", "", "a\\"};
    AUTO_ARENA Arena arena = {0};
    FactVec facts = {0};
    FactVec again = {0};
    for (size_t i = 0; i < sizeof(AWKWARD) / sizeof(AWKWARD[0]); i++)
        facts_add(&arena, &facts, AWKWARD[i], AWKWARD[i]);
    facts_sort(&facts);
    facts_parse(&arena, &again, facts_text(&arena, &facts));
    assert_int_equal(again.count, facts.count);
    for (size_t i = 0; i < facts.count; i++) {
        assert_string_equal(again.items[i].key, facts.items[i].key);
        assert_string_equal(again.items[i].value, facts.items[i].value);
    }
    assert_string_equal(facts_digest(&arena, &facts), facts_digest(&arena, &again));
    assert_string_not_equal(facts_digest(&arena, &facts), facts_digest(&arena, &(FactVec){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff_names_old_and_new),
        cmocka_unit_test(text_comes_back),
    };
    return cmocka_run_group_tests_name("base/facts", tests, NULL, NULL);
}
