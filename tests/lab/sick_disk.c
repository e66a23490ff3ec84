/*
 * Sick disk: preloaded into an engine, fsync of the files of a spool fails with EIO while the file
 * that SICK_DISK names exists. Writes still reach the page cache, as on a device whose errors come
 * with the writing back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sync_file(long call, int fd)
{
    char link[64];
    char path[4096];
    const char *flag = getenv("SICK_DISK");
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length > 0)
        path[length] = '\0';
    if (length > 0 && strstr(path, "/spool/") != NULL && flag != NULL && access(flag, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_file(SYS_fdatasync, fd);
}
