/*
 * Feeder: reads what the receiver keeps in the spool and hands it to the thread that decodes, at
 * its pace. Lives for one session, beside the receiver; without a spool there is none.
 */
#include "cdc/spool.h"
#include "cdc/stream_internal.h"

#define WAIT_MS 100

static bool over(const StreamSession *session)
{
    return atomic_load(&session->ending) || stop_reason(&session->stream->stop) != STOP_NONE;
}

static bool feed(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    spool_read_begin(stream->spool, session->position);
    while (!over(session)) {
        Batch *batch = NULL;
        if (!spool_read(stream->spool, &stream->pool, &batch, WAIT_MS, err))
            return false;
        if (batch == NULL)
            continue;
        while (!queue_put(&session->queue, batch, batch->capacity, WAIT_MS)) {
            if (!over(session) && !queue_is_closed(&session->queue))
                continue;
            batch_free(&stream->pool, batch);
            return true;
        }
    }
    return true;
}

void *feeder_main(void *data)
{
    StreamSession *session = data;
    if (!feed(session, &session->feeder_error))
        session_thread_failed(session, &session->feeder_error);
    return NULL;
}
