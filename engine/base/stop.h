/*
 * Stop: one eventfd that every blocking wait polls beside its socket, so that a stop is seen at
 * once.
 *
 * The fd stays readable once the stop was requested (nobody reads it). A NULL Stop never stops: the
 * connections that roll a cutover back are opened with it.
 */
#ifndef GODWIT_BASE_STOP_H
#define GODWIT_BASE_STOP_H

#include "base/err.h"

#include <stdatomic.h>

typedef enum StopReason {
    STOP_NONE = 0,
    STOP_INTERRUPT, /* SIGINT: exit 130 */
    STOP_TERMINATE, /* SIGTERM: exit 143 */
    STOP_PAUSE,     /* `godwit pause`: exit 143 */
    STOP_REFRESH,   /* `godwit refresh`: the engine begins anew with what was added */
    STOP_SNAPSHOT,  /* the wave's snapshot is too old: the engine begins anew with another */
    STOP_LATE,      /* tables are to be copied beside the stream: the engine begins anew */
    STOP_FAILBACK,  /* `godwit failback`: the engine begins anew and goes back to the source */
    STOP_LOCK_LOST, /* the run's lock session died: the engine begins anew once it has it again */
    STOP_FAILED,    /* another part of the run failed */
    STOP_DDL,       /* the source's tables were altered */
    STOP_DOWNTIME,  /* the cutover took longer than its max_downtime */
    STOP_SLOT,      /* the slot is lost, or holds more than the plan allows */
    STOP_DONE,      /* the service is not needed any more */
} StopReason;

typedef struct Stop {
    int fd;
    atomic_int reason;
} Stop;

/** \return false with ERR_IO when no eventfd can be had. */
MUSTCHECK bool stop_init(Stop *stop, Err *err);
void stop_release(Stop *stop);

/** The first reason wins, except that STOP_REFRESH, STOP_SNAPSHOT, STOP_LATE and STOP_FAILBACK are
 * replaced by every
 * other one, and STOP_LOCK_LOST by those that are an end. Safe from any thread. */
void stop_request(Stop *stop, StopReason reason);

/** Takes a stop back: whoever polls waits again. \return false when the reason is another. */
bool stop_withdraw(Stop *stop, StopReason reason);

/** The reason, STOP_NONE while none; `stop` may be NULL. */
StopReason stop_reason(const Stop *stop);

/** Sets the error that fits the stop's reason. \return false. */
bool stop_error(const Stop *stop, Err *err);

/** Waits for one fd (events as in poll(2), fd -1: none) or the stop, at most timeout_ms (-1: for
 * ever). \return 1 fd ready, 0 timeout, -1 stop requested (no error is set). */
int stop_poll(const Stop *stop, int fd, short events, int timeout_ms);

/** Sleeps; \return false if the stop came first. */
bool stop_sleep(const Stop *stop, int timeout_ms);

#endif
