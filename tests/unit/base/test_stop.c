/*
 * Stops: which reason stays, and what a withdrawal must not take along.
 */
#include "base/stop.h"

#include <poll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_signal_outlasts_a_new_beginning(void **state)
{
    (void)state;
    static const StopReason ANEW[] = {STOP_REFRESH, STOP_SNAPSHOT};
    for (size_t i = 0; i < 2; i++) {
        AUTO_ERR Err err = {0};
        Stop stop;
        assert_true(stop_init(&stop, &err));
        stop_request(&stop, ANEW[i]);
        stop_request(&stop, STOP_INTERRUPT);
        assert_int_equal(stop_reason(&stop), STOP_INTERRUPT);
        assert_false(stop_withdraw(&stop, ANEW[i]));
        assert_int_equal(stop_poll(&stop, -1, 0, 0), -1);
        stop_release(&stop);
    }
}

static void the_first_reason_stays(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    Stop stop;
    assert_true(stop_init(&stop, &err));
    stop_request(&stop, STOP_INTERRUPT);
    stop_request(&stop, STOP_TERMINATE);
    stop_request(&stop, STOP_SNAPSHOT);
    assert_int_equal(stop_reason(&stop), STOP_INTERRUPT);
    stop_release(&stop);
}

static void who_withdraws_waits_again(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    Stop stop;
    assert_true(stop_init(&stop, &err));
    stop_request(&stop, STOP_SNAPSHOT);
    stop_request(&stop, STOP_REFRESH);
    assert_int_equal(stop_reason(&stop), STOP_SNAPSHOT);
    assert_true(stop_withdraw(&stop, STOP_SNAPSHOT));
    assert_int_equal(stop_poll(&stop, -1, 0, 0), 0);
    stop_release(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_outlasts_a_new_beginning),
        cmocka_unit_test(the_first_reason_stays),
        cmocka_unit_test(who_withdraws_waits_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
