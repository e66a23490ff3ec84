/*
 * Rows of one COPY into another, unparsed: what the source gives is written to the target, piece by
 * piece, and both servers have to count the same rows.
 */
#ifndef GODWIT_PG_COPY_THROUGH_H
#define GODWIT_PG_COPY_THROUGH_H

#include "pg/conn.h"

typedef struct CopyThrough {
    int64_t rows;
    int64_t bytes; /* in the COPY's format */
} CopyThrough;

/** Runs both statements and passes the rows; memory: one piece. For what is copied by one session
 * in one go; a part of the initial copy runs in workers that look at more (copy/part.h).
 * \param from a `COPY ... TO STDOUT` for the source, \param into a `COPY ... FROM STDIN` for the
 * target, in the same format
 * \param through what passed; set only where true is returned
 * \return false with ERR_ROW_COUNT if the servers count different rows, ERR_SQL, ERR_LOST or the
 * stop's error. Both connections are then outside of their COPY where that is possible; the
 * target's transaction is to be rolled back. */
MUSTCHECK bool copy_through(Conn *source, const char *from, Conn *target, const char *into,
                            CopyThrough *through, Err *err);

#endif
