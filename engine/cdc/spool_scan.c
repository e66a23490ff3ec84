/*
 * Spool scan: what a directory holds when an engine opens it. Of the segments, the longest run
 * without a gap that ends with the last one whose head is whole; of the last one, the frames up to
 * the first that is not whole. Earlier segments were fsynced before the next began: their frames
 * are looked at when they are read. Nothing is deleted here.
 */
#include "cdc/spool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS     16
#define MARK_CHARS 8
#define HEX_CHARS  "0123456789abcdef"

int spool_read_at(int fd, void *data, size_t size_bytes, uint64_t offset)
{
    uint8_t *bytes = data;
    while (size_bytes > 0) {
        ssize_t got = pread(fd, bytes, size_bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -1 : 0;
        bytes += got;
        offset += (uint64_t)got;
        size_bytes -= (size_t)got;
    }
    return 1;
}

static bool is_segment_name(const char *name)
{
    return strspn(name, HEX_CHARS) == DIGITS && strcmp(name + DIGITS, SPOOL_SUFFIX) == 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = ((const Segment *)a)->number, right = ((const Segment *)b)->number;
    return left < right ? -1 : left > right;
}

static bool list(Spool *spool, Err *err)
{
    DIR *directory = opendir(spool->directory);
    if (directory == NULL)
        return spool_io_error("read", spool->directory, err);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        if (!is_segment_name(entry->d_name))
            continue;
        if (spool->count == spool->capacity) {
            spool->capacity = spool->capacity > 0 ? spool->capacity * 2 : 64;
            spool->segments = mem_resize(spool->segments, spool->capacity * sizeof(Segment));
        }
        spool->segments[spool->count++] = (Segment){.number = strtoull(entry->d_name, NULL, 16)};
    }
    closedir(directory);
    if (spool->count > 1)
        qsort(spool->segments, spool->count, sizeof(Segment), by_number);
    if (spool->count > 0)
        spool->next_number = spool->segments[spool->count - 1].number + 1;
    return true;
}

const char *spool_read_head(const Spool *spool, int fd, uint64_t number, SpoolHead *head)
{
    uint8_t bytes[SPOOL_HEAD_BYTES];
    if (spool_read_at(fd, bytes, sizeof(bytes), 0) != 1)
        return "it ends within its head";
    const char *problem = spool_head_decode(bytes, sizeof(bytes), head);
    if (problem != NULL)
        return problem;
    return head->number == number && head->owner == spool->owner_crc
               ? NULL
               : "it is not the segment of this run that its name says";
}

/* \param previous_bytes in: what the segment behind it says of this one, 0 nothing; out: what this
 * one says of the one before it \return whether it belongs to the run without a gap */
static bool take_segment(Spool *spool, Segment *segment, uint64_t *previous_bytes)
{
    AUTO_ARENA Arena arena = {0};
    SpoolHead head;
    struct stat info;
    const char *path = spool_segment_path(&arena, spool, segment->number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const char *problem = spool_read_head(spool, fd, segment->number, &head);
    bool ok = problem == NULL && fstat(fd, &info) == 0 &&
              (*previous_bytes == 0 || (uint64_t)info.st_size == *previous_bytes);
    close(fd);
    if (!ok) {
        log_warn(&spool->spec.log, "spool: %s is not whole: %s", path,
                 problem != NULL ? problem : "its size is not what the next segment says");
        return false;
    }
    segment->start = head.start;
    segment->clean = head.clean;
    segment->bytes = (uint64_t)info.st_size;
    *previous_bytes = head.previous_bytes;
    return true;
}

static void stray(Spool *spool, uint64_t number)
{
    *vec_push(&spool->arena, &spool->strays) =
        arena_printf(&spool->arena, "%016llx" SPOOL_SUFFIX, (unsigned long long)number);
}

/* Keeps the run without a gap that ends with the last whole segment. */
static void keep_last_run(Spool *spool)
{
    uint64_t previous_bytes = 0;
    while (spool->count > 0 &&
           !take_segment(spool, &spool->segments[spool->count - 1], &previous_bytes))
        stray(spool, spool->segments[--spool->count].number);
    if (spool->count == 0)
        return;
    size_t first = spool->count - 1;
    while (first > 0 && spool->segments[first - 1].number + 1 == spool->segments[first].number &&
           take_segment(spool, &spool->segments[first - 1], &previous_bytes))
        first--;
    for (size_t i = 0; i < first; i++)
        stray(spool, spool->segments[i].number);
    spool->count -= first;
    memmove(spool->segments, spool->segments + first, spool->count * sizeof(Segment));
    for (size_t i = 0; i < spool->count; i++)
        spool->total_bytes += spool->segments[i].bytes;
}

/* \return what is wrong with the frame at this offset; "" when the file ends before it */
static const char *look_at_frame(Spool *spool, int fd, uint64_t offset, SpoolFrame *frame)
{
    uint8_t head[SPOOL_FRAME_BYTES];
    if (spool_read_at(fd, head, sizeof(head), offset) != 1)
        return "";
    const char *problem = spool_frame_decode(head, sizeof(head), frame);
    if (problem != NULL)
        return problem;
    if (frame->offset != offset)
        return "a frame stands where it was not written";
    spool->stored = mem_resize(spool->stored, frame->stored + (size_t)frame->raw);
    if (spool_read_at(fd, spool->stored, frame->stored, offset + SPOOL_FRAME_BYTES) != 1)
        return "it ends within a frame";
    return spool_unpack(spool->unpacker, frame, spool->stored, spool->stored + frame->stored);
}

void spool_walk(Spool *spool, int fd, const char *path)
{
    const Segment *last = &spool->segments[spool->count - 1];
    Lsn restart = last->start;
    uint64_t offset = SPOOL_HEAD_BYTES;
    spool->restart_offset = SPOOL_HEAD_BYTES;
    for (;;) {
        SpoolFrame frame;
        const char *problem = look_at_frame(spool, fd, offset, &frame);
        if (problem != NULL) {
            if (*problem != '\0' || offset < last->bytes)
                log_info(&spool->spec.log, "spool: %s is cut at byte %llu of %llu: %s", path,
                         (unsigned long long)offset, (unsigned long long)last->bytes,
                         *problem != '\0' ? problem : "it ends within a head");
            break;
        }
        offset += SPOOL_FRAME_BYTES + frame.stored;
        if (frame.is_restart) {
            restart = frame.restart;
            spool->restart_offset = offset;
        }
    }
    budget_resize(spool->spec.budget, BUDGET_SPOOL, spool->stored_bytes, 0);
    mem_free(spool->stored);
    spool->stored = NULL;
    spool->stored_bytes = 0;
    pthread_mutex_lock(&spool->mutex);
    spool->restart = restart;
    pthread_mutex_unlock(&spool->mutex);
}

/* Walks the last segment. What is made durable first may be told when it is found whole; what
 * cannot be is written anew before anything is told. */
static bool walk_last(Spool *spool, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err doubt = {0};
    const char *path = spool_segment_path(&arena, spool, spool->segments[spool->count - 1].number);
    spool->fd = open(path, O_RDWR | O_CLOEXEC);
    if (spool->fd < 0)
        return spool_io_error("open", path, err);
    if (fsync(spool->fd) != 0 && !spool_doubt(spool, path, &doubt))
        log_err(&spool->spec.log, LOG_WARN, &doubt);
    spool_walk(spool, spool->fd, path);
    spool->durable = spool->restart;
    return true;
}

bool spool_scan(Spool *spool, Err *err)
{
    if (!list(spool, err))
        return false;
    keep_last_run(spool);
    spool->doubted = faccessat(spool->directory_fd, SPOOL_DOUBT_FILE, F_OK, 0) == 0;
    return spool->count == 0 || walk_last(spool, err);
}

/* --- directories of other runs --- */

static bool is_spool_file(const char *name)
{
    static const char *const NAMES[] = {SPOOL_LOCK_FILE, SPOOL_OWNER_FILE, SPOOL_DOUBT_FILE,
                                        SPOOL_RENEW_FILE};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    }
    return is_segment_name(name);
}

static bool remove_files(int directory_fd, const char *path, Err *err)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return spool_io_error("read", path, err);
    bool ok = true;
    for (const struct dirent *entry = readdir(directory); ok && entry != NULL;
         entry = readdir(directory)) {
        if (is_spool_file(entry->d_name) && unlinkat(directory_fd, entry->d_name, 0) != 0)
            ok = spool_io_error("remove a file of", path, err);
    }
    closedir(directory);
    return ok && (rmdir(path) == 0 || spool_io_error("remove", path, err));
}

static bool is_locked(int directory_fd)
{
    int fd = openat(directory_fd, SPOOL_LOCK_FILE, O_RDWR | O_CLOEXEC);
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    return locked;
}

bool spool_remove(const char *parent, const char *name, bool *removed, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *path = arena_printf(&arena, "%s/%s", parent, name);
    *removed = false;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || spool_io_error("open", path, err);
    if (is_locked(fd)) {
        close(fd);
        return err_set(err, ERR_LOCKED, "another engine uses the spool %s", path);
    }
    *removed = remove_files(fd, path, err);
    close(fd);
    return *removed;
}

bool spool_find(Arena *arena, const char *parent, const char *prefix, SpoolNames *names, Err *err)
{
    size_t length = strlen(prefix);
    DIR *directory = opendir(parent);
    if (directory == NULL)
        return errno == ENOENT || spool_io_error("read", parent, err);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        const char *mark = entry->d_name + length;
        if (strncmp(entry->d_name, prefix, length) == 0 && strspn(mark, HEX_CHARS) == MARK_CHARS &&
            mark[MARK_CHARS] == '\0')
            *vec_push(arena, names) = arena_strdup(arena, entry->d_name);
    }
    closedir(directory);
    return true;
}
