/*
 * Track: follows the messages of a stream on their way into a spool, and knows three things: where
 * the stream may be had anew (behind which position every commit is still to come), whether a
 * transaction is open, and the newest message of each relation and type, which a segment repeats at
 * its beginning because a server sends them once a session only.
 *
 * It looks at kinds and positions, nothing else: what is malformed is the decoder's to refuse. It
 * knows whole transactions only: with a spool none are asked for in pieces.
 */
#ifndef GODWIT_CDC_TRACK_H
#define GODWIT_CDC_TRACK_H

#include "base/lsn.h"

#include <stdbool.h>

typedef struct TrackRelation {
    uint32_t oid;
    char kind; /* R or Y */
    char *data;
    size_t bytes;
} TrackRelation;

typedef struct Track {
    bool in_transaction; /* between begin and commit */
    Lsn restart;         /* every transaction that commits below has come */
    TrackRelation *relations;
    size_t relation_count;
    size_t relation_capacity;
} Track;

void track_release(Track *track);

/** The stream begins (anew) at this position: nothing is open, no relation was told. */
void track_begin(Track *track, Lsn restart);

/** Follows one message. \return whether the stream may be had anew behind it, at track->restart. */
bool track_message(Track *track, const char *data, size_t bytes);
bool track_keepalive(Track *track, Lsn wal_end);

#endif
