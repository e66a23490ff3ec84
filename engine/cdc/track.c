/*
 * Track: kinds and fixed offsets of the messages that begin and end things.
 * Source: PostgreSQL, "Logical Replication Message Formats".
 */
#include "cdc/track.h"

#include <string.h>

#define OID_AT     1
#define END_LSN_AT 10 /* of a commit: kind, flags, commit LSN, end LSN */

static uint64_t number(const char *data, size_t bytes, size_t at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; at + width <= bytes && i < width; i++)
        value = value << 8 | (uint8_t)data[at + i];
    return value;
}

static void forget_relations(Track *track)
{
    for (size_t i = 0; i < track->relation_count; i++)
        mem_free(track->relations[i].data);
    track->relation_count = 0;
}

void track_release(Track *track)
{
    forget_relations(track);
    mem_free(track->relations);
    *track = (Track){0};
}

void track_begin(Track *track, Lsn restart)
{
    forget_relations(track);
    track->in_transaction = false;
    track->restart = restart;
}

static TrackRelation *relation_at(Track *track, char kind, uint32_t oid)
{
    for (size_t i = 0; i < track->relation_count; i++) {
        if (track->relations[i].oid == oid && track->relations[i].kind == kind)
            return &track->relations[i];
    }
    if (track->relation_count == track->relation_capacity) {
        track->relation_capacity = track->relation_capacity > 0 ? track->relation_capacity * 2 : 64;
        track->relations =
            mem_resize(track->relations, track->relation_capacity * sizeof(TrackRelation));
    }
    TrackRelation *relation = &track->relations[track->relation_count++];
    *relation = (TrackRelation){.oid = oid, .kind = kind};
    return relation;
}

static void told(Track *track, const char *data, size_t bytes)
{
    TrackRelation *relation =
        relation_at(track, data[0], (uint32_t)number(data, bytes, OID_AT, sizeof(uint32_t)));
    relation->data = mem_resize(relation->data, bytes);
    relation->bytes = bytes;
    memcpy(relation->data, data, bytes);
}

static bool ended_at(Track *track, Lsn end_lsn)
{
    if (end_lsn <= track->restart)
        return false;
    track->restart = end_lsn;
    return true;
}

bool track_message(Track *track, const char *data, size_t bytes)
{
    if (bytes == 0)
        return false;
    switch (data[0]) {
    case 'B':
        track->in_transaction = true;
        return false;
    case 'C':
        track->in_transaction = false;
        return ended_at(track, number(data, bytes, END_LSN_AT, sizeof(Lsn)));
    case 'R':
    case 'Y':
        told(track, data, bytes);
        return false;
    default:
        return false;
    }
}

bool track_keepalive(Track *track, Lsn wal_end)
{
    return !track->in_transaction && ended_at(track, wal_end);
}
