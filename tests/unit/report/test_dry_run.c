/*
 * A dry run as text, SQL and JSON, byte for byte; and what the JSON gives back.
 */
#include "report/dry_run.h"

#include "base/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MB (UINT64_C(1024) * 1024)

static void add_step(Arena *arena, DryRun *dry, DryStep step)
{
    *vec_push(arena, &dry->steps) = step;
}

static void add_sql(Arena *arena, DryRun *dry, ConnSide side, const char *sql)
{
    DryStep *step = &dry->steps.items[dry->steps.count - 1];
    *vec_push(arena, &step->sql) = (StepSql){.side = side, .sql = sql};
}

static void make(Arena *arena, DryRun *dry)
{
    *dry = (DryRun){.name = "m",
                    .fingerprint = "0123456789abcdef",
                    .path = "plans/m.yaml",
                    .source = "71/app, PostgreSQL 15",
                    .target = "72/app, PostgreSQL 17",
                    .run = "running since then, epoch 2, 1 steps done",
                    .jobs = {[WORK_COPY] = 4, [WORK_INDEX] = 1, [WORK_VERIFY] = 1}};
    *vec_push(arena, &dry->drift) = "source: column v of public.t: text -> bigint";
    add_step(arena, dry,
             (DryStep){.id = "schema_pre",
                       .kind = "schema_pre",
                       .phase = "schema",
                       .state = DRY_DONE,
                       .sentence = "restore tables"});
    add_sql(arena, dry, CONN_TARGET, "CREATE TABLE t ()");
    add_step(arena, dry,
             (DryStep){.id = "publication",
                       .kind = "publication",
                       .phase = "copy",
                       .state = DRY_CREATE,
                       .sentence = "publish",
                       .pos = {.line = 9, .column = 1}});
    add_sql(arena, dry, CONN_SOURCE, "CREATE PUBLICATION p\n    FOR TABLE a;\n");
    DryStep *step = &dry->steps.items[1];
    *vec_push(arena, &step->findings) = (DryFinding){.code = "G201",
                                                     .severity = "error",
                                                     .server = "source",
                                                     .object = "public.odd\nname",
                                                     .message = "has no replica identity",
                                                     .remedy = "ALTER TABLE a"};
    add_step(arena, dry,
             (DryStep){.id = "copy:public.a",
                       .kind = "copy",
                       .phase = "copy",
                       .state = DRY_CREATE,
                       .sentence = "copy public.a as binary in 2 parts",
                       .pos = {.line = 6, .column = 13},
                       .estimate = {.work = WORK_COPY, .rows = 1000, .bytes = 480 * MB}});
    *vec_push(arena, &dry->steps.items[2].parts) = (StepParts){
        .leaf = "public.a", .count = 2, .reason = "480 MB, larger than 300 MB: by page"};
    add_step(arena, dry,
             (DryStep){.id = "index:public.i",
                       .kind = "index",
                       .phase = "copy",
                       .state = DRY_CHANGE,
                       .sentence = "build index",
                       .reason = "an invalid index of this name is dropped and built again",
                       .estimate = {.work = WORK_INDEX, .rows = -1, .bytes = 1024}});
    add_step(arena, dry,
             (DryStep){.id = "verify:all",
                       .kind = "verify",
                       .phase = "catchup",
                       .state = DRY_FINDING,
                       .sentence = "compare",
                       .reason = "the run has done this, but no more",
                       .estimate = {.work = WORK_VERIFY, .rows = -1, .bytes = 480 * MB}});
}

static void assert_printed(const char *format, const char *expected)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str out = {0};
    DryRun dry;
    make(&arena, &dry);
    dry_run_print(&out, &dry, format);
    assert_string_equal(str_text(&out), expected);
}

static void prints_text(void **state)
{
    (void)state;
    assert_printed(
        "text",
        "plan \"m\" 0123456789ab\n"
        "source  71/app, PostgreSQL 15\n"
        "target  72/app, PostgreSQL 17\n"
        "run     running since then, epoch 2, 1 steps done\n"
        "\n"
        "drift since the run was last applied\n"
        "  ! source: column v of public.t: text -> bigint\n"
        "\n"
        "schema\n"
        "  = schema_pre: restore tables\n"
        "\n"
        "copy\n"
        "  + publication: publish  (plans/m.yaml:9)\n"
        "    ! error G201 on the source, public.odd name: has no replica identity\n"
        "      source | CREATE PUBLICATION p\n"
        "             |     FOR TABLE a\n"
        "  + copy:public.a: copy public.a as binary in 2 parts  (plans/m.yaml:6)\n"
        "      estimate: 1000 rows, 480 MB, about 12.0s\n"
        "      public.a in 2 parts: 480 MB, larger than 300 MB: by page\n"
        "  ~ index:public.i: build index\n"
        "      an invalid index of this name is dropped and built again\n"
        "      estimate: 1.0 kB, under a second\n"
        "\n"
        "catchup\n"
        "  ! verify:all: compare\n"
        "      the run has done this, but no more\n"
        "      estimate: an unknown number of rows, 480 MB, about 8.0s\n"
        "\n"
        "5 steps, 4 to do: 2 + create, 1 ~ change, 1 = done, 1 ! finding\n"
        "1 finding of preflight blocks the run: \"godwit check\" prints each with its remedy\n"
        "copy: 480 MB, 1000 rows, about 3.0s, assuming 40 MB/s on each of 4 table jobs\n"
        "index: 1.0 kB, under a second, assuming 30 MB/s on each of 1 index job\n"
        "verify: 480 MB, an unknown number of rows, about 8.0s, assuming 60 MB/s on each of 1 "
        "verification\n");
}

static void prints_sql(void **state)
{
    (void)state;
    assert_printed("sql",
                   "-- plan \"m\" 0123456789ab: every statement, in an order in which it may run.\n"
                   "-- ! drift, source: column v of public.t: text -> bigint\n"
                   "\n"
                   "-- schema_pre (done): restore tables\n"
                   "-- on the target:\n"
                   "CREATE TABLE t ();\n"
                   "\n"
                   "-- publication (create): publish  (plans/m.yaml:9)\n"
                   "-- ! G201: has no replica identity\n"
                   "-- on the source:\n"
                   "CREATE PUBLICATION p\n"
                   "    FOR TABLE a;\n"
                   "\n"
                   "-- copy:public.a (create): copy public.a as binary in 2 parts  "
                   "(plans/m.yaml:6)\n"
                   "\n"
                   "-- index:public.i (change): build index\n"
                   "\n"
                   "-- verify:all (finding): compare\n");
}

/* The lines of one step in the JSON. */
static const char PUBLICATION_JSON[] = "    {\n"
                                       "      \"id\": \"publication\",\n"
                                       "      \"kind\": \"publication\",\n"
                                       "      \"phase\": \"copy\",\n"
                                       "      \"state\": \"create\",\n"
                                       "      \"sentence\": \"publish\",\n"
                                       "      \"position\": {\n"
                                       "        \"file\": \"plans/m.yaml\",\n"
                                       "        \"line\": 9,\n"
                                       "        \"column\": 1\n"
                                       "      },\n"
                                       "      \"parts\": [],\n"
                                       "      \"findings\": [\n"
                                       "        {\n"
                                       "          \"code\": \"G201\",\n"
                                       "          \"severity\": \"error\",\n"
                                       "          \"server\": \"source\",\n"
                                       "          \"object\": \"public.odd\\nname\",\n"
                                       "          \"message\": \"has no replica identity\",\n"
                                       "          \"remedy\": \"ALTER TABLE a\"\n"
                                       "        }\n"
                                       "      ],\n"
                                       "      \"sql\": [\n"
                                       "        {\n"
                                       "          \"server\": \"source\",\n"
                                       "          \"sql\": \"CREATE PUBLICATION p\\n    FOR TABLE "
                                       "a;\\n\"\n"
                                       "        }\n"
                                       "      ]\n"
                                       "    },\n";

static void prints_json(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str out = {0};
    DryRun dry;
    make(&arena, &dry);
    dry_run_print(&out, &dry, "json");
    if (strstr(str_text(&out), PUBLICATION_JSON) == NULL)
        assert_string_equal(str_text(&out), PUBLICATION_JSON);
    assert_non_null(strstr(str_text(&out), "\"to_do\": 4,\n"));
    assert_non_null(strstr(str_text(&out), "\"seconds\": 12.0,\n"));
}

/* What `show` prints out of a pinned plan is what `plan` printed. */
static void json_comes_back(void **state)
{
    (void)state;
    static const char *const FORMATS[] = {"text", "sql", "json"};
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    DryRun dry;
    DryRun again;
    make(&arena, &dry);
    json_t *json = dry_run_json(&dry);
    if (!dry_run_parse(&arena, json, &again, &err))
        fail_msg("%s", err.message);
    json_decref(json);
    for (size_t i = 0; i < 3; i++) {
        AUTO_STR Str first = {0};
        AUTO_STR Str second = {0};
        dry_run_print(&first, &dry, FORMATS[i]);
        dry_run_print(&second, &again, FORMATS[i]);
        assert_string_equal(str_text(&first), str_text(&second));
    }
}

static void parse_refuses_what_lacks_a_text(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    DryRun dry;
    json_t *json = json_pack("{s:s}", "name", "m");
    assert_false(dry_run_parse(&arena, json, &dry, &err));
    assert_int_equal(err.code, ERR_PLAN);
    assert_string_equal(err.message, "a dry run without a text \"fingerprint\"");
    json_decref(json);
}

/* A long script is cut in the text, and the text says where the rest is. */
static void text_cuts_long_sql(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str sql = {0};
    AUTO_STR Str out = {0};
    DryRun dry;
    make(&arena, &dry);
    for (int i = 0; i < 20; i++)
        str_appendf(&sql, "SELECT %d;\n", i);
    add_sql(&arena, &dry, CONN_TARGET, sql.data);
    dry_run_print(&out, &dry, "text");
    assert_non_null(strstr(str_text(&out), "             | SELECT 15;\n"
                                           "             | ... 4 more lines: --format sql\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_text),
        cmocka_unit_test(prints_sql),
        cmocka_unit_test(prints_json),
        cmocka_unit_test(json_comes_back),
        cmocka_unit_test(parse_refuses_what_lacks_a_text),
        cmocka_unit_test(text_cuts_long_sql),
    };
    return cmocka_run_group_tests_name("report/dry_run", tests, NULL, NULL);
}
