/*
 * What the threads of a stream share. Everything below `mutex` is read and written under it; the
 * rest belongs to the lane, or is read only.
 */
#ifndef GODWIT_CDC_STREAM_INTERNAL_H
#define GODWIT_CDC_STREAM_INTERNAL_H

#include "base/queue.h"
#include "base/str.h"
#include "base/vec.h"
#include "cdc/apply.h"
#include "cdc/chunk_question.h"
#include "cdc/decoder.h"
#include "cdc/hold.h"
#include "cdc/spool.h"
#include "cdc/stream.h"
#include "cdc/watch.h"

/* Durable positions are made, and told to the source, this often. */
#define REPORT_INTERVAL_MS 1000
#define LAG_SAMPLES        1024

/* When the source's WAL was first seen to reach beyond what is applied. */
typedef struct LagSample {
    Lsn head;
    int64_t at_us; /* clock_us() */
} LagSample;

typedef struct Marker {
    const char *nonce;
    Lsn end_lsn;
    uint64_t selected; /* Stream.selected when it arrived */
    uint64_t looks;    /* Stream.looks when it arrived */
    bool sealed;       /* it came behind the last one */
} Marker;

/* A leaf that does not bear its name any more. */
typedef struct Astray {
    const Leaf *leaf;
    const char *text; /* a sentence */
} Astray;

/* What is known of a relation that the stream sends and the blueprint lacks. */
typedef enum Stranger {
    STRANGER_NONE,
    STRANGER_ASKED,   /* the pulse looks at the source */
    STRANGER_FOREIGN, /* no partition of a selected table */
    STRANGER_LATE,    /* a partition that came since: the engine takes it in */
    STRANGER_GONE, /* left out: not there any more, not published any more, or of a paused table */
} Stranger;

struct Stream {
    StreamSpec spec;
    Stop stop;            /* for waits of our connections: run's stop, or a stream that must end */
    atomic_bool draining; /* end after the group in flight */
    atomic_int waiters;   /* somebody waits for a position: hurry */
    Spool *spool;         /* NULL: none; its own file says who may do what */
    Lsn received_before;  /* receive_only: to see progress */
    bool drain_first;     /* the receiver's: see drain_first() */
    atomic_bool went_astray; /* the decoding thread ends the stream: see names.h */
    bool quiet;              /* blueprint_keeps_quiet(); read only */
    PgoValueKind form;       /* of the session's values; 0 before the first */
    pthread_t lane_thread;
    pthread_t pulse_thread;
    pthread_t watch_thread;
    bool pulsing, watching, decodes; /* the thread was started */

    /* the lane's */
    BatchPool pool;
    Decoding decoding;
    Touched touched;
    Relmap relmap;
    Applier applier;
    Group group;
    bool
        closed; /* quiet: the marker is through, triggers may stand on the target: no change more */
    Str coming_nonce; /* of a marker whose commit is under way */
    Lsn coming_end;   /* where it ends; 0: there is none */
    bool sealed; /* the last marker is through: changes are counted, none is applied (behind.h) */
    bool stays;  /* such a change came: the position stays before it */
    Hold hold;   /* its requests are under the mutex */
    VEC(uint32_t) gone; /* relations of the stream that were dropped before anybody knew them */
    Arena gone_arena;
    bool *large_row_told; /* by Leaf.index */
    uint64_t progress;    /* sessions count as good when they moved this */
    int64_t waited_ms;    /* when it last waited for a table, all else being well */
    Lsn alone; /* the transaction with this commit begins behind a commit of all before */
    struct StreamSession *session;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    StreamStatus status; /* applied: the lane row */
    Lsn covered;         /* applied, or nothing of ours stands between: for the lag */
    Lsn durable;
    LagSample samples[LAG_SAMPLES]; /* ring, oldest first, all above `covered` */
    size_t sample_first;
    size_t sample_count;
    bool head_known;
    int64_t head_at_us; /* when the source told it last */
    Lsn first_head;     /* the source's WAL end as first seen */
    Lsn last_sync_lsn;  /* the newest of all leaves */
    char *shape;        /* as last seen; the pulse's */
    uint32_t stranger_oid;
    Stranger stranger;
    ChunkWatch watch;        /* see watch.h */
    ChunkQuestion chunk;     /* see chunks.h */
    uint64_t chunk_tickets;  /* given out */
    atomic_bool chunk_asked; /* there is one */
    uint64_t looks; /* at the names, see names.h; what is astray does not change any more */
    VEC(Astray) astray;
    Arena astray_arena;
    uint64_t selected; /* changes that arrived and were not skipped */
    VEC(Marker) markers;
    Arena marker_arena;
    const char *last; /* the marker that seals the stream; NULL: none is expected */
    VEC(StreamBehind) behind;
    Arena behind_arena;
    Err error;
    bool lane_done;
};

typedef struct Crew Crew; /* cdc/crew.h */

/* One life of the connections. */
typedef struct StreamSession {
    Stream *stream;
    Conn *target;
    Conn *repl;
    Queue queue;
    pthread_t receiver;
    pthread_t feeder;
    bool receiving;             /* the thread was started */
    bool feeding;               /* the same; with a spool */
    Err receiver_error;         /* read after the thread was joined */
    Err feeder_error;           /* the same */
    _Atomic(Err *) first_error; /* which of them came first: the other may only follow from it */
    atomic_bool ending;         /* the receiver sends its last feedback and ends */
    Lsn position;               /* the lowest lane row at its beginning */
    Crew *crew;
    Lsn start; /* where the source begins to send: with a spool, behind what is in it */
} StreamSession;

/** Opens both connections and starts replication at the lane row. \return false with ERR_CONNECT,
 * ERR_SQL, ERR_LOST, ERR_CANNOT_RESUME, ERR_LOCKED. */
MUSTCHECK bool stream_session_open(Stream *stream, StreamSession **session, Err *err);

/** Receives and applies until something fails (false), or the stream drains (true). */
MUSTCHECK bool stream_session_run(StreamSession *session, Err *err);
void stream_session_close(StreamSession *session);

/** Starts the receiver, and with a spool the feeder. \return false with ERR_RUN. */
MUSTCHECK bool session_threads_begin(StreamSession *session, Err *err);

/** Called by a thread that ends with its error, which is set: notes it, closes the queue. Tells it
 * at once: apply, which ends the session, may wait for a lock. */
void session_thread_failed(StreamSession *session, Err *error);

/** The error that ended the receiver or the feeder, whichever came first. \return false */
bool session_receiver_error(StreamSession *session, Err *err);

/** Thread bodies. */
void *receiver_main(void *session);
void *feeder_main(void *session);
void *pulse_main(void *stream);
void *watch_main(void *stream);

/** Positions, under the stream's mutex. */
void positions_begin(Stream *stream, Lsn applied, Lsn durable);
void positions_received(Stream *stream, Lsn received);
void positions_covered(Stream *stream, Lsn covered);
void positions_head(Stream *stream, Lsn head, uint64_t retained_bytes);

/** The lane row moved to this; what was counted on the way is added. */
void positions_applied(Stream *stream, const LaneStep *step, uint64_t conflicts);
void positions_skipped(Stream *stream, uint64_t changes);

/** A marker is applied; what would now fire triggers is not applied any more. */
void session_marker_arrived(Stream *stream, const char *nonce, Lsn end_lsn);
/** Waits until the marker has come, whether or not the position could follow. */
MUSTCHECK bool stream_wait_seen(Stream *stream, const char *nonce, int timeout_ms, Err *err);

void positions_marker_arrived(Stream *stream, const char *nonce, Lsn end_lsn);

/** Called for each selected change that arrives. */
void positions_selected(Stream *stream);

/** A table is not what the blueprint says: what the stream ends with. */
void positions_drifted(Stream *stream, const Relation *relation);

/** Apply waits for a leaf; NULL: it goes on. */
void positions_waits(Stream *stream, const Leaf *leaf);

/** Leaves began or ceased to be held, or have another sync_lsn: under the mutex. */
void positions_held(Stream *stream);

/** Does what is asked of leaves. \param inside a transaction is open */
void stream_take_requests(Stream *stream, bool inside);

typedef struct Positions {
    Lsn received;
    Lsn applied;
    Lsn durable;
    Lsn covered;
} Positions;
Positions positions_read(Stream *stream);
void positions_reported(Stream *stream, Lsn reported);

#endif
