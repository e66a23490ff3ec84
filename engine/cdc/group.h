/*
 * Group: whole source transactions (or a piece of a very large one) that are applied together.
 */
#ifndef GODWIT_CDC_GROUP_H
#define GODWIT_CDC_GROUP_H

#include "cdc/batch.h"
#include "cdc/change.h"

typedef struct Group {
    Change *changes;
    size_t change_count;
    size_t change_capacity;
    Txn *txns; /* the last one is open while in_txn */
    size_t txn_count;
    size_t txn_capacity;
    Batch *batches; /* the newest first: what the changes point into */
    size_t bytes;   /* of the batches and of what applying the changes needs */
    Budget *budget; /* counts the changes; NULL: nobody does */
    bool in_txn;
    bool together;    /* holds what no lane may do while another works */
    int64_t since_ms; /* when its first transaction began to wait */
} Group;

void group_release(Group *group, BatchPool *pool);

/** The same for a group whose transactions and batches are another one's. */
void group_release_changes(Group *group);

/** Takes a batch; the group owns it from here. */
void group_hold(Group *group, Batch *batch);

Txn *group_begin(Group *group, const PgoBegin *begin);

/** \return false with ERR_PROTOCOL when the commit is not that of the open transaction. */
MUSTCHECK bool group_commit(Group *group, const PgoCommit *commit, Err *err);

/** Room for one more change of the open transaction. */
Change *group_add(Group *group, LeafState *leaf, PgoKind kind);

/* What is here of the open transaction, while those before it are applied. */
typedef struct GroupTail {
    size_t first; /* of its changes */
    size_t count;
    Txn txn;
} GroupTail;

/** Sets the open transaction aside: the group holds the finished ones alone. The changes stay where
 * they are, so nothing may be added. */
GroupTail group_split(Group *group);

/** The finished ones are applied: the group holds the open one alone, and all batches. */
void group_join(Group *group, const GroupTail *tail);

/** Adds a change of another group, whose transactions and batches stay that one's. */
void group_copy_change(Group *group, const Change *change);

/** Everything is applied: forgets changes and finished transactions, keeps the open one, and gives
 * back all batches but the newest when the lane still reads it. */
void group_applied(Group *group, BatchPool *pool, bool keep_newest);

#endif
