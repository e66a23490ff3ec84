/*
 * Carry: rows of a continuous aggregate that outlived the raw ones, from the source's
 * materialization into the target's. Which they are is decided here, once: all buckets that begin
 * before a point behind which retention has dropped nothing. See docs/adr/0037.
 */
#ifndef GODWIT_TIMESCALE_CARRY_H
#define GODWIT_TIMESCALE_CARRY_H

#include "base/vec.h"
#include "pg/ddl.h"
#include "pg/query.h"

/* Where an aggregate keeps its rows on one of the servers. */
typedef struct CarryPlace {
    Name rows;          /* the hypertable that holds them; rel NULL: there is no such aggregate */
    const char *column; /* the time column: where a bucket begins */
    const char *type;
    const char *width; /* of a bucket: a number, or an interval */
    bool may_read;
    bool is_integer;
    Name raw;         /* the hypertable that it reads */
    const char *keep; /* retention drops what is older there; NULL: no policy by age */
    Name now;         /* what says what now is for integers; rel NULL: nothing does */
    const char **columns;
    const char **types;
    size_t column_count;
} CarryPlace;

/* Buckets that are carried in one transaction: from `start` to before `until`, where that is not
 * given up to `last` with it. */
typedef struct CarryRange {
    const char *start; /* NULL: from the first */
    const char *until;
    const char *last;
} CarryRange;

typedef VEC(CarryRange) CarryRanges;

/* What is carried of an aggregate. */
typedef struct CarryLot {
    const char *last;  /* the last bucket; NULL: no row has outlived its raw ones */
    const char *cover; /* what the target refreshes before: a point wholly behind that bucket */
    CarryRanges ranges;
} CarryLot;

/** What this server's catalog says. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool carry_place(Arena *arena, Conn *conn, const Name *view, CarryPlace *place, Err *err);

/** Why rows of the one cannot be rows of the other; NULL: they can. */
const char *carry_misfit(Arena *arena, const CarryPlace *source, const CarryPlace *target);

/** The statement that gives the last bucket to be carried, and the point behind it. $1, $2: the
 * hypertable that is read. \param now what the integer clock says; NULL: it is no integer, or has
 * none */
void carry_last_sql(Str *sql, const Conn *source, const CarryPlace *place, const char *now);

/** Which rows are to be carried still.
 * \param done where an earlier engine came to, NULL: it did not begin
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool carry_lot(Arena *arena, Conn *source, const CarryPlace *place, const char *done,
                         CarryLot *lot, Err *err);

/** In which ranges rows up to `last` are carried, or compared.
 * \param done where an earlier engine came to, NULL: it did not begin
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool carry_ranges(Arena *arena, Conn *source, const CarryPlace *place, const char *last,
                            const char *done, CarryRanges *ranges, Err *err);

/** The first and the last bucket that end before the oldest raw row's chunk begins: nothing could
 * compute them again. \param first, last receive NULL where there is none
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool carry_outlived(Arena *arena, Conn *source, const CarryPlace *place,
                              const char **first, const char **last, Err *err);

/** Where the journal has the last bucket that was carried, as a gate. */
const char *carry_last_gate(Arena *arena, const char *step);

/** The statements of a range, by the source's columns; a range of NULL: all rows, as `plan` prints
 * them. \param rows the hypertable of the rows on the target */
void carry_delete_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows,
                      const CarryRange *range);
void carry_read_sql(Str *sql, const Conn *conn, const CarryPlace *source, const CarryRange *range);
void carry_write_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows);

/** One row: how many rows a range has, and a sum over their values, the same on both servers when
 * they are. */
void carry_sum_sql(Str *sql, const Conn *conn, const CarryPlace *source, const Name *rows,
                   const CarryRange *range);

#endif
