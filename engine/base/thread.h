/*
 * Thread: starting one, where the machine's limits may not allow it.
 */
#ifndef GODWIT_BASE_THREAD_H
#define GODWIT_BASE_THREAD_H

#include "base/err.h"

#include <pthread.h>

/** Starts a thread. \param what "receiver": what it is for
 * \return false with ERR_RUN: the machine allows no more */
MUSTCHECK bool thread_begin(pthread_t *thread, const char *what, void *(*main)(void *), void *data,
                            Err *err);

#endif
