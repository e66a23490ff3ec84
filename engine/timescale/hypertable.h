/*
 * Hypertable: turning a plain, empty table into a hypertable by TimescaleDB's public functions, and
 * what its views say about one.
 */
#ifndef GODWIT_TIMESCALE_HYPERTABLE_H
#define GODWIT_TIMESCALE_HYPERTABLE_H

#include "blueprint/blueprint.h"
#include "pg/query.h"
#include "timescale/sql.h"

typedef enum HypertableState {
    HYPERTABLE_NO_EXTENSION,
    HYPERTABLE_PLAIN,
    HYPERTABLE_AS_PLANNED,
    HYPERTABLE_DIFFERENT
} HypertableState;

typedef struct HypertableFacts {
    HypertableState state;
    const char *shown;  /* its dimensions in words; NULL when plain */
    const char *wanted; /* those of the plan */
} HypertableFacts;

/** The calls that make the hypertable of this plan entry: create_hypertable(), add_dimension() for
 * each further dimension, set_integer_now_func(). All in one transaction: what stands is everything
 * or nothing.
 * \param schema of TimescaleDB's functions
 * \note Source: TimescaleDB 2.13 and later, create_hypertable(relation, dimension,
 * create_default_indexes, if_not_exists) with by_range(column, interval, partition_func),
 * add_dimension(hypertable, dimension) with by_hash(column, number, partition_func). */
SqlList hypertable_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                       const char *schema);

/** What stands there. \return false with ERR_SQL/ERR_LOST */
MUSTCHECK bool hypertable_facts(Arena *arena, Conn *conn, const PlanHypertable *plan,
                                HypertableFacts *facts, Err *err);

#endif
