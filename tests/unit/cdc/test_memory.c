/*
 * What is counted of the stream: blocks of messages, also those that wait to be used again, and
 * transactions under way, also one message that is larger than all of their room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/unfinished.h"

#define BLOCKS 64

static uint64_t used(const Budget *budget, BudgetUse use)
{
    return atomic_load(&budget->shares[use].used);
}

static uint64_t peak(const Budget *budget, BudgetUse use)
{
    return atomic_load(&budget->shares[use].peak);
}

static void begin(Budget *budget)
{
    BudgetNeeds needs = {.workers = 6, .copies = 2, .lanes = 1};
    assert_true(budget_begin(budget, budget_least(&needs), &needs));
}

/* Free blocks make room for those of another size, so that both are within the share. */
static void test_blocks_that_wait_are_counted(void **state)
{
    (void)state;
    Budget budget;
    BatchPool pool;
    Batch *blocks[BLOCKS];
    begin(&budget);
    batch_pool_init(&pool);
    pool.budget = &budget;
    uint64_t limit = budget.shares[BUDGET_BATCHES].limit;
    size_t usual = limit / BATCH_BYTES < BLOCKS ? limit / BATCH_BYTES : BLOCKS;
    for (size_t i = 0; i < usual; i++)
        blocks[i] = batch_new(&pool, 100);
    for (size_t i = 0; i < usual; i++)
        batch_free(&pool, blocks[i]);
    assert_int_equal(used(&budget, BUDGET_BATCHES), usual * BATCH_BYTES);
    size_t odd = budget.row_bytes - 1024;
    size_t count = limit / (odd + 100);
    assert_true(odd > BATCH_BYTES && count > 10 && count <= BLOCKS);
    for (size_t i = 0; i < count; i++)
        blocks[i] = batch_new(&pool, odd);
    assert_true(peak(&budget, BUDGET_BATCHES) <= limit);
    Batch *large = batch_new(&pool, 2 * budget.row_bytes);
    assert_true(atomic_load(&budget.beside) > 2 * budget.row_bytes);
    batch_free(&pool, large);
    assert_int_equal(atomic_load(&budget.beside), 0);
    for (size_t i = 0; i < count; i++)
        batch_free(&pool, blocks[i]);
    batch_pool_release(&pool);
    assert_int_equal(used(&budget, BUDGET_BATCHES), 0);
}

static void test_a_message_larger_than_all_room(void **state)
{
    (void)state;
    Budget budget;
    Unfinished all;
    BatchPool pool;
    AUTO_ERR Err err = {0};
    begin(&budget);
    batch_pool_init(&pool);
    uint64_t limit = budget.shares[BUDGET_UNFINISHED].limit;
    unfinished_init(&all, (size_t)limit - UNFINISHED_STEP_BYTES, NULL);
    all.budget = &budget;
    size_t bytes = (size_t)limit * 3;
    char *data = mem_resize(NULL, bytes);
    memset(data, 'x', bytes);
    UnfinishedTxn *txn = unfinished_begin(&all, 7);
    UnfinishedPiece piece = {"I", 1, data, bytes};
    assert_true(unfinished_append(&all, txn, 7, &piece, &err));
    assert_true(unfinished_append(&all, txn, 7, &(UnfinishedPiece){"I", 1, "end", 3}, &err));
    assert_true(peak(&budget, BUDGET_UNFINISHED) <= limit);
    assert_true(spill_used(&all.spill) > 0);
    bool done = false;
    size_t messages = 0;
    while (!done) {
        Batch *batch = NULL;
        assert_true(unfinished_read(&all, txn, &pool, &batch, &done, &err));
        size_t at = 0;
        const char *payload = NULL;
        for (const BatchRecord *record = batch_next(batch, &at, &payload); record != NULL;
             record = batch_next(batch, &at, &payload)) {
            assert_int_equal(record->bytes, messages == 0 ? bytes + 1 : 4);
            assert_int_equal(memcmp(payload + 1, messages == 0 ? data : "end", record->bytes - 1),
                             0);
            messages++;
        }
        batch_free(&pool, batch);
    }
    assert_int_equal(messages, 2);
    unfinished_end(&all, txn);
    unfinished_release(&all);
    batch_pool_release(&pool);
    mem_free(data);
    assert_int_equal(used(&budget, BUDGET_UNFINISHED), 0);
}

/* Thousands at once, each with a little: what finds them is counted, and what they hold goes to the
 * file before both are more than the share. */
static void test_thousands_under_way(void **state)
{
    (void)state;
    Budget budget;
    Unfinished all;
    AUTO_ERR Err err = {0};
    char row[9000];
    begin(&budget);
    uint64_t limit = budget.shares[BUDGET_UNFINISHED].limit;
    unfinished_init(&all, (size_t)limit - UNFINISHED_STEP_BYTES, NULL);
    all.budget = &budget;
    memset(row, 'x', sizeof(row));
    UnfinishedPiece piece = {"I", 1, row, sizeof(row)};
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t xid = 1000; xid < 7000; xid++) {
            UnfinishedTxn *txn =
                round == 0 ? unfinished_begin(&all, xid) : unfinished_find(&all, xid);
            assert_true(unfinished_append(&all, txn, xid + round, &piece, &err));
        }
    }
    assert_true(all.index > 6000 * 100);
    assert_true(peak(&budget, BUDGET_UNFINISHED) <= limit);
    unfinished_release(&all);
    assert_int_equal(used(&budget, BUDGET_UNFINISHED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_that_wait_are_counted),
        cmocka_unit_test(test_a_message_larger_than_all_room),
        cmocka_unit_test(test_thousands_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
