/*
 * Emit: statements and COPY runs on the target connection, in the order given, as few round trips
 * as that allows: statements travel in a pipeline that is opened when one comes and read to its
 * end when something else must follow.
 */
#ifndef GODWIT_CDC_EMIT_H
#define GODWIT_CDC_EMIT_H

#include "base/str.h"
#include "cdc/statement.h"
#include "pg/query.h"

/* What a statement's row count is compared with. */
#define EMIT_ANY_COUNT (-1)

typedef struct Emit {
    Conn *conn;
    bool pipe_open;
    int64_t *expected; /* of each statement in the open pipeline */
    size_t expected_count;
    size_t expected_capacity;
    bool mismatch;         /* a statement touched another number of rows than was expected */
    int64_t last_affected; /* of the last statement read */
    int64_t last_number;   /* the first value that it gave, 0 for none */
    Str texts;             /* terminated copies of the parameters at hand */
    const char **values;
    int *lengths;
    int *formats;
    size_t parameter_capacity;
    Str copy; /* rows on their way into a COPY */
    int64_t copied;
    bool copy_binary;
    bool copy_open;
    Budget *budget;       /* counts what the two buffers have held */
    size_t texts_counted; /* at most, since they were made */
    size_t copy_counted;
} Emit;

/** Nothing is open. \param budget NULL: nobody counts */
void emit_init(Emit *emit, Budget *budget);
void emit_release(Emit *emit);

/** A new connection, nothing open. */
void emit_begin(Emit *emit, Conn *conn);

/** SQL without parameters, or with text ones. */
MUSTCHECK bool emit_sql(Emit *emit, const char *sql, Params params, int64_t expected, Err *err);

/* The parameters of one statement: masked columns of a row, then further values. */
typedef struct EmitRow {
    const PgoValue *row; /* NULL: none */
    size_t columns;
    const bool *mask; /* NULL: all of the row */
    const PgoValue *tail;
    size_t tail_count;
} EmitRow;

/** One prepared statement. */
MUSTCHECK bool emit_statement(Emit *emit, Statement *statement, const EmitRow *row,
                              int64_t expected, Err *err);

/* The parameters of one statement over many rows: each an array of one column's values. */
typedef struct EmitArrays {
    size_t rows;
    size_t columns; /* parameters */
    bool binary;    /* else text */
    const PgoValue *(*value)(const void *data, size_t row,
                             size_t column);               /* in that form, or NULL */
    uint32_t (*type_oid)(const void *data, size_t column); /* of a column's values */
    const void *data;
} EmitArrays;

MUSTCHECK bool emit_arrays(Emit *emit, Statement *statement, const EmitArrays *arrays, Err *err);

/** Reads all results that are due. \return false with the first error. */
MUSTCHECK bool emit_flush(Emit *emit, Err *err);

/** After an error: leaves whatever is open, so that a rollback can be sent. */
void emit_abort(Emit *emit);

/** A COPY of rows; the count of the server must be that of the rows, and each must be of the
 * COPY's form: else `mismatch`. */
MUSTCHECK bool emit_copy_begin(Emit *emit, const char *sql, bool binary, Err *err);
MUSTCHECK bool emit_copy_row(Emit *emit, const PgoValue *values, size_t count, Err *err);
MUSTCHECK bool emit_copy_end(Emit *emit, Err *err);

#endif
