/*
 * Retry table: which errors are worth another try, and of what: of the stream, of a step
 * (graph/execute.c), of the whole run (cmd/again.c).
 */
#ifndef GODWIT_CDC_RETRY_TABLE_H
#define GODWIT_CDC_RETRY_TABLE_H

#include "base/err.h"

typedef enum RetryClass {
    RETRY_NEVER,   /* the stream, the step ends with it */
    RETRY_GROUP,   /* roll back; the same group, the same step again */
    RETRY_SESSION, /* connect again, go on at the lane row */
} RetryClass;

typedef struct RetryRow {
    const char *sqlstate; /* a prefix of it */
    RetryClass retry;
    const char *why;
} RetryRow;

/* Ends with a row without sqlstate. */
extern const RetryRow RETRY_ROWS[];

/* Builds for tests, where what passes has passed at once, come to the next attempt sooner. */
#ifdef GODWIT_FAULTS
#define RETRY_MAX_WAIT_MS 400
#else
#define RETRY_MAX_WAIT_MS 10000
#endif
/* Without progress for so long, retrying ends. */
#define RETRY_PERIOD_MS     ((int64_t)10 * 60 * 1000)
#define RETRY_FIRST_WAIT_MS 100
#define RETRY_MAX_GROUP     8 /* of one group before its session is begun anew */

/* How long a stream has not got on. */
typedef struct RetryBudget {
    unsigned attempt;
    uint64_t progress;
    int64_t since_ms; /* when it got on last */
} RetryBudget;

RetryClass retry_class(const Err *err);

/** A session ended: whether its stream may begin another. What counts is the time since it got on.
 * A session that waits for a table to be copied applies nothing, for hours perhaps, and all is well
 * meanwhile: that is no time without progress.
 * \param progress moves with everything that is applied \param waited_ms when it last waited for a
 * table, with its connections alive; 0: it did not \param now_ms all by the same clock */
bool retry_may(RetryBudget *budget, uint64_t progress, int64_t waited_ms, int64_t now_ms);

/** How long to wait before try number `attempt` (from 0): doubled each time, between half and all
 * of it by chance. \param random any number */
int retry_wait_ms(unsigned attempt, unsigned random);

#endif
