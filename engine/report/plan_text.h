/*
 * The dry run as text, SQL or JSON: `+` create, `~` change, `=` done, `!` finding.
 */
#ifndef GODWIT_REPORT_PLAN_TEXT_H
#define GODWIT_REPORT_PLAN_TEXT_H

#include "base/str.h"
#include "graph/build.h"

typedef struct PlannedStep {
    const Step *step;
    Observation observation;
    Description description;
} PlannedStep;

typedef struct PlannedSteps {
    PlannedStep *items;
    size_t count;
} PlannedSteps;

/** Appends the dry run in a format: "text", "sql" or "json". */
void plan_print(Str *out, const Plan *plan, const PlannedSteps *planned, const char *format);

/** How many steps would do something. */
size_t plan_changes(const PlannedSteps *planned);

#endif
