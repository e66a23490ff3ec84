/*
 * Repl: the logical replication stream of one slot. Never waits on its own: the caller polls with
 * repl_wait(), so that it can let the socket fill and send feedback by its own timer.
 *
 *     AUTO_CONN Conn *conn = NULL;           // opened with .replication = true
 *     repl_start(conn, &spec, err);
 *     while (repl_next(conn, &message, &got, err) && got)
 *         use(message.data, message.bytes);  // until the next call
 *     repl_feedback(conn, &feedback, err);
 */
#ifndef GODWIT_PG_REPL_H
#define GODWIT_PG_REPL_H

#include "base/lsn.h"
#include "pg/conn.h"

typedef struct ReplStart {
    const char *slot;
    bool test_decoding;       /* else pgoutput, which what follows is for, but the position */
    const char *publications; /* their names, each quoted as an identifier, with commas between */
    Lsn position;      /* at or above the slot's confirmed_flush_lsn: the caller has checked */
    int proto_version; /* of pgoutput */
    bool messages;     /* 14+ */
    bool binary;       /* 14+ */
    bool streaming;    /* 14+: pieces of transactions that are under way */
} ReplStart;

/** Begins streaming. \return false with ERR_SQL (sqlstate 55006: the slot is active), ERR_LOST. */
MUSTCHECK bool repl_start(Conn *conn, const ReplStart *spec, Err *err);

/* Which server a replication connection reaches. */
typedef struct ReplServer {
    const char *system; /* its system identifier */
    uint32_t
        timeline; /* another one behind each promotion of a standby, each recovery to a point */
} ReplServer;

/** \return false with ERR_SQL, ERR_LOST.
 * \note Source: PostgreSQL docs, "Streaming Replication Protocol", IDENTIFY_SYSTEM. */
MUSTCHECK bool repl_identify(Arena *arena, Conn *conn, ReplServer *server, Err *err);

/** Where the server's WAL left a timeline on its way to the one it is on.
 * \param left 0: it never was on that one
 * \return false with ERR_SQL where it does not tell, ERR_PROTOCOL, ERR_LOST.
 * \note Source: PostgreSQL docs, "Streaming Replication Protocol", TIMELINE_HISTORY; the file's
 * lines as src/backend/access/transam/timeline.c writes them. */
MUSTCHECK bool repl_timeline_left(Conn *conn, uint32_t now, uint32_t then, Lsn *left, Err *err);

typedef struct ReplMessage {
    bool keepalive;       /* else a message of the output plugin */
    bool reply_requested; /* keepalives only */
    Lsn wal_end;          /* where the server was when it sent this */
    const char *data;
    size_t bytes;
    char *buffer; /* internal: what libpq gave */
} ReplMessage;

/** The next message that has arrived, reading the socket as far as it is filled.
 * \param message zeroed before the first call; owns memory until the next call or repl_release()
 * \param got false: nothing more has arrived
 * \return false with ERR_LOST, ERR_SQL (what the server said), ERR_PROTOCOL. */
MUSTCHECK bool repl_next(Conn *conn, ReplMessage *message, bool *got, Err *err);
void repl_release(ReplMessage *message);

/** Waits until something can be read, pending output can be written, or the time has passed.
 * \return false with the stop's error. */
MUSTCHECK bool repl_wait(Conn *conn, int timeout_ms, Err *err);

typedef struct ReplFeedback {
    Lsn received;
    Lsn flushed; /* the server may forget everything below */
    Lsn applied;
    bool reply; /* ask for a keepalive at once */
} ReplFeedback;

/** Sends a standby status update, without waiting for room in the socket. */
MUSTCHECK bool repl_feedback(Conn *conn, const ReplFeedback *feedback, Err *err);

#endif
