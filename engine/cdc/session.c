/*
 * Session: connections, and the check without which a server would silently leave out what lies
 * between the position and its own confirmed_flush_lsn.
 */
#include "cdc/stream_internal.h"

#include "base/thread.h"
#include "cdc/behind.h"
#include "cdc/crew.h"
#include "cdc/form.h"
#include "cdc/health.h"
#include "cdc/quiet.h"
#include "copy/timeline.h"
#include "pg/query.h"
#include "pg/repl.h"
#include "sql_text.h"

#define QUEUE_BATCHES 4096

static bool is_way_back(const StreamSpec *spec)
{
    return spec->source->side == CONN_TARGET;
}

static bool cannot_resume(const StreamSpec *spec, const char *problem, Err *err)
{
    const char *plan = spec->blueprint->plan->path;
    err_set(err, ERR_CANNOT_RESUME, "slot %s %s", spec->slot_name, problem);
    err_detail(err, "What was not applied cannot be had from it any more.");
    return is_way_back(spec)
               ? err_hint(err, "\"godwit cleanup %s\" drops what is left of the way back.", plan)
               : err_hint(err, "\"godwit resync %s --all --yes\", then \"godwit apply %s\".", plan,
                          plan);
}

static bool lost(const StreamSpec *spec, const char *reason, Err *err)
{
    const char *plan = spec->blueprint->plan->path;
    return is_way_back(spec) ? health_lost_back(spec->slot_name, reason, plan, err)
                             : health_lost(spec->slot_name, reason, plan, err);
}

/* \param end where the server's WAL ends */
static bool check_slot(const StreamSpec *spec, Conn *source, Lsn *confirmed, Lsn *end, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_CDC_SLOT_STATE, PARAMS(spec->slot_name), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return lost(spec, NULL, err);
    if (text_equal(rows_text(rows, 0, 1), "lost"))
        return lost(spec, rows_text(rows, 0, 3), err);
    if (!rows_bool(rows, 0, 2))
        return cannot_resume(spec, "belongs to another database", err);
    *confirmed = rows_lsn(rows, 0, 0);
    *end = rows_text(rows, 0, 4) == NULL ? UINT64_MAX : rows_lsn(rows, 0, 4);
    return true;
}

/* A source that a backup was restored to, or whose standby took over without the last of the WAL:
 * it would leave out what it commits below the position, and nobody would know. */
static bool went_back(const StreamSpec *spec, Lsn position, Lsn end, Err *err)
{
    const char *plan = spec->blueprint->plan->path;
    err_set(err, ERR_CANNOT_RESUME, "the server's WAL ends at %s, and %s is applied",
            lsn_text(end).text, lsn_text(position).text);
    err_detail(err, "It was restored from a backup, or a standby took over that lacked what was "
                    "sent already. The other side holds what this one lost.");
    return is_way_back(spec)
               ? err_hint(err, "\"godwit cleanup %s\" drops what is left of the way back.", plan)
               : err_hint(err,
                          "\"godwit resync %s --all --yes\", then \"godwit apply %s\", makes the "
                          "target as the source is now.",
                          plan, plan);
}

/* Where the stream goes on; never below what the source may have forgotten. */
static bool find_start(StreamSession *session, Lsn confirmed, Lsn *start, Err *err)
{
    Lsn position = session->position;
    *start = position;
    if (session->stream->spool != NULL)
        return spool_resume(session->stream->spool, position, confirmed, start, err);
    if (confirmed <= position)
        return true;
    cannot_resume(&session->stream->spec, "was moved beyond what is applied", err);
    return err_detail(err, "Applied up to %s, the slot's confirmed_flush_lsn is %s.",
                      lsn_text(position).text, lsn_text(confirmed).text);
}

static bool check_version(const Decoding *decoding, Conn *source, Err *err)
{
    if (conn_version(source) >= decoding_oldest(decoding))
        return true;
    err_set(err, ERR_RUN, "cannot stream by %s from a source of version %s",
            decoding->decoder->plugin, conn_version_text(&err->arena, conn_version(source)));
    return err_hint(err, "pgoutput is read from PostgreSQL 14 on, test_decoding from 9.5 on.");
}

/* By the session that applies: another one might be more than the plan's cap. Who only receives has
 * none. */
static bool check_timeline(StreamSession *session, Err *err)
{
    AUTO_CONN Conn *own = NULL;
    const StreamSpec *spec = &session->stream->spec;
    const ConnOptions options = {.purpose = "timeline", .stop = &session->stream->stop};
    if (session->target == NULL && !conn_open(&own, spec->target, &options, err))
        return false;
    const TimelineOf of = {.run = spec->run_id,
                           .target = own != NULL ? own : session->target,
                           .plan = spec->blueprint->plan->path,
                           .back = is_way_back(spec),
                           .log = &spec->log};
    return timeline_check(&of, session->repl, session->start, err);
}

static bool open_source(StreamSession *session, Lsn *confirmed, Err *err)
{
    const StreamSpec *spec = &session->stream->spec;
    AUTO_CONN Conn *plain = NULL;
    Lsn end = 0;
    ConnOptions options = {.purpose = "slot", .read_only = true, .stop = &session->stream->stop};
    if (!conn_open(&plain, spec->source, &options, err) ||
        !check_version(&session->stream->decoding, plain, err) ||
        !check_slot(spec, plain, confirmed, &end, err) ||
        !find_start(session, *confirmed, &session->start, err))
        return false;
    if (session->start > end)
        return went_back(spec, session->start, end, err);
    options =
        (ConnOptions){.purpose = "receive", .replication = true, .stop = &session->stream->stop};
    if (!conn_open(&session->repl, spec->source, &options, err) || !check_timeline(session, err))
        return false;
    ReplStart start = {
        .slot = spec->slot_name, .publications = spec->publications, .position = session->start};
    decoding_ask(&session->stream->decoding, conn_version(plain), &start);
    start.binary = session->stream->form == PGO_BINARY;
    start.streaming = start.streaming && session->stream->spool == NULL;
    return repl_start(session->repl, &start, err);
}

/* Nothing is applied yet: only the lowest lane row is wanted. */
static bool read_position(StreamSession *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *target = NULL;
    const StreamSpec *spec = &session->stream->spec;
    ConnOptions options = {.purpose = "spool", .stop = &session->stream->stop};
    JournalLane *lanes = NULL;
    const char *routing = NULL;
    size_t count = 0;
    if (!conn_open(&target, spec->target, &options, err) ||
        !journal_lanes_read(&arena, target, spec->run_id, &lanes, &count, &routing, err))
        return false;
    session->position = count > 0 ? lanes[0].applied : 0;
    for (size_t i = 0; i < count; i++) {
        if (lanes[i].epoch != spec->epoch)
            return err_set(err, ERR_LOCKED, "another engine has taken this run");
        session->position =
            lanes[i].applied < session->position ? lanes[i].applied : session->position;
    }
    return count > 0 || err_set(err, ERR_RUN, "the run has no applied position");
}

/* Told when it becomes known, and when it changes. */
static bool choose_form(StreamSession *session, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Stream *stream = session->stream;
    PgoValueKind before = stream->form;
    const char *why = NULL;
    if (!form_choose(&arena, &stream->spec, session->target, &stream->form, &why, err))
        return false;
    if (stream->form == before)
        return true;
    if (stream->form == PGO_BINARY)
        log_info(&stream->spec.log, "values come in binary form");
    else
        log_info(&stream->spec.log, "values come as text: %s", why);
    return true;
}

static bool open_target(StreamSession *session, Err *err)
{
    const StreamSpec *spec = &session->stream->spec;
    ConnOptions options = {.purpose = "apply",
                           .replica_sql = spec->blueprint->target->server.replica_sql,
                           .async_commit = true,
                           .stop = &session->stream->stop};
    if (spec->receive_only)
        return read_position(session, err);
    if (!conn_open(&session->target, spec->target, &options, err) || !choose_form(session, err) ||
        !crew_open(session, err))
        return false;
    return !session->stream->quiet || session->stream->closed ||
           quiet_check(spec->blueprint, session->target, err);
}

void session_marker_arrived(Stream *stream, const char *nonce, Lsn end_lsn)
{
    stream->closed = stream->closed || stream->quiet;
    stream->coming_end = 0;
    log_info(&stream->spec.log, "marker arrived at %s", lsn_text(end_lsn).text);
    positions_marker_arrived(stream, nonce, end_lsn);
    behind_meet(stream, nonce);
}

/* A marker was under way when the session before ended. Applied, it does not come again; not
 * applied, it does. */
static void settle_coming(Stream *stream, Lsn position)
{
    if (stream->coming_end != 0 && position >= stream->coming_end)
        session_marker_arrived(stream, str_text(&stream->coming_nonce), stream->coming_end);
    stream->coming_end = 0;
}

bool stream_session_open(Stream *stream, StreamSession **out, Err *err)
{
    StreamSession *session = mem_resize(NULL, sizeof(StreamSession));
    *session = (StreamSession){.stream = stream};
    queue_init(&session->queue, QUEUE_BATCHES, stream->spec.budget->queue_bytes);
    Lsn confirmed = 0;
    if (!open_target(session, err) || !open_source(session, &confirmed, err)) {
        stream_session_close(session);
        return false;
    }
    if (!stream->spec.receive_only)
        applier_connect(&stream->applier, session->target, stream->form);
    relmap_forget(&stream->relmap);
    decoding_reset(&stream->decoding);
    /* The source may have been told beyond the lane row then; the row may be taken back no further
     * than the spool reaches. */
    if (stream->spool != NULL && spool_begins(stream->spool) < confirmed)
        confirmed = spool_begins(stream->spool);
    positions_begin(stream, session->position, confirmed);
    behind_begin(stream);
    settle_coming(stream, session->position);
    log_info(&stream->spec.log, "%s from %s%s%s",
             stream->spec.receive_only ? "receiving into the spool" : "replicating",
             lsn_text(session->position).text,
             session->start != session->position ? ", out of the spool up to " : "",
             session->start != session->position ? lsn_text(session->start).text : "");
    *out = session;
    return true;
}

bool session_threads_begin(StreamSession *session, Err *err)
{
    if (!thread_begin(&session->receiver, "receiver", receiver_main, session, err))
        return false;
    session->receiving = true;
    if (session->stream->spool == NULL || session->stream->spec.receive_only)
        return true;
    if (!thread_begin(&session->feeder, "feeder", feeder_main, session, err))
        return false;
    session->feeding = true;
    return true;
}

static void join_threads(StreamSession *session)
{
    atomic_store(&session->ending, true);
    if (session->feeding)
        pthread_join(session->feeder, NULL);
    if (session->receiving)
        pthread_join(session->receiver, NULL);
    session->feeding = false;
    session->receiving = false;
}

void session_thread_failed(StreamSession *session, Err *error)
{
    Err *none = NULL;
    const Stream *stream = session->stream;
    bool first = atomic_compare_exchange_strong(&session->first_error, &none, error);
    if (first && !atomic_load(&session->ending) && stop_reason(&stream->stop) == STOP_NONE)
        log_warn(&stream->spec.log, "nothing is received any more: %s", error->message);
    queue_close(&session->queue);
}

bool session_receiver_error(StreamSession *session, Err *err)
{
    join_threads(session);
    Err *first = atomic_load(&session->first_error);
    if (first == NULL)
        BUG("the receiver ended without an error");
    return err_move(err, first);
}

void stream_session_close(StreamSession *session)
{
    Stream *stream = session->stream;
    join_threads(session);
    queue_close(&session->queue);
    for (Batch *batch = queue_take(&session->queue, 0); batch != NULL;
         batch = queue_take(&session->queue, 0))
        batch_free(&stream->pool, batch);
    queue_release(&session->queue);
    crew_close(session->crew);
    group_release(&stream->group, &stream->pool);
    conn_close(session->repl);
    conn_close(session->target);
    stream->applier.conn = NULL;
    err_release(&session->receiver_error);
    err_release(&session->feeder_error);
    mem_free(session);
}
