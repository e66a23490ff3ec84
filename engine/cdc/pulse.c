/*
 * Pulse: an ordinary connection to the source that tells how far its WAL goes, and emits
 * heartbeats, so that a slot moves on although nothing of ours is written.
 *
 * It never fails the stream: what is wrong with the source is the receiver's to tell.
 */
#include "cdc/stream_internal.h"

#include "base/clock.h"
#include "cdc/chunks.h"
#include "cdc/mark.h"
#include "cdc/names.h"
#include "cdc/newcomers.h"
#include "sql_text.h"

#include <poll.h>

#define PULSE_MS           200
#define URGENT_PULSE_MS    50
#define URGENT_BEAT_MS     1000
#define PULSE_RECONNECT_MS 1000
#define PARTITIONS_MS      2000
#define ANSWER_MS          10

static bool over(const Stream *stream)
{
    return atomic_load(&stream->draining) || stop_reason(&stream->stop) != STOP_NONE;
}

/* Waits for the run's stop as well as ours, and passes it on. */
static void wait_ms(Stream *stream, int ms)
{
    if (stop_poll(stream->spec.stop, stream->stop.fd, POLLIN, ms) < 0)
        stop_request(&stream->stop, stop_reason(stream->spec.stop));
}

/* The same, but who asks about a chunk does not wait for long: apply stands still meanwhile. */
static void wait_or_answer(Stream *stream, int ms)
{
    bool may_ask = stream->spec.blueprint->has_chunked;
    int slice_ms = may_ask ? ANSWER_MS : ms;
    for (int waited_ms = 0; waited_ms < ms && !over(stream); waited_ms += slice_ms) {
        wait_ms(stream, slice_ms);
        if (may_ask && atomic_load(&stream->chunk_asked))
            return;
    }
}

static bool beat(Stream *stream, Conn *conn, Err *err)
{
    Lsn ignored = 0;
    return mark_emit(conn, stream->spec.run_mark, NULL, &ignored, err);
}

static bool look(Stream *stream, Conn *conn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_CDC_PULSE, PARAMS(stream->spec.slot_name), &rows, err))
        return false;
    int64_t retained = rows_int64(rows, 0, 1);
    positions_head(stream, rows_lsn(rows, 0, 0), retained > 0 ? (uint64_t)retained : 0);
    return true;
}

/* What is compared with the blueprint, and when that was done last. */
typedef struct Watch {
    Arena arena;
    const char *partitions; /* as newcomers_known() */
    const char *roots;      /* NULL: nothing is partitioned */
    const char *names;      /* NULL: they do not matter */
    int64_t looked_ms;
    int64_t shaped_ms; /* the same, at the shape of all tables */
} Watch;

static void watch_begin(Watch *watch, const Stream *stream)
{
    const Blueprint *blueprint = stream->spec.blueprint;
    *watch = (Watch){0};
    if (stream->spec.receive_only) /* nobody is taken in before the first copy is done */
        return;
    watch->partitions = newcomers_known(&watch->arena, blueprint, &watch->roots);
    if (names_matter(stream))
        watch->names = names_known(&watch->arena, blueprint);
}

/* Who waits for a marker waits for the names, too. */
static bool watch_look(Watch *watch, Stream *stream, Conn *conn, bool urgent, Err *err)
{
    bool hurry = urgent && watch->names != NULL;
    bool due = clock_ms() - watch->shaped_ms >= PARTITIONS_MS;
    if (due && !stream->spec.receive_only) {
        if (!newcomers_shape(stream, conn, err))
            return false;
        watch->shaped_ms = clock_ms();
    }
    if (!hurry && clock_ms() - watch->looked_ms < PARTITIONS_MS)
        return true;
    if (!newcomers_look(stream, conn, watch->roots, watch->partitions, err))
        return false;
    if (watch->names != NULL && !names_look(stream, conn, watch->names, err))
        return false;
    watch->looked_ms = clock_ms();
    return true;
}

static bool pulse_loop(Stream *stream, Watch *watch, Conn *conn, Err *err)
{
    int64_t heartbeat_ms = stream->spec.blueprint->plan->replication.heartbeat_us / 1000;
    int64_t last_beat_ms = clock_ms() - heartbeat_ms;
    while (!over(stream)) {
        bool urgent = atomic_load(&stream->waiters) > 0;
        int64_t every_ms = urgent && heartbeat_ms > URGENT_BEAT_MS ? URGENT_BEAT_MS : heartbeat_ms;
        if (clock_ms() - last_beat_ms >= every_ms) {
            if (!beat(stream, conn, err))
                return false;
            last_beat_ms = clock_ms();
        }
        if (!look(stream, conn, err) || !newcomers_stranger(stream, conn, err) ||
            !chunks_answer(stream, conn, err) || !watch_look(watch, stream, conn, urgent, err))
            return false;
        wait_or_answer(stream, urgent ? URGENT_PULSE_MS : PULSE_MS);
    }
    return true;
}

static bool pulse_session(Stream *stream, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {.purpose = "pulse", .async_commit = true, .stop = &stream->stop};
    if (!conn_open(&conn, stream->spec.source, &options, err))
        return false;
    Watch watch;
    watch_begin(&watch, stream);
    bool ok = pulse_loop(stream, &watch, conn, err);
    arena_release(&watch.arena);
    return ok;
}

void *pulse_main(void *data)
{
    Stream *stream = data;
    while (!over(stream)) {
        AUTO_ERR Err err = {0};
        if (pulse_session(stream, &err) || over(stream))
            continue;
        log_err(&stream->spec.log, LOG_WARN, &err);
        wait_ms(stream, PULSE_RECONNECT_MS);
    }
    return NULL;
}
