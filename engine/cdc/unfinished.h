/*
 * Unfinished: source transactions whose end is not known yet, each kept as the messages it will be
 * once it commits. In memory up to a limit, in one file beyond it (cdc/spill.h).
 *
 *     UnfinishedTxn *txn = unfinished_begin(&all, xid);
 *     unfinished_append(&all, txn, subxid, &piece, err);
 *     unfinished_abort_sub(&all, txn, subxid);           // forgets what it wrote
 *     while (!done && unfinished_read(&all, txn, batch, &done, err)) ...
 *     unfinished_end(&all, txn);
 *
 * An aborted subtransaction takes everything behind its first message with it: until it ended,
 * nothing but it and its own subtransactions wrote in that transaction.
 */
#ifndef GODWIT_CDC_UNFINISHED_H
#define GODWIT_CDC_UNFINISHED_H

#include "cdc/batch.h"
#include "cdc/spill.h"

/* The most that is taken before there is a look at the limit. */
#define UNFINISHED_STEP_BYTES (4 * SPILL_SLOT_BYTES)

typedef struct UnfinishedTxn UnfinishedTxn;

typedef struct Unfinished {
    Spill spill;
    size_t memory_limit;
    size_t memory;       /* bytes of messages in memory */
    size_t index;        /* bytes of what finds them, which always stays in memory */
    Budget *budget;      /* counts both; NULL: nobody does */
    UnfinishedTxn **all; /* by xid */
    size_t count;
    size_t capacity;
    size_t turn;   /* where the next search for something to spill begins */
    uint8_t *slot; /* one slot's content, for reading */
} Unfinished;

/* A message in two parts, so that what stands between them can be left out. */
typedef struct UnfinishedPiece {
    const void *head;
    size_t head_bytes;
    const void *rest;
    size_t rest_bytes;
} UnfinishedPiece;

void unfinished_init(Unfinished *all, size_t memory_limit, const char *directory);
void unfinished_release(Unfinished *all);

/** Forgets every transaction. */
void unfinished_reset(Unfinished *all);

/** \return NULL: there is none with this xid */
UnfinishedTxn *unfinished_find(Unfinished *all, uint32_t xid);

/** A transaction that is not there yet. */
UnfinishedTxn *unfinished_begin(Unfinished *all, uint32_t xid);
uint32_t unfinished_xid(const UnfinishedTxn *txn);

/** Keeps one message. \param subxid who wrote it; the transaction's own xid when nobody below did
 * \return false with ERR_IO: it did not fit in memory, and the file could not be written. */
MUSTCHECK bool unfinished_append(Unfinished *all, UnfinishedTxn *txn, uint32_t subxid,
                                 const UnfinishedPiece *piece, Err *err);

/** Forgets what a subtransaction and those below it wrote. Nothing, if it wrote nothing. */
void unfinished_abort_sub(Unfinished *all, UnfinishedTxn *txn, uint32_t subxid);

/** Reads on from where the last call ended: as many messages as fit into the batch (one at least,
 * when it is empty: it is made larger for that). What was read is given back: a transaction is read
 * once. \param done nothing is left
 * \return false with ERR_IO. */
MUSTCHECK bool unfinished_read(Unfinished *all, UnfinishedTxn *txn, BatchPool *pool, Batch **batch,
                               bool *done, Err *err);

/** Forgets a transaction. */
void unfinished_end(Unfinished *all, UnfinishedTxn *txn);

#endif
