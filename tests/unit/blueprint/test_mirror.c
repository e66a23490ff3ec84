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
    CatRelation relations[12];
    CatColumn columns[16];
    CatIndex indexes[12];
    CatObject objects[16];
    CatObject there[1];
    CatHypertable hypertables[1];
    CatDimension dimensions[2];
    CatJob jobs[6];
    CatExtension extensions[1];
    CatColumnstore columnstores[1];
    CatAggregate aggregates[2];
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
                             .further = "verbose_log",
                             .more = "{\"verbose_log\": true}"};
    made->jobs[1] = (CatJob){.id = 1002,
                             .table = M,
                             .procedure = {"_timescaledb_functions", "policy_reorder"},
                             .schedule_interval = "84:00:00",
                             .max_retries = -1,
                             .index_name = "m_pkey"};
    made->source.jobs_count = 2;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
    const PlanHypertable *to = hypertable(made)->hypertable;
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
    Made *made = *state;
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
                                 .table = M,
                                 .procedure = {"_timescaledb_functions", "policy_retention"},
                                 .schedule_interval = "1 day",
                                 .max_runtime = "00:05:00",
                                 .max_retries = -1,
                                 .retry_period = "00:05:00",
                                 .created_before = "1 year",
                                 .scheduled = true};
        bool refused = cases[i].expected != NULL && strncmp(cases[i].expected, "P317", 4) == 0;
        assert_int_equal(build(made), !refused);
        assert_int_equal(made->findings.count, cases[i].expected != NULL);
        if (cases[i].expected != NULL)
            assert_string_equal(finding(made, 0), cases[i].expected);
        if (refused)
            continue;
        made->plan.source.pause_jobs = true; /* what fails could not be paused, either */
        made->jobs[0].may_alter = true;
        assert_true(build(made));
        assert_int_equal(made->blueprint.paused_job_count,
                         strcmp(cases[i].source, "2.26.3") >= 0 || cases[i].is_integer);
        made->plan.source.pause_jobs = false;
        const PlanRetention *to = hypertable(made)->hypertable->retention;
        assert_string_equal(to->drop_created_before, "1 year");
        assert_null(to->policy.max_runtime); /* what it has anyway */
        assert_null(to->policy.retry_period);
        assert_true(to->policy.scheduled);
    }
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

static const char *fast[] = {"fast"};

/* The one row of each list that a case adds. */
static void add(Made *made, const char *what)
{
    if (strcmp(what, "columnstore") == 0) {
        made->columnstores[0] = (CatColumnstore){.table = M};
        made->source.columnstores_count = 1;
    } else if (strcmp(what, "job") == 0) {
        made->jobs[0] = (CatJob){.id = 1001,
                                 .table = M,
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
                                 .table = M,
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

/* A policy of a selected hypertable and a user's job; not what is off, refreshes, or is elsewhere.
 */
static void jobs_rest_during_the_run(void **state)
{
    Made *made = *state;
    const Name retention = {"_timescaledb_functions", "policy_retention"};
    const Name refresh = {"_timescaledb_functions", "policy_refresh_continuous_aggregate"};
    const CatJob jobs[] = {
        {.id = 1001, .table = M, .procedure = retention, .age = "1 year", .scheduled = true},
        {.id = 1002, .table = M, .procedure = {"ops", "own"}, .scheduled = false},
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
                   "P317 source.pause_jobs: job 1005 (ops.own) is boss's, and postgres may not "
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
    Made *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.jobs_count = made->source.columnstores_count = 0;
        made->source.aggregates_count = made->source.settings_count = 0;
        made->hypertables[0] = (CatHypertable){.name = M, .column_name = "at"};
        made->relations[1].kind = 'r';
        add(made, cases[i].what);
        if (made->source.settings_count == 1 && strcmp(cases[i].what, "restoring") != 0) {
            assert_true(build(made)); /* nothing is compressed yet */
            assert_int_equal(made->findings.count, 0);
            made->columnstores[0] = (CatColumnstore){.table = M};
            made->source.columnstores_count = 1;
        }
        bool warning = strncmp(cases[i].expected, "P310", 4) == 0;
        assert_int_equal(build(made), warning);
        assert_int_equal(made->findings.count, 1);
        assert_string_equal(finding(made, 0), cases[i].expected);
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
    Made *made = *state;
    made->plan.replication.plugin = PLAN_PLUGIN_TEST_DECODING;
    made->columnstores[0] = (CatColumnstore){.table = M,
                                             .segmentby = segments,
                                             .segmentby_count = 1,
                                             .orderby = order,
                                             .orderby_count = 1,
                                             .chunk_interval = "10 days"};
    made->source.columnstores_count = made->source.jobs_count = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made->source.server.timescaledb_version = cases[i].version;
        made->jobs[0] = (CatJob){.id = 1002,
                                 .table = M,
                                 .procedure = {"_timescaledb_functions", "policy_compression"},
                                 .schedule_interval = "12:00:00",
                                 .max_retries = -1,
                                 .age = "7 days",
                                 .scheduled = cases[i].scheduled};
        assert_int_equal(build(made), cases[i].expected == NULL);
        assert_int_equal(made->findings.count, cases[i].expected != NULL);
        if (cases[i].expected != NULL) {
            assert_string_equal(finding(made, 0), cases[i].expected);
            continue;
        }
        const PlanColumnstore *to = hypertable(made)->hypertable->columnstore;
        assert_string_equal(to->segmentby[0], "device");
        assert_string_equal(to->orderby[0], "at DESC");
        assert_string_equal(to->chunk_interval, "10 days");
        assert_string_equal(to->after, "7 days");
        assert_int_equal(to->policy.scheduled, cases[i].scheduled);
    }
}

/* app.h over app.m, app.d over app.h; the first has a policy with an unbounded start, and indexes:
 * the one by time that comes by itself, one of TimescaleDB's by group, one of the user's. */
static void make_aggregates(Made *made)
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
    hand_index(source, 301, 32, (Name){"_timescaledb_internal", "_mat_3_device_b_idx"}, both, 2,
               false)
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
    Made *made = *state;
    make_aggregates(made);
    assert_true(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
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

/* What outlived the raw rows would be lost without a word; an entry of the plan says it may. */
static void aggregates_that_outlive_their_rows_are_told(void **state)
{
    Made *made = *state;
    make_aggregates(made);
    made->jobs[0] = (CatJob){.id = 1008,
                             .table = M,
                             .procedure = {"_timescaledb_functions", "policy_retention"},
                             .max_retries = -1,
                             .age = "1 year"};
    assert_false(build(made));
    assert_int_equal(made->findings.count, 2);
    assert_string_equal(finding(made, 0),
                        "P317 continuous aggregate app.d may hold what retention has dropped from "
                        "app.m, and is computed anew from the rows that are left | If that is "
                        "enough, write it as an entry of continuous_aggregates; else exclude it "
                        "(select.exclude).");
    PlanAggregate entries[] = {
        {.target_view = {"app", "d"}, .query = "SELECT 1 FROM app.h", .pos = {11, 3}},
        {.target_view = {"app", "h"}, .query = "SELECT 1 FROM app.m", .pos = {12, 3}}};
    made->plan.aggregates = entries;
    made->plan.aggregate_count = 2;
    assert_true(build(made));
    assert_int_equal(made->blueprint.aggregate_count, 2);
    assert_ptr_equal(made->blueprint.aggregates[0], &entries[0]);
    assert_false(blueprint_keeps_object(&made->blueprint, CAT_CLASS_RELATION, 30));
    made->plan.aggregate_count = 0;
    made->source.jobs_count = 0;
    made->aggregates[0].is_finalized = false;
    assert_false(build(made));
    assert_string_equal(finding(made, 0),
                        "P317 continuous aggregate app.d is of the form that TimescaleDB 2.25 "
                        "dropped | Bring it into the new form: CALL cagg_migrate('app.d').");
}

static void jobs_come_along(void **state)
{
    Made *made = *state;
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
    assert_true(build(made));
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
    assert_true(build(made));
    assert_int_equal(made->blueprint.job_count, 1);
    assert_string_equal(finding(made, 0),
                        "P310 job 1006 (app.rollup) is not mirrored: another one has the same "
                        "procedure and configuration | Add it on the target after the run, or tell "
                        "them apart by their configuration.");
    made->source.jobs_count = 1;
    PlanJob entry = {.procedure = {"app", "rollup"}, .config = "{\"k\": 1}"};
    made->plan.jobs = &entry;
    made->plan.job_count = 1;
    assert_true(build(made));
    assert_int_equal(made->blueprint.job_count, 1);
    assert_ptr_equal(made->blueprint.jobs[0], &entry);
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

static void expect_refused(Made *made, const char *expected)
{
    assert_false(build(made));
    assert_string_equal(finding(made, made->findings.count - 1), expected);
}

/* Where the schema cannot be published the watcher takes chunks in, and the plan says why. */
static void expect_watched(Made *made, const char *why)
{
    assert_true(build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_WATCH);
    assert_string_equal(made->blueprint.chunk_why, why);
}

static void a_schema_is_published_only_where_it_harms_nobody(void **state)
{
    Made *made = *state;
    assert_true(build(made));
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
    assert_true(build(made));
    assert_int_equal(made->blueprint.chunk_way, CHUNKS_BY_PLUGIN);
}

static void new_chunks_that_no_way_brings_are_refused(void **state)
{
    Made *made = *state;
    made->indexes[1].primary = false;
    expect_refused(made, HEAD "_timescaledb_internal.c1 has no replica identity: UPDATE and DELETE "
                              "would fail there" HINT);
    made->plan.replication.publish = PLAN_PUBLISH_INSERT;
    assert_true(build(made));
    made->plan.replication.publish = PLAN_PUBLISH_ALL;
    made->indexes[1].primary = true;
    made->source.server.is_superuser = false;
    made->plan.copy.data = false;
    expect_refused(made,
                   HEAD "copy.data is false: what is in a chunk before it is published would "
                        "be missing; nor can the whole schema that they are made in: postgres "
                        "is no superuser, and only one may publish a schema" HINT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hypertable_becomes_one),
        TEST(policies_come_along),
        TEST(retention_by_creation),
        TEST(the_plan_goes_before_the_source),
        TEST(jobs_rest_during_the_run),
        TEST(what_cannot_be_followed_is_refused),
        TEST(what_compression_moves_must_be_marked),
        TEST(aggregates_come_along),
        TEST(aggregates_that_outlive_their_rows_are_told),
        TEST(jobs_come_along),
        TEST(a_filter_would_not_hold),
        TEST(a_schema_is_published_only_where_it_harms_nobody),
        TEST(new_chunks_that_no_way_brings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
