/*
 * plan_load: what stands in the plan afterwards; defaults; positions; the fingerprint; paths.
 */
#include "plan/layers.h"

#include "base/str.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GOOD "tests/plans/good/"

static void load(Plan *plan, const char *path, PlanFindings *findings)
{
    AUTO_ERR Err err = {0};
    if (!plan_load(plan, path, findings, &err))
        fail_msg("%s: %s", path, err.message);
}

static void the_minimal_plan_gets_every_default(void **state)
{
    (void)state;
    Plan plan = {0};
    PlanFindings findings;
    load(&plan, GOOD "minimal.yaml", &findings);
    assert_int_equal(findings.count, 0);
    assert_string_equal(plan.name, "metrics");
    assert_string_equal(plan.directory, "tests/plans/good");
    assert_string_equal(plan.source.kind, "rds");
    assert_string_equal(plan.source.conninfo_env, "SOURCE");
    assert_null(plan.source.service);
    assert_null(plan.source.conninfo);
    assert_null(plan.source.passfile);
    assert_int_equal(plan.source.expect.port, 0);
    assert_int_equal(plan.source.max_connections, 12);
    assert_int_equal(plan.target.max_connections, 24);
    assert_null(plan.pg_bin);
    assert_int_equal(plan.select.schemas.count, 1);
    assert_int_equal(plan.select.tables.count, 0);
    assert_int_equal(plan.hypertable_count, 1);
    assert_string_equal(plan.hypertables[0].target_table.schema, "public");
    assert_string_equal(plan.hypertables[0].target_table.rel, "metrics");
    assert_string_equal(plan.hypertables[0].column_name, "time");
    assert_string_equal(plan.hypertables[0].partition_interval, "7 days");
    assert_false(plan.hypertables[0].interval_is_integer);
    assert_null(plan.hypertables[0].partition_func);
    assert_false(plan.hypertables[0].create_default_indexes);
    assert_int_equal(plan.replication.publish, PLAN_PUBLISH_ALL);
    assert_int_equal(plan.replication.heartbeat_us, 10000000);
    assert_int_equal(plan.replication.max_retained_wal_bytes, 0);
    assert_int_equal(plan.replication.on_limit, PLAN_ON_LIMIT_ALARM);
    assert_int_equal(plan.copy.table_jobs, 4);
    assert_int_equal(plan.copy.index_jobs, 2);
    assert_int_equal(plan.copy.split_bytes, UINT64_C(1) << 30);
    assert_int_equal(plan.copy.format, PLAN_FORMAT_AUTO);
    assert_true(plan.copy.vacuum);
    assert_true(plan.copy.refresh_materialized_views);
    assert_int_equal(plan.apply.lanes, 1);
    assert_int_equal(plan.apply.on_conflict, PLAN_CONFLICT_STOP);
    assert_int_equal(plan.memory_bytes, UINT64_C(512) << 20);
    assert_int_equal(plan.verify_count, 1);
    assert_string_equal(plan.verifies[0].id, "all");
    assert_int_equal(plan.verifies[0].method, PLAN_VERIFY_CHECKSUM);
    assert_int_equal(plan.verifies[0].tables.count, 0);
    assert_int_equal(plan.cutover.max_lag_bytes, 16 << 20);
    assert_int_equal(plan.cutover.max_lag_us, 5000000);
    assert_int_equal(plan.cutover.stable_us, 2000000);
    assert_int_equal(plan.cutover.require_count, 0);
    assert_true(plan.cutover.approval_required);
    assert_int_equal(plan.cutover.approval_valid_us, INT64_C(14400000000));
    assert_false(plan.cutover.not_runner);
    assert_int_equal(plan.cutover.method, PLAN_STOP_LOCK);
    assert_int_equal(plan.cutover.grace_us, 30000000);
    assert_int_equal(plan.cutover.max_downtime_us, 300000000);
    assert_int_equal(plan.cutover.sequence_margin, 0);
    plan_release(&plan);
}

static void the_complete_plan_is_bound_as_written(void **state)
{
    (void)state;
    Plan plan = {0};
    PlanFindings findings;
    load(&plan, GOOD "complete.yaml", &findings);
    assert_string_equal(plan.source.service, "metrics_src");
    assert_string_equal(plan.source.passfile, "tests/plans/good/secrets/pgpass");
    assert_string_equal(plan.source.expect.host, "prod.abc.eu-west-1.rds.amazonaws.com");
    assert_int_equal(plan.source.expect.port, 5432);
    assert_string_equal(plan.source.expect.dbname, "app");
    assert_int_equal(plan.source.max_connections, 30);
    assert_string_equal(plan.target.kind, "tiger_cloud");
    assert_string_equal(plan.target.conninfo,
                        "host=db.example.com dbname=tsdb sslmode=verify-full");
    assert_int_equal(plan.target.expect.port, 6432);
    assert_null(plan.target.expect.host);
    assert_string_equal(plan.pg_bin, "/usr/lib/postgresql/17/bin");
    assert_int_equal(plan.select.schemas.count, 3);
    assert_string_equal(plan.select.schemas.items[2].selector.name.schema, "Odd Schema");
    assert_true(plan.select.schemas.items[2].optional);
    assert_false(plan.select.schemas.items[1].optional);
    const Name event = {"app", "evt_click"};
    assert_false(selector_matches(&plan.select.tables.items[0].selector, &event));
    assert_true(selector_matches(&plan.select.tables.items[1].selector, &event));
    assert_int_equal(plan.select.exclude.count, 2);
    assert_string_equal(plan.hypertables[1].target_table.rel, "Readings");
    assert_true(plan.hypertables[0].create_default_indexes);
    assert_true(plan.hypertables[1].interval_is_integer);
    assert_string_equal(plan.hypertables[1].partition_func, "app.to_ms");
    assert_int_equal(plan.replication.publish,
                     PLAN_PUBLISH_INSERT | PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE);
    assert_int_equal(plan.replication.max_retained_wal_bytes, UINT64_C(200) << 30);
    assert_int_equal(plan.replication.on_limit, PLAN_ON_LIMIT_DROP_SLOT);
    assert_int_equal(plan.copy.split_bytes, UINT64_C(1536) << 20);
    assert_int_equal(plan.copy.format, PLAN_FORMAT_TEXT);
    assert_false(plan.copy.vacuum);
    assert_int_equal(plan.apply.on_conflict, PLAN_CONFLICT_UPSERT);
    assert_int_equal(plan.verify_count, 2);
    assert_int_equal(plan.verifies[0].method, PLAN_VERIFY_COUNT);
    assert_int_equal(plan.verifies[1].tables.count, 2);
    assert_string_equal(plan.verifies[1].where, "time > '2026-11-01'");
    assert_int_equal(plan.cutover.require_count, 2);
    assert_string_equal(plan.cutover.require[1], "recent");
    assert_int_equal(plan.cutover.max_lag_us, 1500000);
    assert_int_equal(plan.cutover.approval_valid_us, INT64_C(36) * 3600 * 1000000);
    assert_string_equal(plan.cutover.approvers[0], "dba_oncall");
    assert_true(plan.cutover.not_runner);
    assert_int_equal(plan.cutover.method, PLAN_STOP_READ_ONLY);
    assert_string_equal(plan.cutover.terminate[1], "Report User");
    assert_int_equal(plan.cutover.sequence_margin, 1000);
    plan_release(&plan);
}

static void things_know_where_they_stand(void **state)
{
    (void)state;
    Plan plan = {0};
    PlanFindings findings;
    load(&plan, GOOD "complete.yaml", &findings);
    assert_int_equal(plan.source.pos.line, 5);
    assert_int_equal(plan.select.schemas.items[0].pos.line, 18);
    assert_int_equal(plan.select.schemas.items[0].pos.column, 13);
    assert_int_equal(plan.select.schemas.items[2].pos.column, 44);
    assert_int_equal(plan.hypertables[1].pos.line, 29);
    assert_int_equal(plan.hypertables[1].pos.column, 19);
    assert_int_equal(plan.verifies[1].pos.line, 47);
    assert_int_equal(plan.verifies[1].pos.column, 10);
    plan_release(&plan);
}

static void texts_survive_both_readers(void **state)
{
    (void)state;
    Plan plan = {0};
    PlanFindings findings;
    load(&plan, GOOD "odd_text.yaml", &findings);
    assert_string_equal(plan.source.conninfo, "host=/var/run/postgresql dbname='my app'");
    assert_string_equal(plan.target.service, "s \u2028\U0001F600");
    assert_string_equal(plan.select.tables.items[0].selector.name.rel, "we\"ird");
    assert_string_equal(plan.select.tables.items[1].selector.name.rel, "größe");
    assert_string_equal(plan.select.tables.items[2].selector.name.schema, "日本");
    assert_string_equal(plan.verifies[0].where, "note <> 'it''s \"here\"'\nAND n > 0\n");
    plan_release(&plan);
}

static void the_fingerprint_is_blind_to_layout_and_defaults(void **state)
{
    (void)state;
    Plan minimal = {0};
    Plan written = {0};
    Plan complete = {0};
    PlanFindings findings;
    load(&minimal, GOOD "minimal.yaml", &findings);
    load(&written, GOOD "defaults_written_out.yaml", &findings);
    load(&complete, GOOD "complete.yaml", &findings);
    assert_string_equal(minimal.canonical, written.canonical);
    assert_string_equal(minimal.fingerprint, written.fingerprint);
    assert_string_not_equal(minimal.fingerprint, complete.fingerprint);
    assert_int_equal(strlen(minimal.fingerprint), 64);
    /* A change here changes every fingerprint: approvals and pinned plans of users become stale. */
    assert_string_equal(minimal.fingerprint,
                        "12958c8f8db93e87be60afe597af2353acade25982d9a4977df4016c82cb42e5");
    plan_release(&minimal);
    plan_release(&written);
    plan_release(&complete);
}

static void the_canonical_text_is_sorted_json(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"minimal", "complete", "odd_text"};
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < 3; i++) {
        Plan plan = {0};
        PlanFindings findings;
        load(&plan, arena_printf(&arena, GOOD "%s.yaml", NAMES[i]), &findings);
        json_t *parsed = json_loads(plan.canonical, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(parsed);
        char *sorted = json_dumps(parsed, JSON_COMPACT | JSON_SORT_KEYS);
        AUTO_STR Str ours = {0};
        str_append(&ours, plan.canonical);
        /* jansson writes U+2028 as it is; otherwise the two agree byte for byte. */
        char *escape = strstr(ours.data, "\\u2028");
        if (escape != NULL) {
            memmove(escape + 3, escape + 6, strlen(escape + 6) + 1);
            memcpy(escape, "\u2028", 3);
        }
        assert_string_equal(ours.data, sorted);
        free(sorted);
        json_decref(parsed);
        plan_release(&plan);
    }
}

static void the_place_of_the_plan_does_not_change_it(void **state)
{
    (void)state;
    Plan here = {0};
    Plan there = {0};
    PlanFindings findings;
    char cwd[4096];
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    AUTO_ARENA Arena arena = {0};
    load(&here, GOOD "complete.yaml", &findings);
    load(&there, arena_printf(&arena, "%s/" GOOD "complete.yaml", cwd), &findings);
    assert_string_equal(here.fingerprint, there.fingerprint);
    assert_string_equal(there.source.passfile,
                        arena_printf(&arena, "%s/tests/plans/good/secrets/pgpass", cwd));
    plan_release(&here);
    plan_release(&there);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *message;
    } CASES[] = {
        {"tests/plans/good/none.yaml", "the plan cannot be read: No such file or directory"},
        {"tests/plans/good", "the plan cannot be read: it is a directory"},
        {"/dev/null", "the plan cannot be read: it is a device"},
        {"tests/run/x.yaml", "the plan cannot be read: Not a directory"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        AUTO_ERR Err err = {0};
        Plan plan = {0};
        PlanFindings findings;
        assert_false(plan_load(&plan, CASES[i].path, &findings, &err));
        assert_int_equal(err.code, ERR_PLAN);
        assert_int_equal(findings.count, 1);
        assert_string_equal(findings.items[0].code, "P013");
        assert_string_equal(findings.items[0].message, CASES[i].message);
        assert_int_equal(findings.items[0].pos.line, 0);
        plan_release(&plan);
    }
}

static void a_refusal_by_libcyaml_is_our_bug(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {"{version: 1}", "", "{nonsense: 1}", "{version: [1]}"};
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(*REFUSED); i++) {
        AUTO_ERR Err err = {0};
        BoundPlan *bound = NULL;
        assert_false(plan_bind_text(REFUSED[i], strlen(REFUSED[i]), &bound, &err));
        assert_int_equal(err.code, ERR_BUG);
        assert_int_equal(err_exit_status(err.code), 70);
        assert_non_null(strstr(err.message, "refuses a plan that was accepted"));
        assert_null(bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_minimal_plan_gets_every_default),
        cmocka_unit_test(the_complete_plan_is_bound_as_written),
        cmocka_unit_test(things_know_where_they_stand),
        cmocka_unit_test(texts_survive_both_readers),
        cmocka_unit_test(the_fingerprint_is_blind_to_layout_and_defaults),
        cmocka_unit_test(the_canonical_text_is_sorted_json),
        cmocka_unit_test(the_place_of_the_plan_does_not_change_it),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_refusal_by_libcyaml_is_our_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
