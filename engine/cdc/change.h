/*
 * Change: what the lane keeps of a source transaction until it is applied. Everything points into
 * the batches of raw messages that the group holds (cdc/batch.h); nothing is copied.
 */
#ifndef GODWIT_CDC_CHANGE_H
#define GODWIT_CDC_CHANGE_H

#include "blueprint/blueprint.h"
#include "cdc/pgoutput.h"

#define NO_CHANGE       UINT32_MAX
#define COLUMN_LEFT_OUT UINT16_MAX /* in a map: the source sends it, a column list drops it */

typedef struct RelState RelState;

/* A source table as its last relation message told it. */
typedef struct LeafState {
    const Leaf *leaf;
    RelState *rel;
    bool known;         /* a relation message came in this session */
    bool same_order;    /* map[i] == i for all of them */
    uint32_t chunk;     /* its oid, when the watcher says of it what is copied; 0 */
    bool chunk_copied;  /* by what the watcher said last, with the position */
    Lsn chunk_lsn;      /* changes that commit below are in its copy */
    char identity;      /* replica identity as told: d i f n */
    uint16_t *map;      /* position in the tuple -> index in Relation.columns, COLUMN_LEFT_OUT */
    uint16_t map_count; /* columns of a tuple */
} LeafState;

/* A source transaction. */
typedef struct Txn {
    uint32_t xid;
    Lsn commit_lsn; /* where its commit record begins */
    Lsn end_lsn;    /* 0 until the commit came */
    int64_t commit_unix_us;
} Txn;

typedef struct Change {
    PgoKind kind;    /* insert, update, delete, truncate */
    uint32_t txn;    /* index in the group's transactions */
    uint16_t lane;   /* ROUTE_BARRIER: the group goes through one lane */
    uint32_t next;   /* next change of the same relation in this piece, NO_CHANGE: the last */
    LeafState *leaf; /* NULL for truncate */
    union {
        struct {
            PgoTuple old_tuple;
            PgoTuple new_tuple;
        };
        PgoTruncate truncate;
    };
} Change;

/** The values of a tuple in the order of Relation.columns.
 * \param scratch room for as many values as the relation has columns on the source, overwritten */
void change_values(const LeafState *leaf, const PgoTuple *tuple, PgoValue *scratch,
                   PgoValue *values);

/** The old row's key values of an update or delete (or the new row's, when the old one did not
 * travel because the key is unchanged), in the order of Key.columns.
 * \param new_values of an update, NULL for a delete; \param old_values NULL when none travelled
 * \return false when a key column has no value in either. */
bool change_old_key(const Relation *relation, const PgoValue *old_values,
                    const PgoValue *new_values, PgoValue *key);

/** "Key (id, day)=(5, 2026-01-01)" for messages; binary values that
 * value_text() cannot tell are shown in hexadecimal. */
char *change_key_text(Arena *arena, const Relation *relation, const PgoValue *key);

#endif
