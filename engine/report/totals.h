/*
 * Totals: what a run has done so far, from the journal: the end of `apply`, and `status`.
 */
#ifndef GODWIT_REPORT_TOTALS_H
#define GODWIT_REPORT_TOTALS_H

#include "journal/journal.h"

typedef struct Totals {
    int64_t leaves;
    int64_t leaves_copied;
    int64_t rows;
    int64_t bytes;
    int64_t transactions;
    int64_t changes;
    Lsn applied;
    int64_t relations_verified;
    int64_t differences;
    int64_t conflicts; /* passed over as apply.on_conflict says */
    bool switched;     /* downtime_ms means something */
    int64_t downtime_ms;
    const char *state;
    const char *started_at;
    const char *ended_at;    /* NULL while it lasts */
    const char *switched_at; /* NULL: the target never was the primary */
    const char *sample;      /* JSON of the newest sample, NULL none */
    const char *sample_at;
    double sample_age_s;
} Totals;

MUSTCHECK bool totals_read(Arena *arena, Conn *target, int64_t run, Totals *totals, Err *err);

/** The lines that end a migration, for people. \param lag_bytes at cutover, -1 unknown */
char *totals_text(Arena *arena, const Totals *totals, int64_t lag_bytes);

#endif
