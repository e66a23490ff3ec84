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

/** Whether a fact tells of a table's file: structure_storage.c. */
bool storage_is(const char *key);

/** The facts of a relation's files. */
void storage_add(Arena *arena, FactVec *facts, const Blueprint *blueprint,
                 const Relation *relation);

/** Takes out of both what is no move: a file that came or went with its table, or is another one
 * while nothing says that rows were changed with it. */
void storage_align(Arena *arena, FactVec *was, FactVec *is);

/** The table whose rows the file has, by the fact's key. */
bool storage_name(Arena *arena, const char *key, Name *name);

/** Whether the rows of a file can be copied anew: nobody can tell them among merged ones, and where
 * nothing is copied they come from somewhere else. */
bool storage_can_copy(const FactVec *facts, const char *key);

#endif
