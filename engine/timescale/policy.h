/*
 * Policy: columnstore settings and the policies of hypertables, by TimescaleDB's public functions,
 * and what its views say about them. Names that differ by version are rows of a table.
 */
#ifndef GODWIT_TIMESCALE_POLICY_H
#define GODWIT_TIMESCALE_POLICY_H

#include "blueprint/blueprint.h"
#include "pg/query.h"
#include "timescale/sql.h"

typedef enum PolicyKind {
    POLICY_COLUMNSTORE,
    POLICY_REORDER,
    POLICY_RETENTION,
    POLICY_KIND_COUNT
} PolicyKind;

/* What of TimescaleDB stands on the target, or will. */
typedef struct TsTarget {
    const char *schema;  /* of its functions */
    int release;         /* 219 for 2.19 */
    const char *license; /* NULL: not known before it is created */
} TsTarget;

/** Reads it. Where the extension is not created yet it is what the run will create.
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool ts_target(Arena *arena, Conn *conn, const Blueprint *blueprint, TsTarget *target,
                         Err *err);

/** Whether the plan wants the policy for the table. */
bool policy_is_wanted(const PlanHypertable *plan, PolicyKind kind);

/** "columnstore", as a step's object is called. */
const char *policy_name(PolicyKind kind);

/** ALTER TABLE ... SET of the columnstore, for the empty hypertable.
 * \note Source: TimescaleDB 2.18 renamed timescaledb.compress to enable_columnstore. */
SqlList columnstore_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                        const TsTarget *target);

/** The calls that add the policy with all that the plan says of it, to be run in one transaction:
 * a job that is not to be scheduled never is. */
SqlList policy_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan, PolicyKind kind,
                   const TsTarget *target);

/** Appends a policy's schedule_interval, initial_start, timezone and the closing parenthesis to the
 * call that adds it. */
void policy_schedule(Str *sql, const Conn *conn, const PlanPolicy *policy);

/** Appends SELECT of the call that adds a job, within alter_job() for what that call does not take.
 * \param add the call, which gives the job's number
 * \param pause whether the call does not take `scheduled`, either */
void policy_altered(Str *sql, const Conn *conn, const PlanPolicy *policy, const char *add,
                    bool pause, const TsTarget *target);

/** Appends the argument of alter_job() that puts a mirrored job's further configuration over what
 * it has, and its time zone, which alter_job() forgets otherwise; nothing where there is none. */
void policy_more(Str *sql, const Conn *conn, const PlanPolicy *policy);

/** Whether the columnstore is on. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool columnstore_is_on(Conn *conn, const Name *table, bool *on, Err *err);

/** The job of such a policy. \param config set to its configuration; NULL: there is none */
MUSTCHECK bool policy_find(Arena *arena, Conn *conn, const Name *table, PolicyKind kind,
                           const char **config, Err *err);

#endif
