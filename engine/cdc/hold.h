/*
 * Hold: which leaves the stream may apply changes of. A leaf STREAMS (changes above its sync_lsn
 * are applied) or is HELD (its rows are not copied yet: a change that its copy cannot hold waits).
 * Other threads ask; the thread that decodes changes the state, at the boundary of a transaction or
 * while it waits, and acknowledges. What fails at which point does what: docs/adr, "Late leaves".
 */
#ifndef GODWIT_CDC_HOLD_H
#define GODWIT_CDC_HOLD_H

#include "base/err.h"
#include "base/lsn.h"

#include <stdatomic.h>

typedef enum HoldWish { HOLD_BEGIN, HOLD_SYNC, HOLD_RELEASE } HoldWish;

/* Belongs to whoever asks, until it is done or withdrawn. */
typedef struct HoldRequest {
    HoldWish wish;
    size_t leaf;  /* Leaf.index */
    Lsn sync_lsn; /* of HOLD_SYNC */
    bool done;
    struct HoldRequest *next;
} HoldRequest;

typedef struct Hold {
    size_t leaf_count;
    Lsn *sync_lsn; /* by Leaf.index: changes at or below are in the copy */
    bool *held;    /* the same */
    size_t held_count;
    HoldRequest *requests; /* under the stream's mutex, oldest first */
    atomic_bool asked;     /* there may be some */
} Hold;

/** \param sync_lsn by Leaf.index, copied \param held the same; NULL: none */
void hold_init(Hold *hold, size_t leaf_count, const Lsn *sync_lsn, const bool *held);
void hold_release(Hold *hold);

/** Under the mutex: puts a request at the end, takes it back. */
void hold_ask(Hold *hold, HoldRequest *request);
void hold_withdraw(Hold *hold, HoldRequest *request);

/** Under the mutex, by the thread that decodes: does what is asked.
 * \param inside a transaction is open: nothing begins to be held, and what was asked of such a leaf
 * afterwards waits too \return how many were done */
size_t hold_take(Hold *hold, bool inside);

/** Whether the copy of a leaf holds what commits here. \param commit_lsn where the commit record
 * begins */
bool hold_skips(const Hold *hold, size_t leaf, Lsn commit_lsn);

/** Whether a change that the copy does not hold must wait. */
bool hold_stops(const Hold *hold, size_t leaf);

#endif
