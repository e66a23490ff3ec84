/*
 * Full disk: preloaded into a server, it refuses to make files of databases longer, with ENOSPC,
 * while the file that FULL_DISK names exists. What is there already can be written, the WAL too: as
 * where the data has a disk of its own. The server's own ways through a full disk are taken; no
 * privilege is needed, as a small file system would.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int refused(int fd, off_t end)
{
    char link[64];
    char path[4096];
    struct stat status;
    const char *flag = getenv("FULL_DISK");
    if (flag == NULL || access(flag, F_OK) != 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return strstr(path, "/base/") != NULL && fstat(fd, &status) == 0 && end > status.st_size;
}

#define WRITE(name)                                                                                \
    ssize_t name(int fd, const void *data, size_t size, off_t offset)                              \
    {                                                                                              \
        static ssize_t (*real)(int, const void *, size_t, off_t);                                  \
        if (real == NULL)                                                                          \
            real = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, #name);          \
        if (!refused(fd, offset + (off_t)size))                                                    \
            return real(fd, data, size, offset);                                                   \
        errno = ENOSPC;                                                                            \
        return -1;                                                                                 \
    }

#define WRITE_MANY(name)                                                                           \
    ssize_t name(int fd, const struct iovec *parts, int count, off_t offset)                       \
    {                                                                                              \
        static ssize_t (*real)(int, const struct iovec *, int, off_t);                             \
        off_t end = offset;                                                                        \
        if (real == NULL)                                                                          \
            real = (ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, #name);     \
        for (int i = 0; i < count; i++)                                                            \
            end += (off_t)parts[i].iov_len;                                                        \
        if (!refused(fd, end))                                                                     \
            return real(fd, parts, count, offset);                                                 \
        errno = ENOSPC;                                                                            \
        return -1;                                                                                 \
    }

#define ALLOCATE(name)                                                                             \
    int name(int fd, off_t offset, off_t size)                                                     \
    {                                                                                              \
        static int (*real)(int, off_t, off_t);                                                     \
        if (real == NULL)                                                                          \
            real = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, #name);                            \
        return refused(fd, offset + size) ? ENOSPC : real(fd, offset, size);                       \
    }

WRITE(pwrite)
WRITE(pwrite64)
WRITE_MANY(pwritev)
WRITE_MANY(pwritev64)
ALLOCATE(posix_fallocate)
ALLOCATE(posix_fallocate64)
