/*
 * Assemble: a batch without pieces of streamed transactions passes as it is; else its other
 * messages are copied, and a committed transaction is read out where its Stream Commit stood.
 */
#include "cdc/assemble.h"

#include "base/clock.h"

#define BEGIN_BYTES  21
#define COMMIT_BYTES 26

void assemble_init(Assembly *assembly, BatchPool *pool, size_t memory_limit, const char *directory)
{
    *assembly = (Assembly){.pool = pool};
    unfinished_init(&assembly->unfinished, memory_limit, directory);
}

static void drop_input(Assembly *assembly)
{
    if (assembly->input != NULL)
        batch_free(assembly->pool, assembly->input);
    assembly->input = NULL;
    assembly->input_at = 0;
}

void assemble_reset(Assembly *assembly)
{
    drop_input(assembly);
    unfinished_reset(&assembly->unfinished);
    assembly->open = NULL;
    assembly->replaying = NULL;
    assembly->begun = false;
    assembly->in_txn = false;
}

void assemble_release(Assembly *assembly)
{
    assemble_reset(assembly);
    unfinished_release(&assembly->unfinished);
}

void assemble_give(Assembly *assembly, Batch *batch)
{
    if (assembly->input != NULL)
        BUG("a batch is given before the last one is read out");
    assembly->input = batch;
    assembly->input_at = 0;
}

/* --- pieces --- */

static bool misplaced(const char *what, uint32_t xid, const char *why, Err *err)
{
    return err_set(err, ERR_PROTOCOL, "a stream %s of transaction %u came %s", what, xid, why);
}

/* The first segment of a transaction that is known: the server sends it once more from its
 * beginning. A later one of a transaction that is not known would lose what came before. */
static bool take_start(Assembly *assembly, const PgoStreamStart *start, Err *err)
{
    if (assembly->in_txn)
        return misplaced("start", start->xid, "inside another transaction", err);
    UnfinishedTxn *txn = unfinished_find(&assembly->unfinished, start->xid);
    if (txn == NULL && !start->first)
        return misplaced("start", start->xid, "without its first segment", err);
    if (txn != NULL && start->first) {
        unfinished_end(&assembly->unfinished, txn);
        txn = NULL;
    }
    assembly->open = txn != NULL ? txn : unfinished_begin(&assembly->unfinished, start->xid);
    return true;
}

static bool take_stream_commit(Assembly *assembly, const PgoStreamCommit *commit, Err *err)
{
    if (assembly->in_txn)
        return misplaced("commit", commit->xid, "inside another transaction", err);
    assembly->replaying = unfinished_find(&assembly->unfinished, commit->xid);
    if (assembly->replaying == NULL)
        return misplaced("commit", commit->xid, "without its changes", err);
    assembly->commit = *commit;
    assembly->begun = false;
    return true;
}

/* What is not here needs no forgetting: a subtransaction may have changed nothing of ours. */
static void take_abort(Assembly *assembly, const PgoStreamAbort *abort)
{
    UnfinishedTxn *txn = unfinished_find(&assembly->unfinished, abort->xid);
    if (txn == NULL)
        return;
    if (abort->subxid == abort->xid)
        unfinished_end(&assembly->unfinished, txn);
    else
        unfinished_abort_sub(&assembly->unfinished, txn, abort->subxid);
}

/* A message of the open block, kept as it would stand in an ordinary transaction. */
static bool keep(Assembly *assembly, const char *data, size_t bytes, Err *err)
{
    PgoMessage message;
    if (!pgo_decode_streamed(data, bytes, &message, err))
        return false;
    if (message.kind == PGO_STREAM_STOP) {
        assembly->open = NULL;
        return true;
    }
    size_t prefix = message.kind == PGO_ORIGIN ? 0 : PGO_XID_BYTES;
    uint32_t xid = prefix > 0 ? message.xid : unfinished_xid(assembly->open);
    UnfinishedPiece piece = {data, 1, data + 1 + prefix, bytes - 1 - prefix};
    return unfinished_append(&assembly->unfinished, assembly->open, xid, &piece, err);
}

/* --- reading a batch --- */

static bool is_of_stream(char kind)
{
    return kind == PGO_STREAM_START || kind == PGO_STREAM_COMMIT || kind == PGO_STREAM_ABORT;
}

/* Begin and commit of ordinary transactions, up to the end of this batch. */
static void note_bounds(Assembly *assembly, char kind)
{
    if (kind == PGO_BEGIN)
        assembly->in_txn = true;
    else if (kind == PGO_COMMIT)
        assembly->in_txn = false;
}

/* Whether a batch can be passed on untouched; then the bounds in it are noted. */
static bool is_ordinary(Assembly *assembly)
{
    if (assembly->open != NULL || assembly->input_at > 0)
        return false;
    size_t at = 0;
    const char *payload = NULL;
    const BatchRecord *record = NULL;
    while ((record = batch_next(assembly->input, &at, &payload)) != NULL) {
        if (record->bytes > 0 && is_of_stream(*payload))
            return false;
    }
    at = 0;
    while ((record = batch_next(assembly->input, &at, &payload)) != NULL) {
        if (record->bytes > 0)
            note_bounds(assembly, *payload);
    }
    return true;
}

static bool take_control(Assembly *assembly, const char *data, size_t bytes, Err *err)
{
    PgoMessage message;
    if (!pgo_decode(data, bytes, &message, err))
        return false;
    if (message.kind == PGO_STREAM_START)
        return take_start(assembly, &message.stream_start, err);
    if (message.kind == PGO_STREAM_COMMIT)
        return take_stream_commit(assembly, &message.stream_commit, err);
    take_abort(assembly, &message.stream_abort);
    return true;
}

static Batch *room(Assembly *assembly, Batch **out, size_t bytes)
{
    if (*out == NULL)
        *out = batch_new(assembly->pool, bytes);
    return batch_fits(*out, bytes) ? *out : NULL;
}

/* Until the batch is read, a transaction commits, or `out` is full. */
static bool read_input(Assembly *assembly, Batch **out, bool *full, Err *err)
{
    const char *payload = NULL;
    for (;;) {
        size_t at = assembly->input_at;
        const BatchRecord *record = batch_next(assembly->input, &at, &payload);
        if (record == NULL) {
            drop_input(assembly);
            return true;
        }
        char kind = record->bytes > 0 ? *payload : '\0';
        bool block = assembly->open != NULL && !record->keepalive;
        if (!block && !is_of_stream(kind)) {
            Batch *to = room(assembly, out, record->bytes);
            if (to == NULL) {
                *full = true;
                return true;
            }
            note_bounds(assembly, kind);
            batch_append(to, record, payload);
        } else if (!(block ? keep(assembly, payload, record->bytes, err)
                           : take_control(assembly, payload, record->bytes, err))) {
            return false;
        }
        assembly->input_at = at;
        if (assembly->replaying != NULL)
            return true;
    }
}

/* --- reading a transaction out --- */

static char *put_number(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(value >> (8 * (bytes - 1 - i)) & 0xff);
    return at + bytes;
}

static uint64_t pg_time(int64_t unix_us)
{
    return (uint64_t)(unix_us - CLOCK_PG_EPOCH_US);
}

static bool put_begin(Assembly *assembly, Batch **out)
{
    const PgoStreamCommit *commit = &assembly->commit;
    Batch *to = room(assembly, out, BEGIN_BYTES);
    if (to == NULL)
        return false;
    char *at = batch_push(to, &(BatchRecord){.bytes = BEGIN_BYTES});
    *at++ = PGO_BEGIN;
    at = put_number(at, commit->commit.commit_lsn, 8);
    at = put_number(at, pg_time(commit->commit.commit_unix_us), 8);
    put_number(at, commit->xid, 4);
    return true;
}

static bool put_commit(Assembly *assembly, Batch **out)
{
    const PgoCommit *commit = &assembly->commit.commit;
    Batch *to = room(assembly, out, COMMIT_BYTES);
    if (to == NULL)
        return false;
    char *at = batch_push(to, &(BatchRecord){.wal_end = commit->end_lsn, .bytes = COMMIT_BYTES});
    *at++ = PGO_COMMIT;
    at = put_number(at, 0, 1);
    at = put_number(at, commit->commit_lsn, 8);
    at = put_number(at, commit->end_lsn, 8);
    put_number(at, pg_time(commit->commit_unix_us), 8);
    return true;
}

static bool replay(Assembly *assembly, Batch **out, bool *full, Err *err)
{
    bool done = false;
    if (!assembly->begun && !put_begin(assembly, out)) {
        *full = true;
        return true;
    }
    assembly->begun = true;
    if (!unfinished_read(&assembly->unfinished, assembly->replaying, assembly->pool, out, &done,
                         err))
        return false;
    *full = !done || !put_commit(assembly, out);
    if (*full)
        return true;
    unfinished_end(&assembly->unfinished, assembly->replaying);
    assembly->replaying = NULL;
    assembly->replayed++;
    return true;
}

bool assemble_next(Assembly *assembly, Batch **batch, Err *err)
{
    *batch = NULL;
    if (assembly->input == NULL && assembly->replaying == NULL)
        return true;
    if (assembly->replaying == NULL && is_ordinary(assembly)) {
        *batch = assembly->input;
        assembly->input = NULL;
        return true;
    }
    bool full = false;
    bool ok = true;
    while (ok && !full && (assembly->replaying != NULL || assembly->input != NULL))
        ok = assembly->replaying != NULL ? replay(assembly, batch, &full, err)
                                         : read_input(assembly, batch, &full, err);
    if (!ok && *batch != NULL) {
        batch_free(assembly->pool, *batch);
        *batch = NULL;
    }
    return ok;
}
