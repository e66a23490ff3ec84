/*
 * Batch: raw messages of the stream on their way from the receiver to the lane, many to a block.
 * The receiver appends, the lane reads; a batch belongs to one of them at a time.
 */
#ifndef GODWIT_CDC_BATCH_H
#define GODWIT_CDC_BATCH_H

#include "base/budget.h"
#include "base/lsn.h"

#include <pthread.h>

typedef struct Batch Batch;

struct Batch {
    Batch *next; /* in the group or pool that holds it */
    size_t capacity;
    size_t used;
    char *data;
};

/* One message in a batch; its payload follows. */
typedef struct BatchRecord {
    Lsn wal_end;
    uint32_t bytes;
    bool keepalive;
} BatchRecord;

/* Blocks that wait to be used again, for both threads. */
typedef struct BatchPool {
    pthread_mutex_t mutex;
    Batch *free;
    size_t free_count;
    Budget *budget; /* counts what is here and what was given out; NULL: nobody counts */
} BatchPool;

/* A usual block; a message that is larger gets one of its own. */
#define BATCH_BYTES ((size_t)256 * 1024)

void batch_pool_init(BatchPool *pool);
void batch_pool_release(BatchPool *pool);

/** What a record takes in a block, for a payload of this size. */
size_t batch_record_bytes(size_t payload_bytes);

/** An empty block with room for a payload of this size. */
Batch *batch_new(BatchPool *pool, size_t payload_bytes);

/** An empty block of at least this capacity. */
Batch *batch_new_sized(BatchPool *pool, size_t capacity);
void batch_free(BatchPool *pool, Batch *batch);

/** Whether a payload of this size still fits. */
bool batch_fits(const Batch *batch, size_t payload_bytes);

/** Makes the block larger until a payload of this size fits. */
void batch_make_room(BatchPool *pool, Batch *batch, size_t payload_bytes);

/** Appends; it must fit. */
void batch_append(Batch *batch, const BatchRecord *record, const void *payload);

/** The same without the payload yet. \return where its bytes are to be written */
char *batch_push(Batch *batch, const BatchRecord *record);

/** Reads the record at *at and moves *at behind it. \return NULL at the end. */
const BatchRecord *batch_next(const Batch *batch, size_t *at, const char **payload);

#endif
