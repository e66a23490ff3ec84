/*
 * The chunks of a wave's hypertables: they are locked with their hypertable, against compression
 * and the like as well, and are what is copied. Part of copy/ only.
 *
 * A chunk that is made between the locks and the snapshot is in the snapshot and not locked. So the
 * locks are taken once more behind it, and then each chunk that the snapshot shows must still be
 * the same file: what was rewritten (compressed, truncated, dropped) in between would give no rows,
 * or too few, to who reads it under the older snapshot.
 */
#ifndef GODWIT_COPY_WAVE_CHUNKS_H
#define GODWIT_COPY_WAVE_CHUNKS_H

#include "copy/wave.h"

/** Locks the hypertables among the leaves with all their chunks. \return false with ERR_SQL,
 * ERR_LOST. */
MUSTCHECK bool wave_chunks_lock(Conn *keeper, Leaf *const *leaves, size_t count, Err *err);

/** Reads the chunks that the snapshot shows into the leaves' `chunks`. Where the stream's watcher
 * takes chunks in (docs/adr/0034), only those that are published: the others are its.
 * \param known by Leaf.index \param still whether none of them was rewritten since
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool wave_chunks_read(Arena *arena, const Run *run, Conn *keeper, Leaf *const *leaves,
                                size_t count, WaveLeaf *known, bool *still, Err *err);

/** Writes down, for the stream, which chunks the wave holds: those that were known before it go.
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool wave_chunks_record(const Run *run, Conn *keeper, Conn *target, Leaf *const *leaves,
                                  size_t count, const WaveLeaf *known, Lsn sync_lsn, Err *err);

#endif
