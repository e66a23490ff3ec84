/*
 * A thread that the machine does not allow is an error with the limits in its hint, not a defect.
 */
#include "base/signals.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Nobody has that much address space. */
#define STACK_BYTES (SIZE_MAX / 4096)

static void *say(void *data)
{
    *(bool *)data = true;
    return NULL;
}

static void stacks(size_t bytes)
{
    pthread_attr_t attributes;
    assert_int_equal(pthread_getattr_default_np(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, bytes), 0);
    assert_int_equal(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
}

static void starts_or_says_why(void **state)
{
    AUTO_ERR Err err = {0};
    AUTO_ERR Err none = {0};
    AUTO_ERR Err deaf = {0};
    bool said = false;
    pthread_t thread;
    Signals *signals = NULL;
    Stop stop;
    (void)state;
    stacks(STACK_BYTES);
    bool started = thread_begin(&thread, "test", say, &said, &err);
    bool stop_made = stop_init(&stop, &none);
    bool listening = signals_begin(&signals, &stop, &deaf);
    stacks(1024 * 1024);
    assert_false(started);
    assert_int_equal(err.code, ERR_RUN);
    assert_non_null(strstr(err.message, "a thread (test) cannot be started: "));
    assert_non_null(strstr(err.hint, "ulimit"));
    assert_true(stop_made);
    assert_false(listening);
    assert_non_null(strstr(deaf.message, "a thread (signals) cannot be started: "));
    stop_release(&stop);
    assert_true(thread_begin(&thread, "test", say, &said, &none));
    pthread_join(thread, NULL);
    assert_true(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(starts_or_says_why)};
    return cmocka_run_group_tests_name("base/thread", tests, NULL, NULL);
}
