/*
 * Spool, the reader's side: follows the writer from the segment that an applied position needs,
 * frame by frame.
 */
#include "cdc/spool_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BEGIN_LSN_AT 1 /* in a begin message: the final LSN */

void spool_read_begin(Spool *spool, Lsn applied)
{
    pthread_mutex_lock(&spool->mutex);
    size_t index = spool_segment_for(spool, applied);
    if (index == spool->count)
        BUG("a spool is read that does not reach back to the applied position");
    spool->read_number = spool->segments[index].number;
    spool->read_offset = SPOOL_HEAD_BYTES;
    pthread_mutex_unlock(&spool->mutex);
    spool->read_first = spool->read_number;
    spool->skip_to = applied;
    spool->skips = true;
    spool->skips_this = false;
}

/* Moves on to the next segment when one is read; under the mutex. \return whether there is more */
static bool find_more(Spool *spool)
{
    for (size_t i = 0; i < spool->count; i++) {
        const Segment *segment = &spool->segments[i];
        if (segment->number < spool->read_number)
            continue;
        if (segment->number > spool->read_number) {
            spool->read_number = segment->number;
            spool->read_offset = SPOOL_HEAD_BYTES;
        }
        if (spool->read_offset < segment->bytes)
            return true;
    }
    return false;
}

static bool wait_for_more(Spool *spool, int timeout_ms)
{
    int64_t at_us = clock_us() + (int64_t)timeout_ms * 1000;
    struct timespec until = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
    pthread_mutex_lock(&spool->mutex);
    bool more = find_more(spool);
    if (!more && timeout_ms > 0) {
        pthread_cond_timedwait(&spool->changed, &spool->mutex, &until);
        more = find_more(spool);
    }
    pthread_mutex_unlock(&spool->mutex);
    return more;
}

static bool open_segment(Spool *spool, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (spool->read_fd >= 0 && spool->read_fd_number == spool->read_number)
        return true;
    if (spool->read_fd >= 0)
        close(spool->read_fd);
    const char *path = spool_segment_path(&arena, spool, spool->read_number);
    spool->read_fd = open(path, O_RDONLY | O_CLOEXEC);
    spool->read_fd_number = spool->read_number;
    if (spool->read_fd >= 0)
        return true;
    return errno == ENOENT ? spool_damaged(spool, spool->read_number, 0, "the file is gone", err)
                           : spool_io_error("open", path, err);
}

/* The frame where the reader stands, its payload in spool->stored. */
static bool read_frame(Spool *spool, SpoolFrame *frame, Err *err)
{
    uint8_t head[SPOOL_FRAME_BYTES];
    uint64_t offset = spool->read_offset;
    int got = spool_read_at(spool->read_fd, head, sizeof(head), offset);
    const char *problem = got == 1 ? spool_frame_decode(head, sizeof(head), frame) : NULL;
    if (got == 1 && problem == NULL && frame->offset != offset)
        problem = "a frame stands where it was not written";
    if (got == 1 && problem == NULL) {
        if (frame->stored > spool->stored_bytes) {
            budget_resize(spool->spec.budget, BUDGET_SPOOL, spool->stored_bytes, frame->stored);
            spool->stored = mem_resize(spool->stored, frame->stored);
            spool->stored_bytes = frame->stored;
        }
        got =
            spool_read_at(spool->read_fd, spool->stored, frame->stored, offset + SPOOL_FRAME_BYTES);
    }
    if (got < 0)
        return spool_io_error("read the spool in", spool->directory, err);
    if (got == 0)
        problem = "it ends within a frame";
    return problem == NULL || spool_damaged(spool, spool->read_number, offset, problem, err);
}

static Lsn final_lsn(const char *payload, size_t bytes)
{
    Lsn lsn = 0;
    for (size_t i = BEGIN_LSN_AT; i < BEGIN_LSN_AT + sizeof(Lsn) && i < bytes; i++)
        lsn = lsn << 8 | (uint8_t)payload[i];
    return lsn;
}

/* Whether a record is applied already. Relations and types are not, and streamed transactions are
 * the intake's to judge: they show their position at their end. */
static bool is_applied(Spool *spool, const BatchRecord *record, const char *payload)
{
    if (record->keepalive)
        return record->wal_end <= spool->skip_to;
    char kind = record->bytes > 0 ? *payload : '\0';
    if (kind == 'B') {
        spool->skips_this = final_lsn(payload, record->bytes) < spool->skip_to;
        spool->skips = spool->skips_this;
    }
    bool skipped = spool->skips_this && kind != 'R' && kind != 'Y';
    if (kind == 'C')
        spool->skips_this = false;
    return skipped;
}

/* Takes out what is applied, in place. */
static void filter(Spool *spool, Batch *batch)
{
    size_t at = 0;
    size_t kept = 0;
    const char *payload = NULL;
    while (spool->skips && at < batch->used) {
        size_t start = at;
        const BatchRecord *record = batch_next(batch, &at, &payload);
        if (is_applied(spool, record, payload))
            continue;
        memmove(batch->data + kept, batch->data + start, at - start);
        kept += at - start;
    }
    memmove(batch->data + kept, batch->data + at, batch->used - at);
    batch->used = kept + batch->used - at;
}

bool spool_read(Spool *spool, BatchPool *pool, Batch **out, int timeout_ms, Err *err)
{
    SpoolFrame frame;
    *out = NULL;
    if (!wait_for_more(spool, timeout_ms))
        return true;
    if (!open_segment(spool, err) || !read_frame(spool, &frame, err))
        return false;
    Batch *batch = batch_new_sized(pool, frame.raw);
    const char *problem = spool_unpack(spool->unpacker, &frame, spool->stored, batch->data);
    if (problem != NULL) {
        batch_free(pool, batch);
        return spool_damaged(spool, spool->read_number, spool->read_offset, problem, err);
    }
    batch->used = frame.raw;
    pthread_mutex_lock(&spool->mutex);
    spool->read_offset += SPOOL_FRAME_BYTES + frame.stored;
    pthread_mutex_unlock(&spool->mutex);
    if (frame.is_relation && spool->read_number != spool->read_first)
        batch->used = 0;
    else if (spool->skips)
        filter(spool, batch);
    if (batch->used == 0)
        batch_free(pool, batch);
    else
        *out = batch;
    return true;
}
