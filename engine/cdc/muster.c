/*
 * Muster: how many lanes, which routes, and their connections and threads.
 */
#include "cdc/muster.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/thread.h"
#include "pg/query.h"
#include "sql_text.h"

/* What the journal says of the lanes. */
typedef struct Recorded {
    JournalLane *lanes;
    size_t count;
    const char *routing; /* NULL: none */
} Recorded;

/* --- what the plan and the target want --- */

static char *tables_json(Arena *arena, const Blueprint *blueprint)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Name *target = &blueprint->relations[i].target;
        json_array_append_new(tables,
                              json_pack("[ssI]", target->schema, target->rel, (json_int_t)i));
    }
    return jsontext_compact(arena, tables);
}

/* What ties rows of a relation together on the target: then its changes keep source order, in one
 * lane. \param acts receives whether changes there cause others: then everything does. */
static bool look_at_target(Crew *crew, Router *router, bool *acts, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const Blueprint *blueprint = crew->stream->spec.blueprint;
    if (!pg_rows(crew->session->target, SQL_CDC_TOGETHER, PARAMS(tables_json(&arena, blueprint)),
                 &rows, err))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        size_t index = (size_t)rows_int64(rows, i, 0);
        const char *why = rows_text(rows, i, 1);
        if (strcmp(why, "acts") == 0)
            *acts = true;
        if (strcmp(why, "unique") == 0)
            crew->stream->relmap.rels[index].ordered = true;
        route_together(router, &blueprint->relations[index]);
    }
    return true;
}

static bool want(Crew *crew, Router *router, Err *err)
{
    const StreamSpec *spec = &crew->stream->spec;
    bool acts = crew->stream->quiet;
    router_init(router, spec->blueprint, spec->blueprint->plan->apply.lanes);
    if (!look_at_target(crew, router, &acts, err))
        return false;
    if (acts && router->lanes > 1) {
        log_warn(&spec->log, "one lane applies everything instead of %u: %s", router->lanes,
                 crew->stream->quiet ? "session_replication_role cannot be set on the target"
                                     : "triggers or rules of the target act on what is replicated");
        router->lanes = 1;
    }
    return true;
}

/* --- connections and threads --- */

static bool lane_connect(CrewLane *lane, Err *err)
{
    Stream *stream = lane->crew->stream;
    ConnOptions options = {.purpose = "lane",
                           .replica_sql = stream->spec.blueprint->target->server.replica_sql,
                           .async_commit = true,
                           .stop = &stream->stop};
    if (!conn_open(&lane->target, stream->spec.target, &options, err))
        return false;
    applier_connect(&lane->own, lane->target, stream->form);
    if (!thread_begin(&lane->thread, "lane", crew_lane_main, lane, err))
        return false;
    lane->started = true;
    return true;
}

static void lane_make(Crew *crew, CrewLane *lane, const LaneRow *row)
{
    Stream *stream = crew->stream;
    *lane = (CrewLane){.crew = crew,
                       .row = *row,
                       .began = row->from,
                       .target = crew->session->target,
                       .applier = &stream->applier,
                       .share.budget = stream->spec.budget,
                       .random = (unsigned)clock_us() + row->id * 104729};
    if (row->id == 0)
        return;
    lane->target = NULL;
    lane->applier = &lane->own;
    relmap_init(&lane->relmap, stream->spec.blueprint);
    for (size_t i = 0; i < stream->spec.blueprint->relation_count; i++)
        lane->relmap.rels[i].ordered = stream->relmap.rels[i].ordered;
    applier_init(&lane->own, &lane->relmap, &stream->touched, &stream->spec);
    lane->own.sync_lsn = stream->hold.sync_lsn; /* moves when a leaf is copied anew */
}

static bool lanes_make(Crew *crew, const LaneRow *rows, unsigned count, Err *err)
{
    crew->lanes = mem_resize(NULL, count * sizeof(CrewLane));
    crew->rows = mem_resize(NULL, count * sizeof(LaneRow));
    memcpy(crew->rows, rows, count * sizeof(LaneRow));
    crew->count = count;
    for (unsigned i = 0; i < count; i++)
        lane_make(crew, &crew->lanes[i], &rows[i]);
    for (unsigned i = 1; i < count; i++) {
        if (!lane_connect(&crew->lanes[i], err))
            return false;
    }
    if (count > 1)
        log_info(&crew->stream->spec.log, "%u lanes apply", count);
    return true;
}

static void lane_release(CrewLane *lane)
{
    if (lane->started)
        pthread_join(lane->thread, NULL);
    group_release_changes(&lane->share);
    err_release(&lane->err);
    if (lane->row.id == 0)
        return;
    lane->crew->stream->applier.conflicts += lane->own.conflicts;
    lane->own.conn = NULL;
    applier_release(&lane->own);
    relmap_release(&lane->relmap);
    conn_close(lane->target);
}

static void lanes_release(Crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    crew->ending = true;
    pthread_cond_broadcast(&crew->given);
    pthread_mutex_unlock(&crew->mutex);
    for (unsigned i = 0; i < crew->count; i++)
        lane_release(&crew->lanes[i]);
    mem_free(crew->lanes);
    mem_free(crew->rows);
    crew->lanes = NULL;
    crew->rows = NULL;
    crew->count = 0;
    crew->ending = false;
}

/* --- opening --- */

/* All rows are at one position: lanes and routes become what is wanted now. */
static bool begin_anew(Crew *crew, const Recorded *recorded, Lsn position, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const StreamSpec *spec = &crew->stream->spec;
    router_release(&crew->router);
    if (!want(crew, &crew->router, err))
        return false;
    unsigned count = crew->router.lanes;
    const char *rules = count > 1 ? route_rules(&arena, &crew->router) : NULL;
    const char *before = recorded->routing;
    bool same =
        recorded->count == count && (count == 1 || (before != NULL && strcmp(before, rules) == 0));
    if (!same && !journal_lanes_set(crew->session->target, spec->run_id, spec->epoch, position,
                                    count, rules, err))
        return false;
    LaneRow *rows = arena_array(&arena, LaneRow, count);
    for (unsigned i = 0; i < count; i++)
        rows[i] = (LaneRow){.id = i, .from = position};
    return lanes_make(crew, rows, count, err);
}

/* The rows differ: an engine died while its lanes were at work. The lanes are those of that time.
 */
static bool begin_apart(Crew *crew, const Recorded *recorded, Lsn top, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Router unused = {0};
    bool wanted = want(crew, &unused, err); /* what keeps source order must be known here, too */
    router_release(&unused);
    if (!wanted)
        return false;
    if (recorded->routing == NULL)
        return err_set(err, ERR_RUN,
                       "the lanes stand at different positions, and their routes are not recorded");
    router_init(&crew->router, crew->stream->spec.blueprint, (unsigned)recorded->count);
    if (!route_take_rules(&crew->router, recorded->routing, err))
        return false;
    LaneRow *rows = arena_array(&arena, LaneRow, recorded->count);
    for (size_t i = 0; i < recorded->count; i++)
        rows[i] =
            (LaneRow){.id = (unsigned)recorded->lanes[i].id, .from = recorded->lanes[i].applied};
    crew->top = top;
    log_info(&crew->stream->spec.log, "%zu lanes stand between %s and %s", recorded->count,
             lsn_text(crew->session->position).text, lsn_text(top).text);
    return lanes_make(crew, rows, (unsigned)recorded->count, err);
}

static bool read_recorded(Arena *arena, Crew *crew, Recorded *recorded, Lsn *top, Err *err)
{
    const StreamSpec *spec = &crew->stream->spec;
    StreamSession *session = crew->session;
    *recorded = (Recorded){0};
    if (!journal_lanes_read(arena, session->target, spec->run_id, &recorded->lanes,
                            &recorded->count, &recorded->routing, err))
        return false;
    if (recorded->count == 0)
        return err_set(err, ERR_RUN, "the run has no applied position");
    session->position = recorded->lanes[0].applied;
    *top = session->position;
    for (size_t i = 0; i < recorded->count; i++) {
        const JournalLane *lane = &recorded->lanes[i];
        if (lane->epoch != spec->epoch)
            return err_set(err, ERR_LOCKED, "another engine has taken this run");
        if (lane->id != (int)i)
            return err_set(err, ERR_RUN, "the journal's lane %zu is missing", i);
        session->position = lane->applied < session->position ? lane->applied : session->position;
        *top = lane->applied > *top ? lane->applied : *top;
    }
    return true;
}

bool crew_open(StreamSession *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Recorded recorded;
    Lsn top = 0;
    Crew *crew = mem_resize(NULL, sizeof(Crew));
    *crew = (Crew){.session = session, .stream = session->stream};
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->given, NULL);
    pthread_cond_init(&crew->done, NULL);
    session->crew = crew; /* crew_close() is the session's */
    if (!read_recorded(&arena, crew, &recorded, &top, err))
        return false;
    return top == session->position ? begin_anew(crew, &recorded, top, err)
                                    : begin_apart(crew, &recorded, top, err);
}

bool crew_moved(Crew *crew, Lsn to, Err *err)
{
    for (unsigned i = 0; i < crew->count; i++) {
        Lsn *row = &crew->lanes[i].row.from;
        *row = to > *row ? to : *row;
        crew->rows[i].from = *row;
    }
    if (crew->top == 0 || to < crew->top)
        return true;
    AUTO_ARENA Arena arena = {0};
    Recorded recorded;
    Lsn top = 0;
    crew->top = 0;
    lanes_release(crew);
    return read_recorded(&arena, crew, &recorded, &top, err) &&
           begin_anew(crew, &recorded, to, err);
}

void crew_close(Crew *crew)
{
    if (crew == NULL)
        return;
    lanes_release(crew);
    router_release(&crew->router);
    pthread_mutex_destroy(&crew->mutex);
    pthread_cond_destroy(&crew->given);
    pthread_cond_destroy(&crew->done);
    mem_free(crew);
}
