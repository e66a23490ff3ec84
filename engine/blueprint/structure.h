/*
 * Structure: what a run's data road stands on, as sorted facts: tables (with their oid:
 * one that was made anew is another), partitions, columns with their types, keys, sequences. A run
 * records it when it begins; who resumes it or cuts over compares.
 */
#ifndef GODWIT_BLUEPRINT_STRUCTURE_H
#define GODWIT_BLUEPRINT_STRUCTURE_H

#include "base/vec.h"
#include "blueprint/blueprint.h"

/** The facts of a blueprint, a line each. */
char *structure_text(Arena *arena, const Blueprint *blueprint);

/** What differs between two such texts, "gone: table public.t (oid 16390)" or "column v of
 * public.t: text -> bigint" a line each (base/facts.h); empty when nothing does. */
char *structure_diff(Arena *arena, const char *before, const char *after);

/** Refuses with ERR_STALE unless everything that was there is there as it was, and what is new are
 * whole tables, partitions and sequences: what `refresh` can take in. */
MUSTCHECK bool structure_grew(const char *before, const char *after, Err *err);

typedef VEC(Name) NameVec;

/** "public.a, public.b". */
const char *structure_names(Arena *arena, const NameVec *names);

/* One partition of a selected table. */
typedef struct StructurePartition {
    Name name;    /* on the source */
    bool is_gone; /* else another table has its name now, or it was attached anew */
    uint32_t oid; /* when it was copied */
} StructurePartition;

typedef VEC(StructurePartition) StructurePartitions;

typedef enum StructureMove {
    STRUCTURE_SAME,
    STRUCTURE_ADDED,      /* whole tables, partitions, sequences are new, nothing else moved */
    STRUCTURE_PARTITIONS, /* partitions went, or are other tables; tables were truncated or
                             rewritten; there may be additions, too */
    STRUCTURE_ALTERED,    /* anything else */
} StructureMove;

/* What moved between two structures. */
typedef struct StructureMoves {
    StructureMove move;
    NameVec added;                  /* tables and sequences; none when it is altered */
    StructurePartitions partitions; /* that went, or are other tables now */
    NameVec rewritten;              /* leaves whose rows may be others, of which no WAL tells */
} StructureMoves;

/** Marks in `whole`, by relation of the blueprint, those that have a table with another file in
 * `after` than in `before`: it may have been rewritten, of which no WAL tells. */
void structure_refiled(const Blueprint *blueprint, const char *before, const char *after,
                       bool *whole);

/** What is recorded instead of `recorded` when `now` stands: the same, but with the recorded files
 * of all tables that were not rewritten, or else nobody could tell later that they are others. */
char *structure_keep(Arena *arena, const char *recorded, const char *now);

/** `now` as if no table had another file than in `before`: for whoever compares those whole. */
char *structure_but_files(Arena *arena, const char *before, const char *now);

StructureMoves structure_moves(Arena *arena, const char *before, const char *after);

/** Of every leaf, in the blueprint's order, whether it is a partition that this structure lacks, or
 * another table has its name there. */
bool *structure_late(Arena *arena, const char *before, const Blueprint *blueprint);

/** Which tables were altered, so that everything else stands without them: it is as it was, or got
 * what may be added, or lost partitions. \return false when it does not: more was altered than
 * tables, one is merged with others, or none would be left */
bool structure_can_pause(Arena *arena, const char *before, const char *after, NameVec *tables);

/** A structure without everything of these tables. */
char *structure_without(Arena *arena, const char *text, const Name *tables, size_t count);

/** What differs of one table, as structure_diff() says it. */
char *structure_diff_of(Arena *arena, const char *before, const char *after, const Name *table);

/** The columns of a relation in a catalog, as facts of the source's `table`. */
char *structure_columns(Arena *arena, const Catalog *catalog, uint32_t relation, const Name *table);

/** The statement that gives the target's table the columns of `after`, where it has those of
 * `before`; NULL: they are the same. For people: types may need a USING, or a default. */
char *structure_remedy(Arena *arena, const char *before, const char *after, const Name *table,
                       const Name *target);

/** The structure as the source has it now, by the plan of a blueprint, without what is paused.
 * \return NULL with ERR_SQL, ERR_LOST */
const char *structure_look(Arena *arena, Conn *source, const Blueprint *began, Err *err);

/** Refuses with ERR_STALE, naming what differs. */
MUSTCHECK bool structure_same(const char *before, const char *after, Err *err);

#endif
