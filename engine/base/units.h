/*
 * Units: sizes, intervals and numbers as people write them in a plan or on a command line
 * (`16MB`, `7 days`, `90s`), and back.
 */
#ifndef GODWIT_BASE_UNITS_H
#define GODWIT_BASE_UNITS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/** A size as PostgreSQL writes it: a decimal number and B, kB, MB, GB or TB (KB is accepted), no
 * unit: bytes. \return false if it is not one, or beyond 2^63-1 bytes. */
MUSTCHECK bool units_size_parse(const char *text, uint64_t *bytes);

/** A fixed span of time: one or more `number unit` (us ms s min h d, and their long names and
 * plurals; weeks too; `90s`, `2 minutes`, `1 day 12 hours`). Months and years have no fixed length
 * and are refused. \return false if it is not one, negative, or beyond 2^63-1 microseconds. */
MUSTCHECK bool units_interval_parse(const char *text, int64_t *us);

/** A strict decimal integer: no sign, no leading zero, no blanks. */
MUSTCHECK bool units_uint32_parse(const char *text, uint32_t *value);
MUSTCHECK bool units_uint64_parse(const char *text, uint64_t *value);

/** "1.3 GB", "812 kB", "17 bytes": for people. */
char *units_size_text(Arena *arena, uint64_t bytes);

/** "1h 02m", "3m 05s", "2.4s", "87ms": for people. */
char *units_interval_text(Arena *arena, int64_t us);

#endif
