/*
 * Pipeline: libpq's pipeline mode. What was queued is written as soon as it is worth a packet, and
 * what arrives is read meanwhile, so that neither side waits for the other with full buffers.
 */
#include "pg/pipeline.h"

#include "pg/conn_internal.h"
#include "pg/fault.h"

#define FLUSH_EVERY 64 /* statements between two writes */

static bool queued(Conn *conn, int ok, Err *err)
{
    if (ok == 0)
        return conn_result_error(conn, NULL, err);
    if (++conn->pipe_unsent < FLUSH_EVERY)
        return true;
    conn->pipe_unsent = 0;
    return conn_flush(conn, err);
}

bool pipe_begin(Conn *conn, Err *err)
{
    if (!fault_point(conn, FAULT_STATEMENT, "pipeline", err))
        return false;
    if (PQenterPipelineMode(conn->pg) == 0)
        return conn_result_error(conn, NULL, err);
    conn->pipe_unsent = 0;
    return true;
}

bool pipe_prepare(Conn *conn, const char *name, const char *sql, Err *err)
{
    return queued(conn, PQsendPrepare(conn->pg, name, sql, 0, NULL), err);
}

bool pipe_execute(Conn *conn, const char *name, const PipeArgs *args, Err *err)
{
    return queued(conn,
                  PQsendQueryPrepared(conn->pg, name, args->count, args->values, args->lengths,
                                      args->formats, 0),
                  err);
}

bool pipe_query(Conn *conn, const char *sql, Params params, Err *err)
{
    return queued(
        conn, PQsendQueryParams(conn->pg, sql, params.count, NULL, params.values, NULL, NULL, 0),
        err);
}

/* A prepare has no row count and an empty command tag. */
static bool is_prepare(PGresult *result)
{
    return PQcmdStatus(result)[0] == '\0';
}

static const char *first_value(PGresult *result)
{
    bool any = PQntuples(result) > 0 && PQnfields(result) > 0 && !PQgetisnull(result, 0, 0);
    return any ? PQgetvalue(result, 0, 0) : NULL;
}

static bool read_results(Conn *conn, PipeResult *on_result, void *data, Err *err)
{
    size_t index = 0;
    for (;;) {
        AUTO_RESULT PGresult *result = NULL;
        AUTO_ERR Err broken = {0};
        if (!conn_next_result(conn, &result, &broken))
            return err_is_set(err) ? false : err_move(err, &broken);
        if (result == NULL && PQstatus(conn->pg) == CONNECTION_BAD)
            return err_is_set(err) ? false : conn_result_error(conn, NULL, err);
        switch (PQresultStatus(result)) {
        case PGRES_PIPELINE_SYNC:
            return !err_is_set(err);
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
            if (!is_prepare(result) && on_result != NULL)
                on_result(data, index, strtoll(PQcmdTuples(result), NULL, 10), first_value(result));
            index += is_prepare(result) ? 0 : 1;
            break;
        case PGRES_FATAL_ERROR:
            if (result != NULL && !err_is_set(err)) /* NULL stands between two results */
                conn_result_error(conn, result, err);
            break;
        case PGRES_EMPTY_QUERY:
        case PGRES_PIPELINE_ABORTED:
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR:
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
        case PGRES_SINGLE_TUPLE:
            break;
        }
    }
}

bool pipe_end(Conn *conn, PipeResult *on_result, void *data, Err *err)
{
    if (PQpipelineSync(conn->pg) == 0)
        return conn_result_error(conn, NULL, err);
    bool ok = read_results(conn, on_result, data, err);
    if (PQexitPipelineMode(conn->pg) == 0 && ok)
        return conn_result_error(conn, NULL, err);
    return ok;
}
