/*
 * A pass over the chunks of selected hypertables: what is there, what of it is not copied, in which
 * order it is taken in, and who is told how far that is.
 */
#ifndef GODWIT_CDC_WATCH_PASS_H
#define GODWIT_CDC_WATCH_PASS_H

#include "cdc/watch_take.h"

/** Makes one. \param arena of `tables` \param tables those of the pass before, replaced: when they
 * are others, one has joined
 * \return false as watch_take(), or with ERR_STALE: a chunk is not published any more */
MUSTCHECK bool watch_pass(WatchSession *session, Arena *arena, const char **tables, Err *err);

#endif
