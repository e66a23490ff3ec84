/*
 * Crew: sharing out, handing over, waiting. Opening and closing: muster.c.
 */
#include "cdc/muster.h"

#include "cdc/lane.h"

/* Below it more is lost by the further commits than won. */
#define SHARE_MIN_CHANGES 64

static bool tuple_values(const Crew *crew, const LeafState *leaf, const PgoTuple *tuple,
                         PgoValue *values, const PgoValue **out, Err *err)
{
    *out = NULL;
    if (tuple->data == NULL)
        return true;
    if (tuple->column_count != leaf->map_count)
        return err_set(err, ERR_PROTOCOL, "a row of %s has %u columns, its relation message %u",
                       leaf->leaf->source.rel, tuple->column_count, leaf->map_count);
    change_values(leaf, tuple, crew->stream->relmap.scratch, values);
    *out = values;
    return true;
}

bool crew_route(Crew *crew, Lsn commit_lsn, const LeafState *leaf, const PgoMessage *message,
                uint16_t *lane, bool *skip, Err *err)
{
    *lane = 0;
    *skip = false;
    if (crew->count == 1)
        return true;
    const Relation *relation = leaf->leaf->root;
    const PgoValue *old_values = NULL;
    const PgoValue *new_values = NULL;
    Relmap *relmap = &crew->stream->relmap;
    if (route_reads_key(&crew->router, relation) &&
        (!tuple_values(crew, leaf, &message->change.old_tuple, relmap->old_values, &old_values,
                       err) ||
         !tuple_values(crew, leaf, &message->change.new_tuple, relmap->new_values, &new_values,
                       err)))
        return false;
    *lane = route_change(&crew->router, relation, old_values, new_values);
    *skip = *lane != ROUTE_BARRIER && commit_lsn < crew->lanes[*lane].began;
    return true;
}

bool crew_cannot_share(const Crew *crew, Err *err)
{
    err_set(err, ERR_PROTOCOL, "what lanes may only apply together was found half applied");
    return err_detail(err, "The lanes' rows end at %s.", lsn_text(crew->top).text);
}

bool crew_shares(const Crew *crew, const Group *group, bool *shares, Err *err)
{
    *shares = crew->top != 0 ||
              (crew->count > 1 && !group->together && group->change_count >= SHARE_MIN_CHANGES);
    return crew->top == 0 || !group->together || crew_cannot_share(crew, err);
}

static void share_out(Crew *crew, const Group *group)
{
    for (unsigned i = 0; i < crew->count; i++) {
        Group *share = &crew->lanes[i].share;
        share->change_count = 0;
        share->txns = group->txns;
        share->txn_count = group->txn_count;
    }
    for (size_t i = 0; i < group->change_count; i++)
        group_copy_change(&crew->lanes[group->changes[i].lane].share, &group->changes[i]);
}

static void apply_share(CrewLane *lane)
{
    lane->ok = lane_apply(lane->crew->stream, lane->applier, &lane->share, &lane->step, true,
                          &lane->random, &lane->err);
}

void *crew_lane_main(void *data)
{
    CrewLane *lane = data;
    Crew *crew = lane->crew;
    pthread_mutex_lock(&crew->mutex);
    while (!crew->ending) {
        if (!lane->busy) {
            pthread_cond_wait(&crew->given, &crew->mutex);
            continue;
        }
        pthread_mutex_unlock(&crew->mutex);
        apply_share(lane);
        pthread_mutex_lock(&crew->mutex);
        lane->busy = false;
        pthread_cond_signal(&crew->done);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

static void hand_over(Crew *crew, const LaneStep *step)
{
    pthread_mutex_lock(&crew->mutex);
    for (unsigned i = 0; i < crew->count; i++) {
        CrewLane *lane = &crew->lanes[i];
        lane->step = *step;
        lane->step.rows = &lane->row;
        lane->step.row_count = 1;
        lane->step.changes = lane->share.change_count;
        if (i > 0)
            lane->step.transactions = 0; /* each is counted once */
        if (lane->row.from > step->to)
            lane->step.to = lane->row.from;
        lane->busy = i > 0;
    }
    pthread_cond_broadcast(&crew->given);
    pthread_mutex_unlock(&crew->mutex);
}

/* A lane that hangs is ended by the stream's stop, which its waits hear. */
static void wait_all(Crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    for (unsigned i = 1; i < crew->count; i++) {
        while (crew->lanes[i].busy)
            pthread_cond_wait(&crew->done, &crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
}

bool crew_apply(Crew *crew, const Group *group, const LaneStep *step, Err *err)
{
    share_out(crew, group);
    hand_over(crew, step);
    apply_share(&crew->lanes[0]);
    wait_all(crew);
    bool ok = true;
    for (unsigned i = 0; i < crew->count; i++) {
        CrewLane *lane = &crew->lanes[i];
        if (lane->ok)
            continue;
        if (ok)
            err_move(err, &lane->err);
        err_release(&lane->err);
        ok = false;
    }
    return ok;
}

uint64_t crew_conflicts(const Crew *crew)
{
    uint64_t conflicts = 0;
    for (unsigned i = 0; i < crew->count; i++)
        conflicts += crew->lanes[i].applier->conflicts;
    return conflicts;
}
