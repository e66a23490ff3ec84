/*
 * One question to both servers at once: the target's conversation runs on a thread of its own while
 * the source's runs on the caller's. If one side fails the other's statement is cancelled.
 */
#include "verify/verify_internal.h"

#include "base/thread.h"

typedef struct Side {
    Conn *conn;
    Conn *other;
    const char *sql;
    Params params;
    bool wants_rows;
    Rows *rows;
    bool ok;
    Err err;
} Side;

static void side_run(Side *side)
{
    if (side->wants_rows)
        side->ok = pg_rows(side->conn, side->sql, side->params, &side->rows, &side->err);
    else
        side->ok = pg_none(side->conn, side->sql, side->params, &side->err);
    if (!side->ok)
        pg_cancel(side->other);
}

static void *side_main(void *data)
{
    side_run(data);
    return NULL;
}

/* The error that came first is the one that is not the cancellation it caused. */
static bool sides_error(Side *source, Side *target, Err *err)
{
    bool target_first = source->ok || (!target->ok && text_equal(source->err.sqlstate, "57014") &&
                                       !text_equal(target->err.sqlstate, "57014"));
    err_move(err, target_first ? &target->err : &source->err);
    err_release(&source->err);
    err_release(&target->err);
    return false;
}

static bool sides_run(Side *source, Side *target, Err *err)
{
    pthread_t thread;
    if (!thread_begin(&thread, "verification", side_main, target, err))
        return false;
    side_run(source);
    pthread_join(thread, NULL);
    return (source->ok && target->ok) || sides_error(source, target, err);
}

void pair_release(Pair *pair)
{
    rows_free(pair->source);
    rows_free(pair->target);
    *pair = (Pair){0};
}

bool pair_rows(const VerifySpec *spec, Statement statement, Params params, Pair *pair, Err *err)
{
    Side source = {.conn = spec->source,
                   .other = spec->target,
                   .sql = statement.source,
                   .params = params,
                   .wants_rows = true};
    Side target = {.conn = spec->target,
                   .other = spec->source,
                   .sql = statement.target,
                   .params = params,
                   .wants_rows = true};
    bool ok = sides_run(&source, &target, err);
    *pair = (Pair){source.rows, target.rows};
    return ok;
}

bool pair_none(const VerifySpec *spec, Statement statement, Params params, Err *err)
{
    Side source = {
        .conn = spec->source, .other = spec->target, .sql = statement.source, .params = params};
    Side target = {
        .conn = spec->target, .other = spec->source, .sql = statement.target, .params = params};
    return sides_run(&source, &target, err);
}
