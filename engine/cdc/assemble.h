/*
 * Assemble: makes whole transactions of a pgoutput stream in which the server sends those that are
 * under way in pieces, between others (streaming 'on', docs/adr/0014). It stands between the queue
 * and the intake: what comes out is a stream of ordinary transactions, Begin to Commit, in the
 * order of their commits.
 *
 *     assemble_give(assembly, batch);              // it owns the batch from here
 *     while (assemble_next(assembly, &batch, err) && batch != NULL)
 *         take(batch);                             // the caller owns that one
 *
 * Nothing kept here moves a position; a new session begins with assemble_reset(), and the server
 * sends all of it again.
 */
#ifndef GODWIT_CDC_ASSEMBLE_H
#define GODWIT_CDC_ASSEMBLE_H

#include "cdc/pgoutput.h"
#include "cdc/unfinished.h"

typedef struct Assembly {
    BatchPool *pool;
    Unfinished unfinished;
    Batch *input; /* being read; NULL none */
    size_t input_at;
    UnfinishedTxn *open;      /* the streamed block that is open */
    UnfinishedTxn *replaying; /* it has committed */
    PgoStreamCommit commit;   /* of `replaying` */
    bool begun;               /* its Begin is out */
    bool in_txn;              /* an ordinary transaction is open */
    uint64_t replayed;        /* transactions, for the log */
} Assembly;

/** \param memory_limit bytes of messages that are kept in memory \param directory for the rest,
 * NULL for TMPDIR, else /tmp */
void assemble_init(Assembly *assembly, BatchPool *pool, size_t memory_limit, const char *directory);
void assemble_release(Assembly *assembly);

/** Forgets everything, the batch given last too. */
void assemble_reset(Assembly *assembly);

/** Takes a batch; the one before must be read out. */
void assemble_give(Assembly *assembly, Batch *batch);

/** The next batch of ordinary messages; NULL: give more.
 * \return false with ERR_PROTOCOL (pieces that do not fit together), ERR_IO (no room on disk). */
MUSTCHECK bool assemble_next(Assembly *assembly, Batch **batch, Err *err);

#endif
