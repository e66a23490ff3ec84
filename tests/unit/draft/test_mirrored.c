/*
 * What init writes of a TimescaleDB source's policies, aggregates and jobs, as a plan: taken out of
 * its comments it is tests/plans/good/drafted.yaml, which the tests of the plan's language load.
 */
#include "draft/draft_internal.h"
#include "lib/golden.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/plans/good/drafted.yaml"

static const char HEAD[] = "version: 1\n"
                           "name: drafted\n"
                           "source: {kind: self_hosted, conninfo_env: SOURCE}\n"
                           "target: {kind: tiger_cloud, conninfo_env: TARGET}\n"
                           "select: {schemas: [app, '\"agg S\"']}\n"
                           "timescaledb: {mirror: true}\n"
                           "# hypertables:\n"
                           "#   - target_table: app.m\n"
                           "#     by_range: {column_name: at}\n";

static const char *segments[] = {"De\"v"}, *order[] = {"at DESC"};

static CatJob job_of(Name table, const char *procedure)
{
    return (CatJob){.table = table,
                    .procedure = {"_timescaledb_functions", procedure},
                    .schedule_interval = "1 day 02:30:00",
                    .max_runtime = "00:00:00",
                    .max_retries = -1,
                    .retry_period = "00:00:01.5",
                    .scheduled = true};
}

static void uncomment(Str *out, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        size_t bytes = strcspn(at, "\n") + 1;
        size_t skip = strncmp(at, "# ", 2) == 0 ? 2 : 0;
        str_append_bytes(out, at + skip, bytes - skip);
        at += bytes;
    }
}

static void what_is_there_is_a_plan(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str text = {0};
    AUTO_STR Str plan = {0};
    const Name table = {"app", "m"};
    const Name view = {"agg S", "Hourly"};
    CatColumnstore stores[] = {
        {.table = view},
        {.table = table,
         .segmentby = segments,
         .segmentby_count = 1,
         .orderby = order,
         .orderby_count = 1},
    };
    CatJob jobs[] = {job_of(table, "policy_compression"), job_of(table, "policy_retention"),
                     job_of(table, "policy_reorder"),
                     job_of(view, "policy_refresh_continuous_aggregate"),
                     job_of(view, "policy_retention")};
    jobs[0].age = "14 days";
    jobs[1].created_before = "1 year 2 mons";
    jobs[1].scheduled = false;
    jobs[1].initial_start = "2026-01-01 00:00:00+00";
    jobs[1].timezone = "Europe/Paris";
    jobs[2].index_name = "by \"dev";
    jobs[2].max_retries = 3;
    jobs[3].end_offset = "00:30:00";
    jobs[3].more = "{\"buckets_per_batch\": 7, \"refresh_newest_first\": false, \"odd\": \"x\"}";
    jobs[4].age = "3 years";
    const CatJob own = {.procedure = {"app", "roll up"},
                        .schedule_interval = "01:00:00",
                        .config = "{\"k\": \"it's\"}",
                        .max_retries = -1,
                        .scheduled = true};
    const CatAggregate aggregate = {
        .view = view,
        .reads = table,
        .query = " SELECT time_bucket('1 hour', at) AS b\n   FROM app.m\n  GROUP BY 1;"};
    Catalog source = {.columnstores = stores,
                      .columnstores_count = 2,
                      .jobs = jobs,
                      .jobs_count = sizeof(jobs) / sizeof(jobs[0])};
    str_append(&text, HEAD);
    draft_policies(&arena, &text, &source, &table);
    str_append(&text, "# continuous_aggregates:\n");
    draft_aggregate(&arena, &text, &source, &aggregate);
    str_append(&text, "# jobs:\n");
    draft_job(&arena, &text, &own);
    uncomment(&plan, text.data);
    golden_write(GOLDEN, plan.data);
    assert_string_equal(file_text(&arena, GOLDEN), plan.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_there_is_a_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
