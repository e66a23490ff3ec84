/*
 * COPY streams over libpq. Reading uses PQgetlineAsync(), which hands out the bytes of a message
 * without allocating one per row as PQgetCopyData() does.
 */
#include "pg/copy.h"

#include "pg/conn_internal.h"
#include "pg/fault.h"

static bool copy_error(const char *sql, Err *err)
{
    return err_detail(err, "Statement: %s", sql);
}

static bool copy_begin(Conn *conn, const char *sql, ExecStatusType wanted, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!fault_point(conn, FAULT_STATEMENT, sql, err))
        return copy_error(sql, err);
    if (PQsendQuery(conn->pg, sql) == 0) {
        conn_result_error(conn, NULL, err);
        return copy_error(sql, err);
    }
    if (!conn_next_result(conn, &result, err))
        return copy_error(sql, err);
    ExecStatusType status = PQresultStatus(result);
    if (status == wanted)
        return true;
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COMMAND_OK ||
        status == PGRES_TUPLES_OK)
        BUG("not the COPY that the caller meant: %s", sql);
    conn_result_error(conn, result, err);
    conn_discard_results(conn);
    return copy_error(sql, err);
}

/* The end of a COPY: its command tag, or why it failed. */
static bool copy_verdict(Conn *conn, int64_t *rows, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!conn_next_result(conn, &result, err))
        return false;
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (ok)
        *rows = strtoll(PQcmdTuples(result), NULL, 10);
    else
        conn_result_error(conn, result, err);
    conn_discard_results(conn);
    return ok;
}

bool copy_in_begin(Conn *conn, const char *sql, Err *err)
{
    return copy_begin(conn, sql, PGRES_COPY_IN, err);
}

bool copy_in_write(Conn *conn, const void *data, size_t size_bytes, Err *err)
{
    if (size_bytes > INT32_MAX / 2)
        BUG("a piece of %zu bytes does not fit one message", size_bytes);
    if (!fault_point(conn, FAULT_MESSAGE, NULL, err))
        return false;
    if (PQputCopyData(conn->pg, data, (int)size_bytes) != 1)
        return conn_result_error(conn, NULL, err);
    return conn_flush(conn, err);
}

bool copy_in_end(Conn *conn, int64_t *rows, Err *err)
{
    if (!fault_point(conn, FAULT_MESSAGE, NULL, err))
        return false;
    if (PQputCopyEnd(conn->pg, NULL) != 1)
        return conn_result_error(conn, NULL, err);
    return copy_verdict(conn, rows, err);
}

void copy_in_abort(Conn *conn, const char *reason, Err *err)
{
    if (!conn_is_ok(conn))
        return;
    AUTO_ERR Err own = {0};
    int64_t ignored = 0;
    const Stop *stop = conn->stop;
    conn->stop = NULL; /* a stop does not leave the session inside the COPY */
    if (PQputCopyEnd(conn->pg, reason) == 1 && !copy_verdict(conn, &ignored, &own)) {
        /* 57014: the server repeats our reason; anything else happened before and says more. */
        bool ours = strcmp(own.sqlstate, "57014") == 0;
        if (!ours && err != NULL && !err_is_set(err))
            err_move(err, &own);
    }
    conn->stop = stop;
}

size_t copy_out_longest(const Conn *conn)
{
    return conn->copy_longest;
}

bool copy_out_begin(Conn *conn, const char *sql, Err *err)
{
    conn->copy_row = 0;
    conn->copy_longest = 0;
    return copy_begin(conn, sql, PGRES_COPY_OUT, err);
}

bool copy_out_read(Conn *conn, char *buffer, size_t capacity_bytes, size_t *bytes, Err *err)
{
    size_t filled = 0;
    if (capacity_bytes > INT32_MAX)
        BUG("a buffer of %zu bytes is beyond what libpq can fill", capacity_bytes);
    if (!fault_point(conn, FAULT_MESSAGE, NULL, err))
        return false;
    while (filled < capacity_bytes) {
        int came = PQgetlineAsync(conn->pg, buffer + filled, (int)(capacity_bytes - filled));
        if (came < 0)
            break;
        if (came == 0 && !conn_wait_input(conn, err))
            return false;
        /* Less than there is room for: the row ends with it. */
        conn->copy_row += (size_t)came;
        if (conn->copy_row > conn->copy_longest)
            conn->copy_longest = conn->copy_row;
        if ((size_t)came < capacity_bytes - filled)
            conn->copy_row = 0;
        filled += (size_t)came;
    }
    *bytes = filled;
    return true;
}

bool copy_out_end(Conn *conn, int64_t *rows, Err *err)
{
    /* PQgetlineAsync() does not leave the COPY state at the end of the rows; this does. */
    char *rest = NULL;
    int came = PQgetCopyData(conn->pg, &rest, 1);
    PQfreemem(rest);
    if (came >= 0)
        BUG("copy_out_end() before the end of the rows");
    return copy_verdict(conn, rows, err);
}

void copy_out_abort(Conn *conn)
{
    AUTO_ERR Err ignored = {0};
    int came = 0;
    const Stop *stop = conn->stop;
    conn->stop = NULL;
    pg_cancel(conn);
    while (came >= 0 && conn_is_ok(conn)) {
        char *row = NULL;
        came = PQgetCopyData(conn->pg, &row, 1);
        PQfreemem(row);
        if (came == 0 && !conn_wait_input(conn, &ignored))
            break;
    }
    conn_discard_results(conn);
    conn->stop = stop;
}
