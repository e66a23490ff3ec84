/*
 * Which pg_dump is taken, and what is said when none can be asked.
 */
#include "schema/tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void takes_the_best(void **state)
{
    static const struct {
        int major, minor;           /* offered */
        int best_major, best_minor; /* had */
        bool better;                /* for a target of 17 */
    } CASES[] = {
        {17, 5, 0, 0, true},    {16, 1, 15, 9, true},  {15, 9, 16, 1, false}, {17, 11, 17, 5, true},
        {17, 5, 17, 11, false}, {17, 5, 17, 5, false}, {18, 1, 17, 1, false}, {15, 1, 18, 4, true},
        {18, 1, 19, 2, true},   {19, 2, 18, 1, false}, {18, 4, 18, 1, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        PgTools one = {.version = CASES[i].major, .minor = CASES[i].minor};
        PgTools best = {.version = CASES[i].best_major, .minor = CASES[i].best_minor};
        if (tools_is_better(&one, &best, 17) != CASES[i].better)
            fail_msg("case %zu", i);
    }
}

static void write_tool(const char *path, const char *says)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\necho '%s'\n", says);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
}

static void says_why_none_was_found(void **state)
{
    char directory[] = "/tmp/godwit_unit_tools_XXXXXX";
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err old = {0};
    AUTO_ERR Err full = {0};
    PgTools tools = {0};
    (void)state;
    assert_non_null(mkdtemp(directory));
    const char *dump = arena_printf(&arena, "%s/pg_dump", directory);
    const char *restore = arena_printf(&arena, "%s/pg_restore", directory);
    write_tool(dump, "pg_dump (PostgreSQL) 16.11 (Debian 16.11-1)");
    write_tool(restore, "");
    Plan plan = {.pg_bin = directory};
    assert_true(tools_find(&arena, &plan, 150000, 170000, &tools, &old));
    assert_int_equal(tools.version, 16);
    assert_int_equal(tools.minor, 11);
    assert_false(tools_find(&arena, &plan, 170000, 170000, &tools, &old));
    assert_non_null(strstr(old.detail, "pg_dump is of version 16"));

    struct rlimit was;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    struct rlimit few = {.rlim_cur = 3, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool found = tools_find(&arena, &plan, 150000, 170000, &tools, &full);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_false(found);
    assert_non_null(strstr(full.detail, "pg_dump cannot be asked: "));
    assert_non_null(strstr(full.detail, "Too many open files"));
    unlink(dump);
    unlink(restore);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_best),
        cmocka_unit_test(says_why_none_was_found),
    };
    return cmocka_run_group_tests_name("schema/tools", tests, NULL, NULL);
}
