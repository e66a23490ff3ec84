/*
 * Chunks: the stream of hypertables. Their chunks come and go while it runs, so which hypertable a
 * relation belongs to is asked of the source's catalog when it is first met, never read out of its
 * name. From then on its changes are the hypertable's.
 *
 * A change is decoded as soon as its transaction is on disk; what that made is to be seen by others
 * only when it is over for them, which may be any time later (a synchronous standby). So the answer
 * waits for that: "not there" would otherwise leave out rows that are (docs/adr/0030).
 */
#ifndef GODWIT_CDC_CHUNKS_H
#define GODWIT_CDC_CHUNKS_H

#include "cdc/lane.h"

/** The session's translation of names asks here. */
void chunks_begin(StreamSession *session);

/** A relation message came. If it is that of an unknown chunk it is one of its hypertable from now
 * on; what comes along with the chunks and is not selected is left out from now on.
 * \return false with what ended the session, or the stream. */
MUSTCHECK bool chunks_meet(Lane *lane, StreamSession *session, uint32_t oid, Err *err);

/** Whether every hypertable of which chunks are truncated is truncated as a whole.
 * \return false with ERR_DRIFT */
MUSTCHECK bool chunks_truncated_whole(Relmap *relmap, const PgoTruncate *truncate, Err *err);

/** Answers the question, if there is one; the pulse's. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool chunks_answer(Stream *stream, Conn *conn, Err *err);

/** Puts down an answer to a question that was looked at before.
 * \return false when it does not stand any more: who asked is gone, or asks another one */
bool chunks_settle(Stream *stream, const ChunkQuestion *question, ChunkAnswer answer,
                   const Leaf *leaf);

#endif
