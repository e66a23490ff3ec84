/*
 * Spool: changes on disk between receiver and apply, so that the source need not hold their WAL.
 *
 * One directory for a run, of segments. Frames are written as they arrive and fsynced in groups;
 * only what is fsynced may be told to the source. Segments go once all in them is durably applied.
 * A segment begins between transactions and repeats the relation messages known by then, so reading
 * may begin at any. One thread writes, one reads. What a crash does at each point: docs/adr.
 *
 *     spool_open(&spool, &spec, err)              // locks the directory, cuts a torn end
 *     spool_resume(spool, applied, confirmed, &start, err)    // then START_REPLICATION at start
 *     spool_write(spool, batch, &at, &room, err); spool_sync(spool, err)          // receiver
 *     spool_read_begin(spool, applied); spool_read(spool, pool, &batch, 100, err)   // feeder
 */
#ifndef GODWIT_CDC_SPOOL_H
#define GODWIT_CDC_SPOOL_H

#include "base/log.h"
#include "base/vec.h"
#include "cdc/batch.h"

typedef struct Spool Spool;

typedef VEC(const char *) SpoolNames;

/* Texts outlive the spool. */
typedef struct SpoolSpec {
    const char *parent;   /* made if it is not there; its own parent must be */
    const char *name;     /* of this run's directory in it */
    const char *owner;    /* what the directory must say of its run: lines of text */
    uint64_t limit_bytes; /* 0: none */
    Budget *budget;       /* counts its buffers; NULL: nobody does */
    LogCtx log;
} SpoolSpec;

typedef enum SpoolPressure {
    SPOOL_FLOWS,
    SPOOL_FULL,    /* at its limit */
    SPOOL_NO_ROOM, /* the device is full */
} SpoolPressure;

typedef struct SpoolStatus {
    uint64_t bytes;
    SpoolPressure pressure;
    Lsn written; /* the stream can be had anew from here */
    Lsn durable; /* the same, of what is fsynced */
} SpoolStatus;

/** Makes or opens the directory and looks at what is in it.
 * \return false with ERR_IO, ERR_LOCKED (another engine has it), ERR_CANNOT_RESUME (another run's).
 */
MUSTCHECK bool spool_open(Spool **spool, const SpoolSpec *spec, Err *err);

/** Files stay. NULL is allowed. */
void spool_close(Spool *spool);

/** Decides where the stream goes on, and cuts off what begins behind that; when nothing kept is of
 * use any more, all of it. Neither writing nor reading goes on meanwhile.
 * \param applied the lane row \param confirmed what the source was told, at most
 * \return false with ERR_CANNOT_RESUME when what the source may have forgotten is not whole here;
 * ERR_IO. */
MUSTCHECK bool spool_resume(Spool *spool, Lsn applied, Lsn confirmed, Lsn *start, Err *err);

/** Notes a record that was appended to the batch to be written next; in the order of arrival. */
void spool_follow(Spool *spool, const Batch *batch, const BatchRecord *record, const char *payload);

/** Whether the batch should be written as it is: the next segment may begin behind it. */
bool spool_wants_batch(const Spool *spool, const Batch *batch);

/** Writes the batch's records from *at on. \param room false: only up to *at, there is no room
 * \return false with ERR_IO. */
MUSTCHECK bool spool_write(Spool *spool, const Batch *batch, size_t *at, bool *room, Err *err);

/** Bytes written and not durable yet. */
size_t spool_unsynced(const Spool *spool);

/** Makes durable what is written. \return false with ERR_IO; what was not is cut off then. */
MUSTCHECK bool spool_sync(Spool *spool, Err *err);

/** Deletes what lies wholly below; durable: the lane row by its last synchronous commit. */
void spool_prune(Spool *spool, Lsn durable);

/** At the limit and nothing but one open transaction in it, all read: makes room by letting its
 * beginning go, since the source still has it. \return whether there is room now. */
bool spool_let_go(Spool *spool, Lsn durable);

/** Whether everything written was read. */
bool spool_is_read(Spool *spool);

/** What the source may be told. \param durable as above */
Lsn spool_reportable(Spool *spool, Lsn durable);

/** The lane row that whatever is here stands on at most: durable positions begin with it. */
Lsn spool_begins(Spool *spool);

void spool_status(Spool *spool, SpoolStatus *status);

/** Begins reading where nothing that commits behind `applied` is missed. */
void spool_read_begin(Spool *spool, Lsn applied);

/** The next batch. Transactions up to `applied` are left out, relation messages are not.
 * \param batch NULL: nothing was written in time
 * \return false with ERR_CANNOT_RESUME (damaged or missing segment), ERR_IO. */
MUSTCHECK bool spool_read(Spool *spool, BatchPool *pool, Batch **batch, int timeout_ms, Err *err);

/** Deletes the directory of a run, if it holds nothing but a spool of that name.
 * \param removed whether there was one \return false with ERR_IO, ERR_LOCKED. */
MUSTCHECK bool spool_remove(const char *parent, const char *name, bool *removed, Err *err);

/** Names in `parent` that begin with this prefix and end in a run's mark. */
MUSTCHECK bool spool_find(Arena *arena, const char *parent, const char *prefix, SpoolNames *names,
                          Err *err);

#endif
