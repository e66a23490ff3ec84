/*
 * Report: collects findings while the layers run; and the text helpers that findings need.
 */
#ifndef GODWIT_PLAN_REPORT_H
#define GODWIT_PLAN_REPORT_H

#include "base/vec.h"
#include "plan/diag.h"
#include "plan/node.h"

/* More findings than this are counted, not shown. */
#define REPORT_MAX 50

typedef struct Report {
    Arena *arena;
    VEC(PlanFinding) list;
    size_t dropped;
    size_t errors;
    VEC(const Node *) secrets; /* scalars that hold a password */
    size_t later;              /* errors that only say "not in this version" */
} Report;

/** Whether further findings are only counted: no more work need go into their text. */
static inline bool report_is_full(const Report *report)
{
    return report->list.count >= REPORT_MAX;
}

/** Adds a finding at a place in the file. */
void report_at(Report *report, PlanDiag diag, PlanPos pos, uint32_t span, const char *format, ...)
    PRINTF(5, 6);

/** Adds a finding under a whole node. */
void report_node(Report *report, PlanDiag diag, const Node *node, const char *format, ...)
    PRINTF(4, 5);

/** Gives the finding added last its hint: full sentences, or "did you mean ...?". */
void report_hint(Report *report, const char *format, ...) PRINTF(2, 3);

/** In file order; says at the end how many were dropped. */
void report_finish(Report *report, PlanFindings *findings);

/** A text from the plan as a message shows it: double-quoted, escaped, cut, secrets masked. */
const char *report_quoted(Report *report, const char *text);

/** Text for a terminal: control, invalid and direction-changing characters as escapes.
 * \param width if not NULL: the columns it takes */
char *text_printable(Arena *arena, const char *text, size_t bytes, size_t *width);

/** The bytes of the character at `text`, 1 for an invalid one; \param code its code point,
 * UINT32_MAX when it is invalid. */
size_t text_character(const char *text, size_t bytes, uint32_t *code);

/** A line of the file, 1-based, without its end; breaks are those of YAML 1.1.
 * \return NULL when the file has no such line. */
const char *text_line(const char *text, size_t bytes, uint32_t line, size_t *length);

#endif
