/*
 * Spool renew: after an fsync that failed. The kernel may have dropped the pages that it could not
 * write, may show them still, and tells of the failure only once: a later fsync that succeeds says
 * nothing. So what can be read of the segment, checked frame by frame, is written into another
 * file, and that one is fsynced and put in its place. A file beside it keeps the doubt for the next
 * engine; a machine that went down needs none, for then the disk itself is read.
 */
#include "cdc/spool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 * 1024)

bool spool_doubt(Spool *spool, const char *path, Err *err)
{
    int number = errno;
    spool->doubted = true;
    int fd = openat(spool->directory_fd, SPOOL_DOUBT_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    errno = number;
    return spool_sync_error(path, err);
}

void spool_trust(Spool *spool)
{
    if (!spool->doubted)
        return;
    unlinkat(spool->directory_fd, SPOOL_DOUBT_FILE, 0);
    spool->doubted = false;
}

static bool copy(Spool *spool, int to, const char *path, Err *err)
{
    uint8_t piece[PIECE_BYTES];
    for (uint64_t at = 0; at < spool->restart_offset;) {
        uint64_t left = spool->restart_offset - at;
        size_t bytes = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        bool room = true;
        int got = spool_read_at(spool->fd, piece, bytes, at);
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return spool_io_error("read", path, err);
        }
        if (!spool_write_all(spool, to, at, piece, bytes, &room, err))
            return false;
        if (!room) {
            err_set(err, ERR_IO, "no room to write %s anew: %s", path, strerror(ENOSPC));
            return err_hint(err, "An fsync of it failed, so it is not trusted. Make room, then "
                                 "\"godwit apply\" again.");
        }
        at += bytes;
    }
    return true;
}

/* The new file under the old one's name, both durable. */
static bool replace(Spool *spool, int to, const char *made, const char *path, Err *err)
{
    if (!copy(spool, to, path, err))
        return false;
    if (fsync(to) != 0)
        return spool_sync_error(made, err);
    if (rename(made, path) != 0)
        return spool_io_error("put in place", made, err);
    return fsync(spool->directory_fd) == 0 || spool_sync_error(path, err);
}

/* From here on the file is the new one. */
static void take(Spool *spool, int fd)
{
    Segment *last = &spool->segments[spool->count - 1];
    close(spool->fd);
    spool->fd = fd;
    if (spool->read_fd >= 0)
        close(spool->read_fd);
    spool->read_fd = -1;
    pthread_mutex_lock(&spool->mutex);
    spool->total_bytes -= last->bytes;
    spool->total_bytes += spool->restart_offset;
    last->bytes = spool->restart_offset;
    spool->durable = spool->restart;
    pthread_mutex_unlock(&spool->mutex);
    spool->unsynced_bytes = 0;
    spool_trust(spool);
}

static bool read_whole(Spool *spool, const char *path, uint64_t number, Err *err)
{
    SpoolHead head;
    if (spool->fd < 0)
        spool->fd = open(path, O_RDWR | O_CLOEXEC);
    if (spool->fd < 0)
        return spool_io_error("open", path, err);
    const char *problem = spool_read_head(spool, spool->fd, number, &head);
    if (problem != NULL)
        return spool_damaged(spool, number, 0, problem, err);
    spool_walk(spool, spool->fd, path);
    return true;
}

bool spool_renew(Spool *spool, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    uint64_t number = spool->segments[spool->count - 1].number;
    const char *path = spool_segment_path(&arena, spool, number);
    const char *made = arena_printf(&arena, "%s/" SPOOL_RENEW_FILE, spool->directory);
    if (!read_whole(spool, path, number, err))
        return false;
    int to = open(made, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        return spool_io_error("make", made, err);
    if (!replace(spool, to, made, path, err)) {
        close(to);
        unlink(made);
        return false;
    }
    take(spool, to);
    log_info(&spool->spec.log, "spool: %s was written anew after an fsync of it had failed", path);
    return true;
}
