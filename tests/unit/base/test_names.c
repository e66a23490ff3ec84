/*
 * Name, Lsn and Digest: text forms, there and back.
 */
#include "base/digest.h"
#include "base/lsn.h"
#include "base/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct NameCase {
    const char *schema;
    const char *rel;
    const char *text;
} NameCase;

static void names_go_there_and_back(void **state)
{
    (void)state;
    static const NameCase CASES[] = {
        {"public", "metrics", "public.metrics"},
        {"_a$1", "b_2", "_a$1.b_2"},
        {"Odd Schema", "orders", "\"Odd Schema\".orders"},
        {"a.b", "c\"d", "\"a.b\".\"c\"\"d\""},
        {"1a", "größe", "\"1a\".\"größe\""},
        {"\"", ".", "\"\"\"\".\".\""},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        const Name name = {CASES[i].schema, CASES[i].rel};
        assert_string_equal(name_text(&arena, &name), CASES[i].text);
        Name back = {0};
        assert_true(name_parse(&arena, CASES[i].text, &back));
        assert_true(name_equal(&name, &back));
    }
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {"",    "a",        ".",     "a.",     ".b",      "a.b.c",
                                        "\"a", "\"a\"b.c", "a.\"b", "\"\".b", "a\"b\".c"};
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        Name name = {0};
        if (name_parse(&arena, CASES[i], &name))
            fail_msg("%s is taken for a name", CASES[i]);
    }
}

static void names_sort_by_schema_first(void **state)
{
    (void)state;
    const Name a = {"a", "z"};
    const Name b = {"b", "a"};
    const Name c = {"b", "b"};
    assert_true(name_compare(&a, &b) < 0);
    assert_true(name_compare(&c, &b) > 0);
    assert_int_equal(name_compare(&b, &b), 0);
}

static void lsns_go_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        Lsn lsn;
    } CASES[] = {
        {"0/0", 0},
        {"16/B374D848", UINT64_C(0x16B374D848)},
        {"0/1", 1},
        {"1/0", UINT64_C(0x100000000)},
        {"FFFFFFFF/FFFFFFFF", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        AUTO_ERR Err err = {0};
        Lsn lsn = 7;
        assert_true(lsn_parse(CASES[i].text, &lsn, &err));
        assert_true(lsn == CASES[i].lsn);
        assert_string_equal(lsn_text(lsn).text, CASES[i].text);
    }
    AUTO_ERR Err err = {0};
    Lsn lsn = 0;
    assert_true(lsn_parse("ab/cd", &lsn, &err));
    assert_true(lsn == UINT64_C(0xab000000cd));
}

static void what_is_no_lsn_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {"",     "/",     "0",     "0/",          "/0",
                                        "0/0 ", " 0/0",  "0/0/0", "100000000/0", "0/100000000",
                                        "-1/0", "0x1/0", "g/0"};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        AUTO_ERR Err err = {0};
        Lsn lsn = 7;
        if (lsn_parse(CASES[i], &lsn, &err))
            fail_msg("\"%s\" is taken for a position", CASES[i]);
        assert_true(lsn == 7);
    }
}

/* Test vectors of FIPS 180-4. */
static void digests_are_sha256(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    assert_string_equal(digest_hex(&arena, "", 0),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(digest_hex(&arena, "abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(strlen(digest_hex(&arena, "a\0b", 3)), DIGEST_HEX_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_there_and_back),    cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(names_sort_by_schema_first), cmocka_unit_test(lsns_go_there_and_back),
        cmocka_unit_test(what_is_no_lsn_is_refused),  cmocka_unit_test(digests_are_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
