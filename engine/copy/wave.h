/*
 * Wave: a set of leaves copied under one snapshot (data-path.md, "Waves"). A keeper session
 * keeps the leaves locked, so that nothing rewrites them between snapshot and copy, and keeps the
 * snapshot; workers import it. Locks and snapshot are one session's, because a worker may find
 * itself behind somebody who waits for the locks: such a part is read through the keeper.
 *
 *     if (!wave_begin(&run->wave, run, target, err))     // step wave
 *         return false;
 *     ... parts are copied in transactions of wave_import(run->wave, ...) ...
 *     wave_end(&run->wave);                              // step wave_end
 *
 * Made by one thread before any part is copied; afterwards read by all workers.
 */
#ifndef GODWIT_COPY_WAVE_H
#define GODWIT_COPY_WAVE_H

#include "step/run.h"

typedef struct CopyJob CopyJob; /* copy/job.h */

/* A chunk of a hypertable under the wave's snapshot. */
typedef struct WaveChunk {
    uint32_t oid;
    Name name;
    uint64_t bytes;
} WaveChunk;

/* What the wave knows of one leaf. */
typedef struct WaveLeaf {
    bool included;   /* is copied in this wave; else an earlier wave did */
    bool dirty;      /* an earlier wave began it: its share of the target may hold rows */
    bool referenced; /* and foreign keys of other tables stand on that: it cannot be truncated */
    uint32_t pages;
    const WaveChunk *chunks; /* of a hypertable, the largest first */
    size_t chunk_count;
} WaveLeaf;

/** Locks what is left to copy, makes the snapshot, compares the catalog with the blueprint, opens
 * the wave in the journal. Waits for transactions that stand in the way, naming them.
 * \param wave receives the wave; must be NULL before
 * \return false with ERR_RUN (blocked too long), ERR_STALE (a table is not what was planned),
 *         ERR_SQL, ERR_LOST or the stop's error; nothing is held then. */
MUSTCHECK bool wave_begin(Wave **wave, Run *run, Conn *target, Err *err);

/** copy.data false: records every leaf as copied, under a position below everything that the slot
 * sends. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool wave_none(Run *run, Conn *source, Conn *target, Err *err);

/** How many leaves of the blueprint are not copied yet, by the journal. 0 for a run without a row
 * (`plan`) means the same as everywhere: nothing recorded, so all are left. */
MUSTCHECK bool wave_leaves_left(const Run *run, Conn *target, size_t *left, Err *err);

/** Begins a read-only transaction that sees the wave's snapshot; in it a lock that is not to be had
 * fails after a second (sqlstate 55P03).
 * \return false with ERR_SQL (the snapshot is gone with its keeper), ERR_LOST. */
MUSTCHECK bool wave_import(Wave *wave, Conn *source, Err *err);

/** The session that has every table of the wave locked, inside the snapshot; for one thread at a
 * time, until wave_return(). What fails in it must be rolled back to a savepoint. */
Conn *wave_borrow(Wave *wave);
void wave_return(Wave *wave);

int64_t wave_number(const Wave *wave);

/** The consistent point of its snapshot. */
Lsn wave_sync_lsn(const Wave *wave);
const WaveLeaf *wave_leaf(const Wave *wave, const Leaf *leaf);

/** \return whether it is the first time for this leaf; from any thread */
bool wave_note_large_row(Wave *wave, const Leaf *leaf);

/** Where the copy of a relation keeps its state while the wave lasts. */
CopyJob **wave_job(Wave *wave, const Relation *relation);

/** Whether locks and snapshot are still held: looks at the session, and asks the server at most
 * once a second. Any thread.
 * \return false when what is copied from now on would not be safe: ERR_RUN when somebody ended the
 * session, ERR_LOST when it went with its server */
MUSTCHECK bool wave_check(Wave *wave, Err *err);

/** Whether wave_check() or wave_import() found them lost: trying again is in vain. NULL is allowed.
 */
bool wave_is_lost(Wave *wave);

/** Whether a relation's copy may begin now. When the snapshot is older than copy.max_snapshot_age
 * it waits, without a worker, until the relations that are begun are copied. Any thread. */
bool wave_may_begin(const Wave *wave, const Relation *relation);

/** A relation's copy begins. When the snapshot is too old and nothing is being copied, it does not,
 * and the engine is asked to begin anew (STOP_SNAPSHOT), with a new wave for what is left. The
 * first relation of a wave always begins; merged ones stay together. Any thread. \return false with
 * the stop's error. */
MUSTCHECK bool wave_admit(Wave *wave, const Relation *relation, Err *err);

/** A relation that was admitted is copied. */
void wave_leave(Wave *wave);

/** Gives locks and snapshot back, frees the wave; what was copied is proved part by part
 * (wave_check). */
void wave_end(Wave **wave);

/** Frees without asking anybody; NULL is allowed. */
void wave_free(Wave *wave);

#endif
