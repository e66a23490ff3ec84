/*
 * The archive's text without the versions of columns that an older pg_dump writes as options, and
 * with everything else that looks like them.
 */
#include "schema/attver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "-- Name: t; SET (pg_attver=1);\n\n"
#define SETS "ALTER TABLE ONLY public.t ALTER COLUMN v SET "

static const struct {
    const char *before, *after;
} CASES[] = {
    {HEAD "CREATE TABLE public.t (\n    v text\n);\n" SETS "(pg_attver=22228968);\nSELECT 1;\n",
     HEAD "CREATE TABLE public.t (\n    v text\n);\n\nSELECT 1;\n"},
    {SETS "(pg_attver=1, n_distinct=5);\n", SETS "(n_distinct=5);\n"},
    {SETS "(n_distinct=-0.5, pg_attver=1, n_distinct_inherited=7);",
     SETS "(n_distinct=-0.5, n_distinct_inherited=7);"},
    {"ALTER FOREIGN TABLE ONLY \"a;(\".\"O \"\"t\" ALTER COLUMN \"SET (\" SET (pg_attver=1);\n",
     "\n"},
    {SETS "(n_distinct=5);\nALTER TABLE ONLY s.t ALTER COLUMN a SET (pg_attver=1);\n" SETS
          "(pg_attver=2);\n" SETS "STORAGE PLAIN;\n",
     SETS "(n_distinct=5);\n\n\n" SETS "STORAGE PLAIN;\n"},
    {"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n" SETS
     "(pg_attver=1);\nEND $$;\n",
     NULL},
    {"COMMENT ON COLUMN public.t.v IS '; " SETS "(pg_attver=1);';\n", NULL},
    {"CREATE TABLE public.pg_attver (\n    v text DEFAULT 'pg_attver='::text\n);\n", NULL},
    {SETS "(pg_attver=1", ""},
    {"pg_attver=", NULL},
    {"", NULL},
};

static void versions_go_and_nothing_else(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *text = attver_drop(&arena, CASES[i].before);
        if (CASES[i].after == NULL)
            assert_ptr_equal(text, CASES[i].before);
        else
            assert_string_equal(text, CASES[i].after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions_go_and_nothing_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
