/*
 * Set: several plans judged together, as a repository of plans has them.
 *
 *     PlanFile files[2] = {{.path = "a.yaml"}, {.path = "b.yaml"}};
 *     plan_set_load(files, 2, &err);
 *     plan_set_release(files, 2);
 */
#ifndef GODWIT_PLAN_SET_H
#define GODWIT_PLAN_SET_H

#include "plan/plan.h"

typedef struct PlanFile {
    const char *path; /* as it was given; what findings name */
    const char *file; /* where it stands, for the files that it names; NULL: at path */
    const char *text; /* what stands there; NULL: it is read */
    Plan plan;
    PlanFindings findings;
    bool is_valid; /* no error among the findings */
} PlanFile;

/** Loads each plan, then compares them: two plans of one name clash, for slots, publications and
 * the journal's runs are named after it; a plan given twice is judged once.
 * \param files zeroed but for path, file and text; given to plan_set_release() whatever the outcome
 * \return false when a plan could not be judged at all (ERR_BUG); faults of plans are findings. */
MUSTCHECK bool plan_set_load(PlanFile *files, size_t count, Err *err);
void plan_set_release(PlanFile *files, size_t count);

/** How many findings of all plans are errors. */
size_t plan_set_errors(const PlanFile *files, size_t count);

#endif
