/*
 * Small parts of the checks: sets of texts, ages, users of connection strings, paths into a plan.
 */
#include "base/str.h"
#include "plan/format.h"
#include "plan/layers.h"
#include "plan/secret.h"
#include "plan/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void a_set_knows_who_was_first(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Texts texts = {.arena = &arena};
    static const int OWNERS[3000];
    assert_null(texts_find(&texts, "nobody"));
    for (size_t i = 0; i < COUNT(OWNERS); i++)
        assert_null(texts_add(&texts, arena_printf(&arena, "name_%zu", i), &OWNERS[i]));
    for (size_t i = 0; i < COUNT(OWNERS); i++) {
        const char *text = arena_printf(&arena, "name_%zu", i);
        assert_ptr_equal(texts_find(&texts, text), &OWNERS[i]);
        assert_ptr_equal(texts_add(&texts, text, &OWNERS[0]), &OWNERS[i]);
    }
    assert_null(texts_find(&texts, "name_3000"));
    assert_int_equal(texts.count, COUNT(OWNERS));
}

static void ages_count_months_as_postgresql_does(void **state)
{
    (void)state;
    static const uint64_t DAY = UINT64_C(86400000000);
    const struct {
        const char *text;
        uint64_t value; /* 0: refused */
    } CASES[] = {
        {"1 day", DAY},
        {"1 month", 30 * DAY},
        {"1 mon 1 day", 31 * DAY},
        {"1 year", 360 * DAY},
        {"1 year 2 mons 3 days", 423 * DAY},
        {"1.5 months", 45 * DAY},
        {"2 weeks", 14 * DAY},
        {"90min", 5400000000},
        {"5 milliseconds", 5000},
        {"86400", 86400},
        {"99999999 years", 0},
        {"soon", 0},
        {"1 fortnight", 0},
        {"-5", 0},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint64_t value = 0;
        bool ok = format_age(CASES[i].text, &value);
        if (ok != (CASES[i].value > 0) || (ok && value != CASES[i].value))
            fail_msg("\"%s\" is %llu", CASES[i].text, (unsigned long long)value);
    }
}

static void users_are_those_of_libpq(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"host=a user=me dbname=x", "me"},
        {"user = 'a b' host=a", "a b"},
        {"user='it\\'s' user=second", "second"},
        {"host=a", NULL},
        {"host='open user=me", NULL},
        {"superuser=x", NULL},
        {"postgresql://me@db/app", "me"},
        {"postgres://me:pw@db/app", "me"},
        {"postgresql://a%20b@db", "a b"},
        {"postgresql://db/app?user=me", "me"},
        {"postgresql://u?x:pw@h/db", "u?x"},
        {"postgresql://db/app", NULL},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const char *user = conninfo_user(&arena, CASES[i][0]);
        if (!text_equal(user, CASES[i][1]))
            fail_msg("the user of \"%s\" is %s", CASES[i][0], user == NULL ? "none" : user);
    }
}

static void passwords_are_masked_to_their_end(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"password=abc host=x", "password=*** host=x"},
        {"conninfo: 'password=''ab cd'' host=x'", "conninfo: 'password=''*****'' host=x'"},
        {"password='a\\'b' host=x", "password='****' host=x"},
        {"'postgresql://u?x:pw@h/db'", "'postgresql://u?x:**@h/db'"},
        {"no secret = here", "no secret = here"},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char *text = arena_strdup(&arena, CASES[i][0]);
        secret_mask(text, strlen(text));
        assert_string_equal(text, CASES[i][1]);
    }
    char *hidden = arena_strdup(&arena, "a \u65e5 b");
    secret_hide(hidden, strlen(hidden));
    assert_string_equal(hidden, "* \u2022 *");
}

static void paths_lead_into_a_plan(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Report report = {.arena = &arena};
    static const char TEXT[] = "a: {b: {c: 1}, bc: 2}\nab: 3\n";
    const Node *root = plan_locate(&report, TEXT, strlen(TEXT));
    assert_non_null(root);
    assert_string_equal(node_at(root, "a.b.c")->text, "1");
    assert_string_equal(node_at(root, "a.bc")->text, "2");
    assert_string_equal(node_at(root, "ab")->text, "3");
    assert_null(node_at(root, "a.b.c.d"));
    assert_null(node_at(root, "a.x"));
    assert_null(node_at(NULL, "a"));
    assert_ptr_equal(node_at(root, ""), root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_knows_who_was_first),
        cmocka_unit_test(ages_count_months_as_postgresql_does),
        cmocka_unit_test(users_are_those_of_libpq),
        cmocka_unit_test(passwords_are_masked_to_their_end),
        cmocka_unit_test(paths_lead_into_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
