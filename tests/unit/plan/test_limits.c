/*
 * What a plan may be at most, with files too large to keep; and how findings look: carets under
 * wide, combining, invisible and broken characters, long lines, secrets.
 */
#include "plan/plan.h"

#include "base/str.h"
#include "plan/report.h"
#include "plan/secret.h"
#include "plan/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char HEAD[] = "version: 1\nname: metrics\nsource: {kind: rds, conninfo_env: S}\n"
                           "target: {kind: rds, conninfo_env: T}\nselect: {schemas: [public]}\n";

/* Processor time of this process: what a busy machine does meanwhile does not count. */
static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What a good plan of the largest size takes: the measure of what a bomb may take. */
static int64_t largest_plan_us;

/* Loads a text as a plan file; returns its findings as text. */
static char *load_text(Arena *arena, const Str *text, bool *ok, int64_t *took_us)
{
    char path[] = "/tmp/godwit_plan_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, str_text(text), text->length), text->length);
    close(fd);
    Plan plan = {0};
    PlanFindings findings;
    AUTO_ERR Err err = {0};
    int64_t began_us = cpu_us();
    *ok = plan_load(&plan, path, &findings, &err);
    *took_us = cpu_us() - began_us;
    unlink(path);
    AUTO_STR Str out = {0};
    for (size_t i = 0; i < findings.count; i++)
        str_append(&out, plan_finding_text(arena, &plan, &findings.items[i], COLOR_NOWHERE) +
                             strlen(path));
    plan_release(&plan);
    return str_dup(arena, &out);
}

static void a_mebibyte_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str text = {0};
    bool ok = false;
    int64_t took_us = 0;
    str_append(&text, HEAD);
    str_append_char(&text, '#');
    while (text.length < 1024 * 1024)
        str_append_char(&text, 'x');
    assert_string_equal(load_text(&arena, &text, &ok, &took_us), "");
    assert_true(ok);
    largest_plan_us = took_us;
    str_append_char(&text, 'x');
    const char *said = load_text(&arena, &text, &ok, &took_us);
    assert_false(ok);
    assert_string_equal(said, ":1:1: error P001: the plan has more than 1048576 bytes\n"
                              "    1 | version: 1\n      | ^\n");
}

static void too_many_nodes_are_refused(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str text = {0};
    bool ok = true;
    int64_t took_us = 0;
    str_append(&text, HEAD);
    str_append(&text, "verify: [");
    for (int i = 0; i < 500000; i++)
        str_append(&text, "a,");
    const char *said = load_text(&arena, &text, &ok, &took_us);
    assert_false(ok);
    assert_non_null(strstr(said, "error P006: the plan has more than 500000 nodes\n"));
}

typedef struct Bomb {
    const char *begin;
    const char *repeat;
    size_t times;
    const char *code;
} Bomb;

static void bombs_take_no_longer_than_plans(void **state)
{
    (void)state;
    static const Bomb BOMBS[] = {
        {"", "[", 200000, " P005"},
        {"", "{a: ", 50000, " P005"},
        {"", "- ", 200000, " P005"},
        {"", "? ", 200000, " P010"},
        {"a: &a x\nb: [", "*a,", 60000, " P007"},
        {"", "\"", 200001, " P004"},
        {"", "!", 200000, " P008"},
        {"", "a: b\n", 40000, " P012"},
        {"", "---\n", 50000, " P009"},
        {"'", "a\n", 90000, " P004"},
        {"", "%YAML 1.1\n", 20000, " P004"},
    };
    for (size_t i = 0; i < COUNT(BOMBS); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_STR Str text = {0};
        bool ok = true;
        int64_t took_us = 0;
        str_append(&text, BOMBS[i].begin);
        for (size_t n = 0; n < BOMBS[i].times; n++)
            str_append(&text, BOMBS[i].repeat);
        const char *said = load_text(&arena, &text, &ok, &took_us);
        assert_false(ok);
        if (strstr(said, BOMBS[i].code) == NULL)
            fail_msg("\"%s%s...\" is not told%s but %.200s", BOMBS[i].begin, BOMBS[i].repeat,
                     BOMBS[i].code, said);
        if (took_us > 20 * largest_plan_us)
            fail_msg("\"%s%s...\" took %lld us, a good plan of one mebibyte %lld", BOMBS[i].begin,
                     BOMBS[i].repeat, (long long)took_us, (long long)largest_plan_us);
    }
}

typedef struct ShowCase {
    const char *line;
    uint32_t column;
    uint32_t span;
    const char *shown; /* the snippet and the marks */
} ShowCase;

static void carets_stand_where_they_should(void **state)
{
    (void)state;
    static const ShowCase CASES[] = {
        {"key: value", 6, 5, "    1 | key: value\n      |      ^~~~~\n"},
        {"日本: x", 5, 1, "    1 | 日本: x\n      |       ^\n"},
        {"日本: x", 2, 1, "    1 | 日本: x\n      |   ^~\n"},
        {"e\u0301x: y", 5, 1, "    1 | e\u0301x: y\n      |    ^\n"},
        {"a\tb: c", 3, 1, "    1 | a   b: c\n      |     ^\n"},
        {"a\x1b[2Jb: c", 6, 1, "    1 | a\\x1b[2Jb: c\n      |         ^\n"},
        {"a\xff"
         "b",
         2, 1, "    1 | a\\xffb\n      |  ^~~~\n"},
        {"a\xe2\x82", 2, 9, "    1 | a\\xe2\\x82\n      |  ^~~~~~~~\n"},
        {"x\u202ey", 3, 1, "    1 | x\\u202ey\n      |        ^\n"},
        {"x\u200by", 3, 1, "    1 | x\u200by\n      |  ^\n"},
        {"ab", 3, 1, "    1 | ab\n      |   ^\n"},
        {"ab", 1, 99, "    1 | ab\n      | ^~\n"},
        {"", 1, 1, "    1 | \n      | ^\n"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        AUTO_ARENA Arena arena = {0};
        const Plan plan = {
            .path = "p.yaml", .text = CASES[i].line, .text_bytes = strlen(CASES[i].line)};
        const PlanFinding finding = {.code = "P101",
                                     .is_error = true,
                                     .pos = {1, CASES[i].column},
                                     .span = CASES[i].span,
                                     .message = "m"};
        const char *head = arena_printf(&arena, "p.yaml:1:%u: error P101: m\n", CASES[i].column);
        assert_string_equal(plan_finding_text(&arena, &plan, &finding, COLOR_NOWHERE),
                            arena_printf(&arena, "%s%s", head, CASES[i].shown));
    }
}

static void a_finding_without_a_place_has_no_snippet(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const Plan plan = {.path = "a\x1b.yaml", .text = "x", .text_bytes = 1};
    const PlanFinding finding = {
        .code = "W203", .pos = {0, 0}, .span = 1, .message = "m", .hint = "Do."};
    assert_string_equal(plan_finding_text(&arena, &plan, &finding, COLOR_NOWHERE),
                        "a\\x1b.yaml: warning W203: m\n  hint: Do.\n");
}

static void lines_end_where_yaml_ends_them(void **state)
{
    (void)state;
    static const char TEXT[] = "a\nb\r\nc\rd\u2028e\xc2\x85"
                               "f\n";
    static const char *const LINES[] = {"a", "b", "c", "d", "e", "f", ""};
    size_t length = 0;
    for (uint32_t i = 0; i < COUNT(LINES); i++) {
        const char *line = text_line(TEXT, sizeof(TEXT) - 1, i + 1, &length);
        assert_non_null(line);
        assert_int_equal(length, strlen(LINES[i]));
        assert_memory_equal(line, LINES[i], length);
    }
    assert_null(text_line(TEXT, sizeof(TEXT) - 1, COUNT(LINES) + 1, &length));
}

static void secrets_are_masked(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"password=abc next", "password=*** next"},
        {"PASSWORD: abc, x: 1", "PASSWORD: ***, x: 1"},
        {"password = 'a b c' x", "password = '*****' x"},
        {"\"password\": \"a}b\"}", "\"password\": \"***\"}"},
        {"sslpassword=abc}", "sslpassword=***}"},
        {"postgres://u:abc@h/d", "postgres://u:***@h/d"},
        {"postgresql://u@h:5432/d?password=abc&x=1", "postgresql://u@h:5432/d?password=***&x=1"},
        {"postgresql://h:5432/d", "postgresql://h:5432/d"},
        {"password=\u00fc\u20ac\U0001F600", "password=\u00b7\u2022\U0001d7ce"},
        {"passwords: if_readable", "passwords: if_readable"},
        {"my_password_x=abc", "my_password_x=abc"},
        {"password", "password"},
        {"password=", "password="},
        {"password:", "password:"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        AUTO_ARENA Arena arena = {0};
        char *text = arena_strdup(&arena, CASES[i][0]);
        secret_mask(text, strlen(text));
        assert_string_equal(text, CASES[i][1]);
    }
}

static void passwords_are_found_in_connection_strings(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"host=a dbname=b", NULL},
        {"host=a password=x", "x"},
        {"password='a\\'b' host=a", "'a\\'b'"},
        {"user='password=x'", NULL},
        {"host=a\\ password=x", NULL},
        {"PassWord = x", "x"},
        {"sslpassword=x", "x"},
        {"dbname=postgres://u:x@h/d", "x"},
        {"dbname=password", NULL},
        {"postgresql://u:x@h", "x"},
        {"postgresql://u:@h", ""},
        {"postgresql://u@h/password=x", NULL},
        {"postgresql://h/d?a=b&password=x&c=d", "x"},
        {"postgresql://h/d?password", ""},
        {"postgres://h:1,i:2/d", NULL},
        {"", NULL},
        {"host", NULL},
        {"password='x", "'x"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        SecretSpan span = {0};
        const char *fault = NULL;
        bool found = secret_in_conninfo(CASES[i][0], &span, &fault);
        if (found != (CASES[i][1] != NULL))
            fail_msg("%s", CASES[i][0]);
        if (found) {
            assert_int_equal(span.bytes, strlen(CASES[i][1]));
            assert_memory_equal(CASES[i][0] + span.start, CASES[i][1], span.bytes);
        }
    }
}

static void near_words_are_suggested(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"table_jobs", "index_jobs", "format", "vacuum", "id"};
    static const char *const CASES[][2] = {
        {"tablejobs", "table_jobs"},
        {"TABLE_JOBS", "table_jobs"},
        {"indexjob", "index_jobs"},
        {"fromat", "format"},
        {"vaccum", "vacuum"},
        {"di", "id"},
        {"ix", "id"},
        {"fmt", NULL},
        {"zzz", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Suggest suggest = suggest_begin(CASES[i][0]);
        for (size_t w = 0; w < COUNT(WORDS); w++)
            suggest_offer(&suggest, WORDS[w]);
        if (!text_equal(suggest.best, CASES[i][1]))
            fail_msg("\"%s\" suggests \"%s\"", CASES[i][0],
                     suggest.best == NULL ? "nothing" : suggest.best);
    }
    AUTO_ARENA Arena arena = {0};
    Suggest longest = suggest_begin(arena_printf(&arena, "%0500d", 1));
    suggest_offer(&longest, "format");
    assert_null(longest.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mebibyte_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(too_many_nodes_are_refused),
        cmocka_unit_test(bombs_take_no_longer_than_plans),
        cmocka_unit_test(carets_stand_where_they_should),
        cmocka_unit_test(a_finding_without_a_place_has_no_snippet),
        cmocka_unit_test(lines_end_where_yaml_ends_them),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(passwords_are_found_in_connection_strings),
        cmocka_unit_test(near_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
