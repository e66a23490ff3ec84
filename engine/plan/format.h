/*
 * Format: the forms that a text in a plan may have. The regular expression of a row goes into the
 * JSON Schema, and judges where no function does.
 */
#ifndef GODWIT_PLAN_FORMAT_H
#define GODWIT_PLAN_FORMAT_H

#include "base/err.h"

typedef enum PlanFormat {
    FORMAT_TEXT, /* anything that is not empty */
    FORMAT_NAME,
    FORMAT_ID,
    FORMAT_VARIABLE,
    FORMAT_SIZE,
    FORMAT_INTERVAL,
    FORMAT_PARTITION, /* an integer, or an interval that may count months and years */
    FORMAT_SCHEMA,    /* selector of schema names */
    FORMAT_SELECTOR,  /* selector of relations */
    FORMAT_RELATION,  /* schema.name */
    FORMAT_CONNINFO,
    FORMAT_ROLE,       /* selector of role names */
    FORMAT_MAP_TARGET, /* schema.name in which ${1} may stand */
    FORMAT_CODE,       /* of a finding */
    FORMAT_DATE,
    FORMAT_SPAN,      /* an interval that may count months and years */
    FORMAT_AGE,       /* the same, or a number for an integer column */
    FORMAT_OFFSET,    /* the same, or unbounded */
    FORMAT_TIMESTAMP, /* a day, with or without a time */
    FORMAT_JSON,      /* a JSON object */
    FORMAT_COUNT
} PlanFormat;

/* What a check found out about a text. */
typedef struct FormatResult {
    uint64_t value;   /* of a size (bytes) or an interval (microseconds) */
    bool is_pattern;  /* the fault is inside a pattern */
    bool has_reason;  /* the error says more than that the form is wrong */
    size_t character; /* of the fault, 0-based in the text */
} FormatResult;

typedef bool FormatCheck(Arena *arena, const char *text, FormatResult *result, Err *err);

typedef struct FormatRow {
    const char *name;    /* "a size" */
    const char *regex;   /* ECMA 262 and PCRE2 read it alike; matched against the whole text */
    const char *example; /* "16MB" */
    bool integer;        /* a plain number is a way to write it */
    bool patterns;       /* ~ begins a pattern */
    FormatCheck *check;  /* NULL: the regular expression judges */
} FormatRow;

const FormatRow *format_row(PlanFormat format);

/** Judges a text. \return false with ERR_PLAN and the reason; \param result filled either way. */
MUSTCHECK bool format_check(Arena *arena, PlanFormat format, const char *text, FormatResult *result,
                            Err *err);

/** A number, or a span of time as microseconds, months and years counted as PostgreSQL compares
 * them: 30 days, 12 months. \return false when it is neither, or too long to count. */
MUSTCHECK bool format_age(const char *text, uint64_t *value);

/** Whether a partition interval is an integer. */
bool format_is_integer(const char *text);

#endif
