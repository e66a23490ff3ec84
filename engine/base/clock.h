/*
 * Clocks: monotonic time for waiting and measuring, wall-clock time for people.
 */
#ifndef GODWIT_BASE_CLOCK_H
#define GODWIT_BASE_CLOCK_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/** Monotonic milliseconds and microseconds; only differences mean anything. */
int64_t clock_ms(void);
int64_t clock_us(void);

/** Wall-clock microseconds since 1970-01-01 UTC. */
int64_t clock_unix_us(void);

/** RFC 3339 in UTC with milliseconds: 2026-11-21T05:22:01.123Z. \param unix_us microseconds since
 * 1970. */
char *clock_rfc3339(Arena *arena, int64_t unix_us);

/** Whether a text is a day of the calendar, as YYYY-MM-DD. */
bool clock_is_date(const char *text);

/** Microseconds between PostgreSQL's epoch (2000-01-01) and Unix's.
 * \note Source: PostgreSQL, "Message Formats for Logical Replication": timestamps count from 2000.
 */
#define CLOCK_PG_EPOCH_US INT64_C(946684800000000)

#endif
