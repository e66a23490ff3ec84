/*
 * Chunks are taken in: published under locks that let no writer through, read under a snapshot
 * taken meanwhile, written with their rows of the journal. Which failure does what: docs/adr/0034.
 */
#ifndef GODWIT_CDC_WATCH_TAKE_H
#define GODWIT_CDC_WATCH_TAKE_H

#include "cdc/stream_internal.h"
#include "cdc/watch_pace.h"

/* How many go together at most: their locks stand together. */
#define WATCH_TOGETHER 64

/* A chunk that is not copied yet. */
typedef struct WatchItem {
    uint32_t oid;
    const Leaf *leaf; /* its hypertable's */
    Name name;
    bool listed;        /* in the publication already */
    const char *bounds; /* as copy_chunks.sql shows them */
    uint64_t seen;      /* the first pass that saw it */
    bool done;          /* copied, or not there any more */
    bool later;         /* somebody holds it: the next pass tries again */
} WatchItem;

/* Those that are taken in together: published, and read from one position on. */
typedef struct WatchBatch {
    WatchItem *items[WATCH_TOGETHER];
    size_t count;
    Lsn position; /* 0: nothing is published */
} WatchBatch;

typedef struct WatchSession {
    Stream *stream;
    Conn *publisher; /* locks and publishes */
    Conn *reader;    /* keeps the snapshot; NULL: nothing is copied */
    Conn *target;
    int64_t told_ms; /* when it was last told that somebody holds a chunk */
    WatchPace pace;
} WatchSession;

/** Takes in as many of these as can be had at once, or waits for the first of them: at least one is
 * done, or to be tried later.
 * \param first the first one, and no other before it: apply waits for it
 * \param still nobody writes on the source any more
 * \param go_on receives false when apply waits for another one, which goes first: nothing more in
 *        this pass
 * \return false with ERR_SQL, ERR_LOST, ERR_LOCKED (another engine has the run), ERR_ROW_COUNT,
 *         ERR_RUN (one has no replica identity), the stop's error */
MUSTCHECK bool watch_take(WatchSession *session, WatchItem *const *items, size_t count, bool first,
                          bool still, bool *go_on, Err *err);

/** Copies the rows of a batch out of the reader's snapshot, and writes down that they are copied,
 * in one transaction of the target. \return as watch_take() */
MUSTCHECK bool watch_copy(WatchSession *session, const WatchBatch *batch, Err *err);

/** {oid,oid} of chunks. */
char *watch_oids(Arena *arena, WatchItem *const *items, size_t count);

#endif
