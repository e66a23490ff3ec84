/*
 * The part of the canonical text that is TimescaleDB's. Part of plan/ only.
 */
#ifndef GODWIT_PLAN_CANONICAL_TIMESCALE_H
#define GODWIT_PLAN_CANONICAL_TIMESCALE_H

#include "plan/json.h"
#include "plan/plan.h"

/** The key `continuous_aggregates`, where the plan has it. */
void canonical_aggregates(Json *json, Arena *arena, const Plan *plan);

/** The key `jobs`, where the plan has it. */
void canonical_jobs(Json *json, Arena *arena, const Plan *plan);

/** The key `hypertables`. */
void canonical_hypertables(Json *json, Arena *arena, const Plan *plan);

#endif
