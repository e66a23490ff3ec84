/*
 * DryRun: what `plan` found out, as plain data: every step with its state, place in the plan, SQL,
 * parts and estimates, the findings, the drift. Printed as text, SQL or JSON; a pinned plan keeps
 * the JSON, and `show` prints it again.
 *
 * `+` create, `~` change, `=` done, `!` finding.
 */
#ifndef GODWIT_REPORT_DRY_RUN_H
#define GODWIT_REPORT_DRY_RUN_H

#include "base/err.h"
#include "base/str.h"
#include "step/step.h"

#include <jansson.h>

typedef enum DryState { DRY_CREATE, DRY_CHANGE, DRY_DONE, DRY_FINDING, DRY_STATE_COUNT } DryState;

typedef struct DryFinding {
    const char *code;
    const char *severity; /* "error", "warning", "info" */
    const char *server;
    const char *object;
    const char *message;
    const char *remedy;
} DryFinding;

typedef struct DryStep {
    const char *id;
    const char *kind;
    const char *phase;
    DryState state;
    const char *sentence;
    const char *reason; /* NULL: none */
    PlanPos pos;        /* line 0: a default of the language */
    StepSqlVec sql;
    StepPartsVec parts;
    StepEstimate estimate;
    VEC(DryFinding) findings;
} DryStep;

typedef struct DryRun {
    const char *name;
    const char *fingerprint;
    const char *path; /* of the plan, as positions show it */
    const char *source;
    const char *target;
    const char *run;           /* what the journal says, in a sentence */
    VEC(const char *) drift;   /* a line each, "source: ..." or "target: ..." */
    uint32_t jobs[WORK_COUNT]; /* how many do such work at once */
    VEC(DryStep) steps;
} DryRun;

/** Appends it in a format: "text", "sql" or "json". */
void dry_run_print(Str *out, const DryRun *dry, const char *format);

/** As JSON; the caller owns the reference. */
json_t *dry_run_json(const DryRun *dry);

/** Reads what dry_run_json() made. \return false with ERR_PLAN */
MUSTCHECK bool dry_run_parse(Arena *arena, const json_t *json, DryRun *dry, Err *err);

/** How many steps would do something. */
size_t dry_run_changes(const DryRun *dry);

/** How many findings of a severity stand at the steps. */
size_t dry_run_findings(const DryRun *dry, const char *severity);

/** "create", "change", "done", "finding". */
const char *dry_state_name(DryState state);

/* --- estimates --- */

/* What the times rest on: nobody has measured these servers yet. */
typedef struct DryAssumption {
    const char *work;          /* "copy" */
    uint64_t bytes_per_second; /* of one job */
    const char *job;           /* "table job" */
} DryAssumption;

/** The assumption about a kind of work; NULL for WORK_NONE. */
const DryAssumption *dry_assumption(StepWork work);

/* All the work of a kind that is not done yet. */
typedef struct DryTotal {
    size_t steps;
    int64_t rows; /* -1: of some it is not known */
    uint64_t bytes;
    int64_t us; /* with all jobs busy all the time */
} DryTotal;

DryTotal dry_run_total(const DryRun *dry, StepWork work);

/** How long one step takes by the assumption; 0 where there is none. */
int64_t dry_step_us(const DryStep *step);

#endif
