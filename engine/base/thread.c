/*
 * Thread: the system's word, and which limits there are.
 */
#include "base/thread.h"

#include <string.h>

bool thread_begin(pthread_t *thread, const char *what, void *(*main)(void *), void *data, Err *err)
{
    int problem = pthread_create(thread, NULL, main, data);
    if (problem == 0)
        return true;
    err_set(err, ERR_RUN, "a thread (%s) cannot be started: %s", what, strerror(problem));
    return err_hint(err, "The machine, or the container, allows no more threads or memory: see "
                         "\"ulimit -a\" and pids.max, memory.max of the control group. Then "
                         "\"godwit apply\" goes on.");
}
