/*
 * Queue: a ring under one mutex with one condition variable on the monotonic clock.
 */
#include "base/queue.h"

#include "base/clock.h"

#include <errno.h>

void queue_init(Queue *queue, size_t capacity, size_t max_weight)
{
    *queue = (Queue){.capacity = capacity, .max_weight = max_weight};
    queue->ring = mem_resize(NULL, capacity * sizeof(QueueItem));
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void queue_release(Queue *queue)
{
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    mem_free(queue->ring);
    queue->ring = NULL;
}

static struct timespec deadline_after(int timeout_ms)
{
    int64_t at_us = clock_us() + (int64_t)timeout_ms * 1000;
    return (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
}

/* One wait under the mutex; false once the deadline has passed. */
static bool wait_changed(Queue *queue, int timeout_ms, const struct timespec *deadline)
{
    if (timeout_ms < 0)
        return pthread_cond_wait(&queue->changed, &queue->mutex) == 0;
    return pthread_cond_timedwait(&queue->changed, &queue->mutex, deadline) != ETIMEDOUT;
}

static bool has_room(const Queue *queue, size_t weight)
{
    if (queue->count == 0)
        return true;
    return queue->count < queue->capacity && queue->weight + weight <= queue->max_weight;
}

bool queue_put(Queue *queue, void *item, size_t weight, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
    pthread_mutex_lock(&queue->mutex);
    bool waiting = true;
    while (!queue->closed && !has_room(queue, weight) && waiting)
        waiting = wait_changed(queue, timeout_ms, &deadline);
    bool ok = !queue->closed && has_room(queue, weight);
    if (ok) {
        size_t tail = (queue->head + queue->count) % queue->capacity;
        queue->ring[tail] = (QueueItem){.item = item, .weight = weight};
        queue->count++;
        queue->weight += weight;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    return ok;
}

void *queue_take(Queue *queue, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
    pthread_mutex_lock(&queue->mutex);
    bool waiting = true;
    while (queue->count == 0 && !queue->closed && waiting)
        waiting = wait_changed(queue, timeout_ms, &deadline);
    void *item = NULL;
    if (queue->count > 0) {
        item = queue->ring[queue->head].item;
        queue->weight -= queue->ring[queue->head].weight;
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(Queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_is_closed(Queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool closed = queue->closed;
    pthread_mutex_unlock(&queue->mutex);
    return closed;
}

bool queue_is_empty(Queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool empty = queue->count == 0;
    pthread_mutex_unlock(&queue->mutex);
    return empty;
}
