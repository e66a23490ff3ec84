/*
 * Pipeline: many statements in one round trip, every result read. While it lasts, only these
 * functions may use the connection.
 *
 *     pipe_begin(conn, err);
 *     pipe_prepare(conn, "d7", "DELETE FROM ...", err);
 *     pipe_execute(conn, "d7", &args, err);       // any number
 *     pipe_end(conn, on_result, data, &done, err);
 */
#ifndef GODWIT_PG_PIPELINE_H
#define GODWIT_PG_PIPELINE_H

#include "pg/query.h"

/* Parameters of one execution; text values are terminated, binary ones have a length. */
typedef struct PipeArgs {
    int count;
    const char *const *values; /* NULL pointers are NULLs */
    const int *lengths;        /* NULL: all are text */
    const int *formats;        /* 0 text, 1 binary; NULL: all are text */
} PipeArgs;

/** Enters the pipeline. */
MUSTCHECK bool pipe_begin(Conn *conn, Err *err);

/** Queues; errors of the server come from pipe_end(). Sends and reads as the sockets allow. */
MUSTCHECK bool pipe_prepare(Conn *conn, const char *name, const char *sql, Err *err);
MUSTCHECK bool pipe_execute(Conn *conn, const char *name, const PipeArgs *args, Err *err);
MUSTCHECK bool pipe_query(Conn *conn, const char *sql, Params params, Err *err);

/* Called for each pipe_execute() and pipe_query(), in order, with the rows it touched, and the
 * first value of the first row that it gave, NULL for none. */
typedef void PipeResult(void *data, size_t index, int64_t affected, const char *first);

/** Sends a sync, reads every result, leaves the pipeline.
 * \param on_result NULL: row counts do not matter
 * \return false with ERR_SQL (of the first statement that failed; those after it were not run),
 *         ERR_LOST or the stop's error. */
MUSTCHECK bool pipe_end(Conn *conn, PipeResult *on_result, void *data, Err *err);

#endif
