/*
 * The mirror over catalogs made by hand: what a hypertable of the source becomes, what the plan
 * puts over it, how new chunks come into the stream; the exact words of the findings.
 */
#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "lib/hand_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* app.m (10) is a hypertable by time and hash with chunk _timescaledb_internal.c1 (11), app.t (20)
 * a plain table. */
typedef struct Made {
    Arena arena;
    Catalog source;
    Catalog target;
    Plan plan;
    Blueprint blueprint;
    PlanFindings findings;
    Err err;
    VEC(PlanSelector) schemas;
    CatRelation relations[8];
    CatColumn columns[16];
    CatIndex indexes[8];
    CatObject objects[16];
    CatHypertable hypertables[1];
    CatDimension dimensions[2];
    CatJob jobs[5];
    CatColumnstore columnstores[1];
    CatAggregate aggregates[1];
    CatSetting settings[1];
    PlanHypertable over;
} Made;

static const int both[] = {1, 2};
static const Name M = {"app", "m"};

static void make_tables(Made *made)
{
    Catalog *source = &made->source;
    CatRelation *table = hand_relation(source, 10, "app", "m", 'r', 0);
    table->inherits = true;
    table->bytes = 0;
    CatRelation *chunk = hand_relation(source, 11, "_timescaledb_internal", "c1", 'r', 0);
    chunk->is_chunk = true;
    chunk->hypertable = 10;
    chunk->bytes = 8192;
    hand_relation(source, 20, "app", "t", 'r', 0);
    hand_column(source, 10, 1, "at", TIMESTAMPTZ, true);
    hand_column(source, 10, 2, "device", INT4, true);
    hand_column(source, 11, 1, "at", TIMESTAMPTZ, true);
    hand_column(source, 11, 2, "device", INT4, true);
    hand_column(source, 20, 1, "id", INT4, true);
    hand_index(source, 100, 10, (Name){"app", "m_pkey"}, both, 2, true);
    hand_index(source, 110, 11, (Name){"_timescaledb_internal", "c1_pkey"}, both, 2, true);
    hand_index(source, 200, 20, (Name){"app", "t_pkey"}, both, 1, true);
    for (size_t i = 0; i < source->relations_count; i++)
        hand_object(source, CAT_CLASS_RELATION, made->relations[i].oid,
                    made->relations[i].name.schema, made->relations[i].name.rel, "object");
    hand_object(source, CAT_CLASS_NAMESPACE, 1000, NULL, "app", "object");
}

static int setup(void **state)
{
    Made *made = calloc(1, sizeof(*made));
    Catalog *source = &made->source;
    source->relations = made->relations;
    source->columns = made->columns;
    source->indexes = made->indexes;
    source->objects = made->objects;
    source->hypertables = made->hypertables;
    source->dimensions = made->dimensions;
    source->jobs = made->jobs;
    source->columnstores = made->columnstores;
    source->aggregates = made->aggregates;
    source->settings = made->settings;
    made->hypertables[0] = (CatHypertable){.name = M, .column_name = "at"};
    source->hypertables_count = 1;
    made->dimensions[0] = (CatDimension){.table = M, .column_name = "at", .interval = "3 days"};
    made->dimensions[1] =
        (CatDimension){.table = M, .column_name = "device", .number_partitions = 4};
    source->dimensions_count = 2;
    make_tables(made);
    source->server = (CatServer){.version = 170005,
                                 .database = "iot",
                                 .user = "postgres",
                                 .is_superuser = true,
                                 .timescaledb_version = "2.19.3"};
    made->target.server = (CatServer){
        .version = 170005, .timescaledb_version = "2.19.3", .timescaledb_license = "timescale"};
    made->plan.mirror = true;
    made->plan.mirror_pos = (PlanPos){7, 1};
    made->plan.copy.data = true;
    made->plan.replication.publish = PLAN_PUBLISH_ALL;
    *state = made;
    return 0;
}

static int teardown(void **state)
{
    Made *made = *state;
    for (size_t i = 0; i < made->schemas.count; i++)
        selector_release(&made->schemas.items[i].selector);
    blueprint_release(&made->blueprint);
    catalog_release(&made->source);
    catalog_release(&made->target);
    err_release(&made->err);
    arena_release(&made->arena);
    free(made);
    return 0;
}

static bool build(Made *made)
{
    size_t column = 0;
    if (made->schemas.count == 0) {
        PlanSelector *item = vec_push(&made->arena, &made->schemas);
        item->pos = (PlanPos){3, 3};
        assert_true(selector_schema(&made->arena, "app", &item->selector, &column, &made->err));
        catalog_complete(&made->source);
        catalog_complete(&made->target);
    }
    made->plan.select.schemas = (PlanSelectors){made->schemas.items, made->schemas.count};
    err_release(&made->err);
    blueprint_release(&made->blueprint);
    return blueprint_build(&made->blueprint, &made->plan, &made->source, &made->target,
                           &made->findings, &made->err);
}

static const char *finding(Made *made, size_t index)
{
    const PlanFinding *found = &made->findings.items[index];
    return arena_printf(&made->arena, "%s %s | %s", found->code, found->message,
                        found->hint == NULL ? "" : found->hint);
}

static const Relation *hypertable(Made *made)
{
    const Name name = {"app", "m"};
    return blueprint_relation(&made->blueprint, &name);
}

static void a_hypertable_becomes_one(void **state)
{
    Made *made = *state;
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
    assert_int_equal(made->blueprint.relation_count, 2);
    assert_int_equal(made->blueprint.leaf_count, 2);
    const Relation *relation = hypertable(made);
    assert_true(relation->chunked);
    assert_false(relation->family);
    assert_int_equal(relation->leaves[0]->bytes, 8192);
    assert_ptr_equal(blueprint_chunked(&made->blueprint, 10), relation->leaves[0]);
    assert_null(blueprint_chunked(&made->blueprint, 20));
    assert_null(blueprint_leaf(&made->blueprint, 11));
    const PlanHypertable *to = relation->hypertable;
    assert_string_equal(to->column_name, "at");
    assert_string_equal(to->partition_interval, "3 days");
    assert_false(to->create_default_indexes);
    assert_int_equal(to->dimension_count, 1);
    assert_string_equal(to->dimensions[0].column_name, "device");
    assert_int_equal(to->dimensions[0].number_partitions, 4);
    assert_null(to->retention);
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_SCHEMA);
}

/* Every parameter of a policy, and what was not set stays unset. */
static void policies_come_along(void **state)
{
    Made *made = *state;
    made->jobs[0] = (CatJob){.id = 1001,
                             .table = M,
                             .procedure = {"_timescaledb_functions", "policy_retention"},
                             .schedule_interval = "1 day",
                             .initial_start = "2026-01-01 00:00:00+00",
                             .timezone = "Europe/Paris",
                             .max_runtime = "00:05:00",
                             .max_retries = 3,
                             .retry_period = "00:10:00",
                             .age = "1 year",
                             .further = "verbose_log"};
    made->jobs[1] = (CatJob){.id = 1002,
                             .table = M,
                             .procedure = {"_timescaledb_functions", "policy_reorder"},
                             .schedule_interval = "84:00:00",
                             .max_retries = -1,
                             .index_name = "m_pkey"};
    made->source.jobs_count = 2;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    assert_true(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P310 job 1001 (policy_retention of app.m) has settings that are not "
                        "mirrored: verbose_log | Set them on the target after the run: SELECT "
                        "alter_job(<id>, config => ...).");
    const PlanHypertable *to = hypertable(made)->hypertable;
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

static void the_plan_goes_before_the_source(void **state)
{
    Made *made = *state;
    made->over = (PlanHypertable){
        .target_table = M, .column_name = "at", .partition_interval = "1 day", .pos = {9, 5}};
    made->plan.hypertables = &made->over;
    made->plan.hypertable_count = 1;
    assert_true(build(made));
    const PlanHypertable *to = hypertable(made)->hypertable;
    assert_string_equal(to->partition_interval, "1 day");
    assert_int_equal(to->dimension_count, 1);
    assert_int_equal(to->pos.line, 9);
}

/* The one row of each list that a case adds. */
static void add(Made *made, const char *what)
{
    if (strcmp(what, "columnstore") == 0) {
        made->columnstores[0] = (CatColumnstore){.table = M};
        made->source.columnstores_count = 1;
    } else if (strcmp(what, "job") == 0) {
        made->jobs[0] = (CatJob){.id = 1001,
                                 .table = M,
                                 .procedure = {"x", "policy_retention"},
                                 .schedule_interval = "1 day",
                                 .age = "1 year",
                                 .scheduled = true};
        made->source.jobs_count = 1;
    } else if (strcmp(what, "user job") == 0) {
        made->jobs[0] = (CatJob){.id = 1005,
                                 .procedure = {"app", "rollup"},
                                 .schedule_interval = "01:00:00",
                                 .scheduled = true};
        made->source.jobs_count = 1;
    } else if (strcmp(what, "aggregate") == 0) {
        made->aggregates[0] = (CatAggregate){.view = {"app", "t"}};
        made->source.aggregates_count = 1;
    } else if (strcmp(what, "restoring") == 0) {
        made->settings[0] = (CatSetting){"timescaledb.restoring", "on", NULL};
        made->source.settings_count = 1;
    }
}

/* A policy of a selected hypertable and a user's job; not what is off, refreshes, or is elsewhere.
 */
static void jobs_rest_during_the_run(void **state)
{
    Made *made = *state;
    const Name retention = {"_timescaledb_functions", "policy_retention"};
    const Name refresh = {"_timescaledb_functions", "policy_refresh_continuous_aggregate"};
    const CatJob jobs[] = {
        {.id = 1001, .table = M, .procedure = retention, .age = "1 year", .scheduled = true},
        {.id = 1002, .table = M, .procedure = {"app", "own"}, .scheduled = false},
        {.id = 1003, .table = {"x", "y"}, .procedure = refresh, .scheduled = true},
        {.id = 1004, .table = {"other", "h"}, .procedure = retention, .scheduled = true},
        {.id = 1005, .procedure = {"app", "own"}, .scheduled = true},
    };
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->plan.source.pause_jobs = true;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        made->jobs[i] = jobs[i];
        made->jobs[i].schedule_interval = "1 day";
        made->jobs[i].may_alter = true;
    }
    made->source.jobs_count = sizeof(jobs) / sizeof(jobs[0]);
    assert_true(build(made));
    assert_int_equal(made->blueprint.paused_job_count, 2);
    assert_int_equal(made->blueprint.paused_jobs[0]->id, 1001);
    assert_int_equal(made->blueprint.paused_jobs[1]->id, 1005);
    assert_true(hypertable(made)->hypertable->retention->policy.scheduled);
    made->jobs[4].may_alter = false;
    made->jobs[4].owner = "boss";
    assert_false(build(made));
    bool refused = false;
    for (size_t i = 0; i < made->findings.count; i++)
        refused =
            refused ||
            strcmp(finding(made, i),
                   "P317 source.pause_jobs: job 1005 (app.own) is boss's, and postgres may not "
                   "pause it | Make it a member on the source: GRANT boss TO postgres. Or pause "
                   "the job by hand.") == 0;
    assert_true(refused);
    made->plan.replication.plugin = PLAN_PLUGIN_PGOUTPUT;
    made->jobs[4].may_alter = true;
    made->source.jobs_count = 2;
    assert_true(build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_SCHEMA);
}

static void what_cannot_be_followed_is_refused(void **state)
{
    static const struct {
        const char *what, *expected;
    } cases[] = {
        {"columnstore", "P317 app.m has a columnstore, which is not mirrored in this version | "
                        "Exclude it for now."},
        {"job", "P317 job 1001 (policy_retention of app.m) would run during the migration | Pause "
                "it on the source: SELECT alter_job(1001, scheduled => false); it is made paused "
                "on the target, too. Or let the run pause it: source.pause_jobs."},
        {"user job", "P310 job 1005 (app.rollup, every 01:00:00) is not mirrored | Add it on the "
                     "target after the run: SELECT add_job(...)."},
        {"restoring", "P317 timescaledb.mirror: the source is in restoring mode | A restore there "
                      "was not ended: SELECT timescaledb_post_restore()."},
        {"aggregate", "P317 continuous aggregate app.t is not mirrored in this version | Exclude "
                      "it (select.exclude), and create it on the target."},
    };
    Made *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.jobs_count = made->source.columnstores_count = 0;
        made->source.aggregates_count = made->source.settings_count = 0;
        add(made, cases[i].what);
        bool warning = strncmp(cases[i].expected, "P310", 4) == 0;
        assert_int_equal(build(made), warning);
        assert_int_equal(made->findings.count, 1);
        assert_string_equal(finding(made, 0), cases[i].expected);
    }
}

/* A filter would hold for the hypertable's own rows, of which there are none. */
static void a_filter_would_not_hold(void **state)
{
    Made *made = *state;
    size_t column = 0;
    PlanRowFilter row = {.where = "device > 1", .pos = {5, 3}};
    assert_true(selector_relation(&made->arena, "app.m", &row.table.selector, &column, &made->err));
    made->plan.select.rows = &row;
    made->plan.select.rows_count = 1;
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P317 select.rows: app.m is a hypertable on the source, and its chunks are "
                        "published without a filter | Take the filter out; drop_chunks() on the "
                        "target removes what is old.");
    selector_release(&row.table.selector);
}

#define HINT                                                                                       \
    " | Write \"replication: {plugin: test_decoding}\": that plugin knows no publications, and "   \
    "tells of every table."
#define HEAD "P318 chunks that are made from now on cannot be published: "

static void expect_way(Made *made, const char *expected)
{
    assert_false(build(made));
    assert_string_equal(finding(made, made->findings.count - 1), expected);
}

static void a_schema_is_published_only_where_it_harms_nobody(void **state)
{
    Made *made = *state;
    made->source.server.is_superuser = false;
    expect_way(made, HEAD "postgres is no superuser, and only one may publish a schema" HINT);
    made->source.server.is_superuser = true;
    made->source.server.version = 140005;
    expect_way(made, HEAD "PostgreSQL publishes whole schemas from 15 on" HINT);
    made->source.server.version = 170005;
    made->indexes[1].primary = false;
    expect_way(made, HEAD "_timescaledb_internal.c1 has no replica identity: UPDATE and DELETE "
                          "would fail there" HINT);
    made->plan.replication.publish = PLAN_PUBLISH_INSERT;
    assert_true(build(made));
    made->indexes[1].primary = true;
    made->relations[1].name.schema = "elsewhere";
    catalog_complete(&made->source);
    expect_way(made, HEAD "chunk elsewhere.c1 is in another schema" HINT);
    add(made, "user job");
    made->relations[1].name.schema = "_timescaledb_internal";
    expect_way(made, HEAD "job 1005 could not write down what it did any more" HINT);
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    assert_true(build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_PLUGIN);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hypertable_becomes_one),
        TEST(policies_come_along),
        TEST(the_plan_goes_before_the_source),
        TEST(jobs_rest_during_the_run),
        TEST(what_cannot_be_followed_is_refused),
        TEST(a_filter_would_not_hold),
        TEST(a_schema_is_published_only_where_it_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
