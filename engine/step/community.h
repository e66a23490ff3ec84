/*
 * What the steps of TimescaleDB's community features share.
 */
#ifndef GODWIT_STEP_COMMUNITY_H
#define GODWIT_STEP_COMMUNITY_H

#include "step/step.h"
#include "timescale/policy.h"

/** Whether the relation is made a hypertable, and is the one of those merged that is. */
bool community_is_first(const Relation *relation);

/** Whether the target has the edition that the plan's features need, as far as can be told:
 * TimescaleDB may be created only now, and most features come behind the switch, too late to be
 * refused. \return false with ERR_RUN, ERR_SQL, ERR_LOST */
MUSTCHECK bool community_is_there(StepCtx *ctx, Err *err);

/** The step waits for the steps `kind` of the aggregates that this one reads. */
void community_needs_read(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                          const PlanAggregate *aggregate, const char *kind);

/* A feature that one step adds, by public functions, and that is there or not. */
typedef struct CommunityFeature {
    const char *(*sentence)(StepCtx *ctx);
    SqlList (*statements)(StepCtx *ctx, const TsTarget *target);
    bool (*find)(StepCtx *ctx, bool *there, Err *err);
} CommunityFeature;

/** Its sentence and its statements. */
MUSTCHECK bool community_describe(StepCtx *ctx, const CommunityFeature *feature,
                                  Description *description, Err *err);

/** Satisfied when it is there, impossible in an edition that has none, else needed. */
MUSTCHECK bool community_observe(StepCtx *ctx, const CommunityFeature *feature,
                                 Observation *observation, Err *err);

/** Satisfied when the journal says so: of work that nobody can see afterwards.
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool community_observe_recorded(StepCtx *ctx, Observation *observation, Err *err);

/** Adds it, in one transaction. */
MUSTCHECK bool community_apply(StepCtx *ctx, const CommunityFeature *feature, Err *err);

/** Does the work with no limit to the waits for locks: for what an engine before this one has begun
 * on the server. \return false with the work's error, ERR_SQL, ERR_LOST */
MUSTCHECK bool community_patiently(StepCtx *ctx, bool (*work)(StepCtx *ctx, Err *err), Err *err);

/** Whether TimescaleDB is there to be asked. Where it is and its edition has no such features, the
 * observation says so. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool community_may_look(StepCtx *ctx, Observation *observation, bool *may, Err *err);

#endif
