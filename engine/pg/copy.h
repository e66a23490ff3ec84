/*
 * COPY streams: rows in and out in large pieces, passed through unparsed. A piece may hold many
 * rows and end anywhere inside one; the server does not mind where messages begin.
 *
 *     if (!copy_in_begin(target, "COPY t FROM STDIN (FORMAT binary)", err) ||
 *         !copy_in_write(target, bytes, length, err) || !copy_in_end(target, &rows, err))
 *         return false;
 *
 * Every wait obeys the connection's stop. After an error inside a COPY the connection is left
 * outside of it where that is possible (copy_in_abort, copy_out_abort); the transaction has failed.
 */
#ifndef GODWIT_PG_COPY_H
#define GODWIT_PG_COPY_H

#include "pg/conn.h"

/* A good size for one piece: larger ones cost memory and gain nothing. */
#define COPY_PIECE_BYTES ((size_t)256 * 1024)

/** Starts `COPY ... FROM STDIN`. \return false with ERR_SQL, ERR_LOST or the stop's error. */
MUSTCHECK bool copy_in_begin(Conn *conn, const char *sql, Err *err);

/** Sends bytes as one CopyData message and waits until the kernel has taken them.
 * \return false with ERR_LOST or the stop's error; what the server thinks of the rows is told by
 * copy_in_end(). */
MUSTCHECK bool copy_in_write(Conn *conn, const void *data, size_t size_bytes, Err *err);

/** Ends the rows and waits for the server's verdict.
 * \param rows receives the number of rows of the command tag
 * \return false with ERR_SQL (sqlstate set), ERR_LOST or the stop's error. */
MUSTCHECK bool copy_in_end(Conn *conn, int64_t *rows, Err *err);

/** Makes the server fail the COPY, and leaves it; for use when the rows cannot be completed.
 * \param err when it is not set yet and the server had failed before, receives that error; NULL:
 * nobody wants to know */
void copy_in_abort(Conn *conn, const char *reason, Err *err);

/** Starts `COPY ... TO STDOUT`. Errors as copy_in_begin(). */
MUSTCHECK bool copy_out_begin(Conn *conn, const char *sql, Err *err);

/** Fills the buffer with what comes, waiting until it is full or the rows end. Nothing is allocated
 * per row. \param bytes receives how much came; 0: the rows have ended
 * \return false with ERR_LOST or the stop's error. */
MUSTCHECK bool copy_out_read(Conn *conn, char *buffer, size_t capacity_bytes, size_t *bytes,
                             Err *err);

/** Bytes of the longest row that was read since copy_out_begin(): libpq keeps room for one. */
size_t copy_out_longest(const Conn *conn);

/** Takes the server's verdict after copy_out_read() gave 0 bytes. \param rows as copy_in_end() */
MUSTCHECK bool copy_out_end(Conn *conn, int64_t *rows, Err *err);

/** Cancels the COPY and throws away what is still on the wire. */
void copy_out_abort(Conn *conn);

#endif
