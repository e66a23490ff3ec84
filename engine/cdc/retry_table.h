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

RetryClass retry_class(const Err *err);

/** How long to wait before try number `attempt` (from 0): doubled each time, between half and all
 * of it by chance. \param random any number */
int retry_wait_ms(unsigned attempt, unsigned random);

#endif
