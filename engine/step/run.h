/*
 * Run: what one execution of a plan owns and shares: endpoints, names, the blueprint, the journal's
 * row, the stop, the services (wave, stream) and the counters that progress reads. Members are
 * written by the main thread before steps start, except those marked atomic or owned by a named
 * service.
 */
#ifndef GODWIT_STEP_RUN_H
#define GODWIT_STEP_RUN_H

#include "base/throttle.h"
#include "blueprint/blueprint.h"
#include "journal/journal.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct StepBuilder StepBuilder;
typedef struct Wave Wave;           /* copy/wave.h */
typedef struct Stream Stream;       /* cdc/stream.h */
typedef struct Cutover Cutover;     /* cutover/cutover.h */
typedef struct Notifier Notifier;   /* hook/notify.h */
typedef struct Lob Lob;             /* lob/lob.h */
typedef struct SlotWatch SlotWatch; /* step/slot_watch.h */
typedef struct WayBack WayBack;     /* step/way_back.h */

/* Counters for progress and the final summary; written by workers, read by anyone. */
typedef struct RunCounters {
    atomic_llong rows_copied;
    atomic_llong bytes_copied;
    atomic_llong parts_done;
    atomic_llong parts_total;
    atomic_llong relations_verified;
    atomic_llong differences;
    atomic_llong lag_at_cutover_bytes;
    atomic_llong downtime_ms;
} RunCounters;

typedef struct Run Run;

/* The way back is a Run of its own: its source is the plan's target and its target the plan's
 * source, where its rows of the journal stand beside their effects. What is one for both ways (the
 * state, the fences, approvals, events) is in the journal of the way there: run_main() and
 * run_book(). See docs/adr/0018. */
struct Run {
    Arena arena;
    const Plan *plan;
    const Blueprint *blueprint;
    const char *slot_name;        /* godwit_<name>_<mark> */
    const char *publication_name; /* the same */
    const char *mark; /* the comment put on objects that can carry one: "godwit <name> <mark>" */
    JournalRun journal;
    Endpoint source;
    Endpoint target;
    Stop *stop;
    const char *pg_dump; /* full paths */
    const char *pg_restore;
    bool exit_at_gate; /* what would wait for a gate or an approval fails with exit 8 or 6 */
    Wave *wave;        /* owned by step wave .. wave_end */
    Stream *stream;    /* owned by step replicate .. finish; set and taken under the mutex */
    pthread_mutex_t stream_mutex;
    Stream *spooler;       /* owned by step spool .. replicate: receives into the spool till then */
    Cutover *cutover;      /* made before the steps start; its members are the cutover steps' */
    Lob *lob;              /* the pass over large objects, owned by the step that makes it */
    Notifier *notifier;    /* NULL: the plan has no notify */
    SlotWatch *slot_watch; /* from before the first step to the end; its own mutex */
    SlotWatch *back_watch; /* the same over the way back's slot while that is kept open */
    const bool *whole;     /* by relation: compared as a whole before the fence; NULL: none is */
    Budget *budget;        /* of limits.memory; the same there and on the way back */
    RunCounters counters;
    Throttle throttle;   /* of live verification, for all workers */
    Run *forth;          /* the run whose way back this is; NULL: it is the way there */
    WayBack *back;       /* of the way there; NULL: none is prepared, or it was not needed yet */
    atomic_bool keeping; /* switched, and all that is left is to keep the way back open */
    atomic_bool leaves;  /* a step has said that this engine ends here: none begins any more */
    LogCtx log;
};

/** The run that the journal knows by its plan's name. */
static inline Run *run_main(Run *run)
{
    return run->forth != NULL ? run->forth : run;
}

/** Of a run's two connections the one to the journal that run_main() stands in. */
static inline Conn *run_book(const Run *run, Conn *source, Conn *target)
{
    return run->forth != NULL ? source : target;
}

struct StreamStatus;

/** The stream is there: from now on progress may look at it. */
void run_publish_stream(Run *run, Stream *stream);

/** The stream is about to end: nobody else looks at it any more. \return NULL when there is none.
 */
Stream *run_withdraw_stream(Run *run);

/** The same for what receives into the spool before the stream is there. */
void run_publish_spooler(Run *run, Stream *spooler);
Stream *run_withdraw_spooler(Run *run);

/** The stream's status, from any thread, at any time. \return false when none runs. */
bool run_stream_status(Run *run, struct StreamStatus *status);

/** Copies the error with which the stream ended, as long as no step has taken it, with the step
 * that began it. \return false when it has not failed, or none runs. */
bool run_stream_failure(Run *run, Err *copy);

#endif
