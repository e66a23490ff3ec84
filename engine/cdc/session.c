/*
 * Session: connections, and the check without which a server would silently leave out what lies
 * between the position and its own confirmed_flush_lsn.
 */
#include "cdc/stream_internal.h"

#include "cdc/crew.h"
#include "cdc/health.h"
#include "cdc/quiet.h"
#include "pg/query.h"
#include "pg/repl.h"
#include "sql_text.h"

#define QUEUE_BATCHES 4096

static bool cannot_resume(const char *slot, const char *problem, Err *err)
{
    err_set(err, ERR_CANNOT_RESUME, "slot %s %s", slot, problem);
    return err_hint(err,
                    "What was not applied cannot be had from it any more: reset the run and begin "
                    "again, or restore the slot.");
}

static bool check_slot(const StreamSpec *spec, Conn *source, Lsn position, Lsn *confirmed, Err *err)
{
    const char *slot = spec->slot_name;
    const char *plan = spec->blueprint->plan->path;
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_CDC_SLOT_STATE, PARAMS(slot), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return health_lost(slot, NULL, plan, err);
    if (text_equal(rows_text(rows, 0, 1), "lost"))
        return health_lost(slot, rows_text(rows, 0, 3), plan, err);
    if (!rows_bool(rows, 0, 2))
        return cannot_resume(slot, "belongs to another database", err);
    *confirmed = rows_lsn(rows, 0, 0);
    if (*confirmed <= position)
        return true;
    cannot_resume(slot, "was moved beyond what is applied", err);
    return err_detail(err, "Applied up to %s, the slot's confirmed_flush_lsn is %s.",
                      lsn_text(position).text, lsn_text(*confirmed).text);
}

static int proto_version(int server_version)
{
    if (server_version >= 160000)
        return 4;
    return server_version >= 150000 ? 3 : 2;
}

static bool check_version(Conn *source, Err *err)
{
    if (conn_version(source) >= 140000)
        return true;
    err_set(err, ERR_RUN, "cannot stream from a source of version %d",
            conn_version(source) / 10000);
    return err_hint(err, "In this version changes are streamed from PostgreSQL 14 and later.");
}

static bool open_source(StreamSession *session, Lsn *confirmed, Err *err)
{
    const StreamSpec *spec = &session->stream->spec;
    AUTO_CONN Conn *plain = NULL;
    ConnOptions options = {.purpose = "slot", .read_only = true, .stop = &session->stream->stop};
    if (!conn_open(&plain, spec->source, &options, err) || !check_version(plain, err) ||
        !check_slot(spec, plain, session->position, confirmed, err))
        return false;
    options =
        (ConnOptions){.purpose = "receive", .replication = true, .stop = &session->stream->stop};
    if (!conn_open(&session->repl, spec->source, &options, err))
        return false;
    ReplStart start = {.slot = spec->slot_name,
                       .publications = spec->publications,
                       .position = session->position,
                       .proto_version = proto_version(conn_version(plain)),
                       .messages = true,
                       .streaming = !session->stream->no_streaming};
    return repl_start(session->repl, &start, err);
}

static bool open_target(StreamSession *session, Err *err)
{
    const StreamSpec *spec = &session->stream->spec;
    ConnOptions options = {.purpose = "apply",
                           .replica_sql = spec->blueprint->target->server.replica_sql,
                           .async_commit = true,
                           .stop = &session->stream->stop};
    if (!conn_open(&session->target, spec->target, &options, err) || !crew_open(session, err))
        return false;
    return !session->stream->quiet || session->stream->closed ||
           quiet_check(spec->blueprint, session->target, err);
}

bool stream_session_open(Stream *stream, StreamSession **out, Err *err)
{
    StreamSession *session = mem_resize(NULL, sizeof(StreamSession));
    *session = (StreamSession){.stream = stream};
    queue_init(&session->queue, QUEUE_BATCHES, stream->queue_bytes);
    Lsn confirmed = 0;
    if (!open_target(session, err) || !open_source(session, &confirmed, err)) {
        stream_session_close(session);
        return false;
    }
    applier_connect(&stream->applier, session->target);
    relmap_forget(&stream->relmap);
    assemble_reset(&stream->assembly);
    positions_begin(stream, session->position, confirmed);
    log_info(&stream->spec.log, "replicating from %s", lsn_text(session->position).text);
    *out = session;
    return true;
}

void stream_session_close(StreamSession *session)
{
    Stream *stream = session->stream;
    atomic_store(&session->ending, true);
    if (session->receiving)
        pthread_join(session->receiver, NULL);
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
    mem_free(session);
}
