/*
 * Queue: order, both bounds, closing, timeouts, and many threads at once.
 */
#include "base/queue.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PRODUCERS 4
#define CONSUMERS 3
#define EACH      5000

static void items_come_out_in_order(void **state)
{
    (void)state;
    int items[3] = {0, 1, 2};
    Queue queue;
    queue_init(&queue, 3, 1000);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(queue_put(&queue, &items[i], 1, 0));
        assert_false(queue_put(&queue, &items[0], 1, 0));
        for (int i = 0; i < 3; i++)
            assert_ptr_equal(queue_take(&queue, 0), &items[i]);
        assert_null(queue_take(&queue, 0));
    }
    queue_release(&queue);
}

static void weight_bounds_and_a_heavy_item_passes_alone(void **state)
{
    (void)state;
    int item = 0;
    Queue queue;
    queue_init(&queue, 10, 100);
    assert_true(queue_put(&queue, &item, 60, 0));
    assert_false(queue_put(&queue, &item, 60, 0));
    assert_true(queue_put(&queue, &item, 40, 0));
    assert_false(queue_put(&queue, &item, 1, 0));
    assert_non_null(queue_take(&queue, 0));
    assert_non_null(queue_take(&queue, 0));
    assert_true(queue_is_empty(&queue));
    assert_true(queue_put(&queue, &item, 5000, 0));
    assert_false(queue_put(&queue, &item, 0, 0));
    assert_non_null(queue_take(&queue, 0));
    queue_release(&queue);
}

static void waiting_ends_with_the_timeout(void **state)
{
    (void)state;
    Queue queue;
    queue_init(&queue, 1, 1);
    int64_t began_ms = clock_ms();
    assert_null(queue_take(&queue, 60));
    int64_t took_ms = clock_ms() - began_ms;
    assert_in_range(took_ms, 55, 5000);
    assert_false(queue_is_closed(&queue));
    queue_release(&queue);
}

static void a_closed_queue_gives_what_is_left(void **state)
{
    (void)state;
    int item = 0;
    Queue queue;
    queue_init(&queue, 4, 4);
    assert_true(queue_put(&queue, &item, 1, -1));
    queue_close(&queue);
    assert_true(queue_is_closed(&queue));
    assert_false(queue_put(&queue, &item, 1, -1));
    assert_ptr_equal(queue_take(&queue, -1), &item);
    assert_null(queue_take(&queue, -1));
    queue_release(&queue);
}

static void *wait_for_item(void *data)
{
    return queue_take(data, -1);
}

static void closing_wakes_a_waiting_taker(void **state)
{
    (void)state;
    Queue queue;
    queue_init(&queue, 1, 1);
    pthread_t taker;
    assert_int_equal(pthread_create(&taker, NULL, wait_for_item, &queue), 0);
    queue_close(&queue);
    void *taken = &queue;
    assert_int_equal(pthread_join(taker, &taken), 0);
    assert_null(taken);
    queue_release(&queue);
}

static Queue shared;
static int numbers[EACH];
static atomic_long taken_sum;

static void *produce(void *data)
{
    (void)data;
    for (int i = 0; i < EACH; i++) {
        if (!queue_put(&shared, &numbers[i], 1, -1))
            return &shared;
    }
    return NULL;
}

static void *consume(void *data)
{
    (void)data;
    for (const int *item; (item = queue_take(&shared, -1)) != NULL;)
        atomic_fetch_add(&taken_sum, *item);
    return NULL;
}

static void nothing_is_lost_or_taken_twice_between_threads(void **state)
{
    (void)state;
    pthread_t producers[PRODUCERS];
    pthread_t consumers[CONSUMERS];
    queue_init(&shared, 16, 7);
    for (int i = 0; i < EACH; i++)
        numbers[i] = i + 1;
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, NULL), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, NULL), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        void *failed = NULL;
        pthread_join(producers[i], &failed);
        assert_null(failed);
    }
    queue_close(&shared);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    assert_int_equal(atomic_load(&taken_sum), (long)PRODUCERS * EACH * (EACH + 1) / 2);
    queue_release(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(weight_bounds_and_a_heavy_item_passes_alone),
        cmocka_unit_test(waiting_ends_with_the_timeout),
        cmocka_unit_test(a_closed_queue_gives_what_is_left),
        cmocka_unit_test(closing_wakes_a_waiting_taker),
        cmocka_unit_test(nothing_is_lost_or_taken_twice_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
