/*
 * Objects: whether what stands around the rows is the same on both sides: columns with their
 * defaults, indexes, constraints, views, functions, triggers, rules, policies, sequences, types.
 * One query a side (catalog_definitions). See docs/adr/0022 for what is not compared, and why.
 */
#ifndef GODWIT_VERIFY_OBJECTS_H
#define GODWIT_VERIFY_OBJECTS_H

#include "base/facts.h"
#include "blueprint/blueprint.h"
#include "pg/query.h"
#include "pg/conn.h"

typedef struct ObjectsResult {
    size_t compared;
    const char **differences; /* "missing on the target: index a_idx of public.a" */
    size_t difference_count;
} ObjectsResult;

/** Compares every object of the selection. What is only on the target is no difference.
 * \param complete the run is switched: what waits for the drain is there, too
 * \param result texts are owned by the arena \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool objects_compare(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target,
                               bool complete, ObjectsResult *result, Err *err);

/** Judges facts that were read (sorted by facts_sort() on the target's side).
 * \param oids of the objects whose selection decides, one for each source fact
 * \param own what partitions have of their own (verify_partitions_own.sql), NULL: nothing
 * \param same_major whether both servers print queries and functions alike */
void objects_judge(Arena *arena, const Blueprint *blueprint, const FactVec *source,
                   const uint32_t *oids, const FactVec *target, const Rows *own, bool complete,
                   bool same_major, ObjectsResult *result);

#endif
