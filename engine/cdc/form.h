/*
 * Form: whether a session asks the source for text or for binary values. pgoutput is asked once,
 * for all columns of all tables; so binary only where every column of every table, as both sides
 * have it now, means the same in both: docs/adr/0035.
 */
#ifndef GODWIT_CDC_FORM_H
#define GODWIT_CDC_FORM_H

#include "cdc/pgoutput.h"
#include "cdc/stream.h"

/** What this session's values will be. \param form PGO_TEXT or PGO_BINARY \param why for text: a
 * sentence, in the arena \return false with ERR_SQL, ERR_LOST, the stop's. */
MUSTCHECK bool form_choose(Arena *arena, const StreamSpec *spec, Conn *target, PgoValueKind *form,
                           const char **why, Err *err);

#endif
