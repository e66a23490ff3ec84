/*
 * Check of continuous aggregates of the source that are computed anew from the raw rows: buckets
 * that outlived those would be missing on the target. Where a retention policy says so the mirror
 * carries them over; this finds what somebody dropped by hand.
 */
#include "preflight/check.h"

#include "timescale/carry.h"

static void tell(Check *check, const PlanAggregate *aggregate, const CarryPlace *place,
                 const char *first, const char *last)
{
    const char *view = check_name(check, &aggregate->target_view);
    check_add(check, CODE_OUTLIVED, FINDING_WARNING, &check->source, view,
              check_text(check, "its rows from %s to %s are older than all rows of %s", first, last,
                         check_name(check, &place->raw)),
              "It is computed anew from the rows that are there (data: rebuild), so these would be "
              "missing on the target.",
              check_text(check,
                         "-- in the plan, continuous_aggregates: an entry of %s with data: carry; "
                         "what it reads was dropped by hand, no policy tells so",
                         view));
}

static bool look(Check *check, const PlanAggregate *aggregate, Err *err)
{
    CarryPlace place = {0};
    const char *first = NULL;
    const char *last = NULL;
    if (!carry_place(check->arena, check->source.conn, &aggregate->target_view, &place, err))
        return false;
    if (place.rows.rel == NULL || !place.may_read || place.keep != NULL)
        return true;
    if (!carry_outlived(check->arena, check->source.conn, &place, &first, &last, err))
        return false;
    if (first != NULL)
        tell(check, aggregate, &place, first, last);
    return true;
}

bool probe_aggregates(Check *check, Err *err)
{
    const Blueprint *blueprint = check->blueprint;
    if (!blueprint->source_has_timescaledb || check->input->resuming)
        return true;
    for (size_t i = 0; i < blueprint->aggregate_count; i++)
        if (!blueprint->aggregates[i]->carry && !look(check, blueprint->aggregates[i], err))
            return err_context(err, "looking for rows of aggregates that outlived the raw ones");
    return true;
}
