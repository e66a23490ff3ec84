/*
 * Newcomers: what came to the source's partitioned tables, or went, since the blueprint was made.
 * The pulse asks with its connection; who reads the stream's status decides what to do.
 */
#ifndef GODWIT_CDC_NEWCOMERS_H
#define GODWIT_CDC_NEWCOMERS_H

#include "cdc/stream_internal.h"

/** The partitions that the catalog showed, as newcomers_look() compares them.
 * \param roots receives the tables they belong to, "{1,2}"; NULL when nothing is partitioned */
const char *newcomers_known(Arena *arena, const Blueprint *blueprint, const char **roots);

/** Answers what the lane asks of a relation that the blueprint lacks, if it asks.
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool newcomers_stranger(Stream *stream, Conn *conn, Err *err);

/** Looks whether partitions came or went. ATTACH brings rows that no WAL tells of, DETACH and DROP
 * take some. \param roots NULL: there is nothing to look at \return false with ERR_SQL, ERR_LOST.
 */
MUSTCHECK bool newcomers_look(Stream *stream, Conn *conn, const char *roots, const char *known,
                              Err *err);

/** Looks whether the shape of any table of the source moved: names, columns, types. It counts in
 * the stream's status; the first look counts, too. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool newcomers_shape(Stream *stream, Conn *conn, Err *err);

#endif
