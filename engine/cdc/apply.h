/*
 * Apply: one piece of source changes onto the target, inside the transaction that the lane commits.
 * Folded first; whatever goes wrong there is replayed in source order, where errors and conflicts
 * are the real ones.
 */
#ifndef GODWIT_CDC_APPLY_H
#define GODWIT_CDC_APPLY_H

#include "cdc/conflicts.h"
#include "cdc/emit.h"
#include "cdc/group.h"
#include "cdc/spans.h"
#include "cdc/touched.h"
#include "cdc/values.h"

/* A lane's row, as it stands. */
typedef struct LaneRow {
    unsigned id;
    Lsn from;
} LaneRow;

/* The move of a lane's row, sent with the last piece of a group; of all rows when one lane applies
 * for all. */
typedef struct LaneStep {
    int64_t run;
    int64_t epoch;
    const LaneRow *rows;
    size_t row_count;
    Lsn to;                 /* a row that stands beyond it stays */
    int64_t commit_unix_us; /* 0: keep what the row says */
    uint64_t transactions;
    uint64_t changes;
    bool synchronous;
} LaneStep;

typedef struct Applier {
    Conn *conn;
    Relmap *relmap;
    Touched *touched;
    Spans spans;         /* of the open transaction */
    const Lsn *sync_lsn; /* by Leaf.index */
    PgoValueKind form;   /* of the session's values: what a COPY is opened for */
    KeyText key_text;    /* room */
    PlanConflict policy;
    bool quiet; /* blueprint_keeps_quiet(): the session is under replication role origin */
    LogCtx log;
    Emit emit;
    RelState **rels; /* touched by the piece at hand, in order of first change */
    size_t rel_count;
    bool *mask; /* room for the widest relation */
    bool *set_mask;
    const FoldRow **set_rows; /* of one relation, collected for one statement */
    size_t set_count;
    size_t set_capacity;
    bool in_transaction;
    bool stepped;       /* the lane's step is in the open transaction */
    Conflicts open;     /* of the open transaction */
    uint64_t conflicts; /* committed */
} Applier;

void applier_init(Applier *applier, Relmap *relmap, Touched *touched, const StreamSpec *spec);
void applier_release(Applier *applier);

/** A new session on the target; nothing is prepared or open. \param form of the values to come */
void applier_connect(Applier *applier, Conn *conn, PgoValueKind form);

/** Applies the group's changes in the open transaction, or in one that this begins.
 * \param step NULL: more of the last source transaction follows
 * \return false: nothing of this piece stands, the transaction must be rolled back. ERR_CONFLICT,
 *         ERR_SQL, ERR_DRIFT, ERR_LOST, ERR_LOCKED (another engine moved the lane), the stop's. */
MUSTCHECK bool apply_piece(Applier *applier, Group *group, const LaneStep *step, Err *err);

/** Only the lane row, in a transaction of its own. Errors as above. */
MUSTCHECK bool apply_step(Applier *applier, const LaneStep *step, Err *err);

/** Commits what the pieces did. */
MUSTCHECK bool apply_commit(Applier *applier, Err *err);
void apply_rollback(Applier *applier);

#endif
