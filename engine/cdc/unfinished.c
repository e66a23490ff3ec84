/*
 * Unfinished: a transaction is a row of chunks, each in memory or in a slot of the file; messages
 * run over the chunks' borders. Only the last chunk grows.
 */
#include "cdc/unfinished.h"

#include <string.h>

#define FIRST_CHUNK_BYTES ((size_t)1024)

typedef struct Chunk {
    uint8_t *data; /* NULL: it is in the file */
    uint32_t slot;
    uint32_t used;
} Chunk;

/* Where the first message of a subtransaction begins. */
typedef struct SubStart {
    uint32_t xid;
    uint64_t at;
} SubStart;

struct UnfinishedTxn {
    uint32_t xid;
    uint32_t writing; /* who wrote the last message */
    uint64_t bytes;   /* of all chunks */
    Chunk *chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    size_t tail_bytes; /* the last chunk's room, when it is in memory */
    SubStart *subs;    /* by xid, and thereby by where they begin */
    size_t sub_count;
    size_t sub_capacity;
    size_t memory;     /* of its chunks */
    size_t read_chunk; /* chunks before it are given back */
    size_t read_at;
    uint32_t next_bytes; /* of the message to be read next; 0: not known yet */
    bool slot_is_read;   /* Unfinished.slot holds chunks[read_chunk] */
};

void unfinished_init(Unfinished *all, size_t memory_limit, const char *directory)
{
    *all = (Unfinished){.memory_limit = memory_limit};
    spill_init(&all->spill, directory);
}

static void count_index(Unfinished *all, size_t before, size_t after)
{
    all->index = all->index - before + after;
    budget_resize(all->budget, BUDGET_UNFINISHED, before, after);
}

/* --- the set, sorted by xid --- */

static size_t lower_bound(const Unfinished *all, uint32_t xid)
{
    size_t low = 0;
    size_t high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->all[middle]->xid < xid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

UnfinishedTxn *unfinished_find(Unfinished *all, uint32_t xid)
{
    size_t at = lower_bound(all, xid);
    return at < all->count && all->all[at]->xid == xid ? all->all[at] : NULL;
}

UnfinishedTxn *unfinished_begin(Unfinished *all, uint32_t xid)
{
    size_t at = lower_bound(all, xid);
    if (all->count == all->capacity) {
        size_t before = all->capacity * sizeof(UnfinishedTxn *);
        all->capacity = all->capacity > 0 ? all->capacity * 2 : 64;
        count_index(all, before, all->capacity * sizeof(UnfinishedTxn *));
        all->all = mem_resize(all->all, all->capacity * sizeof(UnfinishedTxn *));
    }
    memmove(&all->all[at + 1], &all->all[at], (all->count - at) * sizeof(UnfinishedTxn *));
    all->count++;
    all->all[at] = mem_resize(NULL, sizeof(UnfinishedTxn));
    *all->all[at] = (UnfinishedTxn){.xid = xid, .writing = xid};
    count_index(all, 0, sizeof(UnfinishedTxn));
    return all->all[at];
}

uint32_t unfinished_xid(const UnfinishedTxn *txn)
{
    return txn->xid;
}

/* --- chunks --- */

static bool is_tail(const UnfinishedTxn *txn, size_t index)
{
    return index + 1 == txn->chunk_count;
}

static size_t memory_of(const UnfinishedTxn *txn, size_t index)
{
    return is_tail(txn, index) ? txn->tail_bytes : SPILL_SLOT_BYTES;
}

static void count_memory(Unfinished *all, UnfinishedTxn *txn, size_t before, size_t after)
{
    all->memory = all->memory - before + after;
    txn->memory = txn->memory - before + after;
    budget_resize(all->budget, BUDGET_UNFINISHED, before, after);
}

static void drop_chunk(Unfinished *all, UnfinishedTxn *txn, size_t index)
{
    Chunk *chunk = &txn->chunks[index];
    if (chunk->data != NULL) {
        count_memory(all, txn, memory_of(txn, index), 0);
        mem_free(chunk->data);
        chunk->data = NULL;
    } else {
        spill_free(&all->spill, chunk->slot);
    }
}

/* The next one is begun only when the last is full, or in the file. */
static void add_chunk(Unfinished *all, UnfinishedTxn *txn)
{
    if (txn->chunk_count == txn->chunk_capacity) {
        size_t before = txn->chunk_capacity * sizeof(Chunk);
        txn->chunk_capacity = txn->chunk_capacity > 0 ? txn->chunk_capacity * 2 : 4;
        count_index(all, before, txn->chunk_capacity * sizeof(Chunk));
        txn->chunks = mem_resize(txn->chunks, txn->chunk_capacity * sizeof(Chunk));
    }
    txn->chunks[txn->chunk_count++] = (Chunk){.data = mem_resize(NULL, FIRST_CHUNK_BYTES)};
    txn->tail_bytes = FIRST_CHUNK_BYTES;
    count_memory(all, txn, 0, FIRST_CHUNK_BYTES);
}

/* Room for at least one byte in the last chunk. */
static Chunk *writable_chunk(Unfinished *all, UnfinishedTxn *txn)
{
    if (txn->chunk_count == 0 || txn->chunks[txn->chunk_count - 1].data == NULL ||
        txn->chunks[txn->chunk_count - 1].used == SPILL_SLOT_BYTES)
        add_chunk(all, txn);
    Chunk *chunk = &txn->chunks[txn->chunk_count - 1];
    if (chunk->used < txn->tail_bytes)
        return chunk;
    size_t bytes = txn->tail_bytes * 2;
    chunk->data = mem_resize(chunk->data, bytes);
    count_memory(all, txn, txn->tail_bytes, bytes);
    txn->tail_bytes = bytes;
    return chunk;
}

static bool spill_txn(Unfinished *all, UnfinishedTxn *txn, Err *err)
{
    for (size_t i = txn->read_chunk; i < txn->chunk_count && txn->memory > 0; i++) {
        Chunk *chunk = &txn->chunks[i];
        if (chunk->data == NULL)
            continue;
        uint32_t slot = 0;
        if (!spill_write(&all->spill, chunk->data, chunk->used, &slot, err))
            return false;
        count_memory(all, txn, memory_of(txn, i), 0);
        mem_free(chunk->data);
        chunk->data = NULL;
        chunk->slot = slot;
    }
    return true;
}

/* What finds the messages is in memory beside them, and cannot go to the file. */
static size_t messages_limit(const Unfinished *all)
{
    size_t least = all->memory_limit / 4;
    return all->index + least < all->memory_limit ? all->memory_limit - all->index : least;
}

/* Down to half of the limit, so that this is seldom: those with a full chunk first, in turn. */
static bool make_room(Unfinished *all, Err *err)
{
    static const size_t AT_LEAST[] = {SPILL_SLOT_BYTES, 1};
    size_t half = messages_limit(all) / 2;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < all->count && all->memory > half; i++) {
            UnfinishedTxn *txn = all->all[all->turn++ % all->count];
            if (txn->memory >= AT_LEAST[pass] && !spill_txn(all, txn, err))
                return false;
        }
    }
    return true;
}

/* A message larger than all of the room goes there in pieces. */
static bool append_bytes(Unfinished *all, UnfinishedTxn *txn, const void *data, size_t bytes,
                         Err *err)
{
    const uint8_t *from = data;
    txn->bytes += bytes;
    while (bytes > 0) {
        Chunk *chunk = writable_chunk(all, txn);
        size_t room = txn->tail_bytes - chunk->used;
        size_t part = bytes < room ? bytes : room;
        memcpy(chunk->data + chunk->used, from, part);
        chunk->used += (uint32_t)part;
        from += part;
        bytes -= part;
        if (all->memory > messages_limit(all) && !make_room(all, err))
            return false;
    }
    return true;
}

/* --- subtransactions --- */

/* Where a subtransaction stands in `subs`, or would. Ids rise with time, around the end of 32 bits.
 */
static size_t place_of_sub(const UnfinishedTxn *txn, uint32_t xid)
{
    size_t low = 0;
    size_t high = txn->sub_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int32_t)(txn->subs[middle].xid - xid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool sub_is_at(const UnfinishedTxn *txn, size_t place, uint32_t xid)
{
    return place < txn->sub_count && txn->subs[place].xid == xid;
}

/* An outer subtransaction has its id before those below it, but may write after them: while it can
 * write, all younger ones are below it. So it begins where the first of them does. */
static void note_writer(Unfinished *all, UnfinishedTxn *txn, uint32_t subxid)
{
    if (subxid == txn->writing)
        return;
    txn->writing = subxid;
    size_t place = place_of_sub(txn, subxid);
    if (subxid == txn->xid || sub_is_at(txn, place, subxid))
        return;
    if (txn->sub_count == txn->sub_capacity) {
        size_t before = txn->sub_capacity * sizeof(SubStart);
        txn->sub_capacity = txn->sub_capacity > 0 ? txn->sub_capacity * 2 : 16;
        count_index(all, before, txn->sub_capacity * sizeof(SubStart));
        txn->subs = mem_resize(txn->subs, txn->sub_capacity * sizeof(SubStart));
    }
    uint64_t at = place < txn->sub_count ? txn->subs[place].at : txn->bytes;
    memmove(&txn->subs[place + 1], &txn->subs[place], (txn->sub_count - place) * sizeof(SubStart));
    txn->subs[place] = (SubStart){.xid = subxid, .at = at};
    txn->sub_count++;
}

static void cut(Unfinished *all, UnfinishedTxn *txn, uint64_t to)
{
    while (txn->bytes > to) {
        Chunk *last = &txn->chunks[txn->chunk_count - 1];
        uint64_t start = txn->bytes - last->used;
        if (start < to) {
            last->used = (uint32_t)(to - start);
            txn->bytes = to;
            return;
        }
        drop_chunk(all, txn, txn->chunk_count - 1);
        txn->chunk_count--;
        txn->tail_bytes = SPILL_SLOT_BYTES; /* in memory, only full ones stand before another */
        txn->bytes = start;
    }
}

void unfinished_abort_sub(Unfinished *all, UnfinishedTxn *txn, uint32_t subxid)
{
    size_t place = place_of_sub(txn, subxid);
    if (!sub_is_at(txn, place, subxid))
        return;
    cut(all, txn, txn->subs[place].at);
    txn->sub_count = place;
    txn->writing = txn->xid; /* whoever writes next is looked up */
}

/* --- messages --- */

bool unfinished_append(Unfinished *all, UnfinishedTxn *txn, uint32_t subxid,
                       const UnfinishedPiece *piece, Err *err)
{
    uint32_t bytes = (uint32_t)(piece->head_bytes + piece->rest_bytes);
    note_writer(all, txn, subxid);
    return append_bytes(all, txn, &bytes, sizeof(bytes), err) &&
           append_bytes(all, txn, piece->head, piece->head_bytes, err) &&
           append_bytes(all, txn, piece->rest, piece->rest_bytes, err);
}

static bool read_bytes(Unfinished *all, UnfinishedTxn *txn, void *data, size_t bytes, Err *err)
{
    uint8_t *to = data;
    while (bytes > 0) {
        Chunk *chunk = &txn->chunks[txn->read_chunk];
        const uint8_t *from = chunk->data;
        if (from == NULL && !txn->slot_is_read) {
            if (all->slot == NULL) {
                all->slot = mem_resize(NULL, SPILL_SLOT_BYTES);
                count_index(all, 0, SPILL_SLOT_BYTES);
            }
            if (!spill_read(&all->spill, chunk->slot, all->slot, chunk->used, err))
                return false;
            txn->slot_is_read = true;
        }
        from = from != NULL ? from : all->slot;
        size_t part = chunk->used - txn->read_at;
        part = bytes < part ? bytes : part;
        memcpy(to, from + txn->read_at, part);
        to += part;
        bytes -= part;
        txn->read_at += part;
        if (txn->read_at == chunk->used) {
            drop_chunk(all, txn, txn->read_chunk++);
            txn->read_at = 0;
            txn->slot_is_read = false;
        }
    }
    return true;
}

static bool nothing_left(const UnfinishedTxn *txn)
{
    return txn->read_chunk == txn->chunk_count && txn->next_bytes == 0;
}

bool unfinished_read(Unfinished *all, UnfinishedTxn *txn, BatchPool *pool, Batch **batch,
                     bool *done, Err *err)
{
    while (!nothing_left(txn)) {
        if (txn->next_bytes == 0 &&
            !read_bytes(all, txn, &txn->next_bytes, sizeof(txn->next_bytes), err))
            return false;
        if (*batch == NULL)
            *batch = batch_new(pool, txn->next_bytes);
        if (!batch_fits(*batch, txn->next_bytes))
            break;
        BatchRecord record = {.bytes = txn->next_bytes};
        txn->next_bytes = 0;
        if (!read_bytes(all, txn, batch_push(*batch, &record), record.bytes, err))
            return false;
    }
    *done = nothing_left(txn);
    return true;
}

/* --- the end --- */

static void destroy(Unfinished *all, UnfinishedTxn *txn)
{
    for (size_t i = txn->read_chunk; i < txn->chunk_count; i++)
        drop_chunk(all, txn, i);
    count_index(all, txn->chunk_capacity * sizeof(Chunk), 0);
    count_index(all, txn->sub_capacity * sizeof(SubStart), 0);
    count_index(all, sizeof(UnfinishedTxn), 0);
    mem_free(txn->chunks);
    mem_free(txn->subs);
    mem_free(txn);
}

void unfinished_end(Unfinished *all, UnfinishedTxn *txn)
{
    size_t at = lower_bound(all, txn->xid);
    destroy(all, txn);
    all->count--;
    memmove(&all->all[at], &all->all[at + 1], (all->count - at) * sizeof(UnfinishedTxn *));
}

void unfinished_reset(Unfinished *all)
{
    for (size_t i = 0; i < all->count; i++)
        destroy(all, all->all[i]);
    all->count = 0;
}

void unfinished_release(Unfinished *all)
{
    unfinished_reset(all);
    count_index(all, all->capacity * sizeof(UnfinishedTxn *), 0);
    count_index(all, all->slot != NULL ? SPILL_SLOT_BYTES : 0, 0);
    mem_free(all->all);
    mem_free(all->slot);
    spill_release(&all->spill);
    *all = (Unfinished){.spill = all->spill};
}
