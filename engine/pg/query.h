/*
 * Queries: a call states its shape. pg_none: a command. pg_one: exactly one row. pg_rows: any
 * number. Values are always $n parameters, in text; NULL pointers are NULLs. Every wait obeys the
 * connection's stop (the running statement is then cancelled).
 *
 *     AUTO_ROWS Rows *rows = NULL;
 *     if (!pg_rows(conn, SQL_CATALOG_COLUMNS, PARAMS(schema), &rows, err))
 *         return false;
 *     for (size_t r = 0; r < rows_count(rows); r++)
 *         use(rows_text(rows, r, 0));
 */
#ifndef GODWIT_PG_QUERY_H
#define GODWIT_PG_QUERY_H

#include "pg/conn.h"

typedef struct Params {
    int count;
    const char *const *values;
} Params;

#define PARAMS(...)                                                                                \
    ((Params){(int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)),            \
              (const char *const[]){__VA_ARGS__}})
#define NO_PARAMS ((Params){0, NULL})

typedef struct Rows Rows;

/** Runs one command. \return false with ERR_SQL (sqlstate set) or ERR_LOST or the stop's error.
 */
MUSTCHECK bool pg_none(Conn *conn, const char *sql, Params params, Err *err);

/** As pg_none; also how many rows the command touched. */
MUSTCHECK bool pg_affected(Conn *conn, const char *sql, Params params, int64_t *affected, Err *err);

/** What servers of a version get for a text of sql_text.h: lines of its file may be for some
 * versions only. pg_none() to pg_rows() choose by themselves; any other text is for all of them. */
const char *pg_text_for(const char *sql, int version);

/** Several statements without parameters, by the simple protocol; rows are discarded. */
MUSTCHECK bool pg_script(Conn *conn, const char *sql, Err *err);

/** Exactly one row; anything else is an error. */
MUSTCHECK bool pg_one(Conn *conn, const char *sql, Params params, Rows **rows, Err *err);

/** Any number of rows. */
MUSTCHECK bool pg_rows(Conn *conn, const char *sql, Params params, Rows **rows, Err *err);

/** BEGIN/COMMIT/ROLLBACK. pg_rollback is silent about a broken connection (the server rolls back).
 */
MUSTCHECK bool pg_begin(Conn *conn, const char *modes, Err *err);
MUSTCHECK bool pg_commit(Conn *conn, Err *err);
void pg_rollback(Conn *conn);

/** Makes the running statement fail with 57014; safe from another thread than the one that waits.
 */
void pg_cancel(Conn *conn);

size_t rows_count(const Rows *rows);

/** The text of a value, NULL for NULL; lives as long as the rows. Columns count from 0. */
const char *rows_text(const Rows *rows, size_t row, size_t column);

/** Where, in rows sorted by a column of oids, `oid` stands or would: the first that is not below.
 */
size_t rows_place(const Rows *rows, size_t column, uint32_t oid);

/** Typed readings; NULL gives 0/false. A value of another form is BUG(): the query is ours. */
int64_t rows_int64(const Rows *rows, size_t row, size_t column);
uint32_t rows_oid(const Rows *rows, size_t row, size_t column);
bool rows_bool(const Rows *rows, size_t row, size_t column);
double rows_double(const Rows *rows, size_t row, size_t column);
Lsn rows_lsn(const Rows *rows, size_t row, size_t column);
char rows_char(const Rows *rows, size_t row, size_t column); /* first byte, '\0' for NULL or "" */

/** The elements of an array of one dimension without NULLs ({..} text), or of an int2vector. */
size_t rows_list(Arena *arena, const Rows *rows, size_t row, size_t column, const char ***items);

void rows_free(Rows *rows);
static inline void rows_free_scope(Rows **rows)
{
    rows_free(*rows);
}
#define AUTO_ROWS __attribute__((cleanup(rows_free_scope)))

#endif
