/*
 * The throttle's arithmetic under a clock of the test's own: what one or many take is never more
 * than the rate allows, but for the first piece, and idle time is not saved up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/throttle.h"

#define SECOND INT64_C(1000000)

static void test_waits(void **state)
{
    (void)state;
    Throttle throttle = THROTTLE(1000);
    static const struct {
        int64_t now_us, count, want_us;
    } ROWS[] = {
        {5 * SECOND, 500, 0},            /* the first piece is free, and costs half a second */
        {5 * SECOND, 1000, SECOND / 2},  /* its payer is the next */
        {5 * SECOND, 1, 3 * SECOND / 2}, /* and so on */
        {6 * SECOND, 9, SECOND / 2 + 1000},
        {20 * SECOND, 2000, 0}, /* what was idle is not saved up */
        {21 * SECOND, 0, 0},    /* nothing costs nothing */
        {21 * SECOND, 10, SECOND},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        assert_int_equal(throttle_take(&throttle, ROWS[i].now_us, ROWS[i].count), ROWS[i].want_us);
}

static void test_settle(void **state)
{
    (void)state;
    Throttle throttle = THROTTLE(100);
    assert_int_equal(throttle_take(&throttle, 0, 100), 0);
    throttle_settle(&throttle, 100, 300); /* it was more */
    assert_int_equal(throttle_take(&throttle, 0, 100), 3 * SECOND);
    throttle_settle(&throttle, 100, 0); /* it was nothing */
    assert_int_equal(throttle_take(&throttle, SECOND, 1), 2 * SECOND);
}

static void test_no_limit(void **state)
{
    (void)state;
    Throttle throttle = THROTTLE(0);
    assert_false(throttle_limits(&throttle));
    assert_false(throttle_limits(NULL));
    assert_int_equal(throttle_take(&throttle, 0, INT64_MAX), 0);
    assert_int_equal(throttle_take(&throttle, 0, INT64_MAX), 0);
    throttle_settle(&throttle, 1, 2);
    assert_true(throttle_wait(NULL, NULL, 1000));
    assert_true(throttle_wait(&throttle, NULL, 1000));
}

/* Three workers with pieces of other sizes, each of which waits as it is told. */
static void test_shared(void **state)
{
    (void)state;
    static const int64_t RATES[] = {1000, 33333, 1000000000};
    for (size_t r = 0; r < sizeof(RATES) / sizeof(RATES[0]); r++) {
        Throttle throttle = THROTTLE(RATES[r]);
        static const int64_t PIECES[] = {1, 777, 20000};
        int64_t free_us[3] = {0};
        int64_t taken = 0;
        int64_t last = 0;
        for (int i = 0; i < 3000; i++) {
            int who = i % 3;
            int64_t now_us = free_us[who];
            int64_t begins_us = now_us + throttle_take(&throttle, now_us, PIECES[who]);
            /* all that was taken before is paid for when this one begins, to a microsecond each */
            assert_true(begins_us + i + 1 >= taken * SECOND / RATES[r]);
            assert_true(begins_us <= taken * SECOND / RATES[r] + 1 || begins_us == now_us);
            taken += PIECES[who];
            free_us[who] = begins_us;
            last = begins_us > last ? begins_us : last;
        }
        assert_true(last > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
