/*
 * Ranges: the relation cut into pieces of some ten thousand rows by its key, and which of them
 * differ. One pass over each side computes all of them: an order-free sum per range, so that memory
 * depends on the number of ranges only.
 */
#include "base/units.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

#define SAMPLE_ALL_ROWS     200000.0 /* up to here every key is looked at */
#define SAMPLE_PERCENT      2.0
#define SAMPLE_MAX_ROWS     1000000.0
#define ROW_BYTES_GUESS     64.0 /* a relation that was never analyzed */
#define RANGES_SAMPLED_MOST (4 * (size_t)VERIFY_MAX_RANGES)

static double rows_estimate(const Relation *relation)
{
    double rows = 0;
    for (size_t i = 0; i < relation->leaf_count; i++) {
        const Leaf *leaf = relation->leaves[i];
        rows +=
            leaf->rows_estimate > 0 ? leaf->rows_estimate : (double)leaf->bytes / ROW_BYTES_GUESS;
    }
    return rows;
}

static size_t ranges_wanted(double rows)
{
    double count = rows / VERIFY_RANGE_ROWS;
    if (count < 1)
        return 1;
    return count > VERIFY_MAX_RANGES ? VERIFY_MAX_RANGES : (size_t)count;
}

typedef VEC(const char *) EndVec;

/* Hashes are spread evenly: so are the ranges. */
static void ends_of_hashes(Arena *arena, size_t count, EndVec *ends)
{
    uint64_t step = UINT64_MAX / count;
    for (size_t i = 1; i < count; i++) {
        int64_t end = (int64_t)((uint64_t)INT64_MIN + step * i);
        *vec_push(arena, ends) = arena_printf(arena, "%" PRId64, end);
    }
}

static bool ends_of_keys(Arena *arena, const Reading *reading, double rows, size_t count,
                         EndVec *ends, Err *err)
{
    double percent = 100;
    if (rows > SAMPLE_ALL_ROWS)
        percent = SAMPLE_PERCENT < 100 * SAMPLE_MAX_ROWS / rows ? SAMPLE_PERCENT
                                                                : 100 * SAMPLE_MAX_ROWS / rows;
    double step = rows * percent / 100 / (double)count;
    const char *step_text = arena_printf(arena, "%.0f", step < 1 ? 1 : step);
    AUTO_ROWS Rows *sample = NULL;
    if (!pg_rows(reading->spec->source, statement_sample(arena, reading, percent),
                 PARAMS(step_text), &sample, err))
        return false;
    size_t stride = rows_count(sample) / RANGES_SAMPLED_MOST + 1;
    for (size_t r = 0; r < rows_count(sample); r += stride) {
        const char *end = rows_text(sample, r, 0);
        if (ends->count == 0 || strcmp(ends->items[ends->count - 1], end) != 0)
            *vec_push(arena, ends) = arena_strdup(arena, end);
    }
    return true;
}

/* A leading column of few values (a tenant, a device) makes few, large ranges: then the whole key's
 * text is better. */
static bool ends_sampled(Arena *arena, Reading *reading, double rows, size_t count, EndVec *ends,
                         Err *err)
{
    if (!ends_of_keys(arena, reading, rows, count, ends, err))
        return false;
    if (reading->ranged != BY_COLUMN || reading->key->count == 1 || ends->count * 2 >= count)
        return true;
    reading_range_by_text(reading);
    *ends = (EndVec){0};
    if (reading->ranged != BY_HASH)
        return ends_of_keys(arena, reading, rows, count, ends, err);
    ends_of_hashes(arena, count, ends);
    return true;
}

static bool ranges_lay_out(Arena *arena, Reading *reading, Ranges *ranges, Err *err)
{
    double rows = rows_estimate(reading->spec->relation);
    size_t count = ranges_wanted(rows);
    EndVec ends = {0};
    if (count > 1) {
        if (reading->ranged == BY_HASH)
            ends_of_hashes(arena, count, &ends);
        else if (!ends_sampled(arena, reading, rows, count, &ends, err))
            return false;
    }
    AUTO_STR Str array = {0};
    for (size_t i = 0; i < ends.count; i++)
        array_append(&array, ends.items[i]);
    array_end(&array);
    *ranges =
        (Ranges){.ends_array = str_dup(arena, &array), .ends = ends.items, .count = ends.count + 1};
    return true;
}

/* Both answers are in the order of ranges; a range without rows is absent. */
static void ranges_diff(Arena *arena, const Pair *pair, Ranges *ranges, VerifyResult *result)
{
    size_t s = 0;
    size_t t = 0;
    size_t source_count = rows_count(pair->source);
    size_t target_count = rows_count(pair->target);
    while (s < source_count || t < target_count) {
        int64_t source_range = s < source_count ? rows_int64(pair->source, s, 0) : INT64_MAX;
        int64_t target_range = t < target_count ? rows_int64(pair->target, t, 0) : INT64_MAX;
        bool same = source_range == target_range &&
                    strcmp(rows_text(pair->source, s, 1), rows_text(pair->target, t, 1)) == 0 &&
                    strcmp(rows_text(pair->source, s, 2), rows_text(pair->target, t, 2)) == 0;
        int64_t range = source_range < target_range ? source_range : target_range;
        if (!same)
            *vec_push(arena, &ranges->differing) = (int)range;
        if (source_range == range)
            result->source_rows += rows_int64(pair->source, s++, 1);
        if (target_range == range)
            result->target_rows += rows_int64(pair->target, t++, 1);
    }
}

bool ranges_compare(Arena *arena, Reading *reading, Ranges *ranges, Err *err)
{
    AUTO_PAIR Pair pair = {0};
    if (!ranges_lay_out(arena, reading, ranges, err) ||
        !pair_rows(reading->spec, statement_ranges(arena, reading), PARAMS(ranges->ends_array),
                   &pair, err))
        return false;
    ranges_diff(arena, &pair, ranges, reading->result);
    log_debug(conn_log(reading->spec->source), "verify: %zu of %zu ranges differ",
              ranges->differing.count, ranges->count);
    return true;
}
