/*
 * RunLock: the session that holds the advisory lock, and the thread that watches it.
 */
#include "journal/lock.h"

#include "base/digest.h"
#include "base/thread.h"
#include "sql_text.h"

#include <inttypes.h>
#include <pthread.h>

#define WATCH_EVERY_MS 2000

struct RunLock {
    Conn *conn;
    Arena arena;
    const char *key;
    const char *pid;   /* of the session, as the server itself calls it: a pooler has others */
    const char *since; /* its start: after a restart another one may have that pid */
    ConnGuard guard;
    Stop *run_stop; /* requested when the session is lost */
    Stop own_stop;  /* ends the watcher */
    pthread_t watcher;
};

char *run_lock_key(Arena *arena, const char *run_name)
{
    const char *text = arena_printf(arena, "godwit run %s", run_name);
    char *hex = digest_hex(arena, text, strlen(text));
    hex[15] = '\0'; /* 60 bits: a positive bigint */
    return arena_printf(arena, "%" PRId64, (int64_t)strtoll(hex, NULL, 16));
}

bool run_lock_holder(Arena *arena, Conn *target, const char *run_name, LockHolder *holder, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *holder = (LockHolder){0};
    if (!pg_rows(target, SQL_JOURNAL_LOCK_HOLDER, PARAMS(run_lock_key(arena, run_name)), &rows,
                 err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    holder->pid = rows_int64(rows, 0, 0);
    holder->user = arena_strdup(arena, rows_text(rows, 0, 1));
    holder->address = arena_strdup(arena, rows_text(rows, 0, 2));
    holder->since = arena_strdup(arena, rows_text(rows, 0, 3));
    holder->application = arena_strdup(arena, rows_text(rows, 0, 4));
    return true;
}

static void lose(RunLock *lock, const LogCtx *log)
{
    log_error(log, "the run's lock is lost; stopping at once");
    stop_request(lock->run_stop, STOP_LOCK_LOST);
}

static bool stands(void *data, Conn *conn, Err *err)
{
    RunLock *lock = data;
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_JOURNAL_LOCK_STANDS, PARAMS(lock->key, lock->pid, lock->since), &rows,
                err))
        return false;
    if (rows_bool(rows, 0, 0))
        return true;
    lose(lock, conn_log(conn));
    return stop_error(lock->run_stop, err);
}

const ConnGuard *run_lock_guard(const RunLock *lock)
{
    return &lock->guard;
}

static void *watch(void *data)
{
    RunLock *lock = data;
    while (conn_idle(lock->conn, WATCH_EVERY_MS)) {
        AUTO_ERR Err err = {0};
        if (pg_none(lock->conn, "SELECT 1", NO_PARAMS, &err))
            continue;
        if (stop_reason(&lock->own_stop) == STOP_NONE) {
            log_err(conn_log(lock->conn), LOG_ERROR, &err);
            lose(lock, conn_log(lock->conn));
        }
        break;
    }
    return NULL;
}

static bool lock_try(Arena *arena, Conn *conn, const char *run_name, LockHolder *holder, Err *err)
{
    /* A dead engine's session must go soon: keepalives of the server's side of this socket. */
    static const char KEEPALIVES[] =
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; "
        "SET tcp_keepalives_count = 3";
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_script(conn, KEEPALIVES, err))
        return false;
    if (!pg_one(conn, "SELECT pg_catalog.pg_try_advisory_lock($1::bigint)",
                PARAMS(run_lock_key(arena, run_name)), &rows, err))
        return false;
    if (rows_bool(rows, 0, 0))
        return true;
    if (!run_lock_holder(arena, conn, run_name, holder, err))
        return false;
    err_set(err, ERR_LOCKED, "another engine runs plan \"%s\"", run_name);
    if (holder->pid != 0)
        err_detail(err, "It is session %" PRId64 " of %s from %s, since %s.", holder->pid,
                   holder->user, holder->address, holder->since);
    return err_hint(err, "Wait for it, or stop it; if it is dead and its session lingers, use "
                         "\"godwit unlock\".");
}

static bool remember(RunLock *lock, Conn *conn, const char *run_name, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_JOURNAL_LOCK_SESSION, NO_PARAMS, &rows, err))
        return false;
    lock->key = run_lock_key(&lock->arena, run_name);
    lock->pid = arena_strdup(&lock->arena, rows_text(rows, 0, 0));
    lock->since = arena_strdup(&lock->arena, rows_text(rows, 0, 1));
    lock->guard = (ConnGuard){.stands = stands, .data = lock};
    return true;
}

static void release(RunLock *lock)
{
    stop_release(&lock->own_stop);
    conn_close(lock->conn);
    arena_release(&lock->arena);
    mem_free(lock);
}

bool run_lock_take(Arena *arena, RunLock **out, const Endpoint *target, const char *run_name,
                   Stop *stop, LockHolder *holder, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    if (!conn_open(&conn, target, &(ConnOptions){.purpose = "lock", .watches = true, .stop = stop},
                   err) ||
        !lock_try(arena, conn, run_name, holder, err))
        return false;
    RunLock *lock = mem_resize(NULL, sizeof(RunLock));
    *lock = (RunLock){.run_stop = stop, .own_stop.fd = -1};
    if (!remember(lock, conn, run_name, err) || !stop_init(&lock->own_stop, err)) {
        release(lock);
        return false;
    }
    lock->conn = conn;
    conn = NULL;
    conn_set_stop(lock->conn, &lock->own_stop);
    if (!thread_begin(&lock->watcher, "lock", watch, lock, err)) {
        release(lock);
        return false;
    }
    *out = lock;
    return true;
}

void run_lock_free(RunLock *lock)
{
    if (lock == NULL)
        return;
    stop_request(&lock->own_stop, STOP_DONE);
    pthread_join(lock->watcher, NULL);
    release(lock);
}
