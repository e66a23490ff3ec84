/*
 * Run: the one thing in it that a worker makes and the main thread's progress looks at while it
 * lives: the stream.
 */
#include "step/run.h"

#include "cdc/stream.h"

void run_publish_stream(Run *run, Stream *stream)
{
    pthread_mutex_lock(&run->stream_mutex);
    run->stream = stream;
    pthread_mutex_unlock(&run->stream_mutex);
}

Stream *run_withdraw_stream(Run *run)
{
    pthread_mutex_lock(&run->stream_mutex);
    Stream *stream = run->stream;
    run->stream = NULL;
    pthread_mutex_unlock(&run->stream_mutex);
    return stream;
}

bool run_stream_status(Run *run, StreamStatus *status)
{
    pthread_mutex_lock(&run->stream_mutex);
    Stream *stream = run->stream != NULL ? run->stream : run->spooler;
    if (stream != NULL)
        stream_status(stream, status);
    pthread_mutex_unlock(&run->stream_mutex);
    return stream != NULL;
}

bool run_stream_failure(Run *run, Err *copy)
{
    pthread_mutex_lock(&run->stream_mutex);
    Stream *stream = run->stream != NULL ? run->stream : run->spooler;
    bool failed = stream != NULL && stream_failure(stream, copy);
    if (failed)
        err_step(copy, run->stream != NULL ? "replicate" : "spool");
    pthread_mutex_unlock(&run->stream_mutex);
    return failed;
}

void run_publish_spooler(Run *run, Stream *spooler)
{
    pthread_mutex_lock(&run->stream_mutex);
    run->spooler = spooler;
    pthread_mutex_unlock(&run->stream_mutex);
}

Stream *run_withdraw_spooler(Run *run)
{
    pthread_mutex_lock(&run->stream_mutex);
    Stream *spooler = run->spooler;
    run->spooler = NULL;
    pthread_mutex_unlock(&run->stream_mutex);
    return spooler;
}
