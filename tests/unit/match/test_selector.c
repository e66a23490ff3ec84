/*
 * Selectors: names and patterns, what they match, what is refused and where; from many threads.
 */
#include "match/selector.h"

#include "base/clock.h"
#include "base/str.h"
#include "match/pattern.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

typedef struct MatchCase {
    const char *selector;
    const char *schema;
    const char *rel; /* NULL: a schema selector over a schema's name */
    bool matches;
} MatchCase;

static void selectors_match_whole_raw_names(void **state)
{
    (void)state;
    static const MatchCase CASES[] = {
        {"app.orders", "app", "orders", true},
        {"app.orders", "app", "order", false},
        {"app.orders", "App", "orders", false},
        {"\"App\".\"Or.ders\"", "App", "Or.ders", true},
        {"\"a\"\"b\".c", "a\"b", "c", true},
        {"größe.日本", "größe", "日本", true},
        {"~app\\.evt_.*", "app", "evt_click", true},
        {"~app\\.evt_.*", "my_app", "evt_click", false},
        {"~app\\.evt_.*", "app", "evt_click\nx", false},
        {"~app\\.evt", "app", "evt_click", false},
        {"~(?i)APP\\.X", "app", "x", true},
        {"~a|b\\.c", "b", "c", true},
        {"~a|b\\.c", "a", "c", false},
        {"~.\\..", "é", "日", true},
        {"~\\Qa.b\\E", "a", "b", true},
        {"~[^.]+\\.(?!tmp_).*", "a", "tmp_x", false},
        {"~[^.]+\\.(?!tmp_).*", "a", "x", true},
        {"~(.)\\1\\.x", "aa", "x", true},
        {"~(.)\\1\\.x", "ab", "x", false},
        {"public", "public", NULL, true},
        {"public", "public2", NULL, false},
        {"\"Odd Schema\"", "Odd Schema", NULL, true},
        {"~tenant_\\d+", "tenant_17", NULL, true},
        {"~tenant_\\d+", "tenant_17x", NULL, false},
        {"~tenant_\\d+", "xtenant_17", NULL, false},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        Selector selector;
        size_t column = 0;
        bool ok = CASES[i].rel == NULL
                      ? selector_schema(&arena, CASES[i].selector, &selector, &column, &err)
                      : selector_relation(&arena, CASES[i].selector, &selector, &column, &err);
        if (!ok)
            fail_msg("%s: %s", CASES[i].selector, err.message);
        assert_string_equal(selector.text, CASES[i].selector);
        const Name name = {CASES[i].schema, CASES[i].rel};
        if (selector_matches(&selector, &name) != CASES[i].matches)
            fail_msg("%s and %s.%s", CASES[i].selector, CASES[i].schema, CASES[i].rel);
        selector_release(&selector);
        assert_null(selector.pattern);
    }
}

typedef struct FaultCase {
    const char *selector;
    size_t column;
    const char *message;
} FaultCase;

static void faults_are_placed_and_named(void **state)
{
    (void)state;
    static const FaultCase CASES[] = {
        {"~", 1, "a pattern is empty"},
        {"~ten(ant", 8, "missing closing parenthesis"},
        {"~größe(", 7, "missing closing parenthesis"},
        {"~a**", 3, "quantifier does not follow a repeatable item"},
        {"~[a-", 4, "missing terminating ] for character class"},
        {"~a\\Cb", 4, "using \\C is disabled by the application"},
        {"~(?<n>a)(?<n>b)", 13,
         "two named subpatterns have the same name (PCRE2_DUPNAMES not set)"},
        {"orders", 0, "a relation is written schema.name"},
        {"a.b.c", 0, "a relation is written schema.name"},
        {".b", 0, "a name is empty"},
        {"a.", 0, "a name is empty"},
        {"\"\".b", 0, "a name is empty"},
        {"\"a.b", 0, "a double quote is not closed"},
        {"\"a\"b.c", 0, "a relation is written schema.name"},
        {"App.orders", 0, "a name with \"A\" in it needs double quotes"},
        {"a.b c", 0, "a name with \" \" in it needs double quotes"},
        {"a.1b", 0, "a name with \"1\" in it needs double quotes"},
        {"a.$b", 0, "a name with \"$\" in it needs double quotes"},
        {"a.b234567890123456789012345678901234567890123456789012345678901234", 0,
         "a name is longer than 63 bytes"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        Selector selector;
        size_t column = 99;
        bool ok = selector_relation(&arena, CASES[i].selector, &selector, &column, &err);
        if (ok != (CASES[i].message == NULL))
            fail_msg("%s: %s", CASES[i].selector, ok ? "accepted" : err.message);
        if (!ok) {
            assert_int_equal(err.code, ERR_PLAN);
            assert_string_equal(err.message, CASES[i].message);
            if (column != CASES[i].column)
                fail_msg("%s: column %zu", CASES[i].selector, column);
        }
        selector_release(&selector);
    }
}

static void a_schema_is_one_part(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    Selector selector;
    size_t column = 0;
    assert_false(selector_schema(&arena, "a.b", &selector, &column, &err));
    assert_string_equal(err.message, "a schema has a name of one part");
    AUTO_ERR Err quotes = {0};
    assert_false(selector_schema(&arena, "Legacy Shop", &selector, &column, &quotes));
    assert_string_equal(quotes.hint, "SQL would read another name without them. In YAML, write "
                                     "'\"Legacy Shop\"'.");
}

static void a_pattern_that_backtracks_for_ever_is_answered(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    size_t column = 0;
    Pattern *pattern = pattern_compile("(a+)+(b|c)?x", &column, &err);
    assert_non_null(pattern);
    const char *many = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    AUTO_ARENA Arena arena = {0};
    int64_t began_ms = clock_ms();
    assert_false(pattern_matches(pattern, arena_printf(&arena, "%sy", many)));
    assert_true(pattern_matches(pattern, arena_printf(&arena, "%sx", many)));
    assert_true(clock_ms() - began_ms < 2000);
    pattern_free(pattern);
    pattern_free(NULL);
}

/* What many threads do with one selector. */
static void *match_often(void *data)
{
    const Selector *selector = data;
    AUTO_ARENA Arena arena = {0};
    size_t wrong = 0;
    for (int i = 0; i < 2000; i++) {
        const Name good = {"app", arena_printf(&arena, "evt_%d", i)};
        const Name bad = {"app", arena_printf(&arena, "event_%d", i)};
        wrong += !selector_matches(selector, &good);
        wrong += selector_matches(selector, &bad);
        arena_reset(&arena);
    }
    return wrong == 0 ? NULL : data;
}

static void one_selector_serves_many_threads(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    Selector selector;
    size_t column = 0;
    assert_true(selector_relation(&arena, "~app\\.evt_\\d+", &selector, &column, &err));
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, &selector), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    selector_release(&selector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_match_whole_raw_names),
        cmocka_unit_test(faults_are_placed_and_named),
        cmocka_unit_test(a_schema_is_one_part),
        cmocka_unit_test(a_pattern_that_backtracks_for_ever_is_answered),
        cmocka_unit_test(one_selector_serves_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
