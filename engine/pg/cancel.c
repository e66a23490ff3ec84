/*
 * Cancel: a statement is cancelled over a connection of its own, which libpq opens and waits for
 * without any limit. Where the way to the server swallows everything that would be minutes, in a
 * thread that is to stop at once. So it is done by a thread of its own; the caller waits for it a
 * little, and otherwise leaves the matter, memory included, to it.
 */
#include "pg/cancel.h"

#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

typedef struct Cancel {
    PGcancel *how; /* the connection's own, unless the thread was left behind */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
    bool left; /* nobody waits any more */
} Cancel;

static void cancel_free(Cancel *cancel)
{
    pthread_cond_destroy(&cancel->changed);
    pthread_mutex_destroy(&cancel->mutex);
    mem_free(cancel);
}

static void *run(void *data)
{
    Cancel *cancel = data;
    char ignored[256]; /* libpq's error text: the statement then simply goes on */
    PQcancel(cancel->how, ignored, sizeof(ignored));
    pthread_mutex_lock(&cancel->mutex);
    cancel->done = true;
    bool left = cancel->left;
    pthread_cond_signal(&cancel->changed);
    pthread_mutex_unlock(&cancel->mutex);
    if (left) {
        PQfreeCancel(cancel->how);
        cancel_free(cancel);
    }
    return NULL;
}

static struct timespec deadline(int ms)
{
    struct timespec until = {0};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

bool cancel_send(PGcancel *how, int timeout_ms)
{
    pthread_t thread = 0;
    pthread_condattr_t monotonic;
    Cancel *cancel = mem_resize(NULL, sizeof(Cancel));
    *cancel = (Cancel){.how = how, .mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&cancel->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&thread, NULL, run, cancel) != 0)
        run(cancel); /* the machine allows no more threads: then it is waited for */
    else
        pthread_detach(thread);
    struct timespec until = deadline(timeout_ms);
    pthread_mutex_lock(&cancel->mutex);
    while (!cancel->done &&
           pthread_cond_timedwait(&cancel->changed, &cancel->mutex, &until) != ETIMEDOUT)
        ;
    bool done = cancel->done;
    cancel->left = !done;
    pthread_mutex_unlock(&cancel->mutex);
    if (done)
        cancel_free(cancel);
    return done;
}
