/*
 * Queue: a bounded queue of pointers between threads; the bound may count items or bytes.
 *
 * Closing wakes everybody: putters are refused, takers get what is left, then NULL. The queue does
 * not own what it carries.
 */
#ifndef GODWIT_BASE_QUEUE_H
#define GODWIT_BASE_QUEUE_H

#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct QueueItem {
    void *item;
    size_t weight;
} QueueItem;

typedef struct Queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    QueueItem *ring;
    size_t capacity; /* slots in the ring */
    size_t head;
    size_t count;
    size_t weight;     /* of all items inside */
    size_t max_weight; /* an item heavier than this passes alone */
    bool closed;
} Queue;

/** \param capacity most items \param max_weight most weight (bytes, say) */
void queue_init(Queue *queue, size_t capacity, size_t max_weight);

/** Everything must have been taken or be owned elsewhere. */
void queue_release(Queue *queue);

/** Waits for room, at most timeout_ms (-1: for ever).
 * \return false if the queue is closed or no room came in time. */
MUSTCHECK bool queue_put(Queue *queue, void *item, size_t weight, int timeout_ms);

/** Waits for an item, at most timeout_ms (-1: for ever).
 * \return NULL when none came in time, or the queue is closed and empty (see queue_is_closed). */
void *queue_take(Queue *queue, int timeout_ms);

void queue_close(Queue *queue);
bool queue_is_closed(Queue *queue);
bool queue_is_empty(Queue *queue);

#endif
