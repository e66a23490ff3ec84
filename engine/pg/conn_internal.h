/*
 * What the files of pg/ share about a connection; nobody else includes this.
 */
#ifndef GODWIT_PG_CONN_INTERNAL_H
#define GODWIT_PG_CONN_INTERNAL_H

#include "base/str.h"
#include "pg/conn.h"
#include "pg/query.h"

#include <libpq-fe.h>

struct Conn {
    PGconn *pg;
    PGcancel *cancel;
    ConnSide side;
    const Stop *stop;
    const char *label;
    const char *purpose;
    bool shows_notices;
    LogCtx log;
    Str *parse_tree;    /* takes the parse tree that the server shows, see parse.c; else NULL */
    size_t pipe_unsent; /* statements queued since the last write, see pipeline.c */
    size_t copy_row;    /* bytes so far of the row that is being read, see copy.c */
    size_t copy_longest;
    Arena arena;
};

struct Rows {
    PGresult *result;
};

/** Takes the connection string apart; to be freed by AUTO_CONNINFO.
 * \return false with ERR_CONNECT, which does not show the text */
MUSTCHECK bool endpoint_parse(const Endpoint *endpoint, PQconninfoOption **options, Err *err);

static inline void conninfo_scope(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}
#define AUTO_CONNINFO __attribute__((cleanup(conninfo_scope)))

/** What libpq said, in one line: its messages end with a newline and have one for each address
 * that was tried. */
char *libpq_text(Arena *arena, const char *message);

/** The pinned settings as a server's command line takes them, for a session that takes no SQL,
 * behind the options that its connection string gives. */
char *pinned_startup(Conn *conn, const ConnOptions *options);

/** The same for a tool that connects to any server, behind the options that are given (NULL: none).
 */
char *pinned_options(Arena *arena, const char *given);

/** Compares those that a server reports by itself. \return false with ERR_CONNECT */
MUSTCHECK bool pinned_reported(Conn *conn, Err *err);

/** Sets the pinned settings, and what the options ask for, and reads all of it back.
 * \return false with ERR_CONNECT where something in between does not keep one */
MUSTCHECK bool pinned_set(Conn *conn, const ConnOptions *options, Err *err);

/** Sets the error that a failed result, or the connection itself (result NULL), tells. Does not
 * clear the result. \return false. */
bool conn_result_error(Conn *conn, const PGresult *result, Err *err);

/** Waits until the socket is readable or the stop is requested; flushes pending output meanwhile.
 * \return false with the stop's error (the running statement is cancelled first) or ERR_LOST. */
MUSTCHECK bool conn_wait_input(Conn *conn, Err *err);

/** Flushes everything that libpq has buffered; reads what arrives meanwhile.
 * \return false as conn_wait_input(). */
MUSTCHECK bool conn_flush(Conn *conn, Err *err);

/** The next result of the running statement, NULL after the last.
 * \return false as conn_wait_input(). */
MUSTCHECK bool conn_next_result(Conn *conn, PGresult **result, Err *err);

/** Takes every remaining result of the running statement off the connection. */
void conn_discard_results(Conn *conn);

static inline void pg_result_scope(PGresult **result)
{
    PQclear(*result);
}
#define AUTO_RESULT __attribute__((cleanup(pg_result_scope)))

#endif
