/*
 * RunLock: one engine per run. An advisory lock on the target (key from the run's name) in a
 * session that is kept and watched by a thread of its own; losing it stops the run at once. No pid
 * files.
 *
 * It also tells that the server has not ended since. What the copy, the indexes and the lanes
 * commit need not be on its disk: a server that crashed has forgotten the last of it, and the
 * engine has not. So each new connection looks first whether the lock's session lives
 * (run_lock_guard()).
 */
#ifndef GODWIT_JOURNAL_LOCK_H
#define GODWIT_JOURNAL_LOCK_H

#include "pg/query.h"

typedef struct RunLock RunLock;

/* Who holds a lock; pid 0: nobody. */
typedef struct LockHolder {
    int64_t pid;
    const char *user;
    const char *address;
    const char *since;
    const char *application;
} LockHolder;

/** Takes the lock and starts watching it; loss requests STOP_LOCK_LOST.
 * \param holder filled in when somebody else has it
 * \return false with ERR_LOCKED (exit 7, names the holder), ERR_CONNECT, ERR_SQL. */
MUSTCHECK bool run_lock_take(Arena *arena, RunLock **lock, const Endpoint *target,
                             const char *run_name, Stop *stop, LockHolder *holder, Err *err);
void run_lock_free(RunLock *lock);

/** For the endpoint whose connections are opened while the lock is held: one that comes to a server
 * on which the lock's session is gone requests STOP_LOCK_LOST and is not used. Lives as long as the
 * lock. */
const ConnGuard *run_lock_guard(const RunLock *lock);

/** Who holds the lock of this run now. */
MUSTCHECK bool run_lock_holder(Arena *arena, Conn *target, const char *run_name, LockHolder *holder,
                               Err *err);

/** The advisory lock's key of a run name, as text. */
char *run_lock_key(Arena *arena, const char *run_name);

#endif
