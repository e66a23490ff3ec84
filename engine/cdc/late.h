/*
 * Late: what the decoding thread does with a change that may not be applied yet: its leaf is held,
 * or its relation came to the source since the blueprint was made. It waits, behind everything that
 * was committed before it and never inside an open target transaction.
 */
#ifndef GODWIT_CDC_LATE_H
#define GODWIT_CDC_LATE_H

#include "cdc/lane.h"

/** Waits until a change of the open transaction may pass: the leaf is released, or its copy holds
 * the transaction.
 * \return false with ERR_LOST when the transaction must be read anew (pieces of it were applied,
 *         and taken back), with what ended the session, or any error when the stream ends */
MUSTCHECK bool late_wait(Lane *lane, StreamSession *session, const Leaf *leaf, Err *err);

/** A relation that the blueprint lacks came. Waits for the engine to take it in when it is a
 * partition of a selected table (then the stream ends).
 * \param gone its changes may be left out: it is not on the source any more, nor are its rows; or
 *             it was a partition when they were made, and is none any more; or it is one of a table
 *             that is left out. False: it has nothing to do with the selection \return as
 * late_wait() */
MUSTCHECK bool late_stranger(Lane *lane, StreamSession *session, uint32_t oid, bool *gone,
                             Err *err);

/** Whether its changes are left out: by the stream's spec, or late_stranger() found it gone. */
bool late_is_gone(const Stream *stream, uint32_t oid);

/** A change of a chunk came that the watcher takes in. Waits, with all that was committed before
 * applied, until the chunk is copied. \param skip whether its copy has the open transaction
 * \return false as late_wait() */
MUSTCHECK bool late_chunk(Lane *lane, StreamSession *session, LeafState *state, bool *skip,
                          Err *err);

#endif
