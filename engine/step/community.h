/*
 * What the steps of TimescaleDB's community features share.
 */
#ifndef GODWIT_STEP_COMMUNITY_H
#define GODWIT_STEP_COMMUNITY_H

#include "step/step.h"
#include "timescale/sql.h"

/** Whether the relation is made a hypertable, and is the one of those merged that is. */
bool community_is_first(const Relation *relation);

/** The step waits for the steps `kind` of the aggregates that this one reads. */
void community_needs_read(StepBuilder *builder, Step *step, const Plan *plan,
                          const PlanAggregate *aggregate, const char *kind);

void community_describe(StepCtx *ctx, Description *description, const SqlList *list);

/** Whether TimescaleDB is there to be asked. Where it is and its edition has no such features, the
 * observation says so. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool community_may_look(StepCtx *ctx, Observation *observation, bool *may, Err *err);

/** Runs the statements in one transaction. */
MUSTCHECK bool community_run(StepCtx *ctx, const SqlList *list, Err *err);

#endif
