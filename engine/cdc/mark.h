/*
 * Mark: our own logical messages in the source's WAL. Anybody may emit messages, so ours carry the
 * prefix, the run's mark and, for a marker, its nonce; all others are ignored.
 *
 *     {"run": "godwit shop 1a2b3c4d", "marker": "9f..."}      {"run": ..., "heartbeat": true}
 */
#ifndef GODWIT_CDC_MARK_H
#define GODWIT_CDC_MARK_H

#include "cdc/pgoutput.h"
#include "pg/query.h"

#define MARK_PREFIX "godwit"

/* Where a source without logical messages (9.5) has a table for one: of prefix and content, made,
 * written to and dropped in one transaction, so that nobody else ever sees it. */
#define MARK_SCHEMA "godwit_mark"
#define MARK_TABLE  "message"

/** The content of a message; nonce NULL: a heartbeat. */
char *mark_content(Arena *arena, const char *run_mark, const char *nonce);

/** Writes a marker (nonce NULL: a heartbeat) into a server's WAL, in a transaction of its own or in
 * that which is open.
 * \param lsn where it stands; its transaction's end is behind it
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool mark_emit(Conn *conn, const char *run_mark, const char *nonce, Lsn *lsn, Err *err);

/** What mark_emit() runs on a server of this version, for whoever reads the plan. */
const char *mark_statements(int version);

/** The nonce if this is a marker of ours, else NULL. */
char *mark_nonce(Arena *arena, const PgoLogicalMessage *message, const char *run_mark);

#endif
