/*
 * Reverse: the way back as a Blueprint of its own: the same relations, read from the target's
 * catalogue, with source and target in each other's place. Whatever reads a Blueprint (stream,
 * apply, fences, verification, sequences) goes the other way with it, by the same code.
 */
#ifndef GODWIT_BLUEPRINT_REVERSE_H
#define GODWIT_BLUEPRINT_REVERSE_H

#include "blueprint/blueprint.h"

/** Derives plan and blueprint of the way back. Relations that come without rows
 * (select.schema_only) are left out: their rows never were the source's.
 * \param back zeroed; owns nothing of `plan`
 * \param plan receives the derived plan; its memory is the arena's
 * \param from the target's catalogue, read after the schema was made; outlives `back`
 * \param to the source's
 * \return false with ERR_RUN saying which table cannot be replicated back, and why. */
MUSTCHECK bool blueprint_reverse(Arena *arena, Blueprint *back, Plan *plan, const Blueprint *forth,
                                 const Catalog *from, const Catalog *to, Err *err);

#endif
