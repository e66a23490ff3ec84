/*
 * Stop: an eventfd that is written once and polled by every waiting thread.
 */
#include "base/stop.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool stop_init(Stop *stop, Err *err)
{
    atomic_init(&stop->reason, STOP_NONE);
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop->fd < 0)
        return err_set(err, ERR_IO, "could not create an event descriptor: %s", strerror(errno));
    return true;
}

void stop_release(Stop *stop)
{
    if (stop->fd >= 0)
        close(stop->fd);
    stop->fd = -1;
}

static void wake(const Stop *stop)
{
    const uint64_t one = 1;
    if (write(stop->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        BUG("the stop event cannot be written: %s", strerror(errno));
}

/* Behind the lower ones the engine begins anew: an end that is asked for meanwhile must not get
 * lost. */
static int rank(int reason)
{
    if (reason == STOP_NONE)
        return 0;
    if (reason == STOP_REFRESH || reason == STOP_SNAPSHOT || reason == STOP_LATE ||
        reason == STOP_FAILBACK)
        return 1;
    return reason == STOP_LOCK_LOST ? 2 : 3;
}

void stop_request(Stop *stop, StopReason reason)
{
    int old = STOP_NONE;
    while (!atomic_compare_exchange_strong(&stop->reason, &old, (int)reason)) {
        if (rank((int)reason) <= rank(old))
            return;
    }
    wake(stop);
}

bool stop_withdraw(Stop *stop, StopReason reason)
{
    uint64_t ignored = 0;
    int old = (int)reason;
    if (stop_reason(stop) != reason)
        return false;
    if (read(stop->fd, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
        BUG("the stop event cannot be read: %s", strerror(errno));
    if (atomic_compare_exchange_strong(&stop->reason, &old, STOP_NONE))
        return true;
    wake(stop); /* another came meanwhile, whose event was read */
    return false;
}

StopReason stop_reason(const Stop *stop)
{
    return stop == NULL ? STOP_NONE : (StopReason)atomic_load(&stop->reason);
}

bool stop_error(const Stop *stop, Err *err)
{
    switch (stop_reason(stop)) {
    case STOP_INTERRUPT:
        return err_set(err, ERR_INTERRUPTED,
                       "interrupted; stopped at a checkpoint, apply again resumes");
    case STOP_TERMINATE:
        return err_set(err, ERR_TERMINATED,
                       "terminated; stopped at a checkpoint, apply again resumes");
    case STOP_PAUSE:
        return err_set(err, ERR_PAUSED, "paused; stopped at a checkpoint, apply again resumes");
    case STOP_LOCK_LOST:
        return err_set(err, ERR_RUN, "the session that holds the run's lock was lost");
    case STOP_DOWNTIME:
        return err_set(err, ERR_RUN, "the cutover took longer than cutover.max_downtime");
    case STOP_REFRESH:
        return err_set(err, ERR_PAUSED, "stopped at a checkpoint to take in what was added");
    case STOP_SNAPSHOT:
        return err_set(err, ERR_PAUSED, "stopped at a checkpoint to take a new snapshot");
    case STOP_DDL:
        return err_set(err, ERR_STALE, "stopped because tables were altered on the source");
    case STOP_SLOT:
        return err_set(err, ERR_CANNOT_RESUME, "stopped because of the replication slot");
    case STOP_LATE:
        return err_set(err, ERR_PAUSED, "stopped at a checkpoint to copy tables beside the stream");
    case STOP_FAILBACK:
        return err_set(err, ERR_PAUSED, "stopped at a checkpoint to go back to the source");
    case STOP_FAILED:
    case STOP_DONE:
        return err_set(err, ERR_RUN, "stopped because another part of the run ended");
    case STOP_NONE:
        break;
    }
    BUG("a stop error without a stop");
}

int stop_poll(const Stop *stop, int fd, short events, int timeout_ms)
{
    int64_t deadline_ms = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
    struct pollfd waits[2] = {
        {.fd = fd, .events = events},
        {.fd = stop == NULL ? -1 : stop->fd, .events = POLLIN},
    };
    for (;;) {
        int left_ms = -1;
        if (deadline_ms >= 0) {
            int64_t left = deadline_ms - clock_ms();
            left_ms = left > 0 ? (int)left : 0;
        }
        int ready = poll(waits, 2, left_ms);
        if (ready < 0 && errno != EINTR)
            BUG("poll failed: %s", strerror(errno));
        if (ready > 0 && waits[1].revents != 0)
            return -1;
        if (ready > 0)
            return 1;
        if (ready == 0)
            return 0;
    }
}

bool stop_sleep(const Stop *stop, int timeout_ms)
{
    return stop_poll(stop, -1, 0, timeout_ms) == 0;
}
