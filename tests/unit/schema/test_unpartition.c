/*
 * The archive's text with PARTITION BY taken from the tables that become hypertables, and from
 * nothing else that looks like it.
 */
#include "schema/unpartition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "-- Name: metric; PARTITION BY RANGE (at);\n\n"

static const struct {
    const char *before, *after;
} CASES[] = {
    {"CREATE TABLE app.metric (\n    at timestamptz\n)\nPARTITION BY RANGE (at);\nSELECT 1;\n",
     "CREATE TABLE app.metric (\n    at timestamptz\n)\n;\nSELECT 1;\n"},
    {HEAD "CREATE TABLE app.metric (\n    note text DEFAULT 'PARTITION BY x;)'::text\n)\nPARTITION "
          "BY LIST (lower(note), (note || ';'::text));\n",
     HEAD "CREATE TABLE app.metric (\n    note text DEFAULT 'PARTITION BY x;)'::text\n)\n;\n"},
    {"CREATE TABLE \"Odd \"\"S\".\"a.b\" (\n    \"PARTITION BY (;\" int\n)\nPARTITION BY HASH (x);",
     "CREATE TABLE \"Odd \"\"S\".\"a.b\" (\n    \"PARTITION BY (;\" int\n)\n;"},
    {"CREATE TABLE app.metrics (\n    at date\n)\nPARTITION BY RANGE (at);\n", NULL},
    {"CREATE FUNCTION app.f() RETURNS void LANGUAGE sql AS $_$\nCREATE TABLE app.metric (\n)\n"
     "PARTITION BY RANGE (at);\n$1 $_$;\n",
     NULL},
    {"COMMENT ON TABLE x IS E'a\\';CREATE TABLE app.metric () PARTITION BY y;';\n", NULL},
    {"/* ; /* */ CREATE TABLE app.metric () PARTITION BY z; */ SELECT '$x$';\n", NULL},
    {"CREATE TABLE app.metric (\n    a int\n);\nCREATE TABLE app.other (\n)\nPARTITION BY LIST "
     "(a);\n",
     NULL},
    {"CREATE TABLE app.metric (\n    a text DEFAULT $$x", NULL},
    {"", NULL},
};

static void only_converted_tables_lose_their_key(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const PlanHypertable plan = {.from_partitioned = true};
    const PlanHypertable other = {0};
    Relation relations[] = {
        {.source = {"app", "metric"}, .partitioned = true, .hypertable = &plan},
        {.source = {"Odd \"S", "a.b"}, .partitioned = true, .hypertable = &plan},
        {.source = {"app", "other"}, .partitioned = true, .hypertable = &other},
    };
    const Blueprint blueprint = {.relations = relations, .relation_count = 3};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *text = unpartition(&arena, &blueprint, CASES[i].before);
        if (CASES[i].after == NULL)
            assert_ptr_equal(text, CASES[i].before);
        else
            assert_string_equal(text, CASES[i].after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_converted_tables_lose_their_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
