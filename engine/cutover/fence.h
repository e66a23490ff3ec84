/*
 * Fences: keep others from writing to a side while the cutover runs. A fence is journalled before
 * it goes up, with what was there before, so that anybody can take it down.
 *
 * lock: SHARE locks on every selected relation, held by one session; they fall by themselves if the
 * engine dies. read_only: default_transaction_read_only on the database, and other sessions ended.
 * manual: the operator's word. command: a command of the plan, undone by another.
 */
#ifndef GODWIT_CUTOVER_FENCE_H
#define GODWIT_CUTOVER_FENCE_H

#include "base/str.h"
#include "step/run.h"

/** What the journal calls a method. */
const char *fence_method_name(PlanStopWrites method);

/** Makes the database read-only for new sessions. \param conn a session in that database */
MUSTCHECK bool fence_database_read_only(Conn *conn, Err *err);

/** Refuses while a role's own default_transaction_read_only = off lets it write to a database that
 * is read-only. \return false with ERR_PREFLIGHT naming the role, and the SQL that takes it back */
MUSTCHECK bool fence_no_own_settings(Conn *conn, Err *err);

/** What default_transaction_read_only of the database is set to, NULL when it is not set. */
MUSTCHECK bool fence_database_previous(Arena *arena, Conn *conn, const char **previous, Err *err);

/** Puts back what was there before; idempotent. */
MUSTCHECK bool fence_database_restore(Conn *conn, const char *previous, Err *err);

/** Appends what a person runs to make the database of `conn` take writes again, in a session that
 * begins read-only, too. */
MUSTCHECK bool fence_open_sql(Str *sql, Conn *conn, Err *err);

/** Tells other client sessions once to end, after the setting is restored: those that began under
 * the fence would stay read-only for as long as a pool keeps them. What cannot be ended is logged.
 */
void fence_renew_others(Conn *conn);

/** Ends other client sessions (of these roles; none given: all) and waits until they are gone.
 * \return false with ERR_RUN naming one that stays. */
MUSTCHECK bool fence_end_others(Conn *conn, const char **roles, size_t role_count, int timeout_ms,
                                Err *err);

/** SHARE locks on every selected relation, in a transaction on `conn`; tries again, in an order
 * that lets writers finish (fence_lock.c), within the plan's grace (the downtime begins with the
 * attempt that succeeds), then ends the sessions of cutover.stop_writes.terminate and tries once
 * more. \return false with ERR_RUN naming who holds on. */
MUSTCHECK bool fence_lock_source(Conn *conn, const Run *run, Err *err);

/** Locks only what large objects are in, if the session may; in a transaction on `conn`, for
 * methods that do not stop who writes large objects in a read-only session. Errors as
 * fence_lock_source().
 */
MUSTCHECK bool fence_lock_large_objects(Conn *conn, const Run *run, Err *err);

/** The LOCK TABLE statement of the lock method. */
void fence_lock_sql(Str *sql, const Conn *conn, const Blueprint *blueprint);

/** Refuses while prepared transactions exist. */
MUSTCHECK bool fence_no_prepared(Conn *conn, Err *err);

#endif
