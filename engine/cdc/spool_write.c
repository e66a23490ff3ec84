/*
 * Spool, the writer's side: frames, segments, what is durable, what is deleted.
 *
 * A write that finds no room on the device is taken back to the last whole frame; nothing is lost
 * by waiting. After an fsync that failed nobody knows what the disk holds: nothing is told any
 * more, the session ends, and the file is written anew before it is trusted (spool_renew.c).
 */
#include "cdc/spool_internal.h"

#include "base/str.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_no_room(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

/* Under no mutex; tells of a change. */
static void press(Spool *spool, SpoolPressure pressure)
{
    AUTO_ARENA Arena arena = {0};
    pthread_mutex_lock(&spool->mutex);
    bool changed = spool->pressure != pressure;
    uint64_t bytes = spool->total_bytes;
    spool->pressure = pressure;
    pthread_mutex_unlock(&spool->mutex);
    if (!changed)
        return;
    const char *size = units_size_text(&arena, bytes);
    if (pressure == SPOOL_FULL)
        log_warn(&spool->spec.log,
                 "the spool is full (%s of %s): reading stops, WAL waits on the source", size,
                 units_size_text(&arena, spool->spec.limit_bytes));
    else if (pressure == SPOOL_NO_ROOM)
        log_warn(&spool->spec.log,
                 "no room for the spool in %s (%s): reading stops, WAL waits on the source",
                 spool->directory, size);
    else
        log_info(&spool->spec.log, "the spool has room again (%s): reading goes on", size);
}

bool spool_write_all(const Spool *spool, int fd, uint64_t offset, const void *data,
                     size_t size_bytes, bool *room, Err *err)
{
    const uint8_t *bytes = data;
    for (size_t done = 0; done < size_bytes;) {
        ssize_t put = pwrite(fd, bytes + done, size_bytes - done, (off_t)(offset + done));
        if (put > 0) {
            done += (size_t)put;
            continue;
        }
        int number = put == 0 ? ENOSPC : errno;
        if (number == EINTR)
            continue;
        bool cut = ftruncate(fd, (off_t)offset) == 0;
        *room = !is_no_room(number);
        if (!*room && cut)
            return true;
        errno = number;
        return spool_io_error("write to the spool", spool->directory, err);
    }
    return true;
}

static uint8_t *buffer(Spool *spool, size_t size_bytes)
{
    if (spool->buffer_bytes < size_bytes) {
        budget_resize(spool->spec.budget, BUDGET_SPOOL, spool->buffer_bytes, size_bytes);
        spool->buffer = mem_resize(spool->buffer, size_bytes);
        spool->buffer_bytes = size_bytes;
    }
    return spool->buffer;
}

/* Packs records behind what stands in the buffer already. \return bytes of head and payload */
static size_t pack(Spool *spool, size_t at, SpoolFrame *frame, const char *raw, size_t bytes)
{
    size_t most = spool_packed_max(bytes);
    uint8_t *to = buffer(spool, at + SPOOL_FRAME_BYTES + most) + at;
    frame->raw = (uint32_t)bytes;
    frame->stored = (uint32_t)spool_pack(spool->packer, raw, bytes, to + SPOOL_FRAME_BYTES, most);
    spool_frame_encode(frame, to);
    return SPOOL_FRAME_BYTES + frame->stored;
}

/* A message larger than the limit passes alone. */
static bool is_at_limit(const Spool *spool, size_t more)
{
    bool empty = spool->count == 1 && spool->segments[0].bytes == spool->segments[0].head_bytes;
    return spool->spec.limit_bytes > 0 && !empty &&
           spool->total_bytes + more > spool->spec.limit_bytes;
}

static bool write_frame(Spool *spool, const char *raw, size_t bytes, const SpoolMark *mark,
                        bool *room, Err *err)
{
    *room = true;
    if (spool->fd < 0 && !spool_segment_begin(spool, false, room, err))
        return false;
    if (!*room) {
        press(spool, SPOOL_NO_ROOM);
        return true;
    }
    Segment *last = &spool->segments[spool->count - 1];
    SpoolFrame frame = {.offset = last->bytes,
                        .restart = mark != NULL ? mark->restart : spool->restart,
                        .is_restart = mark != NULL};
    size_t size = pack(spool, 0, &frame, raw, bytes);
    *room = !is_at_limit(spool, size);
    if (!*room)
        press(spool, SPOOL_FULL);
    else if (!spool_write_all(spool, spool->fd, frame.offset, spool->buffer, size, room, err))
        return false;
    else if (!*room)
        press(spool, SPOOL_NO_ROOM);
    if (!*room)
        return true;
    press(spool, SPOOL_FLOWS);
    spool->unsynced_bytes += size;
    pthread_mutex_lock(&spool->mutex);
    last->bytes += size;
    spool->total_bytes += size;
    if (mark != NULL) {
        spool->restart = mark->restart;
        spool->restart_offset = last->bytes;
    }
    pthread_cond_broadcast(&spool->changed);
    pthread_mutex_unlock(&spool->mutex);
    return true;
}

/* The relation messages known by now, as the frame of a new segment, behind its head. */
static size_t pack_relations(Spool *spool, uint64_t offset)
{
    AUTO_STR Str records = {0};
    static const char PADDING[8] = {0};
    for (size_t i = 0; i < spool->track.relation_count; i++) {
        const TrackRelation *relation = &spool->track.relations[i];
        BatchRecord record = {.wal_end = spool->restart, .bytes = (uint32_t)relation->bytes};
        str_append_bytes(&records, &record, sizeof(record));
        str_append_bytes(&records, relation->data, relation->bytes);
        str_append_bytes(&records, PADDING,
                         batch_record_bytes(relation->bytes) - sizeof(record) - relation->bytes);
    }
    if (records.length == 0)
        return 0;
    SpoolFrame frame = {
        .offset = offset, .restart = spool->restart, .is_restart = true, .is_relation = true};
    return pack(spool, offset, &frame, records.data, records.length);
}

static void push_segment(Spool *spool, const SpoolHead *head, uint64_t bytes)
{
    pthread_mutex_lock(&spool->mutex);
    if (spool->count == spool->capacity) {
        spool->capacity = spool->capacity > 0 ? spool->capacity * 2 : 64;
        spool->segments = mem_resize(spool->segments, spool->capacity * sizeof(Segment));
    }
    spool->segments[spool->count++] = (Segment){.number = head->number,
                                                .start = head->start,
                                                .clean = head->clean,
                                                .bytes = bytes,
                                                .head_bytes = bytes};
    spool->total_bytes += bytes;
    spool->next_number = head->number + 1;
    spool->durable = head->start;
    pthread_cond_broadcast(&spool->changed);
    pthread_mutex_unlock(&spool->mutex);
}

static int create(const char *path, bool *room, Err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    *room = fd >= 0 || !is_no_room(errno);
    if (fd < 0 && *room)
        spool_io_error("make", path, err);
    return fd;
}

bool spool_segment_begin(Spool *spool, bool clean, bool *room, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Segment *last = spool->count > 0 ? &spool->segments[spool->count - 1] : NULL;
    SpoolHead head = {.number = spool->next_number,
                      .start = spool->restart,
                      .previous_bytes = last != NULL ? last->bytes : 0,
                      .owner = spool->owner_crc,
                      .clean = clean};
    const char *path = spool_segment_path(&arena, spool, head.number);
    if (spool->fd >= 0 && !spool_sync(spool, err))
        return false;
    int fd = create(path, room, err);
    if (fd < 0)
        return !*room;
    size_t size = SPOOL_HEAD_BYTES;
    size += clean ? pack_relations(spool, size) : 0;
    spool_head_encode(&head, buffer(spool, size));
    bool ok = spool_write_all(spool, fd, 0, spool->buffer, size, room, err);
    if (ok && *room && (fsync(fd) != 0 || fsync(spool->directory_fd) != 0))
        ok = spool_sync_error(path, err);
    if (!ok || !*room) {
        close(fd);
        unlink(path);
        return ok;
    }
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = fd;
    spool->restart_offset = size;
    spool->unsynced_bytes = 0;
    push_segment(spool, &head, size);
    return true;
}

bool spool_begin_anew(Spool *spool, Lsn start, Err *err)
{
    bool room = true;
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    pthread_mutex_lock(&spool->mutex);
    spool_drop_before(spool, spool->count);
    spool->restart = start;
    pthread_mutex_unlock(&spool->mutex);
    spool_trust(spool);
    if (!spool_segment_begin(spool, true, &room, err))
        return false;
    if (room)
        return true;
    err_set(err, ERR_IO, "no room for the spool in %s", spool->directory);
    return err_hint(err, "Make room, or take replication.spool out of the plan.");
}

void spool_follow(Spool *spool, const Batch *batch, const BatchRecord *record, const char *payload)
{
    bool restarts = record->keepalive ? track_keepalive(&spool->track, record->wal_end)
                                      : track_message(&spool->track, payload, record->bytes);
    if (restarts)
        spool->mark = (SpoolMark){.at = batch->used, .restart = spool->track.restart};
}

bool spool_wants_batch(const Spool *spool, const Batch *batch)
{
    if (spool->count == 0 || spool->mark.at != batch->used || batch->used == 0)
        return false;
    const Segment *last = &spool->segments[spool->count - 1];
    return !last->clean || last->bytes + batch->used >= spool->segment_bytes;
}

bool spool_write(Spool *spool, const Batch *batch, size_t *at, bool *room, Err *err)
{
    const SpoolMark mark = spool->mark;
    *room = true;
    if (mark.at > *at) {
        if (!write_frame(spool, batch->data + *at, mark.at - *at, &mark, room, err))
            return false;
        if (!*room)
            return true;
        *at = mark.at;
    }
    if (batch->used > *at) {
        if (!write_frame(spool, batch->data + *at, batch->used - *at, NULL, room, err))
            return false;
        if (!*room)
            return true;
        *at = batch->used;
    }
    bool ends = spool_wants_batch(spool, batch);
    spool->mark = (SpoolMark){0};
    bool ignored = true; /* without room for a new segment the old one goes on */
    return !ends || spool_segment_begin(spool, true, &ignored, err);
}

bool spool_sync(Spool *spool, Err *err)
{
    if (spool->fd < 0 || (spool->unsynced_bytes == 0 && !spool->doubted))
        return true;
    /* The kernel tells a failure once: what the next call says of these bytes is worth nothing. */
    if (spool->doubted || fdatasync(spool->fd) != 0) {
        AUTO_ARENA Arena arena = {0};
        errno = spool->doubted ? EIO : errno;
        uint64_t number = spool->segments[spool->count - 1].number;
        return spool_doubt(spool, spool_segment_path(&arena, spool, number), err);
    }
    pthread_mutex_lock(&spool->mutex);
    spool->durable = spool->restart;
    pthread_mutex_unlock(&spool->mutex);
    spool->unsynced_bytes = 0;
    return true;
}

size_t spool_unsynced(const Spool *spool)
{
    return (size_t)spool->unsynced_bytes;
}

/* --- deleting --- */

void spool_drop_before(Spool *spool, size_t index)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < index; i++) {
        unlink(spool_segment_path(&arena, spool, spool->segments[i].number));
        spool->total_bytes -= spool->segments[i].bytes;
    }
    spool->count -= index;
    if (spool->count > 0)
        memmove(spool->segments, spool->segments + index, spool->count * sizeof(Segment));
}

void spool_prune(Spool *spool, Lsn durable)
{
    pthread_mutex_lock(&spool->mutex);
    size_t keep = spool_segment_for(spool, durable);
    if (keep < spool->count)
        spool_drop_before(spool, keep);
    pthread_mutex_unlock(&spool->mutex);
}

bool spool_let_go(Spool *spool, Lsn durable)
{
    if (spool->restart > durable || !spool_is_read(spool))
        return false;
    log_info(&spool->spec.log, "the spool lets go of the beginning of an open transaction that is "
                               "larger than its room: the source holds it until it is applied");
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    spool->unsynced_bytes = 0;
    pthread_mutex_lock(&spool->mutex);
    spool_drop_before(spool, spool->count);
    pthread_mutex_unlock(&spool->mutex);
    return true;
}
