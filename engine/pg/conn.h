/*
 * Conn: one conversation with one server. Opens with pinned settings and reads them back, waits on
 * socket and stop together, turns NOTICEs into log lines. The only room that calls libpq.
 *
 *     AUTO_CONN Conn *conn = NULL;
 *     if (!conn_open(&conn, &endpoint, &(ConnOptions){.purpose = "copy", .stop = stop}, err))
 *         return false;
 *
 * A Conn belongs to one thread at a time. After a broken connection every call fails with
 * ERR_CONNECT.
 */
#ifndef GODWIT_PG_CONN_H
#define GODWIT_PG_CONN_H

#include "base/log.h"
#include "base/lsn.h"
#include "base/stop.h"
#include "pg/endpoint.h"

typedef struct Conn Conn;

typedef struct ConnOptions {
    const char *purpose;     /* "copy 2": in application_name, in logs */
    bool replication;        /* logical replication protocol (replication=database) */
    bool read_only;          /* every transaction is read only */
    const char *replica_sql; /* makes session_replication_role replica, read back; NULL: origin */
    bool async_commit;       /* synchronous_commit = off */
    int lock_timeout_ms;     /* 0: none */
    bool watches;            /* little is sent, and a way that is cut silently must show soon */
    bool shows_notices;      /* the server's notices are logged for people, not for debugging */
    const Stop *stop;        /* NULL: waits cannot be interrupted */
} ConnOptions;

/* What a run has to know of a server before it sends it anything: that it is still the one which
 * holds what the run did. Who takes back what was done, under no stop, is not asked. */
struct ConnGuard {
    bool (*stands)(void *data, Conn *conn, Err *err); /* called by whatever thread opens */
    void *data;
};

/** Opens, pins the settings of data-path.md, reads them back, and asks the endpoint's guard.
 * \return false with ERR_CONNECT (no password in any text), the guard's or the stop's error. */
MUSTCHECK bool conn_open(Conn **conn, const Endpoint *endpoint, const ConnOptions *options,
                         Err *err);
void conn_close(Conn *conn);

static inline void conn_close_scope(Conn **conn)
{
    conn_close(*conn);
}
#define AUTO_CONN __attribute__((cleanup(conn_close_scope)))

const LogCtx *conn_log(const Conn *conn);

/** Names the step that now uses this (pooled) connection, for its log lines; NULL: none. */
void conn_set_step(Conn *conn, const char *step_id);

/** Replaces the stop that waits on this connection obey. */
void conn_set_stop(Conn *conn, const Stop *stop);
const Stop *conn_stop(const Conn *conn);

ConnSide conn_side(const Conn *conn);

/** How a major version is called: "9.6" of 90624, "15" of 150018. */
const char *conn_version_text(Arena *arena, int version);

/** Server version as PostgreSQL numbers it: 150018. Backend pid. */
int conn_version(const Conn *conn);
int conn_backend_pid(const Conn *conn);

/** Whether the connection is still usable. */
bool conn_is_ok(const Conn *conn);

/** Looks, without waiting, whether the server has ended an idle session. */
bool conn_is_ended(Conn *conn);

/** Waits, on an idle session, for its end, a notice, or the time. \return false if the connection's
 * stop came first. */
bool conn_idle(Conn *conn, int timeout_ms);

/** Whether the server is inside a failed or open transaction block. */
bool conn_in_transaction(const Conn *conn);

#endif
