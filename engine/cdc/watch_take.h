/*
 * One chunk is taken in: published under a lock that lets no writer through, read under a snapshot
 * taken meanwhile, written with its row of the journal. Which failure does what: docs/adr/0034.
 */
#ifndef GODWIT_CDC_WATCH_TAKE_H
#define GODWIT_CDC_WATCH_TAKE_H

#include "cdc/stream_internal.h"

/* A chunk that is not copied yet. */
typedef struct WatchItem {
    uint32_t oid;
    const Leaf *leaf; /* its hypertable's */
    Name name;
    bool listed;        /* in the publication already */
    const char *bounds; /* as copy_chunks.sql shows them */
} WatchItem;

typedef struct WatchSession {
    Stream *stream;
    Conn *publisher; /* locks and publishes */
    Conn *reader;    /* keeps the snapshot; NULL: nothing is copied */
    Conn *target;
    int64_t told_ms; /* when it was last told that somebody holds a chunk */
} WatchSession;

typedef enum WatchTaken {
    WATCH_TAKEN,   /* or it is not there any more */
    WATCH_LATER,   /* somebody holds it */
    WATCH_PUT_OFF, /* apply waits for another one, which goes first: nothing more in this pass */
} WatchTaken;

/** \param still nobody writes on the source any more
 * \return false with ERR_SQL, ERR_LOST, ERR_LOCKED (another engine has the run), ERR_ROW_COUNT,
 *         ERR_RUN (it has no replica identity), the stop's error */
MUSTCHECK bool watch_take(WatchSession *session, const WatchItem *item, bool still,
                          WatchTaken *taken, Err *err);

#endif
