/*
 * What a server answers: waiting for it on the socket and the stop together, and the error that a
 * refused statement becomes.
 */
#include "pg/conn_internal.h"

#include "base/clock.h"
#include "pg/cancel.h"

#include <poll.h>
#include <sys/socket.h>

#define CANCEL_DRAIN_MS 5000
#define CANCEL_SEND_MS  2000

/* A server that ends our session speaks of it before the socket breaks. */
static bool sqlstate_is_lost(const char *sqlstate)
{
    return strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0;
}

bool conn_result_error(Conn *conn, const PGresult *result, Err *err)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(conn->pg) == CONNECTION_BAD || (state != NULL && sqlstate_is_lost(state));
    if (primary == NULL)
        primary = libpq_text(&err->arena, PQerrorMessage(conn->pg));
    if (lost)
        err_set(err, ERR_LOST, "lost the connection to the %s: %s", conn_side_name(conn->side),
                primary);
    else
        err_set(err, ERR_SQL, "%s: %s", conn_side_name(conn->side), primary);
    if (state != NULL)
        memcpy(err->sqlstate, state, 5);
    if (result == NULL)
        return false;
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    err->position = position == NULL ? 0 : (uint32_t)strtoul(position, NULL, 10);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (detail != NULL)
        err_detail(err, "%s", detail);
    if (context != NULL)
        err_detail(err, "%s", context);
    if (hint != NULL)
        err_hint(err, "%s", hint);
    return false;
}

void pg_cancel(Conn *conn)
{
    if (conn->cancel != NULL && !cancel_send(conn->cancel, CANCEL_SEND_MS))
        conn->cancel = NULL;
}

/* One result off the connection, for the next statement to be possible.
 * \return false behind the last, and where a COPY goes on */
static bool take_result(PGconn *pg)
{
    AUTO_RESULT PGresult *result = PQgetResult(pg);
    if (result == NULL)
        return false;
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COPY_IN && status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH;
}

/* What runs was cancelled; its end is taken off the wire. \return false when nobody answers */
static bool take_end(Conn *conn)
{
    int64_t deadline = clock_ms() + CANCEL_DRAIN_MS;
    for (bool more = true; more;) {
        while (PQisBusy(conn->pg) && clock_ms() < deadline) {
            if (stop_poll(NULL, PQsocket(conn->pg), POLLIN, 100) > 0 &&
                PQconsumeInput(conn->pg) == 0)
                break;
        }
        more = PQisBusy(conn->pg) == 0 && take_result(conn->pg);
    }
    return PQisBusy(conn->pg) == 0;
}

/* The stop came while a statement runs: cancel it, so that the session can still roll back. A
 * pipeline ends with its session: statements of it may wait behind the one that was cancelled, and
 * what is sent behind them is not answered. */
static bool stop_statement(Conn *conn, Err *err)
{
    pg_cancel(conn);
    /* Nobody answers: whoever rolls back on this connection must not wait for it as well. */
    if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF || !take_end(conn))
        (void)shutdown(PQsocket(conn->pg), SHUT_RDWR);
    return stop_error(conn->stop, err);
}

static bool wait_socket(Conn *conn, short events, Err *err)
{
    if (stop_poll(conn->stop, PQsocket(conn->pg), events, -1) < 0)
        return stop_statement(conn, err);
    if (PQconsumeInput(conn->pg) == 0)
        return conn_result_error(conn, NULL, err);
    return true;
}

bool conn_flush(Conn *conn, Err *err)
{
    for (;;) {
        int left = PQflush(conn->pg);
        if (left < 0)
            return conn_result_error(conn, NULL, err);
        if (left == 0)
            return true;
        if (!wait_socket(conn, POLLIN | POLLOUT, err))
            return false;
    }
}

bool conn_wait_input(Conn *conn, Err *err)
{
    return conn_flush(conn, err) && wait_socket(conn, POLLIN, err);
}

bool conn_next_result(Conn *conn, PGresult **result, Err *err)
{
    if (!conn_flush(conn, err))
        return false;
    while (PQisBusy(conn->pg)) {
        if (!wait_socket(conn, POLLIN, err))
            return false;
    }
    *result = PQgetResult(conn->pg);
    return true;
}

void conn_discard_results(Conn *conn)
{
    for (;;) {
        AUTO_ERR Err ignored = {0};
        AUTO_RESULT PGresult *result = NULL;
        if (PQstatus(conn->pg) == CONNECTION_BAD || !conn_next_result(conn, &result, &ignored) ||
            result == NULL)
            return;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return;
    }
}
