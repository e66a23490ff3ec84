/*
 * Batch: records of a header and a padded payload in one block of memory.
 */
#include "cdc/batch.h"

#define POOL_MAX_BLOCKS 64
#define RECORD_ALIGN    ((size_t)8)

void batch_pool_init(BatchPool *pool)
{
    *pool = (BatchPool){0};
    pthread_mutex_init(&pool->mutex, NULL);
}

static void destroy(BatchPool *pool, Batch *batch)
{
    budget_resize(pool->budget, BUDGET_BATCHES, batch->capacity, 0);
    mem_free(batch->data);
    mem_free(batch);
}

void batch_pool_release(BatchPool *pool)
{
    while (pool->free != NULL) {
        Batch *batch = pool->free;
        pool->free = batch->next;
        destroy(pool, batch);
    }
    pthread_mutex_destroy(&pool->mutex);
}

size_t batch_record_bytes(size_t payload_bytes)
{
    return sizeof(BatchRecord) + (payload_bytes + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* Blocks of an unusual size come beside those that wait: these are given back first. */
static void make_place(BatchPool *pool, size_t bytes)
{
    if (pool->budget == NULL || budget_is_beside(pool->budget, bytes))
        return;
    const BudgetShare *share = &pool->budget->shares[BUDGET_BATCHES];
    pthread_mutex_lock(&pool->mutex);
    while (pool->free != NULL && atomic_load(&share->used) + bytes > share->limit) {
        Batch *batch = pool->free;
        pool->free = batch->next;
        pool->free_count--;
        destroy(pool, batch);
    }
    pthread_mutex_unlock(&pool->mutex);
}

Batch *batch_new_sized(BatchPool *pool, size_t need)
{
    pthread_mutex_lock(&pool->mutex);
    Batch *batch = need <= BATCH_BYTES ? pool->free : NULL;
    if (batch != NULL) {
        pool->free = batch->next;
        pool->free_count--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (batch == NULL) {
        batch = mem_resize(NULL, sizeof(Batch));
        batch->capacity = need > BATCH_BYTES ? need : BATCH_BYTES;
        make_place(pool, batch->capacity);
        budget_resize(pool->budget, BUDGET_BATCHES, 0, batch->capacity);
        batch->data = mem_resize(NULL, batch->capacity);
    }
    batch->next = NULL;
    batch->used = 0;
    return batch;
}

Batch *batch_new(BatchPool *pool, size_t payload_bytes)
{
    return batch_new_sized(pool, batch_record_bytes(payload_bytes));
}

void batch_free(BatchPool *pool, Batch *batch)
{
    pthread_mutex_lock(&pool->mutex);
    bool keep = batch->capacity == BATCH_BYTES && pool->free_count < POOL_MAX_BLOCKS;
    if (keep) {
        batch->next = pool->free;
        pool->free = batch;
        pool->free_count++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!keep)
        destroy(pool, batch);
}

bool batch_fits(const Batch *batch, size_t payload_bytes)
{
    return batch->capacity - batch->used >= batch_record_bytes(payload_bytes);
}

void batch_make_room(BatchPool *pool, Batch *batch, size_t payload_bytes)
{
    if (batch_fits(batch, payload_bytes))
        return;
    size_t before = batch->capacity;
    batch->capacity = batch->capacity * 2 + batch_record_bytes(payload_bytes);
    budget_resize(pool->budget, BUDGET_BATCHES, before, batch->capacity);
    batch->data = mem_resize(batch->data, batch->capacity);
}

char *batch_push(Batch *batch, const BatchRecord *record)
{
    char *at = batch->data + batch->used;
    memcpy(at, record, sizeof(*record));
    batch->used += batch_record_bytes(record->bytes);
    return at + sizeof(*record);
}

void batch_append(Batch *batch, const BatchRecord *record, const void *payload)
{
    char *at = batch_push(batch, record);
    if (record->bytes > 0)
        memcpy(at, payload, record->bytes);
}

const BatchRecord *batch_next(const Batch *batch, size_t *at, const char **payload)
{
    if (*at >= batch->used)
        return NULL;
    const void *start = batch->data + *at;
    const BatchRecord *record = start;
    *payload = batch->data + *at + sizeof(*record);
    *at += batch_record_bytes(record->bytes);
    return record;
}
