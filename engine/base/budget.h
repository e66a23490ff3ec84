/*
 * Budget: what limits.memory is made of. At the start the limit is divided into shares whose sum is
 * at most the limit; what is taken of a share is counted, with its peak. What has no place in a
 * share is a row that is larger than a row's share: it passes alone and is counted beside.
 *
 *     if (!budget_begin(&budget, limit, &needs)) ...   // budget.least says what it would take
 *     budget_resize(&budget, BUDGET_BATCHES, 0, bytes); ... budget_resize(.., bytes, 0);
 *
 * Counting refuses nothing: who takes keeps to the sizes that stand in the budget (a queue of
 * queue_bytes, groups of group_bytes, ...). Whether they do is what the peaks prove.
 */
#ifndef GODWIT_BASE_BUDGET_H
#define GODWIT_BASE_BUDGET_H

#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef enum BudgetUse {
    BUDGET_COPY,       /* pieces of rows on their way through the copy's workers */
    BUDGET_BATCHES,    /* messages: arriving, queued, in the group that is applied, free blocks */
    BUDGET_APPLY,      /* what is made of a group's changes: folds, arrays, statements */
    BUDGET_UNFINISHED, /* transactions under way, and what is read back of them */
    BUDGET_SPOOL,      /* frames being packed and unpacked */
    BUDGET_TOUCHED,    /* keys that moved, for the next verification */
    BUDGET_USES
} BudgetUse;

/* What a plan has the engine do at the same time. */
typedef struct BudgetNeeds {
    uint32_t workers; /* of all steps */
    uint32_t copies;  /* of them, at most so many copy */
    uint32_t lanes;
    bool spool;
    size_t relations; /* leaves that are known by their catalogs; 0: not known yet */
} BudgetNeeds;

typedef struct BudgetShare {
    uint64_t limit;
    atomic_ullong used;
    atomic_ullong peak;
} BudgetShare;

typedef struct Budget {
    uint64_t limit;
    uint64_t least; /* below it these needs have no room */
    uint64_t fixed; /* program, catalogs, connections, threads: not counted one by one */
    BudgetShare shares[BUDGET_USES];
    size_t queue_bytes; /* of BUDGET_BATCHES: what the queue may hold */
    size_t group_bytes; /* the same for a group; applying it takes BUDGET_APPLY */
    size_t row_bytes;   /* a message of more is beside all shares */
    atomic_ullong beside;
    atomic_ullong beside_peak;
} Budget;

/** The smallest limit that has room for these needs. */
uint64_t budget_least(const BudgetNeeds *needs);

/** Divides the limit. \return false when it is below budget->least; it is divided as that one then.
 */
bool budget_begin(Budget *budget, uint64_t limit, const BudgetNeeds *needs);

/** What was taken as `before` is now `after` bytes; 0: nothing. A block of rows (copy,
 * batches, spool) of more than row_bytes is counted beside the shares. A NULL budget counts
 * nothing. */
void budget_resize(Budget *budget, BudgetUse use, size_t before, size_t after);

/** Whether a row of so many bytes is one that has no place in a share. */
bool budget_is_beside(const Budget *budget, size_t bytes);

/** Tells, once for a table, that rows of it pass beside the shares. */
void budget_tell_beside(const Budget *budget, const LogCtx *ctx, const char *table, size_t bytes);

/** A word for a use. */
const char *budget_use_name(BudgetUse use);

#endif
