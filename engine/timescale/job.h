/*
 * Job: a job of the user's own, by TimescaleDB's add_job(), and whether it is there.
 */
#ifndef GODWIT_TIMESCALE_JOB_H
#define GODWIT_TIMESCALE_JOB_H

#include "timescale/policy.h"
#include "timescale/sql.h"

/** The call that adds the job with all that the plan says of it. */
SqlList job_sql(Arena *arena, const Conn *conn, const PlanJob *plan, const TsTarget *target);

/** Whether there is a job with this procedure and configuration. */
MUSTCHECK bool job_find(Conn *conn, const PlanJob *plan, bool *found, Err *err);

#endif
