/*
 * Status: what the journal says of a run, read and printed.
 */
#ifndef GODWIT_REPORT_STATUS_TEXT_H
#define GODWIT_REPORT_STATUS_TEXT_H

#include "base/str.h"
#include "journal/lock.h"
#include "report/totals.h"

typedef struct StatusStep {
    const char *id;
    const char *state;
    const char *detail;
    const char *started_at;
    double seconds;
} StatusStep;

typedef struct StatusGate {
    const char *what;
    const char *when;
    const char *detail;
} StatusGate;

/* Changes that did not meet the row they expect. */
typedef struct StatusConflict {
    Name relation;
    const char *kind;
    const char *outcome;
    int64_t count;
    const char *last_key;
    const char *last_at;
} StatusConflict;

/* Behind a cutover that prepared one. */
typedef struct StatusWayBack {
    bool open;
    bool active; /* an engine applies what it takes */
    const char *slot;
    int64_t retained_bytes;
    int64_t lag_bytes;
    const char *until;
} StatusWayBack;

/* A table that was altered on the source and is left out until it is copied anew. */
typedef struct StatusPaused {
    const char *table;
    const char *since;
    const char *why;
    const char *remedy; /* on the target; "": it is as the source's */
} StatusPaused;

typedef struct Status {
    const JournalRun *run;
    Totals totals;
    LockHolder holder; /* pid 0: no engine runs */
    StatusWayBack way_back;
    StatusStep *steps;
    size_t step_count;
    StatusGate *gates;
    size_t gate_count;
    StatusConflict *conflicts;
    size_t conflict_count;
    StatusPaused *paused;
    size_t paused_count;
} Status;

MUSTCHECK bool status_read(Arena *arena, Conn *target, const JournalRun *run, const Plan *plan,
                           Status *status, Err *err);

/** Appends it as "text" or "json". */
void status_print(Str *out, const Status *status, const char *format);

#endif
