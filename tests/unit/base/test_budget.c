/*
 * The budget: its shares are never more than the limit, whatever the plan; a limit that is too
 * small says what it takes; what is counted comes back to nothing, and a large row is beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/budget.h"

#define MIB (UINT64_C(1024) * 1024)

static uint64_t sum(const Budget *budget)
{
    uint64_t bytes = budget->fixed;
    for (size_t i = 0; i < BUDGET_USES; i++)
        bytes += budget->shares[i].limit;
    return bytes;
}

static void check(uint64_t limit, const BudgetNeeds *needs)
{
    Budget budget;
    bool fits = budget_begin(&budget, limit, needs);
    assert_int_equal(budget.least, budget_least(needs));
    assert_int_equal(fits, limit >= budget.least);
    assert_true(sum(&budget) <= (fits ? limit : budget.least));
    assert_true(budget.row_bytes >= 272 * 1024 && budget.row_bytes < budget.group_bytes);
    assert_true(budget.group_bytes < budget.queue_bytes);
    assert_true(budget.shares[BUDGET_TOUCHED].limit > MIB);
    assert_true(budget.shares[BUDGET_UNFINISHED].limit > MIB);
    assert_true(budget.shares[BUDGET_COPY].limit >=
                needs->copies * (1264 * 1024 + budget.row_bytes));
}

static void test_shares_are_within_the_limit(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {1, 2, 4, 7, 16, 64};
    static const size_t RELATIONS[] = {0, 1, 100, 10000, 100000};
    static const uint64_t LIMITS[] = {64, 65, 100, 128, 256, 300, 512, 1000, 2048, 65536, 1000000};
    for (size_t c = 0; c < 6; c++) {
        for (size_t l = 0; l < 6; l++) {
            for (size_t r = 0; r < 5; r++) {
                for (int spool = 0; spool < 2; spool++) {
                    BudgetNeeds needs = {.workers = COUNTS[c] + 4,
                                         .copies = COUNTS[c],
                                         .lanes = COUNTS[l],
                                         .spool = spool == 1,
                                         .relations = RELATIONS[r]};
                    for (size_t i = 0; i < 11; i++)
                        check(LIMITS[i] * MIB, &needs);
                    check(budget_least(&needs), &needs);
                    check(budget_least(&needs) - 1, &needs);
                }
            }
        }
    }
}

static void test_what_a_plan_takes_at_least(void **state)
{
    (void)state;
    BudgetNeeds usual = {.workers = 10, .copies = 4, .lanes = 1, .spool = true, .relations = 100};
    assert_true(budget_least(&usual) <= 64 * MIB); /* the least that a plan may say */
    BudgetNeeds many = usual;
    many.lanes = 64;
    assert_true(budget_least(&many) > budget_least(&usual) + 40 * MIB);
    many.lanes = 1;
    many.relations = 100000;
    assert_true(budget_least(&many) < 1024 * MIB);
}

static void test_counting(void **state)
{
    (void)state;
    Budget budget;
    BudgetNeeds needs = {.workers = 6, .copies = 2, .lanes = 1};
    assert_true(budget_begin(&budget, 128 * MIB, &needs));
    const BudgetShare *batches = &budget.shares[BUDGET_BATCHES];
    budget_resize(&budget, BUDGET_BATCHES, 0, 1000);
    budget_resize(&budget, BUDGET_BATCHES, 1000, 5000);
    assert_int_equal(batches->used, 5000);
    size_t large = budget.row_bytes + 1;
    assert_true(budget_is_beside(&budget, large));
    budget_resize(&budget, BUDGET_BATCHES, 5000, large); /* it grew out of its share */
    assert_int_equal(batches->used, 0);
    assert_int_equal(budget.beside, large);
    budget_resize(&budget, BUDGET_BATCHES, large, 0);
    assert_int_equal(budget.beside, 0);
    assert_int_equal(budget.beside_peak, large);
    assert_true(batches->peak >= 5000 && batches->peak <= 6000);
    /* Only rows are let by: the rest has to be within its share. */
    budget_resize(&budget, BUDGET_UNFINISHED, 0, 100 * MIB);
    assert_int_equal(budget.beside, 0);
    assert_true(budget.shares[BUDGET_UNFINISHED].peak > budget.shares[BUDGET_UNFINISHED].limit);
    budget_resize(NULL, BUDGET_COPY, 0, 1); /* nobody counts */
    assert_string_equal(budget_use_name(BUDGET_UNFINISHED), "unfinished");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_are_within_the_limit),
        cmocka_unit_test(test_what_a_plan_takes_at_least),
        cmocka_unit_test(test_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
