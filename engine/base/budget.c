/*
 * Budget: the division, and counters.
 *
 * The constants are measured (docs/adr/0025). Those of the stream are parts of what is left: 1/4
 * queue, 1/16 group, 4/16 what applying a group takes, 1/4 unfinished transactions, 10/96 rows on
 * their way from one to the next; the rest, at least a MiB, are keys that moved.
 */
#include "base/budget.h"

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

#define KIB (UINT64_C(1024))
#define MIB (1024 * KIB)

/* What is not counted one by one. */
#define PROGRAM_BYTES  (18 * MIB)  /* code, libraries, allocator, threads that always run */
#define RELATION_BYTES (8 * KIB)   /* catalog, blueprint, steps, what the stream knows of it */
#define WORKER_BYTES   (512 * KIB) /* a thread and its two connections */
#define LANE_BYTES     (768 * KIB) /* a thread, its connection, its statements */
#define SPOOL_BYTES    (6 * MIB)   /* two zstd contexts */

/* What is. */
#define COPY_BYTES        (1536 * KIB) /* a piece, the same in libpq's buffer, a small row */
#define SPOOL_RELATION    (1 * KIB)    /* its message, at the beginning of a segment */
#define STREAM_LEAST      (24 * MIB)
#define QUEUE_MAX_BYTES   (64 * MIB)
#define GROUP_MAX_BYTES   (32 * MIB)
#define PIECES_MAX_BYTES  (64 * MIB)
#define TOUCHED_MAX_BYTES (64 * MIB)
#define ROW_MIN_BYTES     (272 * KIB) /* a usual block of messages is one of them */
#define ROW_MAX_BYTES     (8 * MIB)
#define APPLY_FACTOR      4  /* arrays as text with their quotes, and the same in libpq's buffer */
#define BATCH_ROWS        8  /* receiver, feeder, decoding 2, assembler 2, the group's last, 1 */
#define SPOOL_ROWS        2  /* one packed, one unpacked */
#define ROWS_OF_TEN_PARTS 96 /* all rows on their way are at most 10/96 of the stream's part */

static uint64_t fixed_bytes(const BudgetNeeds *needs)
{
    return PROGRAM_BYTES + needs->relations * RELATION_BYTES + needs->workers * WORKER_BYTES +
           (needs->lanes > 1 ? needs->lanes * LANE_BYTES : 0) + (needs->spool ? SPOOL_BYTES : 0);
}

/* What does not grow with the limit. */
static uint64_t counted_bytes(const BudgetNeeds *needs)
{
    return needs->copies * COPY_BYTES + (needs->spool ? needs->relations * SPOOL_RELATION : 0);
}

uint64_t budget_least(const BudgetNeeds *needs)
{
    uint64_t bytes = fixed_bytes(needs) + counted_bytes(needs) + STREAM_LEAST;
    return (bytes + MIB - 1) / MIB * MIB;
}

static uint64_t at_most(uint64_t bytes, uint64_t most)
{
    return bytes < most ? bytes : most;
}

static uint64_t row_bytes(uint64_t stream, const BudgetNeeds *needs)
{
    uint64_t rows = BATCH_ROWS + SPOOL_ROWS + needs->copies;
    uint64_t row = at_most(stream * 10 / (ROWS_OF_TEN_PARTS * rows), ROW_MAX_BYTES);
    return row > ROW_MIN_BYTES ? row : ROW_MIN_BYTES;
}

static void divide(Budget *budget, uint64_t stream, const BudgetNeeds *needs)
{
    uint64_t row = row_bytes(stream, needs);
    uint64_t queue = at_most(stream / 4, QUEUE_MAX_BYTES);
    uint64_t group = at_most(stream / 16, GROUP_MAX_BYTES);
    BudgetShare *shares = budget->shares;
    budget->row_bytes = (size_t)row;
    budget->queue_bytes = (size_t)queue;
    budget->group_bytes = (size_t)group;
    shares[BUDGET_BATCHES].limit = queue + group + BATCH_ROWS * row;
    shares[BUDGET_APPLY].limit = APPLY_FACTOR * group;
    shares[BUDGET_UNFINISHED].limit = at_most(stream / 4, PIECES_MAX_BYTES);
    uint64_t left = stream;
    for (size_t i = 0; i < BUDGET_USES; i++)
        left -= shares[i].limit;
    uint64_t copy_rows = needs->copies * (row - ROW_MIN_BYTES); /* the least is in COPY_BYTES */
    shares[BUDGET_COPY].limit = needs->copies * COPY_BYTES + copy_rows;
    shares[BUDGET_SPOOL].limit =
        needs->spool ? SPOOL_ROWS * row + needs->relations * SPOOL_RELATION : 0;
    left -= copy_rows + (needs->spool ? SPOOL_ROWS * row : 0);
    shares[BUDGET_TOUCHED].limit = at_most(left, TOUCHED_MAX_BYTES);
}

bool budget_begin(Budget *budget, uint64_t limit, const BudgetNeeds *needs)
{
    *budget = (Budget){.limit = limit, .least = budget_least(needs), .fixed = fixed_bytes(needs)};
    bool fits = limit >= budget->least;
    uint64_t divided = fits ? limit : budget->least;
    divide(budget, divided - budget->fixed - counted_bytes(needs), needs);
    return fits;
}

/* --- counting --- */

static void count(atomic_ullong *used, atomic_ullong *peak, size_t bytes)
{
    unsigned long long now = atomic_fetch_add(used, bytes) + bytes;
    unsigned long long most = atomic_load(peak);
    while (now > most && !atomic_compare_exchange_weak(peak, &most, now))
        ;
}

static bool is_beside(const Budget *budget, BudgetUse use, size_t bytes)
{
    if (use == BUDGET_APPLY) /* what a group can make of itself */
        return bytes > 2 * budget->group_bytes;
    bool rows = use == BUDGET_COPY || use == BUDGET_BATCHES || use == BUDGET_SPOOL;
    return rows && bytes > budget->row_bytes;
}

bool budget_is_beside(const Budget *budget, size_t bytes)
{
    return budget != NULL && bytes > budget->row_bytes;
}

void budget_resize(Budget *budget, BudgetUse use, size_t before, size_t after)
{
    if (budget == NULL)
        return;
    BudgetShare *share = &budget->shares[use];
    atomic_ullong *from = is_beside(budget, use, before) ? &budget->beside : &share->used;
    if (atomic_fetch_sub(from, before) < before)
        BUG("more memory of %s is given back than was taken", budget_use_name(use));
    if (is_beside(budget, use, after))
        count(&budget->beside, &budget->beside_peak, after);
    else
        count(&share->used, &share->peak, after);
}

/* --- telling --- */

void budget_tell_beside(const Budget *budget, const LogCtx *ctx, const char *table, size_t bytes)
{
    AUTO_ARENA Arena arena = {0};
    log_warn(
        ctx,
        "%s: a row of %s passes beside limits.memory, in which a row may have %s; it takes its "
        "size once for each place that it passes",
        table, units_size_text(&arena, bytes), units_size_text(&arena, budget->row_bytes));
}

const char *budget_use_name(BudgetUse use)
{
    static const char *const NAMES[BUDGET_USES] = {
        [BUDGET_COPY] = "copy",   [BUDGET_BATCHES] = "batches",
        [BUDGET_APPLY] = "apply", [BUDGET_UNFINISHED] = "unfinished",
        [BUDGET_SPOOL] = "spool", [BUDGET_TOUCHED] = "touched",
    };
    return NAMES[use];
}
