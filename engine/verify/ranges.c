/*
 * Ranges: the relation cut into pieces of some ten thousand rows by its key, and which of them
 * differ. One pass over each side computes all ranges of a part: an order-free sum per range, so
 * that memory depends on the number of ranges only.
 *
 * Parts are what a verification is interrupted and throttled between. There are several only where
 * an index gives their rows without reading the others': by the key's first column, when rows lie
 * in its order. Where they do not, each part would read nearly the whole table.
 */
#include "base/units.h"
#include "sql_text.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

#define SAMPLE_ALL_ROWS     200000.0 /* up to here every key is looked at */
#define SAMPLE_PERCENT      2.0
#define SAMPLE_MAX_ROWS     1000000.0
#define ROW_BYTES_GUESS     64.0 /* a relation that was never analyzed */
#define RANGES_SAMPLED_MOST (4 * (size_t)VERIFY_MAX_RANGES)
#define PART_RANGES_LEAST   4
#define PARTS_MOST          64
#define CORRELATION_LEAST   0.9
#define UUID_OID            2950 /* nobody knows that they come in order */

double rows_estimate(const Relation *relation)
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
    const Stop *stop = conn_stop(reading->spec->source);
    if (!throttle_wait(reading->spec->throttle, stop, (int64_t)(rows * percent / 100)))
        return stop_error(stop, err);
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

void leaf_names(const Relation *relation, Str *schemas, Str *rels)
{
    for (const Relation *one = relation; one != NULL; one = one->merge_next) {
        for (size_t i = 0; i < one->leaf_count; i++) {
            array_append(schemas, one->leaves[i]->source.schema);
            array_append(rels, one->leaves[i]->source.rel);
        }
    }
    array_end(schemas);
    array_end(rels);
}

static bool lies_in_order(const Reading *reading, bool *in_order, Err *err)
{
    AUTO_STR Str schemas = {0};
    AUTO_STR Str rels = {0};
    AUTO_ROWS Rows *rows = NULL;
    *in_order = false;
    if (reading->range_type->type_oid == UUID_OID)
        return true;
    leaf_names(reading->spec->relation, &schemas, &rels);
    if (!pg_one(reading->spec->source, SQL_VERIFY_CORRELATION,
                PARAMS(schemas.data, rels.data, reading_key_column(reading, 0)->name), &rows, err))
        return false;
    *in_order = rows_text(rows, 0, 0) == NULL || rows_double(rows, 0, 0) >= CORRELATION_LEAST;
    return true;
}

/* How many ranges make one part. */
static bool part_size(const Reading *reading, size_t ranges, size_t *size, Err *err)
{
    const VerifySpec *spec = reading->spec;
    bool throttled = throttle_limits(spec->throttle);
    bool in_order = false;
    *size = ranges;
    if (reading->ranged != BY_COLUMN || ranges == 1 || (spec->notes == NULL && !throttled))
        return true;
    if (!lies_in_order(reading, &in_order, err))
        return false;
    if (!in_order)
        return true;
    *size = (ranges + PARTS_MOST - 1) / PARTS_MOST;
    if (*size < PART_RANGES_LEAST)
        *size = PART_RANGES_LEAST;
    if (throttled)
        *size = 1;
    return true;
}

static void part_fill(Arena *arena, Ranges *part, const EndVec *ends, size_t first, size_t last)
{
    AUTO_STR Str array = {0};
    for (size_t i = first; i < last; i++)
        array_append(&array, ends->items[i]);
    array_end(&array);
    *part = (Ranges){.from = first > 0 ? ends->items[first - 1] : NULL,
                     .to = last < ends->count ? ends->items[last] : NULL,
                     .ends_array = str_dup(arena, &array),
                     .ends = ends->items + first,
                     .count = last - first + 1};
}

bool layout_make(Arena *arena, Reading *reading, Layout *layout, Err *err)
{
    double rows = rows_estimate(reading->spec->relation);
    size_t count = ranges_wanted(rows);
    EndVec ends = {0};
    size_t size = 0;
    if (count > 1) {
        if (reading->ranged == BY_HASH)
            ends_of_hashes(arena, count, &ends);
        else if (!ends_sampled(arena, reading, rows, count, &ends, err))
            return false;
    }
    if (!part_size(reading, ends.count + 1, &size, err))
        return false;
    layout->count = (ends.count + size) / size;
    layout->parts = arena_array(arena, Ranges, layout->count);
    for (size_t i = 0; i < layout->count; i++) {
        size_t last = (i + 1) * size - 1;
        part_fill(arena, &layout->parts[i], &ends, i * size, last < ends.count ? last : ends.count);
    }
    return true;
}

Layout layout_whole(Arena *arena)
{
    Ranges *part = arena_new(arena, Ranges);
    *part = (Ranges){.ends_array = "{}", .count = 1};
    return (Layout){part, 1};
}

/* Elements stand in quotes, with a backslash before quotes and backslashes. */
void ranges_take_ends(Arena *arena, Ranges *part, const char *ends_array)
{
    EndVec ends = {0};
    for (const char *c = ends_array; *c != '\0'; c++) {
        AUTO_STR Str end = {0};
        if (*c != '"')
            continue;
        for (c++; *c != '"'; c++)
            str_append_char(&end, *c == '\\' ? *++c : *c);
        *vec_push(arena, &ends) = str_dup(arena, &end);
    }
    part->ends_array = arena_strdup(arena, ends_array);
    part->ends = ends.items;
    part->count = ends.count + 1;
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

/* Whether the part can be read in one statement under the limit: it is one range, or there is none.
 */
static bool fits_the_limit(const Reading *reading, const Ranges *part)
{
    return !throttle_limits(reading->spec->throttle) || part->count == 1;
}

static bool read_at_once(Arena *arena, Reading *reading, Ranges *part, Err *err)
{
    const VerifySpec *spec = reading->spec;
    const char *values[3] = {part->ends_array};
    Params params = {1, values};
    if (part->from != NULL)
        values[params.count++] = part->from;
    if (part->to != NULL)
        values[params.count++] = part->to;
    AUTO_PAIR Pair pair = {0};
    int64_t before = reading->result->source_rows;
    if (!throttle_wait(spec->throttle, conn_stop(spec->source), VERIFY_RANGE_ROWS))
        return stop_error(conn_stop(spec->source), err);
    if (!pair_rows(spec, statement_ranges(arena, reading, part), params, &pair, err))
        return false;
    ranges_diff(arena, &pair, part, reading->result);
    throttle_settle(spec->throttle, VERIFY_RANGE_ROWS, reading->result->source_rows - before);
    return true;
}

bool ranges_compare(Arena *arena, Reading *reading, Ranges *part, Err *err)
{
    bool ok = fits_the_limit(reading, part) ? read_at_once(arena, reading, part, err)
                                            : ranges_read_slowly(arena, reading, part, err);
    if (ok)
        log_debug(conn_log(reading->spec->source), "verify: %zu of %zu ranges differ",
                  part->differing.count, part->count);
    return ok;
}
