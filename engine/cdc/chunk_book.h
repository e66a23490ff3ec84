/*
 * Chunk book: what godwit.chunk says of chunks, by the watcher's thread. It knows chunks that are
 * not there any more: merging takes chunks away whose changes are still to come. And it knows what
 * each may hold, so that merging and splitting are seen, which the stream tells nothing of; where
 * rows would be lost or come twice by it the stream ends (docs/adr/0039).
 */
#ifndef GODWIT_CDC_CHUNK_BOOK_H
#define GODWIT_CDC_CHUNK_BOOK_H

#include "cdc/watch_take.h"

/* What the source says of a chunk. */
typedef struct ChunkFacts {
    const char *json;  /* for the journal */
    const char *there; /* oids of the chunks that its hypertable has now */
} ChunkFacts;

/** \param oids of chunks of one hypertable, or of several; as an array
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool book_facts(Arena *arena, Conn *source, const char *oids, ChunkFacts *facts,
                          Err *err);

/** What the journal says, into what is known. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool book_read(WatchSession *session, Err *err);

/** Writes down chunks that are not copied by themselves, since the stream brings them from their
 * first row. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool book_add(WatchSession *session, const WatchItem *items, size_t count, Err *err);

/** A known chunk has other bounds than when it was written down.
 * \return false with ERR_STALE when rows of it are lost or come twice, ERR_SQL, ERR_LOST */
MUSTCHECK bool book_moved(WatchSession *session, const WatchItem *item, Err *err);

/** Whether rows of chunks that are to be copied are on the target already, by one that they
 * swallowed or took the place of. \param facts of the whole batch, under its locks
 * \return false with ERR_STALE when they are, ERR_SQL, ERR_LOST */
MUSTCHECK bool book_are_fresh(WatchSession *session, const WatchBatch *batch,
                              const ChunkFacts *facts, Err *err);

/** The hypertable's leaf of a chunk that was there once; NULL: nobody knows it. Takes the mutex.
 * \param name counts where oid is 0 */
const Leaf *book_find(Stream *stream, uint32_t oid, const Name *name);

#endif
