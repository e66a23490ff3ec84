/*
 * Undo: taking back what a run made, for `reset` and `cleanup`.
 */
#ifndef GODWIT_CMD_UNDO_H
#define GODWIT_CMD_UNDO_H

#include "cmd/session.h"

/* What bears the plan's name and another run's mark: that run is between other servers, perhaps
 * alive, and only its own cleanup drops it. */
typedef struct Other {
    const char *what; /* "slot godwit_shop_0123abcd on the source" */
    const char *drop; /* how to do it by hand */
} Other;

/** Slots, publications and indexes on one server that bear this plan's name, whatever became of
 * their run.
 */
typedef struct Orphans {
    const char **slots;
    size_t slot_count;
    const char **publications;
    size_t publication_count;
    Name *indexes; /* made for a replica identity of which the journal is gone */
    size_t index_count;
    const char **spools; /* directories in the plan's replication.spool.directory */
    size_t spool_count;
    Other *others;
    size_t other_count;
} Orphans;

MUSTCHECK bool undo_find_orphans(Session *session, Conn *conn, Orphans *orphans, Err *err);

/** Prints the others to stdout. */
void undo_tell_others(const Orphans *orphans);

/** \return false with ERR_STALE when there are others: which, and how to drop them. */
MUSTCHECK bool undo_refuse_others(const Orphans *orphans, const char *plan, Err *err);

/** Drops them, not the others; prints each to stdout. Idempotent. Needs a session that may write.
 */
MUSTCHECK bool undo_drop_orphans(Session *session, Conn *conn, const Orphans *orphans, Err *err);

/** Whether a journal of this run's way back is on the source. */
MUSTCHECK bool undo_find_way_back(Session *session, bool *found, Err *err);

/** Drops what the way back stands on; prints it. Needs a writable source session. */
MUSTCHECK bool undo_way_back(Session *session, Err *err);

/** Opens the primary that an engine did not come to open: behind a failback the source, behind a
 * cutover the target; prints it. Needs a writable source session, or none: then only the target.
 * \param target behind a failback also the target, which it has left closed: it is begun anew */
MUSTCHECK bool undo_closed(Session *session, bool target, Err *err);

/** Calls every step's undo, last first. */
MUSTCHECK bool undo_steps(Session *session, Err *err);

/** Takes back the replica identities that the journal says were set, and lets the jobs run again
 * that it says were paused. Needs a writable source session. */
MUSTCHECK bool undo_on_source(Session *session, Err *err);

/** Closes the read-only source session and opens one that may write. */
MUSTCHECK bool undo_open_source(Session *session, Err *err);

/** Drops slot and publication on the source, with connections of its own that no stop interrupts;
 * its lane and identities stay. */
MUSTCHECK bool undo_leg_there(Session *session, Run *run, Err *err);

/** An engine that died between preparing the way back and its first fence left it, and its slot
 * holds WAL on the target: drops it; what cannot be dropped is logged. */
MUSTCHECK bool undo_prepared(Session *session, Err *err);

/** An engine that died in its cutover, before the switch, left fences: takes them down. Refuses
 * with ERR_STALE when these are not the servers of the run. */
MUSTCHECK bool undo_fences(Session *session, Err *err);

#endif
