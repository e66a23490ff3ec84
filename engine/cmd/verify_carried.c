/*
 * Verify, carried rows: both materializations, chunk by chunk of the source's, by count and sum.
 */
#include "cmd/verify_carried.h"

#include "timescale/carry.h"

#include <inttypes.h>

typedef struct Pair {
    CarryPlace source;
    CarryPlace target;
    const char *view;
} Pair;

static const char *range_text(Arena *arena, const CarryRange *range)
{
    const char *from = range->start == NULL ? "" : arena_printf(arena, "from %s ", range->start);
    return range->until != NULL ? arena_printf(arena, "%sto before %s", from, range->until)
                                : arena_printf(arena, "%sup to %s", from, range->last);
}

static bool sum(Conn *conn, const Pair *pair, const Name *rows, const CarryRange *range,
                Rows **result, Err *err)
{
    AUTO_STR Str sql = {0};
    carry_sum_sql(&sql, conn, &pair->source, rows, range);
    return pg_one(conn, sql.data, NO_PARAMS, result, err);
}

static bool compare(Session *session, const Pair *pair, const CarryRange *range,
                    TimescaleResult *result, Err *err)
{
    AUTO_ROWS Rows *theirs = NULL;
    AUTO_ROWS Rows *ours = NULL;
    Arena *arena = &session->arena;
    if (!sum(session->source, pair, &pair->source.rows, range, &theirs, err) ||
        !sum(session->target, pair, &pair->target.rows, range, &ours, err))
        return false;
    int64_t there = rows_int64(theirs, 0, 0);
    int64_t here = rows_int64(ours, 0, 0);
    if (there == here && text_equal(rows_text(theirs, 0, 1), rows_text(ours, 0, 1)))
        return true;
    *vec_push(arena, &result->differences) =
        arena_printf(arena,
                     "rows of %s that were carried over differ %s: %" PRId64
                     " on the source, %" PRId64 " on the target",
                     pair->view, range_text(arena, range), there, here);
    return true;
}

static bool compare_ranges(Session *session, const Pair *pair, const char *last,
                           TimescaleResult *result, Err *err)
{
    CarryRanges ranges = {0};
    if (!carry_ranges(&session->arena, session->source, &pair->source, last, NULL, &ranges, err))
        return false;
    for (size_t i = 0; i < ranges.count; i++)
        if (!compare(session, pair, &ranges.items[i], result, err))
            return false;
    result->compared++;
    return true;
}

bool verify_carried(Session *session, const Step *step, TimescaleResult *result, Err *err)
{
    Arena *arena = &session->arena;
    const PlanAggregate *aggregate = step->object;
    const char *last = NULL;
    Pair pair = {.view = name_text(arena, &aggregate->target_view)};
    if (!journal_gate_detail(arena, session->target, session->journal.id,
                             carry_last_gate(arena, step->id), &last, err))
        return false;
    if (last == NULL)
        return true;
    if (!carry_place(arena, session->source, &aggregate->target_view, &pair.source, err) ||
        !carry_place(arena, session->target, &aggregate->target_view, &pair.target, err))
        return false;
    bool there = pair.source.rows.rel != NULL && pair.source.may_read;
    bool here = pair.target.rows.rel != NULL && pair.target.may_read;
    return !there || !here || compare_ranges(session, &pair, last, result, err) ||
           err_context(err, "could not compare carried rows of %s", pair.view);
}
