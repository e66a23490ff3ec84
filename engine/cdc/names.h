/*
 * Names: whether the source's relations still bear the names that the blueprint has. A plugin that
 * tells changes by name only (test_decoding) would leave out those of a relation that was renamed,
 * and take another's for those of the relation that had its name. The pulse looks, the decoding
 * thread ends the stream; leaves that are concerned are copied anew, as what was left out or taken
 * wrongly is not known.
 */
#ifndef GODWIT_CDC_NAMES_H
#define GODWIT_CDC_NAMES_H

#include "cdc/stream_internal.h"

/** Whether the stream must look at all. */
bool names_matter(const Stream *stream);

/** What names_look() asks about. */
const char *names_known(Arena *arena, const Blueprint *blueprint);

/** Looks once, and notes in the stream which leaves are astray. \return false with ERR_SQL,
 * ERR_LOST */
MUSTCHECK bool names_look(Stream *stream, Conn *conn, const char *known, Err *err);

/** Whether nothing was left out up to a marker: no partition came that the blueprint lacks.
 * \return false with ERR_DRIFT */
MUSTCHECK bool names_complete(Stream *stream, Err *err);

/** \return false with ERR_DRIFT when leaves are astray; they are marked in the journal as not
 * copied. */
MUSTCHECK bool names_check(StreamSession *session, Err *err);

#endif
