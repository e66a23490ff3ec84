/*
 * Positions: what the threads of a stream know of each other. Only this file writes what stands
 * under the stream's mutex.
 */
#include "cdc/stream_internal.h"

#include "base/clock.h"

#define CAUGHT_UP_LAG_US 1000000

static int64_t lag_us(const Stream *stream)
{
    if (stream->sample_count == 0)
        return 0;
    return clock_us() - stream->samples[stream->sample_first].at_us;
}

static void update_lag(Stream *stream)
{
    while (stream->sample_count > 0 &&
           stream->samples[stream->sample_first].head <= stream->covered) {
        stream->sample_first = (stream->sample_first + 1) % LAG_SAMPLES;
        stream->sample_count--;
    }
    StreamStatus *status = &stream->status;
    status->lag_us = lag_us(stream);
    status->lag_bytes =
        status->source_head > stream->covered ? status->source_head - stream->covered : 0;
    if (stream->head_known && stream->hold.held_count == 0 &&
        stream->covered >= stream->last_sync_lsn && stream->covered >= stream->first_head &&
        status->lag_us < CAUGHT_UP_LAG_US)
        status->caught_up_once = true;
}

void positions_begin(Stream *stream, Lsn applied, Lsn durable)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.applied = applied;
    stream->covered = applied;
    stream->durable = durable;
    stream->status.received = applied;
    update_lag(stream);
    pthread_mutex_unlock(&stream->mutex);
}

void positions_received(Stream *stream, Lsn received)
{
    pthread_mutex_lock(&stream->mutex);
    if (received > stream->status.received)
        stream->status.received = received;
    pthread_mutex_unlock(&stream->mutex);
}

void positions_covered(Stream *stream, Lsn covered)
{
    pthread_mutex_lock(&stream->mutex);
    if (covered > stream->covered)
        stream->covered = covered;
    update_lag(stream);
    pthread_mutex_unlock(&stream->mutex);
}

void positions_head(Stream *stream, Lsn head, uint64_t retained_bytes)
{
    pthread_mutex_lock(&stream->mutex);
    if (!stream->head_known)
        stream->first_head = head; /* what was behind us when we began is lag of unknown age */
    stream->head_known = true;
    stream->head_at_us = clock_us();
    stream->status.retained_bytes = retained_bytes;
    if (head > stream->status.source_head) {
        stream->status.source_head = head;
        if (stream->sample_count == LAG_SAMPLES)
            stream->sample_count--; /* the oldest ones tell the lag */
        size_t at = (stream->sample_first + stream->sample_count) % LAG_SAMPLES;
        stream->samples[at] = (LagSample){.head = head, .at_us = clock_us()};
        stream->sample_count++;
    }
    update_lag(stream);
    pthread_mutex_unlock(&stream->mutex);
}

void positions_applied(Stream *stream, const LaneStep *step, uint64_t conflicts)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.applied = step->to;
    stream->status.transactions += step->transactions;
    stream->status.changes += step->changes;
    stream->status.conflicts = conflicts;
    if (step->to > stream->covered)
        stream->covered = step->to;
    if (step->synchronous && step->to > stream->durable)
        stream->durable = step->to;
    stream->progress++;
    update_lag(stream);
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

void positions_skipped(Stream *stream, uint64_t changes)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.skipped += changes;
    pthread_mutex_unlock(&stream->mutex);
}

void positions_marker_arrived(Stream *stream, const char *nonce, Lsn end_lsn)
{
    pthread_mutex_lock(&stream->mutex);
    *vec_push(&stream->marker_arena, &stream->markers) =
        (Marker){.nonce = arena_strdup(&stream->marker_arena, nonce),
                 .end_lsn = end_lsn,
                 .selected = stream->selected,
                 .looks = stream->looks,
                 .sealed = stream->sealed};
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

void positions_selected(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    stream->selected++;
    pthread_mutex_unlock(&stream->mutex);
}

void positions_drifted(Stream *stream, const Relation *relation)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.drifted = relation;
    pthread_mutex_unlock(&stream->mutex);
}

void positions_waits(Stream *stream, const Leaf *leaf)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.waits_for = leaf;
    pthread_mutex_unlock(&stream->mutex);
}

void positions_held(Stream *stream)
{
    const Hold *hold = &stream->hold;
    for (size_t i = 0; i < hold->leaf_count; i++) {
        if (hold->sync_lsn[i] > stream->last_sync_lsn)
            stream->last_sync_lsn = hold->sync_lsn[i];
    }
    stream->status.held = hold->held_count;
    stream->status.caught_up_once = false;
    stream->head_known = false; /* what is behind us from here on is to be caught up with */
}

Positions positions_read(Stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    Positions positions = {.received = stream->status.received,
                           .applied = stream->status.applied,
                           .durable = stream->durable,
                           .covered = stream->covered};
    pthread_mutex_unlock(&stream->mutex);
    return positions;
}

void positions_reported(Stream *stream, Lsn reported)
{
    pthread_mutex_lock(&stream->mutex);
    stream->status.reported = reported;
    pthread_mutex_unlock(&stream->mutex);
}
