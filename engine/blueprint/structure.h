/*
 * Structure: what a run's data road stands on, as sorted facts: tables (with their oid:
 * one that was made anew is another), partitions, columns with their types, keys, sequences. A run
 * records it when it begins; who resumes it or cuts over compares.
 */
#ifndef GODWIT_BLUEPRINT_STRUCTURE_H
#define GODWIT_BLUEPRINT_STRUCTURE_H

#include "blueprint/blueprint.h"

/** The facts of a blueprint, a line each. */
char *structure_text(Arena *arena, const Blueprint *blueprint);

/** What differs between two such texts, "gone: table public.t (oid 16390)" or "column v of
 * public.t: text -> bigint" a line each (base/facts.h); empty when nothing does. */
char *structure_diff(Arena *arena, const char *before, const char *after);

/** Refuses with ERR_STALE unless everything that was there is there as it was, and what is new are
 * whole tables, partitions and sequences: what `refresh` can take in. */
MUSTCHECK bool structure_grew(const char *before, const char *after, Err *err);

/** Whether everything that was there is there as it was, and what is new are partitions of tables
 * that were there: those come and go by themselves, and are taken in unasked. */
bool structure_grew_partitions(const char *before, const char *after);

/** Refuses with ERR_STALE, naming what differs. */
MUSTCHECK bool structure_same(const char *before, const char *after, Err *err);

#endif
