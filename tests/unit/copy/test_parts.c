/*
 * Parts: what is divided and why, and that the ranges of a real table hold each row exactly once.
 */
#include "copy/parts.h"
#include "lib/server.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const Column COLUMNS[] = {
    {.name = "id", .type_oid = 20, .not_null = true},
    {.name = "t", .type_oid = 25, .not_null = true},
    {.name = "maybe", .type_oid = 23},
};
static const uint16_t BY_ID[] = {0}, BY_TEXT[] = {1}, BY_NULLABLE[] = {2};

typedef struct PlanCase {
    uint64_t bytes;
    uint32_t pages;
    bool is_heap;
    int version;
    const uint16_t *key; /* NULL: none */
    uint32_t jobs;
    PartBy by;
    size_t count;
    const char *reason;
} PlanCase;

static void division_has_a_reason(void **state)
{
    (void)state;
    static const PlanCase CASES[] = {
        {1000, 1, true, 150000, BY_ID, 4, PART_BY_NONE, 1, "1000 bytes, not larger than 1.0 MB"},
        {1 << 20, 128, true, 150000, BY_ID, 4, PART_BY_NONE, 1, "1.0 MB, not larger than 1.0 MB"},
        {10 << 20, 1280, true, 150000, BY_ID, 1, PART_BY_NONE, 1, "10 MB, one table job"},
        {10 << 20, 1280, true, 150000, BY_TEXT, 4, PART_BY_CTID, 10,
         "10 MB, larger than 1.0 MB: by page"},
        {3 << 20, 384, true, 150000, NULL, 8, PART_BY_CTID, 8,
         "3.0 MB, larger than 1.0 MB: by page"},
        {10 << 20, 2, true, 150000, BY_ID, 4, PART_BY_KEY, 10, "10 MB, larger than 1.0 MB: by id"},
        {10 << 20, 1280, true, 130000, BY_ID, 4, PART_BY_KEY, 10,
         "10 MB, larger than 1.0 MB: by id"},
        {10 << 20, 1280, false, 150000, BY_ID, 4, PART_BY_KEY, 10,
         "10 MB, larger than 1.0 MB: by id"},
        {10 << 20, 1280, true, 130000, BY_TEXT, 4, PART_BY_NONE, 1,
         "10 MB, larger than 1.0 MB, but it has neither page ranges nor an integer key"},
        {10 << 20, 1280, true, 130000, BY_NULLABLE, 4, PART_BY_NONE, 1,
         "10 MB, larger than 1.0 MB, but it has neither page ranges nor an integer key"},
        {10 << 20, 1280, true, 130000, NULL, 4, PART_BY_NONE, 1,
         "10 MB, larger than 1.0 MB, but it has neither page ranges nor an integer key"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        const PlanCase *given = &CASES[i];
        Key key = {.count = 1, .columns = given->key};
        Column columns[3];
        memcpy(columns, COLUMNS, sizeof(columns));
        Relation relation = {.columns = columns, .column_count = 3};
        relation.key = given->key != NULL ? &key : NULL;
        Leaf leaf = {.root = &relation, .bytes = given->bytes, .is_heap = given->is_heap};
        PlanCopy copy = {.table_jobs = given->jobs, .split_bytes = 1 << 20};
        PartPlan plan = parts_plan(&arena, &leaf, given->pages, given->version, &copy);
        assert_int_equal(plan.by, given->by);
        assert_int_equal(plan.count, given->count);
        assert_string_equal(plan.reason, given->reason);
    }
}

static void huge_tables_have_a_bounded_number_of_parts(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Relation relation = {0};
    Leaf leaf = {.root = &relation, .bytes = UINT64_C(1) << 50, .is_heap = true};
    PlanCopy copy = {.table_jobs = 4, .split_bytes = 1};
    assert_int_equal(parts_plan(&arena, &leaf, UINT32_MAX, 170000, &copy).count, 4096);
}

static void ranges_meet_without_gap(void **state)
{
    (void)state;
    static const int64_t SPANS[][2] = {{0, 10}, {-5, 5}, {INT64_MIN, INT64_MAX},
                                       {7, 7},  {0, 0},  {INT64_MAX - 2, INT64_MAX}};
    for (size_t i = 0; i < sizeof(SPANS) / sizeof(SPANS[0]); i++) {
        PartPlan plan = {.by = PART_BY_KEY, .count = 7, .column = "id"};
        PartRange before = parts_range(&plan, 0, SPANS[i][0], SPANS[i][1]);
        assert_false(before.has_from);
        for (size_t part = 1; part < plan.count; part++) {
            PartRange range = parts_range(&plan, part, SPANS[i][0], SPANS[i][1]);
            assert_true(before.has_to && range.has_from);
            assert_true(range.from == before.to);
            assert_true(!range.has_to || range.to >= range.from);
            before = range;
        }
        assert_false(before.has_to);
    }
}

static void texts_and_conditions(void **state)
{
    (void)state;
    static const struct {
        PartRange range;
        const char *text;
        const char *condition;
        const char *filter;
    } CASES[] = {
        {{.by = PART_BY_NONE}, "all rows", "", NULL},
        {{.by = PART_BY_CTID, .has_to = true, .to = 12},
         "pages below 12",
         " WHERE ctid < '(12,0)'::pg_catalog.tid",
         NULL},
        {{.by = PART_BY_CTID, .has_from = true, .has_to = true, .from = 12, .to = 24},
         "pages from 12 to below 24",
         " WHERE ctid >= '(12,0)'::pg_catalog.tid AND ctid < '(24,0)'::pg_catalog.tid",
         NULL},
        {{.by = PART_BY_KEY, .column = "id", .has_from = true, .from = -3},
         "id from -3",
         " WHERE \"id\" >= -3",
         NULL},
        {{.by = PART_BY_NONE}, "all rows", " WHERE (a > 1)", "(a > 1)"},
        {{.by = PART_BY_KEY, .column = "id", .has_to = true, .to = 9},
         "id below 9",
         " WHERE (a > 1 OR b) AND \"id\" < 9",
         "(a > 1 OR b)"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_STR Str sql = {0};
        parts_condition(&sql, &CASES[i].range, "\"id\"", CASES[i].filter);
        assert_string_equal(str_text(&sql), CASES[i].condition);
        assert_string_equal(parts_range_text(&arena, &CASES[i].range), CASES[i].text);
    }
}

/* --- on a real table --- */

static int setup(void **state)
{
    (void)state;
    return server_setup(NULL);
}

static void each_row_is_in_one_range(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, "postgres");
    server_script(conn, "CREATE TABLE public.r (id bigint NOT NULL, pad text);"
                        "INSERT INTO public.r SELECT (i - 500) * 9000000000000000, repeat('x', 300)"
                        "  FROM generate_series(1, 1000) i;"
                        "INSERT INTO public.r VALUES (9223372036854775807), "
                        "(-9223372036854775807 - 1);"
                        "DELETE FROM public.r WHERE id % 7 = 0");
    static const PartPlan PLANS[] = {
        {.by = PART_BY_KEY, .count = 6, .column = "id"},
        /* The number of pages is an estimate: too small, and too large. */
        {.by = PART_BY_CTID, .count = 6},
        {.by = PART_BY_CTID, .count = 40},
    };
    static const int64_t BOUNDS[][2] = {{INT64_MIN, INT64_MAX}, {0, 20}, {0, 4000}};
    const char *whole =
        server_value(&arena, conn, "SELECT concat(count(*), ' ', sum(id::numeric)) FROM public.r");
    for (size_t p = 0; p < sizeof(PLANS) / sizeof(PLANS[0]); p++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "SELECT concat(count(*), ' ', sum(id::numeric)) FROM (");
        for (size_t i = 0; i < PLANS[p].count; i++) {
            PartRange range = parts_range(&PLANS[p], i, BOUNDS[p][0], BOUNDS[p][1]);
            str_append(&sql, i == 0 ? "" : " UNION ALL ");
            str_append(&sql, "SELECT id FROM ONLY public.r");
            parts_condition(&sql, &range, "id", NULL);
        }
        str_append(&sql, ") AS parts");
        assert_string_equal(server_value(&arena, conn, sql.data), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(division_has_a_reason),
        cmocka_unit_test(huge_tables_have_a_bounded_number_of_parts),
        cmocka_unit_test(ranges_meet_without_gap),
        cmocka_unit_test(texts_and_conditions),
        cmocka_unit_test(each_row_is_in_one_range),
    };
    return cmocka_run_group_tests(tests, setup, server_teardown);
}
