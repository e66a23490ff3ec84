/*
 * Throttle: one number, the moment when everything taken so far is paid for. Who comes waits until
 * then and moves it on; who comes when it is past owes nothing, so idle time is not saved up.
 */
#include "base/throttle.h"

#include "base/clock.h"

#define SECOND_US  INT64_C(1000000)
#define MOST_TAKEN (INT64_MAX / SECOND_US / 2) /* what a second's price can be told of */

bool throttle_limits(const Throttle *throttle)
{
    return throttle != NULL && throttle->per_second > 0;
}

static int64_t price_us(const Throttle *throttle, int64_t count)
{
    if (count > MOST_TAKEN)
        count = MOST_TAKEN;
    return count * SECOND_US / throttle->per_second;
}

int64_t throttle_take(Throttle *throttle, int64_t now_us, int64_t count)
{
    if (!throttle_limits(throttle) || count <= 0)
        return 0;
    pthread_mutex_lock(&throttle->mutex);
    int64_t from_us = throttle->paid_us > now_us ? throttle->paid_us : now_us;
    throttle->paid_us = from_us + price_us(throttle, count);
    pthread_mutex_unlock(&throttle->mutex);
    return from_us - now_us;
}

void throttle_settle(Throttle *throttle, int64_t taken, int64_t count)
{
    if (!throttle_limits(throttle))
        return;
    pthread_mutex_lock(&throttle->mutex);
    throttle->paid_us += price_us(throttle, count) - price_us(throttle, taken);
    pthread_mutex_unlock(&throttle->mutex);
}

bool throttle_wait(Throttle *throttle, const Stop *stop, int64_t count)
{
    if (!throttle_limits(throttle))
        return true;
    int64_t wait_us = throttle_take(throttle, clock_us(), count);
    int64_t wait_ms = (wait_us + 999) / 1000;
    return wait_us == 0 || stop_sleep(stop, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
}
