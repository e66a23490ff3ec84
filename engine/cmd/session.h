/*
 * Session: what most commands begin with: the plan, both endpoints, connections, catalogs, the
 * blueprint, the journal's run. Each function does one stage and may be called once;
 * session_release() undoes all.
 */
#ifndef GODWIT_CMD_SESSION_H
#define GODWIT_CMD_SESSION_H

#include "blueprint/blueprint.h"
#include "catalog/catalog.h"
#include "cmd/options.h"
#include "graph/build.h"
#include "journal/journal.h"
#include "journal/lock.h"
#include "schema/tools.h"
#include "step/run.h"

struct Pinned;

typedef VEC(JournalPaused) PausedVec;

typedef struct Session {
    Arena arena;
    struct Pinned *pinned; /* NULL: the plan was given as a file of its own */
    Plan plan;
    PlanFindings findings;
    Stop stop;
    Endpoint source_endpoint;
    Endpoint target_endpoint;
    Conn *source;
    Conn *target;
    Catalog source_catalog;
    Catalog target_catalog;
    Blueprint blueprint;
    bool take_added;      /* session_inspect() takes in what the source got since the run began */
    const char *left_out; /* else these tables and sequences are left out; NULL: there are none */
    const char *resync;   /* tables that are copied anew by request, as late_note() has them */
    PausedVec paused;     /* tables that are left out until they are (cmd/paused.h) */
    PausedVec resumed;    /* those of them that are */
    PgTools tools;
    bool has_journal;
    JournalRun journal; /* id 0: no run of this name */
    RunLock *lock;
} Session;

#define AUTO_SESSION __attribute__((cleanup(session_release)))

/** Loads the plan (or the plan inside a pinned plan); findings go to stderr. */
MUSTCHECK bool session_plan(Session *session, const char *path, Err *err);

/** Resolves endpoints, checks `expect`, connects. \param read_only every session is a read-only one
 */
MUSTCHECK bool session_connect(Session *session, bool source, bool target, bool read_only,
                               Err *err);

/** Opens the target's session anew when it was lost; what it knew is in the session still. */
MUSTCHECK bool session_mend(Session *session, Err *err);

/** Finds the journal's run on the target. */
MUSTCHECK bool session_journal(Session *session, Err *err);

/** Reads both catalogs, once. */
MUSTCHECK bool session_catalogs(Session *session, Err *err);

/** Refuses with ERR_STALE when the run began with other servers: nothing of it may be undone on
 * these. */
MUSTCHECK bool session_same_systems(Session *session, Err *err);

/** The same without the catalogs, of the servers that are connected: what asks nothing else of them
 * first. True where there is no run. */
MUSTCHECK bool session_same_servers(Session *session, Err *err);

/** Reads both catalogs, resolves the blueprint; its findings go to stderr. In a run that exists (if
 * session_journal() was asked) a selector may match nothing any more, and tables that came since it
 * began are left out unless `take_added` is set. */
MUSTCHECK bool session_inspect(Session *session, Err *err);

/** Finds pg_dump and pg_restore; for what restores the schema. */
MUSTCHECK bool session_tools(Session *session, Err *err);

/** Takes the run's lock: connections that open to the target from here on look whether it stands.
 */
MUSTCHECK bool session_lock(Session *session, Err *err);

/** Gives it up, if there is one. */
void session_unlock(Session *session);

/** Fills in a Run for steps: names, mark, endpoints. The journal's row is the session's. */
void session_run(Session *session, Run *run);

/** The mark in the names of what a run between these servers makes.
 * \param mark NULL: there is no run, and no source to derive it from */
MUSTCHECK bool session_mark(Session *session, const char **mark, Err *err);

/** "<system identifier>/<database>" of a catalog: which database this is. */
const char *session_system(Arena *arena, const Catalog *catalog);

/* What a run may find changed in its plan. */
typedef enum SessionChanges {
    CHANGES_REFUSED,
    CHANGES_SAFE,  /* how it goes, not what it moves: --accept-changes */
    CHANGES_ADDED, /* and what is added to the selection: refresh */
} SessionChanges;

/** Forgets plan, servers and catalogs, and reads the plan again; the lock is kept. */
MUSTCHECK bool session_renew(Session *session, Err *err);

/** As session_same_run(), without taking anything over. */
MUSTCHECK bool session_may_change(Session *session, SessionChanges changes, Err *err);

/** Refuses with ERR_STALE when the run began with another plan or other servers.
 * \param changes which changes are taken over */
MUSTCHECK bool session_same_run(Session *session, SessionChanges changes, Err *err);

/** Whether there is a terminal to ask on. */
bool session_can_ask(void);

/** Asks on a terminal; without one, --yes is needed. \return false with ERR_USAGE when the answer
 * is no. */
MUSTCHECK bool session_confirm(const Options *options, const char *question, Err *err);

void session_release(Session *session);

#endif
