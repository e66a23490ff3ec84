/*
 * Reverse: the way back as a Blueprint of its own: the same relations, read from the target's
 * catalogue, with source and target in each other's place. Whatever reads a Blueprint (stream,
 * apply, fences, verification, sequences) goes the other way with it, by the same code.
 */
#ifndef GODWIT_BLUEPRINT_REVERSE_H
#define GODWIT_BLUEPRINT_REVERSE_H

#include "blueprint/structure.h"

/** Derives plan and blueprint of the way back. Relations that come without rows
 * (select.schema_only) are left out: their rows never were the source's.
 * \param back zeroed; owns nothing of `plan`
 * \param plan receives the derived plan; its memory is the arena's
 * \param from the target's catalogue, read after the schema was made; outlives `back`
 * \param to the source's
 * \return false with ERR_RUN saying which table cannot be replicated back, and why. */
MUSTCHECK bool blueprint_reverse(Arena *arena, Blueprint *back, Plan *plan, const Blueprint *forth,
                                 const Catalog *from, const Catalog *to, Err *err);

/** What came to the target's partitioned tables and went there, since the way back was made. Who
 * came takes part in it when the source has it, too; its rows of before are in no stream.
 * \param back as reverse() made it now \param to the source's catalogue
 * \param recorded structure_text() of the way back when it was made
 * \param whole receives, by relation, whether it has to be compared as a whole; NULL: none has
 * \param ahead receives partitions that the source has not, and that are empty so far; the first
 * row of one ends the stream, and then it is refused here
 * \return false with ERR_STALE: what was altered; a partition that is on one side alone, and what
 * to do */
MUSTCHECK bool reverse_joins(Arena *arena, const Blueprint *forth, const Blueprint *back,
                             const Catalog *to, const char *recorded, const bool **whole,
                             NameVec *ahead, Err *err);

/** structure_same() of the way back: the words are those of the target's tables. */
MUSTCHECK bool reverse_same(const char *before, const char *after, Err *err);

#endif
