/*
 * Signals: SIGINT and SIGTERM become a request to the run's stop, from the first thread on.
 *
 * Blocked in every thread (threads inherit the mask), read from a signalfd by one thread of this
 * module. Children get a clean mask from base/process.
 */
#ifndef GODWIT_BASE_SIGNALS_H
#define GODWIT_BASE_SIGNALS_H

#include "base/stop.h"

typedef struct Signals Signals;

/** Before any other thread is started. \return false with ERR_IO. */
MUSTCHECK bool signals_begin(Signals **signals, Stop *stop, Err *err);

/** Ends the thread; the signals stay blocked, so that a late one does not cut the last writes off.
 * NULL is allowed. */
void signals_end(Signals *signals);

#endif
