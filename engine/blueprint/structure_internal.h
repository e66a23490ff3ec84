/*
 * What the files that compare structures share.
 */
#ifndef GODWIT_BLUEPRINT_STRUCTURE_INTERNAL_H
#define GODWIT_BLUEPRINT_STRUCTURE_INTERNAL_H

#include "base/facts.h"
#include "blueprint/structure.h"

/** The fact of a key; NULL: there is none. \param facts sorted */
const Fact *structure_find(const FactVec *facts, const char *key);

/** Whether this fact is new, or says another thing than before. */
bool structure_moved(const FactVec *was, const Fact *fact);

/** Whether a key is "partition p of t", with a "table t" that was there. */
bool structure_is_partition(Arena *arena, const FactVec *was, const char *key);

/** Whether a new fact is a whole table, partition or sequence, or belongs to a table that is new.
 */
bool structure_is_whole(const FactVec *was, const FactVec *is, const char *key);

#endif
