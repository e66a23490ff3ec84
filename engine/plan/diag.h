/*
 * Diagnostics of the plan language: one row each, never renumbered, never reused.
 *
 * P0xx: the text is not one plain YAML document (locate). P1xx: its shape is wrong (walk).
 * P2xx: its meaning is wrong (check); P25x are warnings. Each code has a page in docs/codes.
 */
#ifndef GODWIT_PLAN_DIAG_H
#define GODWIT_PLAN_DIAG_H

#include <stdbool.h>
#include <stddef.h>

typedef enum PlanDiag {
    DIAG_TOO_LARGE,
    DIAG_ENCODING,
    DIAG_CONTROL,
    DIAG_SYNTAX,
    DIAG_DEPTH,
    DIAG_NODES,
    DIAG_ALIAS,
    DIAG_TAG,
    DIAG_DOCUMENTS,
    DIAG_KEY_SHAPE,
    DIAG_EMPTY,
    DIAG_TOO_MANY,
    DIAG_UNREADABLE,
    DIAG_TAB,
    DIAG_UNKNOWN_KEY,
    DIAG_LATER,
    DIAG_DUPLICATE_KEY,
    DIAG_MISSING_KEY,
    DIAG_TYPE,
    DIAG_NULL,
    DIAG_INTEGER,
    DIAG_RANGE,
    DIAG_BOOLEAN,
    DIAG_ENUM,
    DIAG_FORMAT,
    DIAG_PATTERN,
    DIAG_ONE_OF,
    DIAG_QUOTES,
    DIAG_LENGTH,
    DIAG_DUPLICATE_ENTRY,
    DIAG_PATTERNS,
    DIAG_PASSWORD,
    DIAG_SAME_ENDPOINT,
    DIAG_EXCLUDED,
    DIAG_NOT_SELECTED,
    DIAG_DUPLICATE_ID,
    DIAG_UNKNOWN_ID,
    DIAG_NO_LIMIT,
    DIAG_GRACE,
    DIAG_CONNECTIONS,
    DIAG_NOTHING_COPIED,
    DIAG_NAME_CLASH,
    DIAG_CYCLE,
    DIAG_UNKNOWN_STEP,
    DIAG_RESERVED_ID,
    DIAG_EDITION,
    DIAG_RETENTION,
    DIAG_WINDOW,
    DIAG_AGE_KIND,
    DIAG_MERGE,
    DIAG_COLUMN_NEEDED,
    DIAG_PUBLISH_UNPROVED,
    DIAG_RUNNER,
    DIAG_FILE,
    DIAG_NOT_EXECUTABLE,
    DIAG_NO_COMMAND,
    DIAG_REHEARSAL,
    DIAG_NO_WAY_BACK,
    DIAG_NEEDS_PGOUTPUT,
    DIAG_PUBLISHES_LESS,
    DIAG_NO_APPROVAL,
    DIAG_NO_EFFECT,
    DIAG_SAME_PLAN,
    DIAG_WINDOW_LOSES,
    DIAG_MEMORY,
    DIAG_CONVERTS_STALE,
    DIAG_AGGREGATE_NAME,
    DIAG_AGGREGATE_CYCLE,
    DIAG_CARRY,
    DIAG_COUNT
} PlanDiag;

typedef struct PlanDiagRow {
    const char *code;  /* "P101" */
    bool is_error;     /* else a warning */
    const char *title; /* the first line of its page */
} PlanDiagRow;

/** The row of a diagnostic. */
const PlanDiagRow *plan_diag_row(PlanDiag diag);

/** Finds a row by code ("P101"); NULL if there is none. */
const PlanDiagRow *plan_diag_find(const char *code);

#endif
