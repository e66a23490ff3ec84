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

typedef struct Conn Conn;

typedef enum ConnSide { CONN_SOURCE, CONN_TARGET } ConnSide;

/* One side of a migration, resolved from the plan; conninfo may hold secrets and is never printed.
 */
typedef struct Endpoint {
    ConnSide side;
    const char *conninfo;
    const char *passfile; /* NULL: libpq's own way */
    const char *run;      /* for application_name: "godwit <run> <purpose>" */
} Endpoint;

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

/** Opens, pins the settings of data-path.md, reads them back.
 * \return false with ERR_CONNECT (no password in any text), or the stop's error. */
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

/** Whether the server is inside a failed or open transaction block. */
bool conn_in_transaction(const Conn *conn);

/** Environment (PATH and the like, NULL-terminated) for an external tool that does not connect:
 * nothing of ours that may hold a password. */
const char *const *tool_env(Arena *arena);

/** Environment (PGHOST=..., NULL-terminated) for an external tool that must connect to the same
 * place. It holds no password: that stands in a password file without a name, which the tool opens
 * through our descriptor.
 * \param passfile the descriptor, to be closed when the tool has ended; -1: there is no password
 * \return NULL with ERR_USAGE or ERR_IO */
const char *const *conn_tool_env(Arena *arena, const Endpoint *endpoint, int *passfile, Err *err);

/** host, port and dbname the conninfo resolves to (for target.expect and messages).
 * \return false with ERR_USAGE when the conninfo cannot be parsed (its text is not printed). */
MUSTCHECK bool endpoint_describe(Arena *arena, const Endpoint *endpoint, const char **host,
                                 const char **port, const char **dbname, Err *err);

/** The password in the conninfo, so that it can be kept out of texts; NULL when it has none. */
const char *endpoint_password(Arena *arena, const Endpoint *endpoint);

/** How this side is called in messages: "source" or "target". */
const char *conn_side_name(ConnSide side);

#endif
