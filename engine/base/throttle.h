/*
 * Throttle: how much of something may be done in a second, by all who share it. Arithmetic over a
 * clock that the caller reads, and the wait that goes with it.
 *
 *     if (!throttle_wait(throttle, stop, 20000)) return stop_error(stop, err);   // 20,000 are next
 *     throttle_settle(throttle, 20000, 18500);                                   // so many they
 * were
 */
#ifndef GODWIT_BASE_THROTTLE_H
#define GODWIT_BASE_THROTTLE_H

#include "base/stop.h"

#include <pthread.h>
#include <stdint.h>

typedef struct Throttle {
    pthread_mutex_t mutex;
    int64_t per_second; /* 0: no limit */
    int64_t paid_us;    /* when all that was taken is paid for */
} Throttle;

#define THROTTLE(rate) ((Throttle){.mutex = PTHREAD_MUTEX_INITIALIZER, .per_second = (rate)})

/** Takes `count` at this moment. \return microseconds to wait before they are done: what was taken
 * before is paid for then */
int64_t throttle_take(Throttle *throttle, int64_t now_us, int64_t count);

/** What was taken turned out to be another count. */
void throttle_settle(Throttle *throttle, int64_t taken, int64_t count);

/** Takes, and waits. NULL is no limit. \return false if the stop came first */
bool throttle_wait(Throttle *throttle, const Stop *stop, int64_t count);

/** Whether there is a limit. */
bool throttle_limits(const Throttle *throttle);

#endif
