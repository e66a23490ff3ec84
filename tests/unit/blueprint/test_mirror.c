/*
 * The mirror over catalogs made by hand: what a hypertable of the source becomes, what the plan
 * puts over it, how new chunks come into the stream; the exact words of the findings.
 */
#include "lib/mirror_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_hypertable_becomes_one(void **state)
{
    MirrorCase *made = *state;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->findings.count, 0);
    assert_int_equal(made->blueprint.relation_count, 2);
    assert_int_equal(made->blueprint.leaf_count, 2);
    const Relation *relation = mirror_case_hypertable(made);
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

static void the_plan_goes_before_the_source(void **state)
{
    MirrorCase *made = *state;
    made->over = (PlanHypertable){.target_table = MIRROR_TABLE,
                                  .column_name = "at",
                                  .partition_interval = "1 day",
                                  .pos = {9, 5}};
    made->plan.hypertables = &made->over;
    made->plan.hypertable_count = 1;
    assert_true(mirror_case_build(made));
    const PlanHypertable *to = mirror_case_hypertable(made)->hypertable;
    assert_string_equal(to->partition_interval, "1 day");
    assert_int_equal(to->dimension_count, 1);
    assert_int_equal(to->pos.line, 9);
}

static const char *fast[] = {"fast"};

/* The one row of each list that a case adds. */
static void add(MirrorCase *made, const char *what)
{
    if (strcmp(what, "columnstore") == 0) {
        made->columnstores[0] = (CatColumnstore){.table = MIRROR_TABLE};
        made->source.columnstores_count = 1;
    } else if (strcmp(what, "job") == 0) {
        made->jobs[0] = (CatJob){.id = 1001,
                                 .table = MIRROR_TABLE,
                                 .procedure = {"_timescaledb_functions", "policy_retention"},
                                 .schedule_interval = "1 day",
                                 .age = "1 year",
                                 .scheduled = true};
        made->source.jobs_count = 1;
    } else if (strcmp(what, "user job") == 0) {
        made->jobs[0] = (CatJob){.id = 1005,
                                 .procedure = {"other", "rollup"},
                                 .schedule_interval = "01:00:00",
                                 .scheduled = true};
        made->source.jobs_count = 1;
    } else if (strcmp(what, "compaction") == 0) {
        made->jobs[0] = (CatJob){.id = 1006,
                                 .table = MIRROR_TABLE,
                                 .procedure = {"_timescaledb_functions", "policy_compaction"},
                                 .schedule_interval = "12:00:00"};
        made->source.jobs_count = 1;
    } else if (strcmp(what, "batch delete") == 0) {
        made->settings[0] =
            (CatSetting){"timescaledb.enable_compressed_direct_batch_delete", "on", NULL};
        made->source.settings_count = 1;
    } else if (strcmp(what, "markers") == 0) {
        made->settings[0] = (CatSetting){"timescaledb.enable_compression_wal_markers", "off", NULL};
        made->source.settings_count = 1;
    } else if (strcmp(what, "chunk prefix") == 0) {
        made->hypertables[0].chunk_prefix = "old_";
    } else if (strcmp(what, "tablespace") == 0) {
        made->hypertables[0].tablespaces = fast;
        made->hypertables[0].tablespace_count = 1;
    } else if (strcmp(what, "tiered") == 0) {
        made->relations[1].kind = 'f';
    } else if (strcmp(what, "distributed") == 0) {
        made->hypertables[0].is_distributed = true;
    } else if (strcmp(what, "restoring") == 0) {
        made->settings[0] = (CatSetting){"timescaledb.restoring", "on", NULL};
        made->source.settings_count = 1;
    }
}

static void what_cannot_be_followed_is_refused(void **state)
{
    static const struct {
        const char *what, *expected;
    } cases[] = {
        {"job",
         "P317 job 1001 (policy_retention of app.m) would run during the migration | Let the run "
         "pause it (source.pause_jobs), or pause it on the source: SELECT alter_job(1001, "
         "scheduled "
         "=> false); then it is made paused on the target, too, unless an entry of hypertables "
         "says "
         "what its retention is."},
        {"user job", "P310 job 1005 (other.rollup, every 01:00:00) is not mirrored: its procedure "
                     "is not selected | Select the procedure's schema, or create it on the target "
                     "beforehand."},
        {"compaction", "P310 job 1006 (policy_compaction, every 12:00:00) is not mirrored | Add "
                       "the policy on the target after the run."},
        {"restoring", "P317 timescaledb.mirror: the source is in restoring mode | A restore there "
                      "was not ended: SELECT timescaledb_post_restore()."},
        {"batch delete",
         "P317 the source has timescaledb.enable_compressed_direct_batch_delete = on: a DELETE may "
         "remove whole batches of compressed rows, and the stream shows none of them | ALTER "
         "DATABASE iot SET timescaledb.enable_compressed_direct_batch_delete = off; and let the "
         "applications connect anew."},
        {"markers",
         "P317 the source has timescaledb.enable_compression_wal_markers = off: what compression "
         "moves is not marked, and would be repeated on the target | ALTER SYSTEM SET "
         "timescaledb.enable_compression_wal_markers = on; SELECT pg_reload_conf();"},
        {"chunk prefix", "P310 where app.m keeps its chunks is not mirrored: "
                         "_timescaledb_internal.old_* | They get TimescaleDB's own names on the "
                         "target; no statement can change that."},
        {"tablespace", "P310 tablespace fast of app.m is not mirrored | Attach one on the target "
                       "after the run: SELECT attach_tablespace(...); it counts for new chunks."},
        {"tiered", "P317 app.m has tiered rows (_timescaledb_internal.c1) | Bring them back first: "
                   "CALL untier_chunk(...)."},
        {"distributed", "P317 app.m is a distributed hypertable | TimescaleDB 2.14 dropped them: "
                        "exclude it (select.exclude)."},
    };
    MirrorCase *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.jobs_count = made->source.columnstores_count = 0;
        made->source.aggregates_count = made->source.settings_count = 0;
        made->hypertables[0] = (CatHypertable){.name = MIRROR_TABLE, .column_name = "at"};
        made->relations[1].kind = 'r';
        add(made, cases[i].what);
        if (made->source.settings_count == 1 && strcmp(cases[i].what, "restoring") != 0) {
            assert_true(mirror_case_build(made)); /* nothing is compressed yet */
            assert_int_equal(made->findings.count, 0);
            made->columnstores[0] = (CatColumnstore){.table = MIRROR_TABLE};
            made->source.columnstores_count = 1;
        }
        bool warning = strncmp(cases[i].expected, "P310", 4) == 0;
        assert_int_equal(mirror_case_build(made), warning);
        assert_int_equal(made->findings.count, 1);
        assert_string_equal(mirror_case_finding(made, 0), cases[i].expected);
    }
}

/* A columnstore with a scheduled policy, by version of the source: which one compresses with marks.
 */
static void what_compression_moves_must_be_marked(void **state)
{
    static const struct {
        const char *version;
        bool scheduled;
        const char *expected; /* NULL: it is mirrored */
    } cases[] = {
        {"2.15.3", false,
         "P317 app.m has a columnstore, and TimescaleDB 2.15.3 does not mark what compression "
         "moves | Update the source: ALTER EXTENSION timescaledb UPDATE TO '2.19.3', as the first "
         "command of a session."},
        {"2.18.2", true,
         "P317 job 1002 (policy_compression of app.m) recompresses without marks in TimescaleDB "
         "2.18.2, which would delete rows on the target | Let the run pause it "
         "(source.pause_jobs), or "
         "update the source: ALTER EXTENSION timescaledb UPDATE TO '2.19.3', as the first command "
         "of a session."},
        {"2.18.2", false, NULL},
        {"2.19.3", true, NULL},
        {"2.29.0", true, NULL},
    };
    static const char *segments[] = {"device"}, *order[] = {"at DESC"};
    MirrorCase *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->columnstores[0] = (CatColumnstore){.table = MIRROR_TABLE,
                                             .segmentby = segments,
                                             .segmentby_count = 1,
                                             .orderby = order,
                                             .orderby_count = 1,
                                             .chunk_interval = "10 days"};
    made->source.columnstores_count = made->source.jobs_count = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.server.timescaledb_version = cases[i].version;
        made->jobs[0] = (CatJob){.id = 1002,
                                 .table = MIRROR_TABLE,
                                 .procedure = {"_timescaledb_functions", "policy_compression"},
                                 .schedule_interval = "12:00:00",
                                 .max_retries = -1,
                                 .age = "7 days",
                                 .scheduled = cases[i].scheduled};
        assert_int_equal(mirror_case_build(made), cases[i].expected == NULL);
        assert_int_equal(made->findings.count, cases[i].expected != NULL);
        if (cases[i].expected != NULL) {
            assert_string_equal(mirror_case_finding(made, 0), cases[i].expected);
            continue;
        }
        const PlanColumnstore *to = mirror_case_hypertable(made)->hypertable->columnstore;
        assert_string_equal(to->segmentby[0], "device");
        assert_string_equal(to->orderby[0], "at DESC");
        assert_string_equal(to->chunk_interval, "10 days");
        assert_string_equal(to->after, "7 days");
        assert_int_equal(to->policy.scheduled, cases[i].scheduled);
    }
}

/* A filter would hold for the hypertable's own rows, of which there are none. */
static void a_filter_would_not_hold(void **state)
{
    MirrorCase *made = *state;
    size_t column = 0;
    PlanRowFilter row = {.where = "device > 1", .pos = {5, 3}};
    assert_true(selector_relation(&made->arena, "app.m", &row.table.selector, &column, &made->err));
    made->plan.select.rows = &row;
    made->plan.select.rows_count = 1;
    assert_false(mirror_case_build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(mirror_case_finding(made, 0),
                        "P317 select.rows: app.m is a hypertable on the source, and its chunks are "
                        "published without a filter | Take the filter out; drop_chunks() on the "
                        "target removes what is old.");
    selector_release(&row.table.selector);
}

#define HINT                                                                                       \
    " | Write \"replication: {plugin: test_decoding}\": that plugin knows no publications, and "   \
    "tells of every table."
#define HEAD "P318 chunks that are made from now on cannot be published: "

static void expect_refused(MirrorCase *made, const char *expected)
{
    assert_false(mirror_case_build(made));
    assert_string_equal(mirror_case_finding(made, made->findings.count - 1), expected);
}

/* Where the schema cannot be published the watcher takes chunks in, and the plan says why. */
static void expect_watched(MirrorCase *made, const char *why)
{
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_WATCH);
    assert_string_equal(made->blueprint.chunk_why, why);
}

static void a_schema_is_published_only_where_it_harms_nobody(void **state)
{
    MirrorCase *made = *state;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_SCHEMA);
    made->source.server.is_superuser = false;
    expect_watched(made, "postgres is no superuser, and only one may publish a schema");
    made->source.server.is_superuser = true;
    made->source.server.version = 140005;
    expect_watched(made, "PostgreSQL publishes whole schemas from 15 on");
    made->source.server.version = 170005;
    made->relations[1].name.schema = "elsewhere";
    catalog_complete(&made->source);
    expect_watched(made, "chunk elsewhere.c1 is in another schema");
    add(made, "user job");
    made->relations[1].name.schema = "_timescaledb_internal";
    expect_watched(made, "job 1005 could not write down what it did any more");
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    assert_true(mirror_case_build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_PLUGIN);
}

static void new_chunks_that_no_way_brings_are_refused(void **state)
{
    MirrorCase *made = *state;
    made->indexes[1].primary = false;
    expect_refused(made, HEAD "_timescaledb_internal.c1 has no replica identity: UPDATE and DELETE "
                              "would fail there" HINT);
    made->plan.replication.publish = PLAN_PUBLISH_INSERT;
    assert_true(mirror_case_build(made));
    made->plan.replication.publish = PLAN_PUBLISH_ALL;
    made->indexes[1].primary = true;
    made->source.server.is_superuser = false;
    made->plan.copy.data = false;
    expect_refused(made,
                   HEAD "copy.data is false: what is in a chunk before it is published would "
                        "be missing; nor can the whole schema that they are made in: postgres "
                        "is no superuser, and only one may publish a schema" HINT);
}

/* Its configuration is its own: no key of a policy is looked for, and it is of no table. */
static void a_job_of_ones_own_has_a_configuration(void **state)
{
    MirrorCase *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->jobs[0] = (CatJob){.id = 1007,
                             .procedure = {"app", "rollup"},
                             .schedule_interval = "01:00:00",
                             .config = "{\"buckets_per_batch\": 1}",
                             .further = "buckets_per_batch",
                             .max_retries = -1};
    made->source.jobs_count = 1;
    assert_false(mirror_case_build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(mirror_case_finding(made, 0),
                        "P298 jobs: neither server has a procedure app.rollup | Create it on the "
                        "source, or on the target beforehand.");
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, mirror_case_setup, mirror_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hypertable_becomes_one),
        TEST(the_plan_goes_before_the_source),
        TEST(what_cannot_be_followed_is_refused),
        TEST(what_compression_moves_must_be_marked),
        TEST(a_filter_would_not_hold),
        TEST(a_schema_is_published_only_where_it_harms_nobody),
        TEST(new_chunks_that_no_way_brings_are_refused),
        TEST(a_job_of_ones_own_has_a_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
