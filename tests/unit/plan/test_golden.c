/*
 * Every plan in tests/plans/bad is refused with exactly the messages that stand beside it, fast,
 * and every diagnostic of the table is shown by one of them (or by a test below). Every plan in
 * tests/plans/good is read as the JSON beside it says.
 *
 * GODWIT_GOLDEN=write rewrites the messages; read the difference before committing it.
 */
#include "plan/plan.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"
#include "plan/diag.h"
#include "lib/golden.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BAD  "tests/plans/bad"
#define GOOD "tests/plans/good"

typedef VEC(const char *) Paths;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static Paths list(Arena *arena, const char *directory, const char *ending)
{
    Paths paths = {0};
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ending) == 0)
            *vec_push(arena, &paths) = arena_printf(arena, "%s/%s", directory, entry->d_name);
    }
    closedir(dir);
    assert_true(paths.count > 0);
    qsort(paths.items, paths.count, sizeof(*paths.items), by_text);
    return paths;
}

/* All that a plan gets said, as cmd/ prints it; sets ok and the error. */
static char *messages(Arena *arena, const char *path, bool *ok, Err *err)
{
    Plan plan = {0};
    PlanFindings findings = {0};
    *ok = plan_load(&plan, path, &findings, err);
    AUTO_STR Str text = {0};
    /* Which keys are not in this version is for the plans that are about that. */
    bool later = strstr(path, "/later_") != NULL || strstr(path, "/whole_language") != NULL;
    for (size_t i = 0; i < findings.count; i++) {
        if (later || strcmp(findings.items[i].code, plan_diag_row(DIAG_LATER)->code) != 0)
            str_append(&text, plan_finding_text(arena, &plan, &findings.items[i], COLOR_NOWHERE));
    }
    char *copy = str_dup(arena, &text);
    plan_release(&plan);
    return copy;
}

static void bad_plans_get_their_golden_messages(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Paths paths = list(&arena, BAD, ".yaml");
    size_t differ = 0;
    for (size_t i = 0; i < paths.count; i++) {
        AUTO_ERR Err err = {0};
        bool ok = true;
        char *text = messages(&arena, paths.items[i], &ok, &err);
        assert_false(ok);
        assert_int_equal(err.code, ERR_PLAN);
        char *golden =
            arena_printf(&arena, "%.*s.txt", (int)strlen(paths.items[i]) - 5, paths.items[i]);
        golden_write(golden, text);
        char *expected = file_text(&arena, golden);
        if (strcmp(expected, text) != 0) {
            print_error("%s\n--- expected\n%s--- got\n%s", paths.items[i], expected, text);
            differ++;
        }
    }
    assert_int_equal(differ, 0);
}

static void no_secret_is_printed(void **state)
{
    (void)state;
    static const char *const SECRETS[] = {"hunter2", "s3cret", "top secret", "nter2"};
    AUTO_ARENA Arena arena = {0};
    Paths paths = list(&arena, BAD, ".txt");
    for (size_t i = 0; i < paths.count; i++) {
        const char *text = file_text(&arena, paths.items[i]);
        for (size_t j = 0; j < sizeof(SECRETS) / sizeof(*SECRETS); j++)
            assert_null(strstr(text, SECRETS[j]));
    }
}

static void every_diagnostic_has_a_golden_plan(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Paths paths = list(&arena, BAD, ".txt");
    AUTO_STR Str all = {0};
    for (size_t i = 0; i < paths.count; i++)
        str_append(&all, file_text(&arena, paths.items[i]));
    for (PlanDiag diag = 0; diag < DIAG_COUNT; diag++) {
        const PlanDiagRow *row = plan_diag_row(diag);
        const char *shown =
            arena_printf(&arena, " %s %s: ", row->is_error ? "error" : "warning", row->code);
        if (diag == DIAG_TOO_LARGE || diag == DIAG_NODES) /* too large to keep: test_limits.c */
            continue;
        if (diag == DIAG_UNREADABLE) /* no file at all: test_load.c */
            continue;
        if (diag == DIAG_NAME_CLASH || diag == DIAG_SAME_PLAN) /* more plans than one: test_set.c */
            continue;
        if (strstr(str_text(&all), shown) == NULL)
            fail_msg("no plan in " BAD " shows \"%s\"", shown);
    }
}

static void every_diagnostic_is_whole_and_has_a_page(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *before = "P000";
    for (PlanDiag diag = 0; diag < DIAG_COUNT; diag++) {
        const PlanDiagRow *row = plan_diag_row(diag);
        assert_true(strcmp(before, row->code) < 0);
        before = row->code;
        assert_ptr_equal(plan_diag_find(row->code), row);
        const char *page = file_text(&arena, arena_printf(&arena, "docs/codes/%s.md", row->code));
        const char *head = arena_printf(&arena, "# %s: %s\n", row->code, row->title);
        if (strncmp(page, head, strlen(head)) != 0)
            fail_msg("docs/codes/%s.md does not begin with \"%s\"", row->code, head);
        assert_true(strlen(page) > strlen(head) + 100);
    }
    assert_null(plan_diag_find("P999"));
}

static void hostile_plans_are_answered_at_once(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"alias_bomb", "depth_brackets", "depth_block"};
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
        AUTO_ERR Err err = {0};
        bool ok = true;
        int64_t began_us = clock_us();
        messages(&arena, arena_printf(&arena, BAD "/%s.yaml", NAMES[i]), &ok, &err);
        int64_t took_us = clock_us() - began_us;
        assert_false(ok);
        /* Some 2 ms; the rest is for sanitizers and a busy machine. */
        if (took_us > 200000)
            fail_msg("%s took %lld us", NAMES[i], (long long)took_us);
    }
}

/* How a plan was read, a key a line. */
static char *reading(Arena *arena, const char *path)
{
    Plan plan = {0};
    PlanFindings findings = {0};
    AUTO_ERR Err err = {0};
    if (!plan_load(&plan, path, &findings, &err))
        fail_msg("%s", err.message);
    json_t *parsed = json_loads(plan.canonical, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    char *pretty = json_dumps(parsed, JSON_INDENT(2) | JSON_SORT_KEYS);
    char *copy = arena_printf(arena, "%s\n", pretty);
    free(pretty);
    json_decref(parsed);
    plan_release(&plan);
    return copy;
}

static void good_plans_are_read_as_their_golden_json(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Paths paths = list(&arena, GOOD, ".yaml");
    size_t differ = 0;
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = paths.items[i];
        char *text = reading(&arena, path);
        char *golden = arena_printf(&arena, "%.*s.json", (int)strlen(path) - 5, path);
        golden_write(golden, text);
        if (strcmp(file_text(&arena, golden), text) != 0) {
            print_error("%s is read otherwise than %s says\n", path, golden);
            differ++;
        }
    }
    assert_int_equal(differ, 0);
}

static void good_plans_load(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Paths paths = list(&arena, GOOD, ".yaml");
    *vec_push(&arena, &paths) = "examples/app/plan.yaml";
    *vec_push(&arena, &paths) = "examples/gitops/plan.yaml";
    for (size_t i = 0; i < paths.count; i++) {
        AUTO_ERR Err err = {0};
        bool ok = false;
        char *text = messages(&arena, paths.items[i], &ok, &err);
        if (!ok)
            fail_msg("%s: %s\n%s", paths.items[i], err.message, text);
        assert_null(strstr(text, " error "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_plans_get_their_golden_messages),
        cmocka_unit_test(no_secret_is_printed),
        cmocka_unit_test(every_diagnostic_has_a_golden_plan),
        cmocka_unit_test(every_diagnostic_is_whole_and_has_a_page),
        cmocka_unit_test(hostile_plans_are_answered_at_once),
        cmocka_unit_test(good_plans_are_read_as_their_golden_json),
        cmocka_unit_test(good_plans_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
