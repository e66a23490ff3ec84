/*
 * Step: one node of the graph, and StepKind: what nodes of one kind do. Each kind stands in a file
 * of its own (step/<kind>.c, ending in one initialiser) and is listed in step/registry.c.
 *
 * Bodies never parse YAML, never print, never read another step.
 */
#ifndef GODWIT_STEP_STEP_H
#define GODWIT_STEP_STEP_H

#include "base/str.h"
#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "step/run.h"

typedef struct Step Step;
typedef struct StepKind StepKind;

typedef enum StepPhase {
    PHASE_PREFLIGHT,
    PHASE_SCHEMA,
    PHASE_COPY,
    PHASE_CATCHUP,
    PHASE_CUTOVER,
    PHASE_FINISH,
    PHASE_COUNT
} StepPhase;

typedef enum StepFlags {
    STEP_NEEDS_SOURCE = 1, /* a pooled source connection is given */
    STEP_NEEDS_TARGET = 2, /* a pooled target connection is given */
    STEP_SERVICE =
        4, /* apply() starts threads of its own and returns; it counts as done when started */
    STEP_INDEX_JOB = 8, /* counts against copy.index_jobs */
    STEP_COPY_JOB = 16, /* counts against copy.table_jobs */
    STEP_DOWNTIME = 32, /* runs between fence and unfence; a failure before the switch rolls back */
    STEP_ALONE = 64,    /* nothing else runs beside it (services excepted) */
    STEP_SESSION = 128, /* holds sessions or snapshots of this process: done only in this process,
                           so it is observed again on every run whatever the journal says */
    STEP_CHANGES = 256, /* changes what is there (`~`) rather than making something (`+`) */
    STEP_USER = 512,    /* a step of the plan: it journals itself, runs beside everything, and is
                           looked at behind the switch, too */
    STEP_ON_ROLLBACK = 1024, /* shown, run by the way back only */
    STEP_HOOK = 2048,        /* a hook of the plan's cutover */
} StepFlags;

typedef enum Observed {
    OBSERVED_SATISFIED,
    OBSERVED_NEEDED,
    OBSERVED_DRIFTED,
    OBSERVED_IMPOSSIBLE
} Observed;

typedef struct Observation {
    Observed state;
    const char
        *reason; /* one line, owned by the given arena; NULL when satisfied or plainly needed */
    bool there;  /* needed, but some of it is there: `plan` shows a change */
} Observation;

/* What `plan` prints: a sentence, and the exact SQL with the server it runs on. */
typedef struct StepSql {
    ConnSide side;
    const char *sql;
} StepSql;

typedef VEC(StepSql) StepSqlVec;

/* How one leaf is divided, and why so. */
typedef struct StepParts {
    const char *leaf;
    size_t count;
    const char *reason;
} StepParts;

typedef VEC(StepParts) StepPartsVec;

/* What work is measured in; `plan` turns it into time by an assumption that it states
 * (report/estimate.h). */
typedef enum StepWork { WORK_NONE, WORK_COPY, WORK_INDEX, WORK_VERIFY, WORK_COUNT } StepWork;

/* From the source's own numbers: sizes of files, and rows as of the last ANALYZE. Nothing that
 * moves between two looks at a quiet server. */
typedef struct StepEstimate {
    StepWork work;
    int64_t rows; /* -1: not known */
    uint64_t bytes;
} StepEstimate;

typedef struct Description {
    const char *sentence;
    StepSqlVec sql;
    StepPartsVec parts;
    StepEstimate estimate;
} Description;

/* What a step body is given. Connections are NULL unless the kind's flags ask for them; in
 * describe() and observe() they are read-only sessions and always given. */
typedef struct StepCtx {
    Run *run;
    const Step *step;
    Conn *source;
    Conn *target;
    Conn **quiet; /* the worker's second one on the target, for what must wake no trigger; see
                     copy/part.h */
    Arena *arena; /* lives as long as this call */
    LogCtx log;
    bool recorded_done; /* the journal has this step as done, in this run, by any engine */
} StepCtx;

struct StepKind {
    const char *name; /* "copy"; the id is the name, or name:object */
    StepPhase phase;
    uint32_t flags;      /* StepFlags */
    const char *summary; /* one sentence for docs and `graph` */
    bool per_object;     /* a step for each object (copy:T), not one for the run */

    /** Adds this kind's steps and their needs (graph/build.h, through StepBuilder). */
    bool (*expand)(StepBuilder *builder, const Blueprint *blueprint, Err *err);

    /** Pure: the sentence and the SQL. Deterministic on quiet servers. */
    bool (*describe)(StepCtx *ctx, Description *description, Err *err);

    /** Read only, repeatable: what do the databases say? */
    bool (*observe)(StepCtx *ctx, Observation *observation, Err *err);

    /** Re-runnable; NULL for kinds with parts only. */
    bool (*apply)(StepCtx *ctx, Err *err);

    /** Whether the step may begin now, when its needs are done; NULL: yes. Asked again and again by
     * the executor's thread while something runs: it must be quick. */
    bool (*may_begin)(const Run *run, const Step *step);

    /** Parted kinds: how many independent parts there are now (after needs are done), and one of
     * them. The executor runs parts on several workers, then apply() (if any) once. NULL: not
     * parted. */
    bool (*part_count)(StepCtx *ctx, size_t *count, Err *err);
    bool (*part_apply)(StepCtx *ctx, size_t part, Err *err);

    /** Read only: proves the post-condition. NULL: observe() must say satisfied. */
    bool (*verify)(StepCtx *ctx, Err *err);

    /** For `reset` and `cleanup`: takes back what apply made; idempotent. NULL: nothing to take
     * back. */
    bool (*undo)(StepCtx *ctx, Err *err);
};

typedef VEC(Step *) StepVec;

struct Step {
    const char *id;
    const StepKind *kind;
    const void
        *object; /* what expand() gave: a Relation, Leaf, IndexDef ...; NULL for single steps */
    double cost; /* longest first; any unit that compares within a kind (bytes) */
    PlanPos pos; /* the key of the plan that caused it; line 0: a default did */
    StepVec needs;
    size_t index;  /* in the graph */
    bool barrier;  /* stands for "all steps of a kind"; kind is NULL, nothing is run or shown */
    bool of_phase; /* a barrier over the steps of a phase */
};

/** Adds a step. \param object_text NULL for a single step, else what follows the colon in the id.
 */
Step *step_add(StepBuilder *builder, const StepKind *kind, const char *object_text,
               const void *object, double cost);

/** Remembers the key of the plan that caused the step. \return the step */
Step *step_at(Step *step, PlanPos pos);

/** `step` waits for every step of that kind (added before or after), or for one step by id. A kind
 * or id that no step has is no error here: a plan without foreign keys has no foreign_key steps. */
void step_needs_kind(StepBuilder *builder, Step *step, const char *kind_name);
void step_needs_id(StepBuilder *builder, Step *step, const char *id);

/** `step` waits for every step of a phase, but for those of the user and the run's end. */
void step_needs_phase(StepBuilder *builder, Step *step, StepPhase phase);

/** Every step of a phase, but for those of the user, waits for `step`. */
void step_before_phase(StepBuilder *builder, Step *step, StepPhase phase);
void step_needs(StepBuilder *builder, Step *step, Step *needed);

/** Adds one statement to a description. The text is copied. */
void description_add(Arena *arena, Description *description, ConnSide side, const char *sql);

/** Adds how a leaf is divided. The texts are kept as they are. */
void description_add_parts(Arena *arena, Description *description, const char *leaf, size_t count,
                           const char *reason);

/** All kinds, in their rough order; ends with NULL. */
extern const StepKind *const STEP_KINDS[];

#endif
