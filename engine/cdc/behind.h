/*
 * Behind: what reaches the source behind the last marker of a cutover. The other side is the
 * primary then, so nothing of it is applied in any mode: it is counted and named, and the position
 * stays before it, so that whoever reads the slot later finds it again.
 *
 *   - The session is lost: what came is forgotten and comes again, and so does the marker for which
 *     somebody waits.
 *   - The engine dies, or its step fails: the slot has it all; the next one looks at it with a
 *     stream that is sealed from its beginning (StreamSpec.sealed).
 */
#ifndef GODWIT_CDC_BEHIND_H
#define GODWIT_CDC_BEHIND_H

#include "cdc/lane.h"

/** A session of the stream begins. */
void behind_begin(Stream *stream);

/** A marker came: whether it is the one behind which nothing is applied any more. */
void behind_meet(Stream *stream, const char *nonce);

/** Counts a change of a leaf in the open transaction. */
void behind_note(Lane *lane, const LeafState *leaf, const PgoMessage *message);

#endif
