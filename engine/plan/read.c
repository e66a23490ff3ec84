/*
 * Read: a plan's file to text. Refuses what is no regular file without opening its other end: a
 * pipe, a device, a directory.
 */
#include "plan/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const PlanPos NO_PLACE = {0};

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

static bool cannot_read(Report *report, int fault)
{
    report_at(report, DIAG_UNREADABLE, NO_PLACE, 1, "the plan cannot be read: %s", strerror(fault));
    return false;
}

const char *plan_file_fault(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "it is a directory";
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    return access(path, R_OK) == 0 ? NULL : strerror(errno);
}

/* Whether a path leads to a regular file; does not open it, so that no pipe or device notices. */
static bool is_file(Report *report, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return cannot_read(report, errno);
    if (S_ISREG(status.st_mode))
        return true;
    report_at(report, DIAG_UNREADABLE, NO_PLACE, 1, "the plan cannot be read: it is %s",
              kind_of(status.st_mode));
    if (S_ISDIR(status.st_mode))
        report_hint(report, "Name the plans in it: godwit validate DIRECTORY/*.yaml");
    else
        report_hint(report, "A plan is a regular file: what was reviewed must be what is read.");
    return false;
}

static bool read_all(Report *report, int fd, Str *text)
{
    char *room = str_reserve(text, LOCATE_MAX_BYTES + 1);
    ssize_t got = 1;
    while (got > 0 && text->length <= LOCATE_MAX_BYTES) {
        got = read(fd, room + text->length, LOCATE_MAX_BYTES + 1 - text->length);
        if (got < 0 && errno != EINTR)
            return cannot_read(report, errno);
        text->length += got > 0 ? (size_t)got : 0;
        got = got < 0 ? 1 : got;
    }
    room[text->length] = '\0';
    return true;
}

bool plan_read(Report *report, const char *path, Str *text)
{
    if (!is_file(report, path))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return cannot_read(report, errno);
    bool ok = read_all(report, fd, text);
    close(fd);
    return ok;
}
