/*
 * Relmap: which leaf a change belongs to, and whether the source's relation is still what the
 * Blueprint says. Also the per-relation state of the apply lane.
 */
#ifndef GODWIT_CDC_RELMAP_H
#define GODWIT_CDC_RELMAP_H

#include "base/vec.h"
#include "cdc/change.h"
#include "cdc/fold.h"

typedef struct Statements Statements; /* cdc/statement.h */

/* A selected relation as the lane uses it. */
struct RelState {
    const Relation *relation;
    Statements *statements; /* made on first use, per session */
    Fold fold;
    uint32_t first; /* changes of the piece at hand */
    uint32_t last;
    uint32_t count;
    uint32_t other_than_insert;
    bool ordered; /* unique or exclusion constraints beside its key, on either side: no folding */
    uint64_t conflicts; /* met in this session: not all are logged */
    bool touched;       /* is in the piece's list of relations */
};

/* A relation message that does not fit, until a change needs it. */
typedef struct Misfit {
    uint32_t oid;
    Err error;
} Misfit;

/* A chunk sends its own relation messages; its changes are its hypertable's. */
typedef struct ChunkState {
    uint32_t oid;
    LeafState *state;
} ChunkState;

typedef struct Relmap {
    const Blueprint *blueprint;
    VEC(Misfit) misfits;
    RelState *rels;
    LeafState *leaves;
    VEC(ChunkState) chunks; /* of hypertables of the source, sorted by oid; they come and go */
    PgoValue *scratch;      /* three rows of the widest relation */
    PgoValue *old_values;
    PgoValue *new_values;
    PgoValue *key_values;
    Arena arena;
} Relmap;

void relmap_init(Relmap *relmap, const Blueprint *blueprint);
void relmap_release(Relmap *relmap);

/** Changes of this relation are the hypertable's from now on. \param leaf the hypertable's one */
void relmap_add_chunk(Relmap *relmap, uint32_t oid, const Leaf *leaf);

/** The hypertable's leaf of a chunk that was added; NULL: it is none. */
const Leaf *relmap_chunk_of(const Relmap *relmap, uint32_t oid);

/** Whether a relation of the source is a leaf, or a chunk that was added. */
bool relmap_knows(const Relmap *relmap, uint32_t oid);

/** A new session: relation messages will come again. */
void relmap_forget(Relmap *relmap);

/** The leaf of a relation, whatever is known of it; NULL when it is not selected. */
LeafState *relmap_find(const Relmap *relmap, uint32_t oid);

/** Whether changes of a relation can be read. \return false with the error of its last relation
 * message, ERR_DRIFT (not selected) or ERR_PROTOCOL (no relation message came before). */
MUSTCHECK bool relmap_ready(const Relmap *relmap, uint32_t oid, Err *err);

/** The leaf of a change, ready. \return NULL with the errors of relmap_ready(). */
LeafState *relmap_leaf(Relmap *relmap, uint32_t oid, Err *err);

/** Keeps the error of relmap_take() until a change of the relation must be applied: its changes may
 * all be in a copy, or be none of the run's any more. \param error moved */
void relmap_put_off(Relmap *relmap, uint32_t oid, Err *error);

/** Whether this relation message would change how tuples of a known leaf are read. */
bool relmap_differs(Relmap *relmap, const PgoRelation *message);

/** Takes a relation message. \return false with ERR_DRIFT, naming every column that differs. */
MUSTCHECK bool relmap_take(Relmap *relmap, const PgoRelation *message, Err *err);

#endif
