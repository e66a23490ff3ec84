/*
 * Routes: all changes of one row to one lane, whatever its bytes; what concerns two lanes is a
 * barrier; what is tied together stays together; recorded rules are kept or refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/route.h"

#define LANES 4

enum { BY_INT, BY_PAIR, BY_NUMERIC, BY_CHAR, KEYLESS, UNIQUE_TOO, MERGED, RELATIONS };

static Column int_columns[] = {{.name = "id", .type_oid = 23}, {.name = "v", .type_oid = 25}};
static Column pair_columns[] = {{.name = "a", .type_oid = 25}, {.name = "b", .type_oid = 1082}};
static Column numeric_columns[] = {{.name = "n", .type_oid = 1700}};
static Column char_columns[] = {{.name = "c", .type_oid = 1042}};
static const uint16_t first[] = {0};
static const uint16_t both[] = {0, 1};
static const Key one_key = {.index_name = "pk", .count = 1, .columns = first};
static const Key two_keys = {.index_name = "pk", .count = 2, .columns = both};

static Relation relations[RELATIONS] = {
    {.target = {"s", "by_int"}, .columns = int_columns, .column_count = 2, .key = &one_key},
    {.target = {"s", "by_pair"}, .columns = pair_columns, .column_count = 2, .key = &two_keys},
    {.target = {"s", "by_numeric"}, .columns = numeric_columns, .column_count = 1, .key = &one_key},
    {.target = {"s", "by_char"}, .columns = char_columns, .column_count = 1, .key = &one_key},
    {.target = {"s", "keyless"}, .columns = int_columns, .column_count = 2},
    {.target = {"s", "unique_too"},
     .columns = int_columns,
     .column_count = 2,
     .key = &one_key,
     .further_unique = true},
    {.target = {"s", "by_int"}, .columns = int_columns, .column_count = 2, .key = &one_key},
};
static const Blueprint blueprint = {.relations = relations, .relation_count = RELATIONS};

static int number_relations(void **state)
{
    (void)state;
    for (size_t i = 0; i < RELATIONS; i++)
        relations[i].index = i;
    return 0;
}

static PgoValue text(const char *value)
{
    if (value == NULL)
        return (PgoValue){.kind = PGO_UNCHANGED};
    return (PgoValue){.data = value, .length = (uint32_t)strlen(value), .kind = PGO_TEXT};
}

#define ROW(a, b) ((PgoValue[]){text(a), text(b)})

static uint16_t insert(const Router *router, int relation, const char *a, const char *b)
{
    return route_change(router, &relations[relation], NULL, ROW(a, b));
}

static void test_a_row_stays_in_its_lane(void **state)
{
    (void)state;
    Router router;
    router_init(&router, &blueprint, LANES);
    unsigned used[LANES] = {0};
    for (int i = 0; i < 1000; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%d", i);
        uint16_t lane = insert(&router, BY_INT, id, "x");
        assert_true(lane < LANES);
        used[lane]++;
        const Relation *relation = &relations[BY_INT];
        assert_int_equal(route_change(&router, relation, NULL, ROW(id, NULL)), lane);
        assert_int_equal(route_change(&router, relation, ROW(id, "old"), ROW(id, "y")), lane);
        assert_int_equal(route_change(&router, relation, ROW(id, NULL), ROW(NULL, "y")), lane);
        assert_int_equal(route_change(&router, relation, ROW(id, NULL), NULL), lane);
        /* tables that become one on the target share their rows' homes */
        assert_int_equal(insert(&router, MERGED, id, "x"), lane);
    }
    for (int lane = 0; lane < LANES; lane++)
        assert_true(used[lane] > 150 && used[lane] < 350);
    router_release(&router);
}

static void test_a_key_that_moves_between_lanes_is_a_barrier(void **state)
{
    (void)state;
    Router router;
    router_init(&router, &blueprint, LANES);
    unsigned barriers = 0;
    for (int i = 0; i < 100; i++) {
        char from[16];
        char to[16];
        snprintf(from, sizeof(from), "%d", i);
        snprintf(to, sizeof(to), "%d", i + 1000);
        bool same = insert(&router, BY_INT, from, "") == insert(&router, BY_INT, to, "");
        uint16_t lane = route_change(&router, &relations[BY_INT], ROW(from, NULL), ROW(to, "v"));
        assert_int_equal(lane == ROUTE_BARRIER, !same);
        barriers += lane == ROUTE_BARRIER ? 1 : 0;
    }
    assert_true(barriers > 50 && barriers < 100);
    /* a key that did not travel at all: nobody can say */
    assert_int_equal(insert(&router, BY_INT, NULL, "v"), ROUTE_BARRIER);
    router_release(&router);
}

static void test_values_keep_their_borders(void **state)
{
    (void)state;
    Router router;
    router_init(&router, &blueprint, 64);
    unsigned apart = 0;
    for (int i = 0; i < 50; i++) {
        char a[16];
        char b[16];
        snprintf(a, sizeof(a), "k%d", i);
        snprintf(b, sizeof(b), "k%dz", i);
        apart += insert(&router, BY_PAIR, a, "z1") != insert(&router, BY_PAIR, b, "1") ? 1 : 0;
    }
    assert_true(apart > 40);
    router_release(&router);
}

static void test_what_is_tied_together_has_one_lane(void **state)
{
    (void)state;
    Router router;
    router_init(&router, &blueprint, LANES);
    static const int TIED[] = {BY_NUMERIC, BY_CHAR, KEYLESS, UNIQUE_TOO};
    for (size_t t = 0; t < sizeof(TIED) / sizeof(TIED[0]); t++) {
        assert_false(route_reads_key(&router, &relations[TIED[t]]));
        uint16_t lane = insert(&router, TIED[t], "1", "");
        for (int i = 0; i < 50; i++) {
            char id[16];
            snprintf(id, sizeof(id), "%d.0", i);
            assert_int_equal(insert(&router, TIED[t], id, ""), lane);
        }
    }
    assert_true(route_reads_key(&router, &relations[BY_INT]));
    route_together(&router, &relations[BY_INT]);
    assert_false(route_reads_key(&router, &relations[BY_INT]));
    assert_int_equal(insert(&router, BY_INT, "1", ""), insert(&router, BY_INT, "2", ""));
    router_release(&router);
}

static void test_recorded_rules_are_kept(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Router then;
    Router now;
    router_init(&then, &blueprint, LANES);
    route_together(&then, &relations[BY_INT]);
    const char *rules = route_rules(&arena, &then);
    assert_string_equal(rules, "[[\"s\",\"by_pair\",\"a\",\"b\"],[\"s\",\"by_int\",\"id\"]]");
    router_init(&now, &blueprint, LANES);
    AUTO_ERR Err err = {0};
    assert_true(route_take_rules(&now, "[[\"s\",\"by_pair\",\"a\",\"b\"]]", &err));
    assert_false(route_reads_key(&now, &relations[BY_INT]));
    assert_true(route_reads_key(&now, &relations[BY_PAIR]));
    assert_true(
        route_take_rules(&now, "[[\"s\",\"by_int\",\"id\"],[\"gone\",\"t\",\"id\"]]", &err));
    assert_true(route_reads_key(&now, &relations[BY_INT]));
    assert_false(route_take_rules(&now, "[[\"s\",\"by_pair\",\"b\",\"a\"]]", &err));
    assert_int_equal(err.code, ERR_RUN);
    AUTO_ERR Err broken = {0};
    assert_false(route_take_rules(&now, "[[", &broken));
    router_release(&then);
    router_release(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_stays_in_its_lane),
        cmocka_unit_test(test_a_key_that_moves_between_lanes_is_a_barrier),
        cmocka_unit_test(test_values_keep_their_borders),
        cmocka_unit_test(test_what_is_tied_together_has_one_lane),
        cmocka_unit_test(test_recorded_rules_are_kept),
    };
    return cmocka_run_group_tests(tests, number_relations, NULL);
}
