/*
 * Stream: change data capture as a service. A receiver thread reads the slot, an apply lane writes
 * to the target; both end with the stream. Positions and their rules: docs/adr and data-path.md.
 *
 *     stream_start(&run->stream, &spec, err)   // after the first wave is copied and key indexes
 * exist stream_status(stream, &status)           // any thread, any time stream_wait_marker(stream,
 * nonce, ...)   // cutover stream_stop(stream, err)                 // joins both threads
 */
#ifndef GODWIT_CDC_STREAM_H
#define GODWIT_CDC_STREAM_H

#include "blueprint/blueprint.h"
#include "cdc/spool.h"
#include "journal/journal.h"
#include "pg/conn.h"

typedef struct Stream Stream;

/* All pointers outlive the stream. */
typedef struct StreamSpec {
    const Blueprint *blueprint;
    const Endpoint *source;
    const Endpoint *target;
    const char *slot_name;
    const char *publications; /* as ReplStart has them */
    const char *run_mark;     /* part of our logical messages, so that others' are ignored */
    int64_t run_id;
    int64_t epoch;
    const Lsn
        *sync_lsn;    /* per Blueprint.leaves[index]: changes at or below are already in the copy */
    const bool *held; /* the same: not copied yet, held from the beginning; NULL: none is */
    const char *spool_owner; /* what the spool's directory says of its run; NULL: no spool,
                                whatever the plan says */
    bool sealed;             /* nothing is applied: what comes is counted, see stream_behind() */
    bool receive_only; /* into the spool, while nothing may be applied yet; sync_lsn may be NULL */
    bool books_chunks; /* writes down which chunks selected hypertables have */
    const char *const *chunk_publications; /* by Relation.index: where the watcher adds chunks of a
                                              hypertable; NULL: there is no watcher */
    const uint32_t *left_out; /* relations whose changes are none of the run's: partitions that
                                 went, tables that are paused (and with a root its partitions) */
    size_t left_out_count;
    const Stop *stop; /* the run's */
    Budget *budget;   /* the engine's: sizes, and who counts */
    LogCtx log;
} StreamSpec;

typedef struct StreamStatus {
    Lsn received;
    Lsn applied;         /* committed on the target */
    Lsn reported;        /* told the source as flushed */
    Lsn source_head;     /* the source's WAL end as last seen */
    int64_t head_age_us; /* since it was seen: the source did not answer; 0 before the first time */
    uint64_t lag_bytes;  /* source_head - applied, 0 when nothing of ours is behind */
    int64_t
        lag_us; /* age of the oldest thing not applied (heartbeat or commit); 0 when caught up */
    uint64_t transactions; /* source transactions applied by this process */
    uint64_t changes;      /* row changes applied */
    uint64_t skipped;      /* changes at or below their leaf's sync_lsn */
    uint64_t conflicts;
    uint64_t retained_bytes; /* WAL that the slot holds on the source */
    bool failed;             /* see stream_error() */
    bool caught_up_once; /* every leaf has passed its sync_lsn, none is held, and lag was once under
                            a second */
    size_t held;         /* leaves that are held */
    size_t chunks_waiting;   /* chunks that the watcher has seen and not taken in yet */
    const Leaf *waits_for;   /* apply waits: a change of this leaf came, and it is held; NULL: no */
    const Relation *drifted; /* the stream failed: it sent another structure of this; NULL: no */
    SpoolStatus spool;       /* bytes 0: there is none */
    bool partitions_moved; /* the source's partitions of selected tables are not the blueprint's */
    uint64_t shapes; /* how many shapes of the source's tables were seen, one after the other */
} StreamStatus;

/** Connects, checks confirmed_flush_lsn <= position (else ERR_CANNOT_RESUME, exit 14), starts the
 * threads. \return false with ERR_CONNECT, ERR_SQL, ERR_CANNOT_RESUME. */
MUSTCHECK bool stream_start(Stream **stream, const StreamSpec *spec, Err *err);

void stream_status(Stream *stream, StreamStatus *status);

/** The error that ended the stream, moved to the caller. \return false, with the error set. */
bool stream_error(Stream *stream, Err *err);

/** Copies that error while nobody has taken it. \return false when there is none */
bool stream_failure(Stream *stream, Err *copy);

/** Emits a marker on the source (transactional logical message with run mark and nonce) through
 * `source`. \param marker_lsn a lower bound of the marker's end LSN; only its arrival through apply
 * counts */
MUSTCHECK bool stream_marker_emit(Conn *source, const char *run_mark, const char *nonce,
                                  Lsn *marker_lsn, Err *err);

/** Waits until the marker with this nonce came through apply and its lane row is durable on the
 * target. \return false with ERR_GATE on timeout, the stream's error, or the stop's. */
MUSTCHECK bool stream_wait_marker(Stream *stream, const char *nonce, int timeout_ms, Err *err);

/** How many selected changes have arrived behind the marker with this nonce, whatever other markers
 * came meanwhile; 0 when it has not arrived. */
uint64_t stream_after_marker(Stream *stream, const char *nonce);

/** Waits until every chunk of the source's hypertables that is there now is copied, where the
 * watcher takes them in (docs/adr/0034); else returns at once. \return false with ERR_GATE on
 * timeout, the stream's error, or the stop's */
MUSTCHECK bool stream_wait_chunks(Stream *stream, int timeout_ms, Err *err);

/** The same behind the fence and the marker, when nobody writes: the watcher rests from then on.
 * Where the fence's own locks keep the publication from growing chunks are copied nevertheless.
 * \param statements receives what publishes them, for the session that has the locks: should the
 * cutover be rolled back it is to commit that, and give the locks back with it */
MUSTCHECK bool stream_wait_last_chunks(Arena *arena, Stream *stream, int timeout_ms,
                                       const char *const **statements, size_t *count, Err *err);

/* What of a relation came to the source behind the last marker. Texts belong to the arena. */
typedef struct StreamBehind {
    const Relation *relation;
    uint64_t changes;
    bool truncated;
    uint64_t named;   /* changes whose key could be told */
    const char *keys; /* of the first of them; "" */
    Lsn lsn;          /* of the newest one's commit */
} StreamBehind;

/** From the marker with this nonce on, which is not emitted yet, nothing is applied any more. */
void stream_seal_at(Stream *stream, const char *nonce);

/** What has come behind the seal, once the marker with this nonce has: all that was committed
 * before it. \return false with ERR_GATE on timeout, the stream's error, or the stop's. */
MUSTCHECK bool stream_behind(Arena *arena, Stream *stream, const char *nonce, int timeout_ms,
                             StreamBehind **items, size_t *count, Err *err);

/** Waits until applied >= lsn and durable. Errors as above. Used by live verification. */
MUSTCHECK bool stream_wait_applied(Stream *stream, Lsn lsn, int timeout_ms, Err *err);

/* A leaf STREAMS, or is HELD while its rows are not copied: a change of it that the copy cannot
 * hold waits then, and what comes behind it, never inside an open target transaction; feedback goes
 * on. Each call returns when it is acknowledged by the thread that decodes. \return false with the
 * stream's error or the stop's */

/** Holds the leaf from the next transaction on; what was applied of it before is committed. */
MUSTCHECK bool stream_leaf_hold(Stream *stream, const Leaf *leaf, Err *err);

/** The leaf's copy is under this snapshot: changes at or below are left out from now on. */
MUSTCHECK bool stream_leaf_sync(Stream *stream, const Leaf *leaf, Lsn sync_lsn, Err *err);

/** Rows and key index of the leaf are there: its changes are applied again. */
MUSTCHECK bool stream_leaf_release(Stream *stream, const Leaf *leaf, Err *err);

/* Rows touched since the last take, by key, for "verify what moved". */
typedef struct TouchedKeys {
    const char *const
        *values; /* count x Relation.key->count texts, row by row; deleted rows' keys too */
    size_t count;
    bool overflow; /* more keys than are kept, or TRUNCATE, or a keyless relation: look at the whole
                      relation */
} TouchedKeys;

/** Takes and forgets the touched keys of one relation. */
void stream_touched_take(Arena *arena, Stream *stream, const Relation *relation, TouchedKeys *keys);

/** Keys that were taken, and of which nothing could be said, are there again; of merged relations
 * all rows of each. With no keys and no overflow nothing happens. */
void stream_touched_put(Stream *stream, const Relation *relation, const TouchedKeys *keys);

/** Looks at once whether partitions of selected tables came or went on the source, where the pulse
 * looks now and then. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool stream_partitions_moved(Stream *stream, Conn *source, bool *moved, Err *err);

/** Ends the threads after the group in flight; frees the stream. NULL is allowed.
 * \return false with the stream's error if it had failed. */
MUSTCHECK bool stream_stop(Stream *stream, Err *err);

#endif
