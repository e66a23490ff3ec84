/*
 * Slowly: all rows of a relation under a limit of rows a second, where no index gives them range by
 * range. Both sides are read through a cursor, page by page at the same pace, and the sums are made
 * here. The source keeps one snapshot meanwhile, as it does for one statement, for longer.
 */
#include "verify/verify_internal.h"

#define PAGES_A_SECOND 4
#define PAGE_LEAST     100
#define PAGE_MOST      5000

typedef struct RangeSum {
    int64_t rows;
    uint64_t sum;
} RangeSum;

static int64_t page_rows(const Throttle *throttle)
{
    int64_t rows = throttle->per_second / PAGES_A_SECOND;
    if (rows < PAGE_LEAST)
        return PAGE_LEAST;
    return rows > PAGE_MOST ? PAGE_MOST : rows;
}

static void add_up(const Rows *rows, RangeSum *sums, int64_t *total)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        RangeSum *sum = &sums[rows_int64(rows, r, 0)];
        sum->rows++;
        sum->sum += (uint64_t)rows_int64(rows, r, 1);
        (*total)++;
    }
}

static bool read_pages(Reading *reading, RangeSum *source, RangeSum *target, Err *err)
{
    const VerifySpec *spec = reading->spec;
    const Stop *stop = conn_stop(spec->source);
    int64_t page = page_rows(spec->throttle);
    AUTO_STR Str fetch = {0};
    str_appendf(&fetch, "FETCH %d FROM godwit_hashes", (int)page);
    for (;;) {
        AUTO_PAIR Pair pair = {0};
        if (!throttle_wait(spec->throttle, stop, page))
            return stop_error(stop, err);
        if (!pair_rows(spec, (Statement){fetch.data, fetch.data}, NO_PARAMS, &pair, err))
            return false;
        add_up(pair.source, source, &reading->result->source_rows);
        add_up(pair.target, target, &reading->result->target_rows);
        if ((int64_t)rows_count(pair.source) < page && (int64_t)rows_count(pair.target) < page)
            return true;
    }
}

static bool read_all(Arena *arena, Reading *reading, const Ranges *part, RangeSum *source,
                     RangeSum *target, Err *err)
{
    const VerifySpec *spec = reading->spec;
    const char *begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
    bool ok = pair_none(spec, (Statement){begin, begin}, NO_PARAMS, err) &&
              pair_none(spec, statement_hashes(arena, reading),
                        reading->counts_only ? NO_PARAMS : PARAMS(part->ends_array), err) &&
              read_pages(reading, source, target, err);
    pg_rollback(spec->source);
    pg_rollback(spec->target);
    return ok;
}

bool ranges_read_slowly(Arena *arena, Reading *reading, Ranges *part, Err *err)
{
    RangeSum *source = arena_array(arena, RangeSum, part->count);
    RangeSum *target = arena_array(arena, RangeSum, part->count);
    if (!read_all(arena, reading, part, source, target, err))
        return false;
    for (size_t i = 0; i < part->count; i++) {
        if (source[i].rows != target[i].rows || source[i].sum != target[i].sum)
            *vec_push(arena, &part->differing) = (int)i;
    }
    return true;
}
