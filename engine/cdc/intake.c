/*
 * Intake: takes batches off the queue, decodes their messages, skips what is applied or in a copy,
 * and hands the rest to the lane.
 */
#include "cdc/behind.h"
#include "cdc/chunks.h"
#include "cdc/lane.h"
#include "cdc/late.h"
#include "cdc/mark.h"
#include "cdc/names.h"

#define IDLE_WAIT_MS   50
#define URGENT_WAIT_MS 5

typedef struct Intake {
    StreamSession *session;
    Stream *stream;
    Lane lane;
    bool skip_txn; /* the open transaction was applied before */
    int moving;    /* so deep inside of what TimescaleDB marks as moved inside; see ADR 0031 */
    uint64_t skipped;
    char *nonce; /* a marker that waits for its commit */
    Arena arena; /* of the nonce */
} Intake;

/* A leaf is held from a boundary on, with all before it committed. */
static bool take_requests(Intake *intake, Err *err)
{
    Stream *stream = intake->stream;
    if (!atomic_load(&stream->hold.asked))
        return true;
    if (intake->lane.group->txn_count > 0 && !lane_flush_group(&intake->lane, false, true, err))
        return false;
    stream_take_requests(stream, false);
    return true;
}

static bool take_begin(Intake *intake, const PgoBegin *begin, Err *err)
{
    if (intake->lane.group->in_txn)
        return err_set(err, ERR_PROTOCOL, "transaction %u begins inside another", begin->xid);
    if (!lane_pass(&intake->lane, begin->final_lsn, err) || !take_requests(intake, err))
        return false;
    if (begin->final_lsn == intake->stream->alone && intake->lane.group->txn_count > 0 &&
        !lane_flush_group(&intake->lane, false, true, err))
        return false;
    group_begin(intake->lane.group, begin);
    intake->moving = 0;
    intake->skip_txn = begin->final_lsn < intake->session->position;
    return true;
}

static void marker_arrived(Intake *intake, Lsn end_lsn)
{
    session_marker_arrived(intake->stream, intake->nonce, end_lsn);
    intake->nonce = NULL;
    arena_release(&intake->arena);
}

/* Noted before its commit: when the answer to that is lost, the next session finds the position
 * behind the marker, and the source does not send it again. */
static bool take_marker(Intake *intake, Lsn end_lsn, Err *err)
{
    Stream *stream = intake->stream;
    str_reset(&stream->coming_nonce);
    str_append(&stream->coming_nonce, intake->nonce);
    stream->coming_end = end_lsn;
    if (!lane_flush_group(&intake->lane, true, true, err))
        return false;
    marker_arrived(intake, end_lsn);
    return true;
}

static bool take_commit(Intake *intake, const PgoCommit *commit, Err *err)
{
    if (!group_commit(intake->lane.group, commit, err))
        return false;
    if (intake->skip_txn) {
        intake->lane.group->txn_count--;
        intake->skip_txn = false;
        if (intake->nonce != NULL) /* applied by a session that did not learn of its commit */
            marker_arrived(intake, commit->end_lsn);
        return true;
    }
    if (intake->nonce != NULL)
        return take_marker(intake, commit->end_lsn, err);
    if (lane_is_due(&intake->lane))
        return lane_flush_group(&intake->lane, false, true, err);
    return true;
}

/* What does not fit is told when a change of it must be applied: a relation whose changes are left
 * out, or are all in its copy, may look as it likes. */
static bool take_relation(Intake *intake, const PgoRelation *relation, Err *err)
{
    AUTO_ERR Err misfit = {0};
    Relmap *relmap = &intake->stream->relmap;
    if (!chunks_meet(&intake->lane, intake->session, relation->oid, err))
        return false;
    /* Rows that were read under the old message are applied under it. */
    if (relmap_differs(relmap, relation) && intake->lane.group->change_count > 0) {
        bool ok = intake->lane.group->in_txn ? lane_flush_piece(&intake->lane, err)
                                             : lane_flush_group(&intake->lane, false, true, err);
        if (!ok)
            return false;
    }
    if (!relmap_take(relmap, relation, &misfit))
        relmap_put_off(relmap, relation->oid, &misfit);
    return true;
}

static bool in_transaction(const Intake *intake, Err *err)
{
    return intake->lane.group->in_txn ||
           err_set(err, ERR_PROTOCOL, "a change came outside a transaction");
}

/* What would now fire the target's triggers is not applied: the cutover ends, and with it the
 * triggers, before it comes again. */
static bool selected_arrived(Intake *intake, Err *err)
{
    positions_selected(intake->stream);
    if (!intake->stream->closed)
        return true;
    err_set(err, ERR_RUN, "a change reached the source after its fence");
    return err_hint(err,
                    "A writer got past the fence (a superuser, a session with its own settings, "
                    "or writes went on under method manual). Stop it, then cut over again.");
}

/* The leaf of a change; NULL for a relation that is not of the blueprint, whose changes are left
 * out (\param skip). */
static bool find_leaf(Intake *intake, uint32_t oid, LeafState **leaf, bool *skip, Err *err)
{
    *leaf = relmap_find(&intake->stream->relmap, oid);
    if (*leaf != NULL)
        return true;
    *skip = late_is_gone(intake->stream, oid);
    if (*skip)
        return true;
    if (!late_stranger(&intake->lane, intake->session, oid, skip, err))
        return false;
    return *skip || relmap_ready(&intake->stream->relmap, oid, err);
}

/* The source's table is not what the blueprint says: who reads the stream's error may want to go on
 * without it. */
static bool is_readable(Intake *intake, uint32_t oid, const LeafState *leaf, Err *err)
{
    if (relmap_ready(&intake->stream->relmap, oid, err))
        return true;
    if (err->code == ERR_DRIFT)
        positions_drifted(intake->stream, leaf->leaf->root);
    return false;
}

static Lsn open_commit_lsn(const Intake *intake)
{
    return intake->lane.group->txns[intake->lane.group->txn_count - 1].commit_lsn;
}

/* Whether the leaf's copy has the open transaction (\param skip); else waits while it is held. */
static bool may_pass(Intake *intake, LeafState *state, bool *skip, Err *err)
{
    const Hold *hold = &intake->stream->hold;
    const Leaf *leaf = state->leaf;
    Lsn commit_lsn = open_commit_lsn(intake);
    *skip = hold_skips(hold, leaf->index, commit_lsn);
    if (!*skip && hold_stops(hold, leaf->index)) {
        if (!late_wait(&intake->lane, intake->session, leaf, err))
            return false;
        *skip = hold_skips(hold, leaf->index, commit_lsn);
    }
    return *skip || state->chunk == 0 ||
           late_chunk(&intake->lane, intake->session, state, skip, err);
}

/* Told once for each table, however often sessions begin. */
static void note_size(Intake *intake, const Leaf *leaf, size_t bytes)
{
    AUTO_ARENA Arena arena = {0};
    Stream *stream = intake->stream;
    Budget *budget = stream->spec.budget;
    if (!budget_is_beside(budget, bytes) || stream->large_row_told[leaf->index])
        return;
    stream->large_row_told[leaf->index] = true;
    budget_tell_beside(budget, &stream->spec.log, name_text(&arena, &leaf->source), bytes);
}

/* Compression and decompression move rows between a chunk and a table of its own: nothing of that
 * is the hypertable's change. What else the transaction does is outside of the marks. */
static bool is_moved_inside(Intake *intake, uint32_t oid)
{
    const Stream *stream = intake->stream;
    return intake->moving > 0 && (relmap_chunk_of(&stream->relmap, oid) != NULL ||
                                  blueprint_chunked(stream->spec.blueprint, oid) != NULL);
}

/* The leaf of a change, unless all that is to be done with it is done: it is left out, or came
 * behind the last marker (behind.h). \param skip so it is */
static bool leaf_of(Intake *intake, uint32_t oid, const PgoMessage *message, LeafState **leaf,
                    bool *skip, Err *err)
{
    if (!find_leaf(intake, oid, leaf, skip, err))
        return false;
    if (!*skip && *leaf != NULL && intake->stream->sealed) {
        behind_note(&intake->lane, *leaf, message);
        *skip = true;
    }
    if (!*skip && *leaf != NULL && !may_pass(intake, *leaf, skip, err))
        return false;
    return *skip || is_readable(intake, oid, *leaf, err);
}

static bool take_change(Intake *intake, const PgoMessage *message, size_t bytes, Err *err)
{
    if (!in_transaction(intake, err))
        return false;
    uint32_t oid = message->change.relation_oid;
    bool skip = intake->skip_txn || is_moved_inside(intake, oid);
    LeafState *leaf = NULL;
    if (!skip && !leaf_of(intake, oid, message, &leaf, &skip, err))
        return false;
    uint16_t lane = 0;
    if (!skip && !crew_route(intake->session->crew, open_commit_lsn(intake), leaf, message, &lane,
                             &skip, err))
        return false;
    if (skip) {
        intake->skipped++;
        return true;
    }
    if (!selected_arrived(intake, err))
        return false;
    note_size(intake, leaf->leaf, bytes);
    Change *change = group_add(intake->lane.group, leaf, message->kind);
    change->lane = lane;
    intake->lane.group->together = intake->lane.group->together || lane == ROUTE_BARRIER;
    change->old_tuple = message->change.old_tuple;
    change->new_tuple = message->change.new_tuple;
    return true;
}

static bool take_truncate(Intake *intake, const PgoMessage *message, Err *err)
{
    const PgoTruncate *truncate = &message->truncate;
    if (!in_transaction(intake, err))
        return false;
    if (intake->skip_txn || is_moved_inside(intake, pgo_truncate_relation(truncate, 0)))
        return true;
    for (uint32_t i = 0; i < truncate->relation_count; i++) {
        LeafState *leaf = NULL;
        bool skip = false;
        if (!leaf_of(intake, pgo_truncate_relation(truncate, i), message, &leaf, &skip, err))
            return false;
    }
    if (intake->stream->sealed)
        return true;
    if (!chunks_truncated_whole(&intake->stream->relmap, truncate, err) ||
        !selected_arrived(intake, err))
        return false;
    group_add(intake->lane.group, NULL, PGO_TRUNCATE)->truncate = *truncate;
    intake->lane.group->together = true;
    return true;
}

static void take_message(Intake *intake, const PgoLogicalMessage *message)
{
    char *nonce = mark_nonce(&intake->arena, message, intake->stream->spec.run_mark);
    if (nonce != NULL && intake->lane.group->in_txn)
        intake->nonce = nonce;
    if (message->transactional && intake->lane.group->in_txn)
        intake->moving += moves_step(message->prefix, strlen(message->prefix));
    if (intake->moving < 0)
        intake->moving = 0;
}

static bool take(Intake *intake, const char *data, size_t bytes, Err *err)
{
    PgoMessage message;
    if (!pgo_decode(data, bytes, &message, err))
        return false;
    switch ((int)message.kind) {
    case PGO_BEGIN:
        return take_begin(intake, &message.begin, err);
    case PGO_COMMIT:
        return take_commit(intake, &message.commit, err);
    case PGO_MESSAGE:
        take_message(intake, &message.message);
        return true;
    case PGO_RELATION:
        return take_relation(intake, &message.relation, err);
    case PGO_ORIGIN:
    case PGO_TYPE:
        return true;
    case PGO_INSERT:
    case PGO_UPDATE:
    case PGO_DELETE:
        return take_change(intake, &message, bytes, err) &&
               (!lane_is_full(&intake->lane) || lane_flush_piece(&intake->lane, err));
    case PGO_TRUNCATE:
        return take_truncate(intake, &message, err);
    default: /* the assembler takes streamed pieces; a slot without two_phase sends no others */
        return err_set(err, ERR_PROTOCOL, "a %s message came that was not asked for",
                       pgo_kind_name((uint8_t)message.kind));
    }
}

static void take_keepalive(Intake *intake, Lsn wal_end)
{
    if (intake->lane.group->in_txn || intake->stream->stays)
        return;
    if (intake->lane.group->txn_count > 0) {
        intake->lane.keepalive = wal_end;
        return;
    }
    if (wal_end > intake->lane.covered)
        intake->lane.covered = wal_end;
    positions_covered(intake->stream, intake->lane.covered);
}

/* A batch that is one large row goes alone: what is here is applied before it. Not while lanes
 * stand apart, who share a group out as it was. */
static bool make_way(Intake *intake, const Batch *batch, Err *err)
{
    Lane *lane = &intake->lane;
    if (!budget_is_beside(intake->stream->spec.budget, batch->capacity) ||
        lane->group->change_count == 0 || lane->crew->top != 0)
        return true;
    return lane->group->in_txn ? lane_flush_piece(lane, err)
                               : lane_flush_group(lane, false, false, err);
}

static bool take_batch(Intake *intake, Batch *batch, Err *err)
{
    if (!make_way(intake, batch, err)) {
        batch_free(&intake->stream->pool, batch);
        return false;
    }
    group_hold(intake->lane.group, batch);
    size_t at = 0;
    const char *payload = NULL;
    for (const BatchRecord *record = batch_next(batch, &at, &payload); record != NULL;
         record = batch_next(batch, &at, &payload)) {
        if (record->keepalive)
            take_keepalive(intake, record->wal_end);
        else if (!take(intake, payload, record->bytes, err))
            return false;
    }
    if (intake->lane.group->change_count > 0)
        return true;
    if (!intake->lane.group->in_txn && intake->lane.group->txn_count > 0)
        return lane_flush_group(&intake->lane, false, false, err);
    group_applied(intake->lane.group, &intake->stream->pool, false);
    /* A server that shuts down sends keepalives without a pause until all is confirmed: the queue
     * is never empty then, and the position must move nevertheless. */
    return lane_step_when_due(&intake->lane, err);
}

/* A batch of ordinary transactions, made of the next one that the queue has.
 * \param batch NULL: nothing came, or only pieces of what has not committed
 * \return false with the decoder's errors, and those of names_check() */
static bool next_batch(Intake *intake, int wait_ms, Batch **batch, Err *err)
{
    Decoding *decoding = &intake->stream->decoding;
    if (!watch_check(intake->stream, err) || !names_check(intake->session, err) ||
        !decoding_next(decoding, batch, err))
        return false;
    if (*batch != NULL)
        return true;
    Batch *raw = queue_take(&intake->session->queue, wait_ms);
    return raw == NULL ||
           (decoding_take(decoding, raw, err) && decoding_next(decoding, batch, err));
}

static void tell_skipped(Intake *intake)
{
    if (intake->skipped > 0)
        positions_skipped(intake->stream, intake->skipped);
    intake->skipped = 0;
}

static bool loop(Intake *intake, Err *err)
{
    while (!atomic_load(&intake->stream->draining)) {
        bool pending = !intake->lane.group->in_txn && intake->lane.group->txn_count > 0;
        int wait = atomic_load(&intake->stream->waiters) > 0 ? URGENT_WAIT_MS : IDLE_WAIT_MS;
        Batch *batch = NULL;
        if (!next_batch(intake, pending ? 0 : wait, &batch, err))
            return false;
        tell_skipped(intake);
        if (batch != NULL) {
            if (!take_batch(intake, batch, err))
                return false;
            continue;
        }
        if (stop_reason(&intake->stream->stop) != STOP_NONE)
            return stop_error(&intake->stream->stop, err);
        if (!intake->lane.group->in_txn && !take_requests(intake, err))
            return false;
        bool closed = queue_is_closed(&intake->session->queue);
        if (!lane_idle(&intake->lane, err))
            return false;
        if (closed && !pending && queue_is_empty(&intake->session->queue))
            return session_receiver_error(intake->session, err);
    }
    return lane_drain(&intake->lane, err);
}

bool stream_session_run(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    Intake intake = {.session = session, .stream = stream};
    lane_begin(&intake.lane, session);
    chunks_begin(session);
    if (!session_threads_begin(session, err))
        return false;
    bool ok = loop(&intake, err);
    positions_skipped(stream, intake.skipped);
    if (!ok)
        apply_rollback(&stream->applier);
    arena_release(&intake.arena);
    return ok;
}
