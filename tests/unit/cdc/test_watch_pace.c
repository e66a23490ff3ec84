/*
 * Whether chunks come faster than they are taken in: told once for each half minute in which more
 * are left than before, with both rates; never for a burst that was dealt with, nor for a few.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cdc/watch_pace.h"

#define PASS_MS 1000

/* Chunks that come and go at these rates, looked at once a second. */
typedef struct Trial {
    WatchPace pace;
    int64_t now_ms;
    size_t waiting;
    size_t told;
    WatchRates last;
} Trial;

static void run(Trial *trial, int seconds, size_t come, size_t taken)
{
    for (int i = 0; i < seconds; i++) {
        WatchRates rates;
        trial->now_ms += PASS_MS;
        trial->waiting += come;
        if (watch_pace(&trial->pace, trial->now_ms, trial->waiting, come, &rates)) {
            trial->told++;
            trial->last = rates;
        }
        trial->waiting -= taken < trial->waiting ? taken : trial->waiting;
    }
}

static void test_keeps_up(void **state)
{
    (void)state;
    Trial trial = {0};
    run(&trial, 300, 40, 64);
    assert_int_equal(trial.told, 0);
    run(&trial, 1, 5000, 64); /* a burst, dealt with until the next half minute is over */
    run(&trial, 200, 40, 640);
    assert_true(trial.told <= 1);
}

static void test_falls_behind(void **state)
{
    (void)state;
    Trial trial = {.now_ms = 5000};
    run(&trial, 30, 20, 15);
    assert_int_equal(trial.told, 0);
    run(&trial, 1, 20, 15);
    assert_int_equal(trial.told, 1);
    assert_float_equal(trial.last.seconds, 30, 0.001);
    assert_float_equal(trial.last.come, 20, 0.001);
    assert_float_equal(trial.last.taken, 15, 0.001);
    run(&trial, 90, 20, 15);
    assert_int_equal(trial.told, 4);
    run(&trial, 120, 20, 30); /* it catches up: nothing is told any more */
    assert_int_equal(trial.told, 4);
}

static void test_a_few_are_nothing(void **state)
{
    (void)state;
    Trial trial = {0};
    run(&trial, 14, 1, 0);
    run(&trial, 300, 0, 0);
    assert_int_equal(trial.told, 0);
}

/* What was there at the first look came before it: it is no rate. */
static void test_what_was_there(void **state)
{
    (void)state;
    WatchPace pace = {0};
    WatchRates rates;
    assert_false(watch_pace(&pace, 1000, 900, 900, &rates));
    assert_false(watch_pace(&pace, 31000, 400, 0, &rates));
    assert_true(watch_pace(&pace, 71000, 500, 300, &rates));
    assert_float_equal(rates.come, 7.5, 0.001);
    assert_float_equal(rates.taken, 5, 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_up),
        cmocka_unit_test(test_falls_behind),
        cmocka_unit_test(test_a_few_are_nothing),
        cmocka_unit_test(test_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
