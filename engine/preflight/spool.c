/*
 * Checks of the spool's directory, on the machine that the engine runs on: may it be used, by this
 * user alone, and does its device hold what the plan lets wait there. Nothing is made here.
 */
#include "preflight/check.h"

#include "base/units.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LEAST_ROOM_BYTES ((uint64_t)1024 * 1024 * 1024)

static const char WHY_USABLE[] =
    "Changes that the source was told are kept must be written there, and hold rows of the tables.";

static void unusable(Check *check, const char *directory, const char *message, const char *remedy)
{
    check_add(check, CODE_SPOOL, FINDING_ERROR, &check->source, directory, message, WHY_USABLE,
              remedy);
}

static const char *above(Check *check, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_memdup(check->arena, path, (size_t)(slash - path));
}

/* Whoever may write to it may put another directory in the place of the run's. */
static bool others_may_write(const struct stat *info)
{
    return (info->st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info->st_mode & S_ISVTX) == 0;
}

/* \return the directory that is there: it, or the one that it will be made in; NULL: a finding */
static const char *usable(Check *check, const char *directory)
{
    struct stat info;
    const char *there = directory;
    if (stat(there, &info) != 0 && errno == ENOENT) {
        there = above(check, directory);
        if (stat(there, &info) != 0 && errno == ENOENT) {
            unusable(check, directory, "neither it nor the directory above it is there",
                     check_text(check, "-- mkdir -p %s", there));
            return NULL;
        }
    }
    if (access(there, F_OK) != 0)
        unusable(check, directory, check_text(check, "cannot be reached: %s", strerror(errno)),
                 "-- give the engine's user the right to search the directories above it");
    else if (!S_ISDIR(info.st_mode))
        unusable(check, directory, check_text(check, "%s is not a directory", there),
                 "-- name another one in replication.spool.directory");
    else if (access(there, R_OK | W_OK | X_OK) != 0)
        unusable(check, directory,
                 check_text(check, "%s cannot be written to: %s", there, strerror(errno)),
                 check_text(check, "-- chown the engine's user %s", there));
    else if (others_may_write(&info))
        unusable(check, directory, check_text(check, "others may write to %s", there),
                 check_text(check, "-- chmod go-w %s", there));
    else
        return there;
    return NULL;
}

static void check_room(Check *check, const char *directory, const char *there)
{
    struct statvfs device;
    uint64_t limit = check->plan->replication.spool_limit_bytes;
    if (statvfs(there, &device) != 0)
        return;
    uint64_t room = (uint64_t)device.f_bavail * device.f_frsize;
    const char *size = units_size_text(check->arena, room);
    if (limit > 0 && room < limit)
        check_add(check, CODE_SPOOL_ROOM, FINDING_WARNING, &check->source, directory,
                  check_text(check, "its device has %s free, replication.spool.limit is %s", size,
                             units_size_text(check->arena, limit)),
                  "When the device is full before the limit, whatever else is on it stands still "
                  "too; the stream waits, and WAL waits on the source.",
                  "-- lower replication.spool.limit, or make room");
    else if (limit == 0 && room < LEAST_ROOM_BYTES)
        check_add(check, CODE_SPOOL_ROOM, FINDING_WARNING, &check->source, directory,
                  check_text(check, "its device has %s free, and the spool has no limit", size),
                  "A long copy can fill the device; whatever else is on it stands still then, and "
                  "WAL waits on the source.",
                  "-- set replication.spool.limit, or make room");
}

static void check_lasting(Check *check, const char *directory, const char *there)
{
    struct statfs device;
    if (statfs(there, &device) != 0)
        return;
    if (device.f_type == TMPFS_MAGIC || device.f_type == RAMFS_MAGIC)
        check_add(check, CODE_SPOOL_LASTING, FINDING_WARNING, &check->source, directory,
                  "it is in memory",
                  "The source forgets what the spool keeps. When this machine restarts the changes "
                  "are gone, and the run can only begin anew (E140).",
                  "-- name a directory on a disk in replication.spool.directory");
}

void check_spool(Check *check)
{
    const char *directory = check->plan->replication.spool_directory;
    if (directory == NULL)
        return;
    const char *there = usable(check, directory);
    if (there == NULL)
        return;
    check_room(check, directory, there);
    check_lasting(check, directory, there);
}
