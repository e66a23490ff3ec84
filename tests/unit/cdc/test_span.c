/*
 * Spans of keys: a value's place is in the order of its type or it has none, and two sets of keys
 * that have one in common always meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cdc/span.h"

#define INT8        20
#define INT4        23
#define TEXT        25
#define DATE        1082
#define TIMESTAMP   1114
#define TIMESTAMPTZ 1184

static void test_places(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        const char *text;
        bool has;
        int64_t want;
    } ROWS[] = {
        {INT4, "0", true, 0},
        {INT4, "-2147483648", true, INT64_C(-2147483648)},
        {INT8, "999999999999999999", true, INT64_C(999999999999999999)},
        {INT8, "9223372036854775807", false, 0},
        {INT8, "", false, 0},
        {INT8, "-", false, 0},
        {INT8, "1x", false, 0},
        {TEXT, "1", false, 0},
        {DATE, "2026-11-21", true, 20261121},
        {DATE, "0044-03-15 BC", false, 0},
        {DATE, "12026-11-21", false, 0},
        {DATE, "infinity", false, 0},
        {DATE, "-infinity", false, 0},
        {TIMESTAMP, "2026-11-21 23:59:59.999999", true, 20261121},
        {TIMESTAMPTZ, "2026-11-21 00:00:00+00", true, 20261121},
        {TIMESTAMPTZ, "2026-11-21 00:00:00+00 BC", false, 0},
        {TIMESTAMPTZ, "2026-11-2", false, 0},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        int64_t order = 0;
        bool has = span_order(ROWS[i].type, ROWS[i].text, strlen(ROWS[i].text), &order);
        if (has != ROWS[i].has || (has && order != ROWS[i].want))
            fail_msg("%s: %d %lld", ROWS[i].text, has, (long long)order);
    }
}

static void test_meets(void **state)
{
    (void)state;
    const Span none = {0};
    const Span whole = {.any = true, .whole = true};
    const Span low = {.any = true, .least = -5, .greatest = 4};
    const Span high = {.any = true, .least = 4, .greatest = 9};
    const Span beyond = {.any = true, .least = 10, .greatest = 10};
    assert_true(span_meets(&low, &high) && span_meets(&high, &low));
    assert_false(span_meets(&high, &beyond) || span_meets(&beyond, &low));
    assert_true(span_meets(&whole, &beyond) && span_meets(&beyond, &whole));
    assert_false(span_meets(&none, &whole) || span_meets(&whole, &none));
}

static void test_sums(void **state)
{
    (void)state;
    Span sum = {0};
    const Span part = {.any = true, .least = 70000, .greatest = 70001};
    const Span left = {.any = true, .least = -1, .greatest = -1};
    const Span whole = {.any = true, .whole = true};
    assert_false(span_holds(&sum, &part));
    span_add(&sum, &part);
    assert_true(span_holds(&sum, &part));
    Span wide = span_rounded(sum);
    assert_int_equal(wide.least, 69632);
    assert_int_equal(wide.greatest, 73727);
    span_add(&sum, &left);
    assert_true(sum.least == -1 && sum.greatest == 70001 && span_holds(&sum, &left));
    assert_int_equal(span_rounded(sum).least, -4096);
    assert_false(span_holds(&sum, &whole));
    span_add(&sum, &whole);
    assert_true(span_holds(&sum, &whole) && span_holds(&sum, &part));
    span_add(&sum, &(Span){0});
    assert_true(sum.whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_meets),
        cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
