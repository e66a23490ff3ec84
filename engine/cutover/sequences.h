/*
 * Sequences at cutover: every kind is read on the source after the drain, set on the target, read
 * back and compared; one that is behind its column's values fails the cutover. A few statements,
 * whatever their number.
 */
#ifndef GODWIT_CUTOVER_SEQUENCES_H
#define GODWIT_CUTOVER_SEQUENCES_H

#include "step/run.h"

/** Sets every selected sequence. \param set receives how many
 * \return false with ERR_RUN naming a sequence that does not read back, or is behind its column. */
MUSTCHECK bool sequences_move(const Run *run, Conn *source, Conn *target, size_t *set, Err *err);

/** Behind the switch: names the sequences of the target that would give values again which the
 * source gave. \param named texts, owned by the arena */
MUSTCHECK bool sequences_behind(Arena *arena, const Run *run, Conn *source, Conn *target,
                                const char ***named, size_t *count, Err *err);

/** Reads back and compares, without setting. */
MUSTCHECK bool sequences_check(const Run *run, Conn *source, Conn *target, Err *err);

#endif
