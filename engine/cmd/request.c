/*
 * Request: a row in the journal, read again until the engine finished it.
 */
#include "cmd/request.h"

#include "base/clock.h"

#define FOLLOW_MS 300

bool request_begin(Session *session, const char *path, bool *lives, Err *err)
{
    return session_plan(session, path, err) && session_connect(session, false, true, false, err) &&
           session_journal(session, err) && request_engine_lives(session, lives, err);
}

bool request_engine_lives(Session *session, bool *lives, Err *err)
{
    LockHolder holder = {0};
    if (!run_lock_holder(&session->arena, session->target, session->plan.name, &holder, err))
        return false;
    *lives = holder.pid != 0;
    return true;
}

static bool look(Session *session, int64_t id, JournalRequest *request, bool *lives, Err *err)
{
    /* The engine ends with its last answer: its lock says whether it lives. */
    return request_engine_lives(session, lives, err) &&
           journal_read_request(&session->arena, session->target, id, request, err);
}

/* \param free_since when the lock was seen free first, 0: it is held; \return true: for too long */
static bool free_for_long(bool lives, int64_t *free_since)
{
    int64_t now = clock_ms();
    if (lives) {
        *free_since = 0;
        return false;
    }
    if (*free_since == 0) {
        *free_since = now;
        fprintf(stderr,
                "no engine holds the run's lock; waiting up to %d s for one that begins anew by "
                "itself\n",
                REQUEST_FREE_MS / 1000);
    }
    return now - *free_since > REQUEST_FREE_MS;
}

bool request_follow(Session *session, const char *kind, const char *argument,
                    JournalRequest *request, bool *answered, Err *err)
{
    int64_t id = 0;
    int64_t free_since = 0;
    bool lives = false;
    *answered = false;
    if (!journal_request(session->target, session->journal.id, kind, argument, &id, err))
        return false;
    while (look(session, id, request, &lives, err)) {
        *answered = request->finished;
        if (request->finished)
            return true;
        if (free_for_long(lives, &free_since)) /* unless it was answered at this moment */
            return journal_withdraw_request(session->target, id, answered, err) &&
                   (!*answered || look(session, id, request, &lives, err));
        if (!stop_sleep(&session->stop, FOLLOW_MS))
            return stop_error(&session->stop, err);
    }
    return false;
}

bool request_done(Session *session, const char *kind, const char *argument, const char *hint,
                  JournalRequest *request, Err *err)
{
    bool answered = false;
    if (!request_follow(session, kind, argument, request, &answered, err))
        return false;
    if (answered)
        return request->exit_status == 0 || request_error(request, err);
    err_set(err, ERR_RUN,
            "the engine ended before it answered, and none came back in %d s: the request is "
            "withdrawn",
            REQUEST_FREE_MS / 1000);
    return err_hint(err, "%s", hint);
}

bool request_error(const JournalRequest *request, Err *err)
{
    for (ErrCode code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        if (err_exit_status(code) == request->exit_status)
            return err_set(err, code, "%s", request->message);
    }
    return err_set(err, ERR_RUN, "%s", request->message);
}
