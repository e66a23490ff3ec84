/*
 * Signals: a signalfd and the thread that reads it.
 */
#include "base/signals.h"

#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct Signals {
    Stop *stop; /* the run's */
    Stop own;   /* ends the thread */
    int fd;
    pthread_t thread;
};

static void *watch(void *data)
{
    Signals *signals = data;
    struct signalfd_siginfo info;
    while (stop_poll(&signals->own, signals->fd, POLLIN, -1) > 0) {
        if (read(signals->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
            continue;
        bool interrupt = info.ssi_signo == SIGINT;
        if (stop_reason(signals->stop) == STOP_NONE)
            log_warn(NULL, "%s: stopping at a checkpoint; apply again resumes",
                     interrupt ? "interrupted" : "terminated");
        stop_request(signals->stop, interrupt ? STOP_INTERRUPT : STOP_TERMINATE);
    }
    return NULL;
}

bool signals_begin(Signals **out, Stop *stop, Err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_IO, "could not create a signal descriptor: %s", strerror(errno));
    Signals *signals = mem_resize(NULL, sizeof(Signals));
    *signals = (Signals){.stop = stop, .fd = fd};
    if (!stop_init(&signals->own, err)) {
        close(fd);
        mem_free(signals);
        return false;
    }
    if (!thread_begin(&signals->thread, "signals", watch, signals, err)) {
        stop_release(&signals->own);
        close(fd);
        mem_free(signals);
        return false;
    }
    *out = signals;
    return true;
}

void signals_end(Signals *signals)
{
    if (signals == NULL)
        return;
    stop_request(&signals->own, STOP_DONE);
    pthread_join(signals->thread, NULL);
    stop_release(&signals->own);
    close(signals->fd);
    mem_free(signals);
}
