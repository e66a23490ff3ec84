/*
 * The statements for what the mirror finds and the plan language has no word for: further keys of a
 * policy's configuration, merged chunks, indexes of an aggregate, owner and check of a job. They
 * are a golden file, which the scenario test test_mirrored_statements runs on the community
 * edition.
 */
#include "lib/golden.h"
#include "lib/server.h"
#include "timescale/aggregate.h"
#include "timescale/job.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GOLDEN "tests/unit/timescale/mirrored.sql"

static const char *segments[] = {"De\"v"}, *order[] = {"at DESC"};
static const char *indexes[] = {"CREATE INDEX ON ", " USING btree (dev, \"Hour\" DESC)",
                                "CREATE INDEX \"Mi ne\" ON ", " USING btree (n) WHERE (n > 1)"};

static const char *hours[] = {"dev", "\"Hour\" DESC"};

static void add(Str *text, SqlList list)
{
    for (size_t i = 0; i < list.count; i++)
        str_appendf(text, "%s;\n", list.items[i]);
}

static PlanPolicy policy(const char *every, const char *more)
{
    return (PlanPolicy){.schedule_interval = every, .scheduled = true, .more = more};
}

static void add_table(Arena *arena, Str *text, const Conn *conn, const TsTarget *target)
{
    const PlanColumnstore columnstore = {
        .segmentby = segments,
        .segmentby_count = 1,
        .orderby = order,
        .orderby_count = 1,
        .chunk_interval = "14 days",
        .after = "14 days",
        .policy = policy("06:00:00", "{\"maxchunks_to_compress\": 4}"),
    };
    PlanRetention retention = {.drop_after = "2 years",
                               .policy = policy("1 day", "{\"verbose_log\": true}")};
    retention.policy.timezone = "Asia/Tokyo";
    retention.policy.scheduled = false;
    const PlanHypertable table = {
        .target_table = {"app", "m"}, .columnstore = &columnstore, .retention = &retention};
    add(text, columnstore_sql(arena, conn, &table, target));
    add(text, policy_sql(arena, conn, &table, POLICY_COLUMNSTORE, target));
    add(text, policy_sql(arena, conn, &table, POLICY_RETENTION, target));
}

static void add_aggregate(Arena *arena, Str *text, const Conn *conn, const TsTarget *target)
{
    const PlanRefresh refresh = {
        .end_offset = "01:00:00",
        .policy = policy("00:30:00", "{\"buckets_per_batch\": 7, \"refresh_newest_first\": false}"),
    };
    const PlanColumnstore columnstore = {
        .segmentby = hours,
        .segmentby_count = 1,
        .orderby = hours + 1,
        .orderby_count = 1,
        .chunk_interval = "90 days",
        .after = "40 days",
        .policy = policy("12:00:00", "{\"maxchunks_to_compress\": 3}"),
    };
    const PlanRetention retention = {.drop_after = "3 years",
                                     .policy = policy("1 day", "{\"verbose_log\": true}")};
    const PlanAggregate aggregate = {
        .target_view = {"agg S", "Hourly"},
        .query =
            "SELECT public.time_bucket('1 hour', at) AS \"Hour\", \"De\"\"v\" AS dev, count(*) "
            "AS n FROM app.m GROUP BY 1, 2;",
        .refresh = &refresh,
        .columnstore = &columnstore,
        .retention = &retention,
        .mirrored = true,
        .indexes = indexes,
        .index_count = 2,
    };
    add(text, aggregate_sql(arena, conn, &aggregate, target));
    add(text, aggregate_policy_sql(arena, conn, &aggregate, target));
    const PlanHypertable rows = aggregate_as_table(&aggregate);
    add(text, policy_sql(arena, conn, &rows, POLICY_COLUMNSTORE, target));
    add(text, policy_sql(arena, conn, &rows, POLICY_RETENTION, target));
}

static void add_job(Arena *arena, Str *text, const Conn *conn, const TsTarget *target)
{
    const PlanJob job = {
        .procedure = {"app", "roll up"},
        .config = "{\"k\": \"it's\"}",
        .policy = policy("01:00:00", NULL),
        .mirrored = true,
        .drifts = true,
        .check = {"app", "looks"},
        .owner = "ali ce",
    };
    add(text, job_sql(arena, conn, &job, target));
}

static void the_statements_are_the_golden_ones(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str text = {0};
    const TsTarget target = {.schema = "public", .release = 223, .license = "timescale"};
    Conn *conn = server_open(CONN_TARGET, "postgres");
    add_table(&arena, &text, conn, &target);
    add_aggregate(&arena, &text, conn, &target);
    add_job(&arena, &text, conn, &target);
    conn_close(conn);
    golden_write(GOLDEN, text.data);
    assert_string_equal(file_text(&arena, GOLDEN), text.data);
}

static int start(void **state)
{
    (void)state;
    return server_setup(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_statements_are_the_golden_ones)};
    return cmocka_run_group_tests(tests, start, server_teardown);
}
