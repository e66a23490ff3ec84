/*
 * Request: a row in the journal, read again until the engine finished it.
 */
#include "cmd/request.h"

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

bool request_follow(Session *session, const char *kind, const char *argument,
                    JournalRequest *request, bool *answered, Err *err)
{
    int64_t id = 0;
    if (!journal_request(session->target, session->journal.id, kind, argument, &id, err))
        return false;
    for (;;) {
        bool lives = false;
        /* The engine ends with its last answer: its lock says whether it lives. */
        if (!request_engine_lives(session, &lives, err) ||
            !journal_read_request(&session->arena, session->target, id, request, err))
            return false;
        *answered = request->finished;
        if (request->finished || !lives)
            return true;
        if (!stop_sleep(&session->stop, FOLLOW_MS))
            return stop_error(&session->stop, err);
    }
}

bool request_done(Session *session, const char *kind, const char *argument, const char *unanswered,
                  Err *err)
{
    bool answered = false;
    JournalRequest request = {0};
    if (!request_follow(session, kind, argument, &request, &answered, err))
        return false;
    if (!answered)
        return err_set(err, ERR_RUN, "%s", unanswered);
    return request.exit_status == 0 || request_error(&request, err);
}

bool request_error(const JournalRequest *request, Err *err)
{
    for (ErrCode code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        if (err_exit_status(code) == request->exit_status)
            return err_set(err, code, "%s", request->message);
    }
    return err_set(err, ERR_RUN, "%s", request->message);
}
