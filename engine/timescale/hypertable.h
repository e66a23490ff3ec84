/*
 * Hypertable: turning a plain, empty table into a hypertable by TimescaleDB's public functions, and
 * what its views say about one.
 */
#ifndef GODWIT_TIMESCALE_HYPERTABLE_H
#define GODWIT_TIMESCALE_HYPERTABLE_H

#include "blueprint/blueprint.h"
#include "pg/query.h"

typedef enum HypertableState {
    HYPERTABLE_NO_EXTENSION,
    HYPERTABLE_PLAIN,
    HYPERTABLE_AS_PLANNED,
    HYPERTABLE_DIFFERENT
} HypertableState;

typedef struct HypertableFacts {
    HypertableState state;
    const char *column;   /* the first dimension's, NULL when plain */
    const char *interval; /* as TimescaleDB shows it */
} HypertableFacts;

/** The call of create_hypertable() for this plan entry.
 * \param schema of TimescaleDB's functions
 * \note Source: TimescaleDB 2.13 and later, create_hypertable(relation, dimension,
 * create_default_indexes, if_not_exists) with by_range(column, interval, partition_func). */
char *hypertable_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                     const char *schema);

/** The schema of TimescaleDB's functions on this server; NULL when it is not created. */
MUSTCHECK bool hypertable_schema(Arena *arena, Conn *conn, const char **schema, Err *err);

/** What stands there. \return false with ERR_SQL/ERR_LOST */
MUSTCHECK bool hypertable_facts(Arena *arena, Conn *conn, const PlanHypertable *plan,
                                HypertableFacts *facts, Err *err);

#endif
