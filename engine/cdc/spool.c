/*
 * Spool: the directory, its owner and its lock; where the stream goes on; what may be told.
 */
#include "cdc/spool.h"

#include "base/clock.h"
#include "cdc/spool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_MAX_BYTES ((uint64_t)64 * 1024 * 1024)
#define SEGMENT_MIN_BYTES ((uint64_t)1024 * 1024)
#define SEGMENTS_OF_LIMIT 8
#define OWNER_MAX_BYTES   4096

bool spool_io_error(const char *verb, const char *path, Err *err)
{
    int number = errno;
    return err_set(err, ERR_IO, "could not %s %s: %s", verb, path, strerror(number));
}

bool spool_sync_error(const char *path, Err *err)
{
    spool_io_error("make durable", path, err);
    return err_hint(err, "Nothing is lost: the source was told only of what was durable before. "
                         "The device failed to write; the kernel's log tells more. Mend it, then "
                         "\"godwit apply\" again.");
}

bool spool_damaged(const Spool *spool, uint64_t number, uint64_t offset, const char *problem,
                   Err *err)
{
    AUTO_ARENA Arena arena = {0};
    err_set(err, ERR_CANNOT_RESUME, "the spool is damaged: %s",
            spool_segment_path(&arena, spool, number));
    err_detail(err, "At byte %llu: %s.", (unsigned long long)offset, problem);
    return err_hint(err, "The source was told that these changes are kept, and may have forgotten "
                         "them. Restore the file, or copy anew: \"godwit resync PLAN --all\", then "
                         "\"godwit apply PLAN\".");
}

const char *spool_segment_path(Arena *arena, const Spool *spool, uint64_t number)
{
    return arena_printf(arena, "%s/%016llx" SPOOL_SUFFIX, spool->directory,
                        (unsigned long long)number);
}

static bool make_directory(const char *path, Err *err)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ||
           spool_io_error("make the spool's directory", path, err);
}

static bool lock(Spool *spool, Err *err)
{
    const char *path = arena_printf(&spool->arena, "%s/" SPOOL_LOCK_FILE, spool->directory);
    spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0)
        return spool_io_error("open", path, err);
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return spool_io_error("lock", path, err);
    err_set(err, ERR_LOCKED, "another engine uses the spool %s", spool->directory);
    return err_hint(err, "Two engines cannot share it. The lock goes with the process.");
}

static bool write_owner(Spool *spool, const char *path, Err *err)
{
    size_t bytes = strlen(spool->spec.owner);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return spool_io_error("make", path, err);
    bool ok = write(fd, spool->spec.owner, bytes) == (ssize_t)bytes && fsync(fd) == 0 &&
              fsync(spool->directory_fd) == 0;
    if (!ok)
        spool_io_error("write", path, err);
    close(fd);
    return ok;
}

static bool check_owner(Spool *spool, Err *err)
{
    const char *path = arena_printf(&spool->arena, "%s/" SPOOL_OWNER_FILE, spool->directory);
    char text[OWNER_MAX_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? write_owner(spool, path, err) : spool_io_error("open", path, err);
    ssize_t bytes = read(fd, text, sizeof(text));
    close(fd);
    if (bytes < 0)
        return spool_io_error("read", path, err);
    if (bytes == 0) /* a crash while it was made: nothing is in the spool then */
        return write_owner(spool, path, err);
    size_t wanted = strlen(spool->spec.owner);
    if ((size_t)bytes == wanted && memcmp(text, spool->spec.owner, wanted) == 0)
        return true;
    err_set(err, ERR_CANNOT_RESUME, "the spool %s belongs to another run", spool->directory);
    err_detail(err, "%s says so.", path);
    return err_hint(err, "Give this plan a directory of its own, or remove that one if its run is "
                         "gone.");
}

static Spool *spool_new(const SpoolSpec *spec)
{
    Spool *spool = mem_resize(NULL, sizeof(Spool));
    *spool = (Spool){.spec = *spec,
                     .directory_fd = -1,
                     .lock_fd = -1,
                     .fd = -1,
                     .read_fd = -1,
                     .owner_crc = spool_crc(spec->owner, strlen(spec->owner)),
                     .segment_bytes = SEGMENT_MAX_BYTES,
                     .next_number = 1};
    if (spec->limit_bytes > 0 && spec->limit_bytes / SEGMENTS_OF_LIMIT < SEGMENT_MAX_BYTES)
        spool->segment_bytes = spec->limit_bytes / SEGMENTS_OF_LIMIT;
    if (spool->segment_bytes < SEGMENT_MIN_BYTES)
        spool->segment_bytes = SEGMENT_MIN_BYTES;
    spool->directory = arena_printf(&spool->arena, "%s/%s", spec->parent, spec->name);
    spool->packer = spool_packer_new();
    spool->unpacker = spool_packer_new();
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&spool->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&spool->mutex, NULL);
    return spool;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void spool_close(Spool *spool)
{
    if (spool == NULL)
        return;
    close_fd(spool->read_fd);
    close_fd(spool->fd);
    close_fd(spool->directory_fd);
    close_fd(spool->lock_fd);
    track_release(&spool->track);
    spool_packer_free(spool->packer);
    spool_packer_free(spool->unpacker);
    budget_resize(spool->spec.budget, BUDGET_SPOOL, spool->buffer_bytes, 0);
    budget_resize(spool->spec.budget, BUDGET_SPOOL, spool->stored_bytes, 0);
    mem_free(spool->buffer);
    mem_free(spool->stored);
    mem_free(spool->segments);
    pthread_mutex_destroy(&spool->mutex);
    pthread_cond_destroy(&spool->changed);
    arena_release(&spool->arena);
    mem_free(spool);
}

/* It holds the rows of tables, under a name that can be guessed. */
static bool check_alone(const Spool *spool, Err *err)
{
    struct stat info;
    if (fstat(spool->directory_fd, &info) != 0)
        return spool_io_error("look at", spool->directory, err);
    if (info.st_uid == geteuid() && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    err_set(err, ERR_IO, "the spool %s is not this user's alone", spool->directory);
    return err_hint(err, "It must belong to the user of the engine, and its mode must be 0700.");
}

static bool open_directory(Spool *spool, Err *err)
{
    if (!make_directory(spool->spec.parent, err) || !make_directory(spool->directory, err))
        return false;
    spool->directory_fd = open(spool->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (spool->directory_fd < 0)
        return spool_io_error("open", spool->directory, err);
    return check_alone(spool, err);
}

bool spool_open(Spool **out, const SpoolSpec *spec, Err *err)
{
    /* A file-size limit is told as EFBIG then, like a device without room. */
    signal(SIGXFSZ, SIG_IGN);
    Spool *spool = spool_new(spec);
    if (open_directory(spool, err) && lock(spool, err) && check_owner(spool, err) &&
        spool_scan(spool, err)) {
        *out = spool;
        return true;
    }
    spool_close(spool);
    return false;
}

/* --- where the stream goes on --- */

size_t spool_segment_for(const Spool *spool, Lsn applied)
{
    for (size_t i = spool->count; i-- > 0;) {
        if (spool->segments[i].clean && spool->segments[i].start <= applied)
            return i;
    }
    return spool->count;
}

static bool is_missing(const Spool *spool, Lsn applied, Lsn confirmed, Err *err)
{
    err_set(err, ERR_CANNOT_RESUME, "the spool %s does not hold what the source was told it does",
            spool->directory);
    if (spool->count == 0)
        err_detail(err, "It is empty; applied is %s, the slot's confirmed_flush_lsn is %s.",
                   lsn_text(applied).text, lsn_text(confirmed).text);
    else
        err_detail(err,
                   "It reaches from %s to %s; applied is %s, the slot's confirmed_flush_lsn is %s.",
                   lsn_text(spool->segments[0].start).text, lsn_text(spool->restart).text,
                   lsn_text(applied).text, lsn_text(confirmed).text);
    return err_hint(err, "Restore its files, or copy anew: \"godwit resync PLAN --all\", then "
                         "\"godwit apply PLAN\".");
}

/* Cuts off what began behind the last restart: it comes again. */
static bool cut(Spool *spool, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Segment *last = &spool->segments[spool->count - 1];
    const char *path = spool_segment_path(&arena, spool, last->number);
    if (spool->fd < 0)
        spool->fd = open(path, O_RDWR | O_CLOEXEC);
    if (spool->fd < 0)
        return spool_io_error("open", path, err);
    if (ftruncate(spool->fd, (off_t)spool->restart_offset) != 0)
        return spool_io_error("cut", path, err);
    if (fsync(spool->fd) != 0)
        return spool_doubt(spool, path, err);
    pthread_mutex_lock(&spool->mutex);
    spool->total_bytes -= last->bytes - spool->restart_offset;
    last->bytes = spool->restart_offset;
    spool->durable = spool->restart;
    pthread_mutex_unlock(&spool->mutex);
    spool->unsynced_bytes = 0;
    return true;
}

static void remove_strays(Spool *spool)
{
    for (size_t i = 0; i < spool->strays.count; i++)
        unlinkat(spool->directory_fd, spool->strays.items[i], 0);
    unlinkat(spool->directory_fd, SPOOL_RENEW_FILE, 0);
    spool->strays.count = 0;
}

bool spool_resume(Spool *spool, Lsn applied, Lsn confirmed, Lsn *start, Err *err)
{
    if (spool->doubted && spool->count > 0 && !spool_renew(spool, err))
        return false;
    bool reaches = spool_segment_for(spool, applied) < spool->count && spool->restart >= applied;
    Lsn position = reaches ? spool->restart : applied;
    if (confirmed > position)
        return is_missing(spool, applied, confirmed, err);
    remove_strays(spool);
    *start = position;
    spool->mark = (SpoolMark){0};
    track_begin(&spool->track, position);
    return reaches ? cut(spool, err) : spool_begin_anew(spool, position, err);
}

/* --- what may be told --- */

Lsn spool_reportable(Spool *spool, Lsn durable)
{
    pthread_mutex_lock(&spool->mutex);
    bool whole = spool_segment_for(spool, durable) < spool->count;
    Lsn lsn = whole && spool->durable > durable ? spool->durable : durable;
    pthread_mutex_unlock(&spool->mutex);
    return lsn;
}

Lsn spool_begins(Spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    Lsn lsn = spool->count > 0 ? spool->segments[0].start : 0;
    pthread_mutex_unlock(&spool->mutex);
    return lsn;
}

bool spool_is_read(Spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    const Segment *last = spool->count > 0 ? &spool->segments[spool->count - 1] : NULL;
    bool read =
        last == NULL || (spool->read_number == last->number && spool->read_offset == last->bytes);
    pthread_mutex_unlock(&spool->mutex);
    return read;
}

void spool_status(Spool *spool, SpoolStatus *status)
{
    pthread_mutex_lock(&spool->mutex);
    *status = (SpoolStatus){.bytes = spool->total_bytes,
                            .pressure = spool->pressure,
                            .written = spool->restart,
                            .durable = spool->durable};
    pthread_mutex_unlock(&spool->mutex);
}
