/*
 * The names that a step of the user may give in `needs` and `before`, besides ids of other steps:
 * phases and kinds of step. The plan knows no step; a unit test compares this table with the kinds.
 */
#ifndef GODWIT_PLAN_STEP_NAMES_H
#define GODWIT_PLAN_STEP_NAMES_H

#include <stddef.h>

typedef struct StepName {
    const char *name;
    int phase; /* its place among the phases, from 0 */
} StepName;

/** The phases in their order; ends with a NULL name. */
extern const StepName STEP_PHASE_NAMES[];

/** The kinds of step, sorted by name; ends with a NULL name. Some are called as a phase is: such a
 * word means the phase. */
extern const StepName STEP_KIND_NAMES[];

/** The phase or kind of this name; NULL if there is none. Such a name is no id. */
const StepName *step_name_find(const char *name);

#endif
