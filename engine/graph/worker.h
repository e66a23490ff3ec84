/*
 * Worker: a thread that runs the pieces of steps the executor hands it. It owns one connection to
 * each side, opened when a step first needs it and opened anew after a loss.
 */
#ifndef GODWIT_GRAPH_WORKER_H
#define GODWIT_GRAPH_WORKER_H

#include "base/queue.h"
#include "step/step.h"

#include <pthread.h>

typedef enum PieceKind {
    PIECE_BEGIN, /* observe; a plain step is then applied and verified, a parted one counted */
    PIECE_PART,  /* one part */
    PIECE_END    /* apply (if any) and verify of a parted step */
} PieceKind;

/* One piece of work, and its outcome. Owned by the executor. */
typedef struct Piece {
    Step *step;
    PieceKind kind;
    size_t part;
    bool recorded_done; /* from the journal */
    int attempt;
    int64_t not_before_ms; /* monotonic: a retry waits its backoff */
    /* outcome */
    bool ok;
    bool satisfied; /* PIECE_BEGIN: nothing to do */
    bool parted;    /* PIECE_BEGIN: part_count parts are to be run */
    size_t part_count;
    Err err;
    int64_t elapsed_us;
} Piece;

typedef struct Worker {
    pthread_t thread;
    int number;
    Run *run;
    Queue *work; /* of Piece */
    Queue *done; /* of Piece */
    int wake_fd; /* written after each put into done */
    Conn *source;
    Conn *target;
    Conn *quiet; /* opened by the copy if it needs it */
} Worker;

/** Starts the thread; it ends when the work queue is closed. \return as thread_begin() */
MUSTCHECK bool worker_start(Worker *worker, Err *err);
void worker_join(Worker *worker);

#endif
