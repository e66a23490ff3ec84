/*
 * Endpoint: where one side of a migration is, as the plan and its environment say it. Opens
 * nothing: that is conn.h. Its connection string may hold a password, so that no function here
 * gives its text away but to whom it is for.
 *
 *     if (!endpoint_describe(arena, &endpoint, &host, &port, &dbname, err))
 *         return false;
 */
#ifndef GODWIT_PG_ENDPOINT_H
#define GODWIT_PG_ENDPOINT_H

#include "base/arena.h"
#include "base/err.h"

typedef enum ConnSide { CONN_SOURCE, CONN_TARGET } ConnSide;

typedef struct ConnGuard ConnGuard; /* pg/conn.h */

/* One side of a migration, resolved from the plan; conninfo may hold secrets and is never printed.
 */
typedef struct Endpoint {
    ConnSide side;
    const char *conninfo;
    const char *passfile; /* NULL: libpq's own way */
    const char *run;      /* for application_name: "godwit <run> <purpose>" */
    const ConnGuard
        *guard; /* asks each connection that opens under a stop; NULL: nothing is asked */
} Endpoint;

/** How this side is called in messages: "source" or "target". */
const char *conn_side_name(ConnSide side);

/** Environment (PATH and the like, NULL-terminated) for an external tool that does not connect:
 * nothing of ours that may hold a password. */
const char *const *tool_env(Arena *arena);

/** Environment (PGHOST=..., NULL-terminated) for an external tool that must connect to the same
 * place, with the pinned settings: a tool's texts are read back under them. It holds no password:
 * that stands in a password file without a name, which the tool opens
 * through our descriptor.
 * \param passfile the descriptor, to be closed when the tool has ended; -1: there is no password
 * \return NULL with ERR_CONNECT or ERR_IO */
const char *const *endpoint_tool_env(Arena *arena, const Endpoint *endpoint, int *passfile,
                                     Err *err);

/** host, port and dbname the conninfo resolves to (for target.expect and messages).
 * \return false with ERR_CONNECT when the conninfo cannot be parsed (its text is not printed). */
MUSTCHECK bool endpoint_describe(Arena *arena, const Endpoint *endpoint, const char **host,
                                 const char **port, const char **dbname, Err *err);

/** The password in the conninfo, so that it can be kept out of texts; NULL when it has none. */
const char *endpoint_password(Arena *arena, const Endpoint *endpoint);

#endif
