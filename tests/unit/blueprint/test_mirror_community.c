/*
 * The mirror over catalogs made by hand: policies, aggregates and jobs of the source, those that
 * rest during the run, and the exact words of the findings.
 */
#include "lib/mirror_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every parameter of a policy, and what was not set stays unset. */
static void policies_come_along(void **state)
{
    MirrorCase *made = *state;
    made->jobs[0] = (CatJob){.id = 1001,
                             .table = MIRROR_TABLE,
                             .procedure = {"_timescaledb_functions", "policy_retention"},
                             .schedule_interval = "1 day",
                             .initial_start = "2026-01-01 00:00:00+00",
                             .timezone = "Europe/Paris",
                             .max_runtime = "00:05:00",
                             .max_retries = 3,
                             .retry_period = "00:10:00",
                             .age = "1 year",
                             .further = "verbose_log",
                             .more = "{\"verbose_log\": true}"};
    made->jobs[1] = (CatJob){.id = 1002,
                             .table = MIRROR_TABLE,
                             .procedure = {"_timescaledb_functions", "policy_reorder"},
                             .schedule_interval = "84:00:00",
                             .max_retries = -1,
                             .index_name = "m_pkey"};
    made->source.jobs_count = 2;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->findings.count, 0);
    const PlanHypertable *to = mirror_case_hypertable(made)->hypertable;
    assert_string_equal(to->retention->policy.more, "{\"verbose_log\": true}");
    assert_null(to->reorder->policy.more);
    assert_string_equal(to->retention->drop_after, "1 year");
    assert_null(to->retention->drop_created_before);
    assert_string_equal(to->retention->policy.schedule_interval, "1 day");
    assert_string_equal(to->retention->policy.initial_start, "2026-01-01 00:00:00+00");
    assert_string_equal(to->retention->policy.timezone, "Europe/Paris");
    assert_string_equal(to->retention->policy.max_runtime, "00:05:00");
    assert_int_equal(*to->retention->policy.max_retries, 3);
    assert_string_equal(to->retention->policy.retry_period, "00:10:00");
    assert_false(to->retention->policy.scheduled);
    assert_string_equal(to->reorder->index, "m_pkey");
    assert_null(to->reorder->policy.max_retries);
    assert_null(to->reorder->policy.initial_start);
}

/* A retention by the time of making, by the releases of both sides: where its job fails on the
 * source it needs not be paused, and could not be; where it does on the target it is told. */
static void retention_by_creation(void **state)
{
#define FAILS(where)                                                                               \
    "P281 retention of app.m by drop_created_before: in TimescaleDB " where " such a "             \
    "job fails whenever it runs, and drops nothing | Let it drop by drop_after, or update the "    \
    "target's TimescaleDB to 2.26.3, 2.27 or later."
#define PAUSE                                                                                      \
    "P317 job 1001 (policy_retention of app.m) would run during the migration | Let the run "      \
    "pause it (source.pause_jobs), or pause it on the source: SELECT alter_job(1001, scheduled "   \
    "=> false); then it is made paused on the target, too, unless an entry of hypertables says "   \
    "what its retention is."
    static const struct {
        const char *source, *target;
        bool is_integer;
        const char *expected; /* NULL: nothing */
    } cases[] = {
        {"2.19.3", "2.19.3", false, FAILS("2.19.3")}, {"2.19.3", "2.28.3", false, NULL},
        {"2.26.2", "2.26.2", false, FAILS("2.26.2")}, {"2.26.3", "2.26.3", false, PAUSE},
        {"2.28.3", "2.28.3", false, PAUSE},           {"2.19.3", "2.19.3", true, PAUSE},
    };
#undef FAILS
#undef PAUSE
    MirrorCase *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->source.jobs_count = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.server.timescaledb_version = cases[i].source;
        made->target.server.timescaledb_version = cases[i].target;
        made->dimensions[0].interval = cases[i].is_integer ? "1000" : "3 days";
        made->dimensions[0].interval_is_integer = cases[i].is_integer;
        made->columns[0].base_type_oid = cases[i].is_integer ? INT4 : TIMESTAMPTZ;
        made->columns[1].base_type_oid = TEXT; /* the dimension by hash has no say */
        made->jobs[0] = (CatJob){.id = 1001,
                                 .table = MIRROR_TABLE,
                                 .procedure = {"_timescaledb_functions", "policy_retention"},
                                 .schedule_interval = "1 day",
                                 .max_runtime = "00:05:00",
                                 .max_retries = -1,
                                 .retry_period = "00:05:00",
                                 .created_before = "1 year",
                                 .scheduled = true};
        bool refused = cases[i].expected != NULL && strncmp(cases[i].expected, "P317", 4) == 0;
        assert_int_equal(mirror_case_build(made), !refused);
        assert_int_equal(made->findings.count, cases[i].expected != NULL);
        if (cases[i].expected != NULL)
            assert_string_equal(mirror_case_finding(made, 0), cases[i].expected);
        if (refused)
            continue;
        made->plan.source.pause_jobs = true; /* what fails could not be paused, either */
        made->jobs[0].may_alter = true;
        assert_true(mirror_case_build(made));
        assert_int_equal(made->blueprint.paused_job_count,
                         strcmp(cases[i].source, "2.26.3") >= 0 || cases[i].is_integer);
        made->plan.source.pause_jobs = false;
        const PlanRetention *to = mirror_case_hypertable(made)->hypertable->retention;
        assert_string_equal(to->drop_created_before, "1 year");
        assert_null(to->policy.max_runtime); /* what it has anyway */
        assert_null(to->policy.retry_period);
        assert_true(to->policy.scheduled);
    }
}

/* A policy of a selected hypertable and a user's job; not what is off, refreshes, or is elsewhere.
 */
static void jobs_rest_during_the_run(void **state)
{
    MirrorCase *made = *state;
    const Name retention = {"_timescaledb_functions", "policy_retention"};
    const Name refresh = {"_timescaledb_functions", "policy_refresh_continuous_aggregate"};
    const CatJob jobs[] = {
        {.id = 1001,
         .table = MIRROR_TABLE,
         .procedure = retention,
         .age = "1 year",
         .scheduled = true},
        {.id = 1002, .table = MIRROR_TABLE, .procedure = {"ops", "own"}, .scheduled = false},
        {.id = 1003, .table = {"x", "y"}, .procedure = refresh, .scheduled = true},
        {.id = 1004, .table = {"other", "h"}, .procedure = retention, .scheduled = true},
        {.id = 1005, .procedure = {"ops", "own"}, .scheduled = true},
    };
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->plan.source.pause_jobs = true;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        made->jobs[i] = jobs[i];
        made->jobs[i].schedule_interval = "1 day";
        made->jobs[i].may_alter = true;
    }
    made->source.jobs_count = sizeof(jobs) / sizeof(jobs[0]);
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.paused_job_count, 2);
    assert_int_equal(made->blueprint.paused_jobs[0]->id, 1001);
    assert_int_equal(made->blueprint.paused_jobs[1]->id, 1005);
    assert_true(mirror_case_hypertable(made)->hypertable->retention->policy.scheduled);
    made->jobs[4].may_alter = false;
    made->jobs[4].owner = "boss";
    assert_false(mirror_case_build(made));
    bool refused = false;
    for (size_t i = 0; i < made->findings.count; i++)
        refused =
            refused ||
            strcmp(mirror_case_finding(made, i),
                   "P317 source.pause_jobs: job 1005 (ops.own) is boss's, and postgres may not "
                   "pause it | Make it a member on the source: GRANT boss TO postgres. Or pause "
                   "the job by hand.") == 0;
    assert_true(refused);
    made->plan.replication.plugin = PLAN_PLUGIN_PGOUTPUT;
    made->jobs[4].may_alter = true;
    made->source.jobs_count = 2;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_SCHEMA);
}

/* app.h over app.m, app.d over app.h; the first has a policy with an unbounded start, and indexes:
 * the one by time that comes by itself, one of TimescaleDB's by group, one of the user's. */
static void make_aggregates(MirrorCase *made)
{
    Catalog *source = &made->source;
    static const int time_only[] = {1};
    hand_relation(source, 30, "app", "h", 'v', 0);
    hand_relation(source, 31, "app", "d", 'v', 0);
    hand_relation(source, 32, "_timescaledb_internal", "_mat_3", 'r', 0);
    hand_object(source, CAT_CLASS_RELATION, 30, "app", "h", "view");
    hand_object(source, CAT_CLASS_RELATION, 31, "app", "d", "view");
    hand_index(source, 300, 32, (Name){"_timescaledb_internal", "_mat_3_b_idx"}, time_only, 1,
               false)
        ->sql = "CREATE INDEX _mat_3_b_idx ON _timescaledb_internal._mat_3 USING btree (b DESC)";
    hand_index(source, 301, 32, (Name){"_timescaledb_internal", "_mat_3_device_b_idx"},
               mirror_case_both, 2, false)
        ->sql = "CREATE INDEX _mat_3_device_b_idx ON _timescaledb_internal._mat_3 USING btree "
                "(device, b DESC)";
    hand_index(source, 302, 32, (Name){"_timescaledb_internal", "Mi ne"}, time_only, 1, false)
        ->sql =
        "CREATE INDEX \"Mi ne\" ON _timescaledb_internal._mat_3 USING btree (n) WHERE n > 1";
    made->aggregates[0] = (CatAggregate){
        .view = {"app", "d"},
        .materialization = {"_timescaledb_internal", "_mat_4"},
        .query =
            "SELECT public.time_bucket('1 day', h.b) AS b, sum(h.n) AS n FROM app.h GROUP BY 1",
        .is_finalized = true,
        .reads = {"app", "h"}};
    made->aggregates[1] = (CatAggregate){
        .view = {"app", "h"},
        .materialization = {"_timescaledb_internal", "_mat_3"},
        .query = "SELECT public.time_bucket('1 hour', m.at) AS b, m.device, count(*) AS n FROM "
                 "app.m GROUP BY 1, 2",
        .materialized_only = true,
        .is_finalized = true,
        .reads = {"app", "m"}};
    source->aggregates_count = 2;
    made->jobs[0] =
        (CatJob){.id = 1007,
                 .table = {"app", "h"},
                 .procedure = {"_timescaledb_functions", "policy_refresh_continuous_aggregate"},
                 .schedule_interval = "00:30:00",
                 .max_retries = -1,
                 .end_offset = "01:00:00",
                 .further = "buckets_per_batch, refresh_newest_first",
                 .more = "{\"buckets_per_batch\": 5, \"refresh_newest_first\": false}",
                 .scheduled = true};
    source->jobs_count = 1;
    made->jobs[1] = (CatJob){.id = 1008,
                             .table = {"app", "h"},
                             .procedure = {"_timescaledb_functions", "policy_compression"},
                             .schedule_interval = "12:00:00",
                             .max_retries = -1,
                             .age = "40 days",
                             .scheduled = true};
    made->jobs[2] = (CatJob){.id = 1009,
                             .table = {"app", "h"},
                             .procedure = {"_timescaledb_functions", "policy_retention"},
                             .schedule_interval = "1 day",
                             .max_retries = -1,
                             .age = "3 years",
                             .scheduled = true};
    source->jobs_count = 3;
    made->columnstores[0] = (CatColumnstore){.table = {"app", "h"}, .chunk_interval = "90 days"};
    source->columnstores_count = 1;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
}

static void aggregates_come_along(void **state)
{
    MirrorCase *made = *state;
    make_aggregates(made);
    assert_true(mirror_case_build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(mirror_case_finding(made, 0),
                        "P319 job 1007 (policy_refresh_continuous_aggregate of app.h) has "
                        "refresh_newest_first, which TimescaleDB knows from 2.20 on | It stands in "
                        "the configuration and counts for nothing until the target's TimescaleDB "
                        "is updated.");
    const Blueprint *blueprint = &made->blueprint;
    assert_int_equal(blueprint->aggregate_count, 2);
    assert_false(blueprint_keeps_object(blueprint, CAT_CLASS_RELATION, 30));
    assert_false(blueprint_keeps_object(blueprint, CAT_CLASS_RELATION, 31));
    const PlanAggregate *day = blueprint->aggregates[0];
    const PlanAggregate *hour = blueprint->aggregates[1];
    assert_string_equal(day->target_view.rel, "d");
    assert_false(day->materialized_only);
    assert_null(day->refresh);
    assert_int_equal(day->index_count, 0);
    assert_true(hour->materialized_only);
    assert_string_equal(hour->query, made->aggregates[1].query);
    assert_null(hour->refresh->start_offset);
    assert_string_equal(hour->refresh->end_offset, "01:00:00");
    assert_true(hour->refresh->policy.scheduled);
    assert_string_equal(hour->refresh->policy.more, made->jobs[0].more);
    assert_string_equal(hour->columnstore->chunk_interval, "90 days");
    assert_string_equal(hour->columnstore->after, "40 days");
    assert_string_equal(hour->retention->drop_after, "3 years");
    assert_true(hour->retention->policy.scheduled);
    assert_null(day->columnstore);
    assert_null(day->retention);
    assert_int_equal(hour->index_count, 2);
    assert_string_equal(hour->indexes[0], "CREATE INDEX ON ");
    assert_string_equal(hour->indexes[1], " USING btree (device, b DESC)");
    assert_string_equal(hour->indexes[2], "CREATE INDEX \"Mi ne\" ON ");
    assert_string_equal(hour->indexes[3], " USING btree (n) WHERE n > 1");
}

/* app.m is under retention, and so are the rows of app.h: both aggregates may have rows that
 * outlived what they read. */
static void make_outliving(MirrorCase *made)
{
    make_aggregates(made);
    made->jobs[3] = (CatJob){.id = 1010,
                             .table = MIRROR_TABLE,
                             .procedure = {"_timescaledb_functions", "policy_retention"},
                             .max_retries = -1,
                             .age = "1 year",
                             .scheduled = true,
                             .may_alter = true};
    for (size_t i = 0; i < 3; i++) {
        made->jobs[i].may_alter = true;
        made->jobs[i].further = NULL;
    }
    made->source.jobs_count = 4;
    made->plan.source.pause_jobs = true;
}

static void rows_that_outlive_the_raw_ones_are_carried(void **state)
{
    MirrorCase *made = *state;
    make_outliving(made);
    assert_true(mirror_case_build(made));
    assert_int_equal(made->findings.count, 0);
    assert_true(made->blueprint.aggregates[0]->carry);
    assert_true(made->blueprint.aggregates[1]->carry);
    assert_int_equal(made->blueprint.paused_job_count, 4);
    made->jobs[2].table = (Name){"app", "x"};
    assert_true(mirror_case_build(made));
    assert_false(made->blueprint.aggregates[0]->carry); /* from those that are carried */
    assert_true(made->blueprint.aggregates[1]->carry);
    assert_int_equal(made->blueprint.paused_job_count, 3);
    made->plan.source.pause_jobs = false;
    assert_false(mirror_case_build(made));
    assert_int_equal(made->findings.count, 3);
    assert_string_equal(
        mirror_case_finding(made, 1),
        "P317 rows of continuous aggregate app.h cannot be carried over: job 1007 "
        "(policy_refresh_continuous_aggregate) would change them meanwhile | Let the run pause it "
        "(source.pause_jobs), or pause it on the source: SELECT alter_job(1007, scheduled => "
        "false); then it is made paused on the target, too, unless an entry of "
        "continuous_aggregates says what it is.");
    made->plan.source.pause_jobs = true;
    made->source.jobs_count = 3;
    assert_true(mirror_case_build(made));
    assert_false(made->blueprint.aggregates[1]->carry);
    assert_int_equal(made->blueprint.paused_job_count, 0);
}

/* An entry of the plan stands for itself, and for those that read it. */
static void entries_say_what_is_carried(void **state)
{
    MirrorCase *made = *state;
    make_outliving(made);
    PlanAggregate entries[] = {
        {.target_view = {"app", "h"}, .query = "SELECT 1 FROM app.m", .pos = {12, 3}},
        {.target_view = {"app", "none"},
         .query = "SELECT 1 FROM app.m",
         .carry = true,
         .pos = {14, 3}}};
    made->plan.aggregates = entries;
    made->plan.aggregate_count = 1;
    assert_false(mirror_case_build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(
        mirror_case_finding(made, 0),
        "P317 continuous aggregate app.d may hold what retention has dropped from app.m, and reads "
        "app.h, which the plan computes anew from the rows that are left | Write data: carry in "
        "that one's entry; or, if what is left is enough, write this one as an entry of "
        "continuous_aggregates, too.");
    entries[0].carry = true;
    assert_true(mirror_case_build(made));
    assert_ptr_equal(made->blueprint.aggregates[0], &entries[0]);
    assert_int_equal(made->blueprint.paused_job_count, 4);
    made->plan.aggregate_count = 2;
    assert_false(mirror_case_build(made));
    assert_string_equal(mirror_case_finding(made, 0),
                        "P317 rows of continuous aggregate app.none cannot be carried over: the "
                        "source has no continuous aggregate of that name | Give it the name that "
                        "it has there, or write data: rebuild.");
    made->plan.aggregate_count = 1;
    made->aggregates[1].is_finalized = false;
    assert_false(mirror_case_build(made));
    assert_string_equal(mirror_case_finding(made, 0),
                        "P317 rows of continuous aggregate app.h cannot be carried over: it is of "
                        "the form that TimescaleDB 2.25 dropped | Bring it into the new form: CALL "
                        "cagg_migrate('app.h').");
}

static void rows_that_would_not_show_are_not_carried(void **state)
{
    MirrorCase *made = *state;
    make_outliving(made);
    made->aggregates[1].materialized_only = false;
    assert_true(mirror_case_build(made));
    made->relations[1].hypertable = 32; /* the one chunk that there is */
    assert_false(mirror_case_build(made));
    assert_string_equal(
        mirror_case_finding(made, 0),
        "P317 rows of continuous aggregate app.h cannot be carried over: app.m has no rows, and "
        "real-time aggregation would not show them | Let it show what is materialized, on the "
        "source: ALTER MATERIALIZED VIEW app.h SET (timescaledb.materialized_only = true); or in "
        "an entry of continuous_aggregates.");
    made->aggregates[1].materialized_only = true;
    assert_true(mirror_case_build(made));
}

static void aggregates_of_the_old_form_are_refused(void **state)
{
    MirrorCase *made = *state;
    make_aggregates(made);
    made->source.jobs_count = 0;
    made->aggregates[0].is_finalized = false;
    assert_false(mirror_case_build(made));
    assert_string_equal(mirror_case_finding(made, 0),
                        "P317 continuous aggregate app.d is of the form that TimescaleDB 2.25 "
                        "dropped | Bring it into the new form: CALL cagg_migrate('app.d').");
}

static void jobs_come_along(void **state)
{
    MirrorCase *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->target.objects = made->there;
    hand_object(&made->target, CAT_CLASS_PROC, 500, "app", "rollup", "procedure");
    made->jobs[0] = (CatJob){.id = 1005,
                             .procedure = {"app", "rollup"},
                             .schedule_interval = "01:00:00",
                             .timezone = "Europe/Paris",
                             .max_retries = 2,
                             .config = "{\"k\": 1}",
                             .more = "{\"k\": 1}",
                             .check = {"app", "checked"},
                             .owner = "alice",
                             .scheduled = true};
    made->source.jobs_count = 1;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->findings.count, 0);
    assert_int_equal(made->blueprint.job_count, 1);
    const PlanJob *job = made->blueprint.jobs[0];
    assert_string_equal(job->procedure.rel, "rollup");
    assert_string_equal(job->config, "{\"k\": 1}");
    assert_null(job->policy.more);
    assert_true(job->drifts);
    assert_string_equal(job->check.rel, "checked");
    assert_string_equal(job->owner, "alice");
    assert_int_equal(*job->policy.max_retries, 2);
    made->jobs[1] = made->jobs[0];
    made->jobs[1].id = 1006;
    made->source.jobs_count = 2;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.job_count, 1);
    assert_string_equal(mirror_case_finding(made, 0),
                        "P310 job 1006 (app.rollup) is not mirrored: another one has the same "
                        "procedure and configuration | Add it on the target after the run, or tell "
                        "them apart by their configuration.");
    made->source.jobs_count = 1;
    PlanJob entry = {.procedure = {"app", "rollup"}, .config = "{\"k\": 1}"};
    made->plan.jobs = &entry;
    made->plan.job_count = 1;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.job_count, 1);
    assert_ptr_equal(made->blueprint.jobs[0], &entry);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, mirror_case_setup, mirror_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(policies_come_along),
        TEST(retention_by_creation),
        TEST(jobs_rest_during_the_run),
        TEST(aggregates_come_along),
        TEST(rows_that_outlive_the_raw_ones_are_carried),
        TEST(entries_say_what_is_carried),
        TEST(rows_that_would_not_show_are_not_carried),
        TEST(aggregates_of_the_old_form_are_refused),
        TEST(jobs_come_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
