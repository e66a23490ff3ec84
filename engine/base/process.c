/*
 * Process: posix_spawn in a process group of its own, standard input from an anonymous memory file,
 * output and errors read from pipes while the end of the child (a pidfd), the stop and the timeout
 * are watched in one poll().
 */
#include "base/process.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS_KEPT_BYTES ((size_t)64 * 1024)
#define END_GRACE_MS      3000
#define READ_AT_ONCE      ((size_t)256 * 1024)
#define LINE_BYTES        ((size_t)8 * 1024)

extern char **environ;

static void fd_close_scope(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
#define AUTO_FD __attribute__((cleanup(fd_close_scope)))

/* The child while it runs. */
typedef struct Child {
    const char *name;
    const ProcessSpec *spec;
    pid_t pid;
    int pidfd;
    int output; /* our ends of the pipes, -1 at end of file */
    int errors;
    Str out;
    Str err;
} Child;

static void child_release(Child *child)
{
    fd_close_scope(&child->pidfd);
    fd_close_scope(&child->output);
    fd_close_scope(&child->errors);
    str_release(&child->out);
    str_release(&child->err);
}
#define AUTO_CHILD __attribute__((cleanup(child_release)))

/* What the child reads: a memory file has no reader to wait for and no pipe to break. */
static bool open_input(const ProcessSpec *spec, int *fd, Err *err)
{
    if (spec->input == NULL) {
        *fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return *fd >= 0 || err_set(err, ERR_IO, "could not open /dev/null: %s", strerror(errno));
    }
    *fd = memfd_create("godwit input", MFD_CLOEXEC);
    if (*fd < 0)
        return err_set(err, ERR_IO, "could not create a memory file: %s", strerror(errno));
    for (size_t sent = 0; sent < spec->input_bytes;) {
        ssize_t wrote = write(*fd, spec->input + sent, spec->input_bytes - sent);
        if (wrote < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "could not write a memory file: %s", strerror(errno));
        sent += wrote > 0 ? (size_t)wrote : 0;
    }
    if (lseek(*fd, 0, SEEK_SET) < 0)
        return err_set(err, ERR_IO, "could not rewind a memory file: %s", strerror(errno));
    return true;
}

/* Signals as a fresh program expects them: nothing blocked, everything at its default. */
static void default_signals(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

/* posix_spawn takes `char *const *` for historical reasons and writes to neither. */
static char *const *spawn_strings(const char *const *strings)
{
    union {
        const char *const *in;
        char *const *out;
    } same = {.in = strings};
    return same.out;
}

static int spawn(const ProcessSpec *spec, int input, int output, int errors, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0)
        err_out_of_memory(sizeof(actions));
    default_signals(&attributes);
    int failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (failed == 0 && spec->directory != NULL)
        failed = posix_spawn_file_actions_addchdir_np(&actions, spec->directory);
    char *const *env = spec->env == NULL ? environ : spawn_strings(spec->env);
    if (failed == 0)
        failed =
            posix_spawnp(pid, spec->argv[0], &actions, &attributes, spawn_strings(spec->argv), env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static bool child_start(Child *child, const ProcessSpec *spec, Err *err)
{
    AUTO_FD int input = -1;
    if (!open_input(spec, &input, err))
        return false;
    int out[2];
    int errors[2];
    if (pipe2(out, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "could not create a pipe: %s", strerror(errno));
    child->output = out[0];
    AUTO_FD int out_write = out[1];
    if (pipe2(errors, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "could not create a pipe: %s", strerror(errno));
    child->errors = errors[0];
    AUTO_FD int errors_write = errors[1];
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    fcntl(child->errors, F_SETFL, O_NONBLOCK);
    int failed = spawn(spec, input, out_write, errors_write, &child->pid);
    if (failed != 0)
        return err_set(err, ERR_TOOL, "could not start \"%s\": %s", child->name, strerror(failed));
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd < 0) {
        int open_errno = errno;
        kill(-child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        return err_set(err, ERR_IO, "could not watch \"%s\": %s", child->name,
                       strerror(open_errno));
    }
    return true;
}

/* Takes what the pipe holds now; closes our end at end of file. */
static void drain(int *fd, Str *text)
{
    for (size_t before = text->length; *fd >= 0 && text->length - before < READ_AT_ONCE;) {
        char chunk[16384];
        ssize_t got = read(*fd, chunk, sizeof(chunk));
        if (got > 0) {
            str_append_bytes(text, chunk, (size_t)got);
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            fd_close_scope(fd);
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* Keeps the end of standard error: that is where the reason is. */
static void keep_last(Str *text, size_t bytes)
{
    if (text->length <= bytes)
        return;
    memmove(text->data, text->data + text->length - bytes, bytes);
    text->length = bytes;
    text->data[bytes] = '\0';
}

/* Hands out the lines that are whole; at the end of the pipe also one that is not. */
static void hand_lines(const ProcessSpec *spec, Str *text, bool ended)
{
    size_t done = 0;
    while (done < text->length) {
        const char *begin = text->data + done;
        size_t left = text->length - done;
        const char *end = memchr(begin, '\n', left);
        size_t length = end != NULL ? (size_t)(end - begin) : left;
        if (length > LINE_BYTES)
            length = LINE_BYTES;
        else if (end == NULL && !ended && length < LINE_BYTES)
            break;
        spec->line(spec->line_data, begin, length);
        done += length + (begin + length == end);
    }
    if (done == 0)
        return;
    memmove(text->data, text->data + done, text->length - done);
    text->length -= done;
    text->data[text->length] = '\0';
}

static void child_read(Child *child)
{
    drain(&child->output, &child->out);
    drain(&child->errors, &child->err);
    if (child->spec->line != NULL) {
        hand_lines(child->spec, &child->out, child->output < 0);
        hand_lines(child->spec, &child->err, child->errors < 0);
        return;
    }
    if (child->err.length > 4 * ERRORS_KEPT_BYTES)
        keep_last(&child->err, ERRORS_KEPT_BYTES);
}

/* What stands behind the last newline when the child has ended. */
static void last_lines(Child *child)
{
    if (child->spec->line == NULL)
        return;
    hand_lines(child->spec, &child->out, true);
    hand_lines(child->spec, &child->err, true);
}

/* Waits for the child's end, reading meanwhile. \return 1 ended, 0 timeout, -1 stop */
static int child_wait(Child *child, const Stop *stop, int timeout_ms)
{
    const int64_t deadline_ms = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
    for (;;) {
        struct pollfd waits[] = {
            {.fd = child->pidfd, .events = POLLIN},
            {.fd = child->output, .events = POLLIN},
            {.fd = child->errors, .events = POLLIN},
            {.fd = stop == NULL ? -1 : stop->fd, .events = POLLIN},
        };
        int left_ms = -1;
        if (deadline_ms >= 0) {
            int64_t left = deadline_ms - clock_ms();
            left_ms = left > 0 ? (int)left : 0;
        }
        int ready = poll(waits, sizeof(waits) / sizeof(waits[0]), left_ms);
        if (ready < 0 && errno != EINTR)
            BUG("poll failed: %s", strerror(errno));
        if (ready < 0)
            continue;
        child_read(child);
        if (waits[0].revents != 0)
            return 1;
        if (waits[3].revents != 0)
            return -1;
        if (ready == 0)
            return 0;
    }
}

/* Asks the whole group to end, then makes it: also what a child that heeds SIGTERM left behind.
 * The number of the group is ours until the child is reaped. */
static void child_end(Child *child)
{
    kill(-child->pid, SIGTERM);
    int ended = child_wait(child, NULL, END_GRACE_MS);
    kill(-child->pid, SIGKILL);
    if (ended != 1)
        (void)child_wait(child, NULL, -1);
    waitpid(child->pid, NULL, 0);
}

static int child_reap(Child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0) {
        if (errno != EINTR)
            BUG("the child \"%s\" cannot be reaped: %s", child->name, strerror(errno));
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool process_run(Arena *arena, const ProcessSpec *spec, const Stop *stop, ProcessResult *result,
                 Err *err)
{
    if (stop_reason(stop) != STOP_NONE)
        return stop_error(stop, err);
    AUTO_CHILD Child child = {
        .name = spec->argv[0], .spec = spec, .pidfd = -1, .output = -1, .errors = -1};
    if (!child_start(&child, spec, err))
        return false;
    int ended = child_wait(&child, stop, spec->timeout_ms);
    if (ended != 1) {
        child_end(&child);
        last_lines(&child);
        return ended < 0 ? stop_error(stop, err)
                         : err_set(err, ERR_TOOL, "\"%s\" did not end within %d ms", child.name,
                                   spec->timeout_ms);
    }
    child_read(&child);
    last_lines(&child);
    keep_last(&child.err, ERRORS_KEPT_BYTES);
    *result = (ProcessResult){
        .exit_status = child_reap(&child),
        .output = str_dup(arena, &child.out),
        .output_bytes = child.out.length,
        .errors = str_dup(arena, &child.err),
    };
    return true;
}
