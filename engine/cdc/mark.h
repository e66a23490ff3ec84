/*
 * Mark: our own logical messages in the source's WAL. Anybody may emit messages, so ours carry the
 * prefix, the run's mark and, for a marker, its nonce; all others are ignored.
 *
 *     {"run": "godwit shop 1a2b3c4d", "marker": "9f..."}      {"run": ..., "heartbeat": true}
 */
#ifndef GODWIT_CDC_MARK_H
#define GODWIT_CDC_MARK_H

#include "cdc/pgoutput.h"

#define MARK_PREFIX "godwit"

/** The content of a message; nonce NULL: a heartbeat. */
char *mark_content(Arena *arena, const char *run_mark, const char *nonce);

/** The nonce if this is a marker of ours, else NULL. */
char *mark_nonce(Arena *arena, const PgoLogicalMessage *message, const char *run_mark);

#endif
