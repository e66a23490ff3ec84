/*
 * Again: what passes, how long it is waited for.
 */
#include "cmd/again.h"

#include "base/clock.h"
#include "base/units.h"
#include "cdc/retry_table.h"

/* Somebody must make room or memory: that does not pass by itself. */
static bool wants_somebody(const Err *failure)
{
    return strncmp(failure->sqlstate, "531", 3) == 0 || strncmp(failure->sqlstate, "532", 3) == 0;
}

bool again_passes(const Stop *stop, const Err *failure)
{
    StopReason reason = stop_reason(stop);
    if (reason != STOP_NONE)
        return reason == STOP_LOCK_LOST;
    return retry_class(failure) == RETRY_SESSION && !wants_somebody(failure);
}

bool again_may(const Again *again, const Stop *stop, const Err *failure)
{
    StopReason reason = stop_reason(stop);
    if (again->epoch == 0 || (reason != STOP_NONE && reason != STOP_LOCK_LOST))
        return false;
    if (failure->code == ERR_ROLLED_BACK || failure->code == ERR_STILL_FENCED)
        return false;
    /* The session of ours that had the lock may linger on the server. */
    if (failure->code == ERR_LOCKED && again->since_ms != 0)
        return !again->passing;
    return again->passing || again_passes(stop, failure);
}

bool again_is_ours(const Again *again, const Session *session, Err *err)
{
    if (again->epoch == 0 || session->journal.epoch == again->epoch)
        return true;
    err_set(err, ERR_RUN, "the lock of run \"%s\" was lost, and somebody took the run over",
            session->plan.name);
    return err_hint(
        err, "Another engine has it, or \"godwit unlock\" was called; \"godwit status\" tells.");
}

/* While the lock stands nobody else takes the run over: who asks for something finds the engine. */
static void let_lost_lock_go(Session *session)
{
    if (stop_reason(&session->stop) != STOP_LOCK_LOST)
        return;
    session_unlock(session);
    (void)stop_withdraw(&session->stop, STOP_LOCK_LOST);
}

static bool wait_for(Session *session, int wait_ms, Err *err)
{
    int64_t until = clock_ms() + wait_ms;
    for (int64_t left = wait_ms; left > 0; left = until - clock_ms()) {
        let_lost_lock_go(session);
        if (!stop_sleep(&session->stop, (int)left) && stop_reason(&session->stop) != STOP_LOCK_LOST)
            return stop_error(&session->stop, err);
    }
    let_lost_lock_go(session);
    return true;
}

bool again_wait(Again *again, Session *session, Err *err)
{
    LogCtx ctx = {.run = session->plan.name};
    int64_t now = clock_ms();
    if (again->since_ms == 0 || (again->began_ms != 0 && now - again->began_ms > AGAIN_LIVED_MS)) {
        again->since_ms = now;
        again->attempt = 0;
    }
    if (now - again->since_ms > AGAIN_PERIOD_MS)
        return false;
    int wait_ms = retry_wait_ms(again->attempt++, (unsigned)clock_us());
    log_err(&ctx, LOG_WARN, err);
    log_warn(&ctx, "this passes by itself: going on in %d ms where the run stands", wait_ms);
    err_release(err);
    again->passing = false;
    again->began_ms = 0;
    return wait_for(session, wait_ms, err);
}
