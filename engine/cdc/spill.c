/*
 * Spill: slots of an unlinked file.
 */
#include "cdc/spill.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spill_init(Spill *spill, const char *directory)
{
    const char *fallback = getenv("TMPDIR");
    if (fallback == NULL || *fallback == '\0')
        fallback = "/tmp";
    *spill = (Spill){.directory = directory != NULL ? directory : fallback, .fd = -1};
}

void spill_release(Spill *spill)
{
    if (spill->fd >= 0)
        close(spill->fd);
    mem_free(spill->free_slots);
    *spill = (Spill){.directory = spill->directory, .fd = -1};
}

static bool failed(const Spill *spill, const char *what, int problem, Err *err)
{
    err_set(err, ERR_IO, "could not %s the file of unfinished transactions in \"%s\": %s", what,
            spill->directory, strerror(problem));
    return err_hint(err, "It needs room for the source transactions that are under way and do not "
                         "fit in limits.memory. Make room there, or set TMPDIR to a larger place.");
}

static bool open_file(Spill *spill, Err *err)
{
    spill->fd = open(spill->directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (spill->fd >= 0)
        return true;
    if (errno != EOPNOTSUPP && errno != EISDIR)
        return failed(spill, "make", errno, err);
    AUTO_STR Str path = {0}; /* a file system that cannot make a file without a name */
    str_appendf(&path, "%s/godwit-XXXXXX", spill->directory);
    spill->fd = mkostemp(path.data, O_CLOEXEC);
    if (spill->fd < 0)
        return failed(spill, "make", errno, err);
    unlink(path.data);
    return true;
}

static uint32_t take_slot(Spill *spill)
{
    return spill->free_count > 0 ? spill->free_slots[--spill->free_count] : spill->slot_count++;
}

bool spill_write(Spill *spill, const void *data, size_t bytes, uint32_t *slot, Err *err)
{
    if (spill->fd < 0 && !open_file(spill, err))
        return false;
    uint32_t taken = take_slot(spill);
    const uint8_t *from = data;
    off_t at = (off_t)taken * (off_t)SPILL_SLOT_BYTES;
    for (size_t done = 0; done < bytes;) {
        ssize_t wrote = pwrite(spill->fd, from + done, bytes - done, at + (off_t)done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            int problem = wrote < 0 ? errno : ENOSPC;
            spill_free(spill, taken);
            return failed(spill, "write", problem, err);
        }
        done += (size_t)wrote;
    }
    *slot = taken;
    return true;
}

bool spill_read(const Spill *spill, uint32_t slot, void *data, size_t bytes, Err *err)
{
    uint8_t *to = data;
    off_t at = (off_t)slot * (off_t)SPILL_SLOT_BYTES;
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(spill->fd, to + done, bytes - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed(spill, "read", got < 0 ? errno : EIO, err);
        done += (size_t)got;
    }
    return true;
}

/* An empty file needs no list of free slots; that it could not be cut costs only disk. */
static void start_over(Spill *spill)
{
    if (ftruncate(spill->fd, 0) != 0)
        return;
    spill->slot_count = 0;
    spill->free_count = 0;
}

void spill_free(Spill *spill, uint32_t slot)
{
    if (spill->free_count == spill->free_capacity) {
        spill->free_capacity = spill->free_capacity > 0 ? spill->free_capacity * 2 : 256;
        spill->free_slots =
            mem_resize(spill->free_slots, spill->free_capacity * sizeof(*spill->free_slots));
    }
    spill->free_slots[spill->free_count++] = slot;
    if (spill->free_count == spill->slot_count)
        start_over(spill);
}

size_t spill_used(const Spill *spill)
{
    return spill->slot_count - spill->free_count;
}
