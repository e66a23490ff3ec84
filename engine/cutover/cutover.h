/*
 * Cutover: what lies between the first fence and the switch, in data-path.md's order, and the way
 * back.
 *
 *     target fence -> source fence -> marker -> drain -> sequences -> verify what moved -> switch
 * -> unfence
 *
 * What fails where: before the switch anything that fails, a stop, or max_downtime takes both
 * fences down (cutover_rollback) and the source is primary; killed there, the lock fence falls by
 * itself and the next engine rolls the rest back first thing. After the switch the target is
 * primary; the next engine goes on.
 */
#ifndef GODWIT_CUTOVER_CUTOVER_H
#define GODWIT_CUTOVER_CUTOVER_H

#include "step/run.h"

struct Cutover {
    Conn *fence; /* holds the SHARE locks of method lock; opened before the downtime begins */
    bool
        locks_large_objects; /* the session may lock them against writers, and the run moves them */
    atomic_llong began_ms;   /* monotonic: writes stop; 0 before */
    atomic_bool begun;       /* the attempt is on its way */
    atomic_bool switched;    /* the point of no return is behind us */
    atomic_bool opened;      /* the target takes writes */
    bool publishes;          /* the fence's session has published chunks: a rollback commits that */
    const char *nonce;       /* of this attempt's marker */
    const char *shape;       /* the source's tables as the last comparison saw them; NULL: none */
    const char *structure;   /* the same, its facts */
    const char **published;  /* the same, what published each leaf (copy/published.h) */
    const bool *refiled; /* by relation: compared whole at the next look, since tables got another
                            file, of whose rows no WAL may tell; NULL: none */
    int64_t keys_verified;
    Arena arena;
};

/** The state of an attempt that has not begun. */
Cutover *cutover_new(void);

/** Opens what can be opened before the downtime, draws the marker. Idempotent. */
MUSTCHECK bool cutover_prepare(Run *run, Err *err);
void cutover_free(Cutover *cutover);

/* Each of these goes either way: on the way back (Run.forth) the run's source is the plan's target.
 */

/** State running -> cutover (on the way back: switched -> failback), unless a hook before the fence
 * has begun the attempt: from here on what the attempt does is taken back when it fails, by this
 * engine or the next. */
MUSTCHECK bool cutover_begin(Run *run, Conn *source, Conn *target, Err *err);

/** Begins the attempt, then the target's fence. */
MUSTCHECK bool cutover_fence_target(Run *run, Conn *source, Conn *target, Err *err);

/** The source's fence by the plan's method; the downtime begins. */
MUSTCHECK bool cutover_fence_source(Run *run, Conn *source, Conn *target, Err *err);

/** Emits this attempt's marker and waits until it came through apply; then until chunks of
 * hypertables are copied that came between the last look at them and the fence. */
MUSTCHECK bool cutover_drain(Run *run, Conn *source, Err *err);

/** Compares the rows that were touched since their last clean look; once before the fence, live,
 * and once behind it. \return false with ERR_DIFFERENCE naming rows that differ. */
MUSTCHECK bool cutover_verify_moved(Run *run, Conn *source, Conn *target, bool live, Err *err);

/** Of a failback, live, before its fence: compares what its engines and those before them have
 * applied to the source since the switch. \return as cutover_verify_moved(). */
MUSTCHECK bool cutover_verify_kept(Run *run, Conn *source, Conn *target, Err *err);

/** The point of no return: makes the source read-only, ends its sessions, state -> switched, locks
 * fall. */
MUSTCHECK bool cutover_switch(Run *run, Conn *source, Conn *target, Err *err);

/** Takes the target's fence down; the downtime ends and is journalled. On the way back the writers
 * are let go on (stop_writes.undo), at least once: the journal forgets the fence behind that. */
MUSTCHECK bool cutover_unfence_target(Run *run, Conn *source, Conn *target, Err *err);

/** Lets the writers go on at home, behind a failback that did not come to its end.
 * \param main the run there \return false with ERR_TOOL */
MUSTCHECK bool cutover_writers_home(Run *main, Err *err);

/** Milliseconds of downtime so far, 0 before the source's fence. */
int64_t cutover_downtime_ms(const Run *run);

/** Takes down every fence that the journal knows, ends the approvals, lets the writers go on
 * (stop_writes.undo), runs the hooks of on_rollback, state cutover -> running. Of a failback: takes
 * down what it has put up (the source stays closed), state failback -> switched. With connections
 * of its own that no stop interrupts; tries several times. Idempotent. When the journal says that
 * the switch was committed after all (its answer was lost), nothing is taken back and the run's
 * state is `switched` (`failed_back`) afterwards. \return false with ERR_STILL_FENCED: what to run
 * by hand is in the hint. */
MUSTCHECK bool cutover_rollback(Run *run, Err *err);

#endif
