/*
 * Aggregate: continuous aggregates, their refresh in bounded ranges and its policy, by
 * TimescaleDB's public functions, and what its catalog says about them.
 */
#ifndef GODWIT_TIMESCALE_AGGREGATE_H
#define GODWIT_TIMESCALE_AGGREGATE_H

#include "blueprint/blueprint.h"
#include "pg/query.h"
#include "timescale/policy.h"
#include "timescale/sql.h"

typedef enum AggregateState {
    AGGREGATE_MISSING,
    AGGREGATE_AS_PLANNED,
    AGGREGATE_DIFFERENT,
    AGGREGATE_NO_STORE, /* the plan has a columnstore for its rows */
    AGGREGATE_OTHER     /* a relation of that name that is no continuous aggregate */
} AggregateState;

/* One call of the refresh: texts as the aggregate's time column takes them. */
typedef struct AggregateRange {
    const char *start; /* NULL: from the first row */
    const char *until; /* NULL: to where the plan ends it */
} AggregateRange;

typedef VEC(AggregateRange) AggregateRanges;

/** The statements that make the aggregate, empty; to be run in one transaction. Its query finds
 * TimescaleDB's functions without their schema. */
SqlList aggregate_sql(Arena *arena, const Conn *conn, const PlanAggregate *plan,
                      const TsTarget *target);

/** Its rows as a hypertable, by its name: for its columnstore and its policies. */
PlanHypertable aggregate_as_table(const PlanAggregate *aggregate);

/** The call that refreshes one range. The last range ends where the policy's window ends (newer
 * buckets are not complete, and real-time aggregation shows their rows), without a policy with the
 * last row.
 * \note Source: CHANGELOG of TimescaleDB, 2.23: up to 2.22 a trigger logs what a refresh must look
 * at again, and triggers do not fire for what is replicated; 2.18: the parameter force. */
const char *aggregate_refresh_sql(Arena *arena, const Conn *conn, const Blueprint *blueprint,
                                  const PlanAggregate *aggregate, const AggregateRange *range,
                                  const TsTarget *target);

/** The ranges that are left to refresh, from old to new.
 * \param done where an earlier refresh came to, NULL: it did not begin
 * \note Source: a refresh takes the whole buckets within its window, so that windows overlap by
 * more than a bucket (tsl/src/continuous_aggs/refresh.c, compute_inscribed_bucketed_refresh_window)
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool aggregate_ranges(Arena *arena, Conn *conn, const Blueprint *blueprint,
                                const PlanAggregate *aggregate, const char *done,
                                AggregateRanges *ranges, Err *err);

/** The call that adds the refresh policy with all that the plan says of it. */
SqlList aggregate_policy_sql(Arena *arena, const Conn *conn, const PlanAggregate *plan,
                             const TsTarget *target);

/** What stands there. \param oid of the view, 0: nothing of that name */
MUSTCHECK bool aggregate_find(Conn *conn, const PlanAggregate *plan, AggregateState *state,
                              uint32_t *oid, Err *err);

/** Whether it has a refresh policy. */
MUSTCHECK bool aggregate_policy_find(Conn *conn, const Name *view, bool *found, Err *err);

/** Whether the one reads the other, which must be there first. */
bool aggregate_reads(const PlanAggregate *aggregate, const PlanAggregate *other);

#endif
