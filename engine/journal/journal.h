/*
 * Journal: what has been done and observed; rows in the schema `godwit` on the target
 * (schemas/control.sql). Where effect and record share a target transaction, the caller passes the
 * very connection that has the transaction open.
 *
 * The journal remembers, the databases decide: a lost row costs time, never truth.
 */
#ifndef GODWIT_JOURNAL_JOURNAL_H
#define GODWIT_JOURNAL_JOURNAL_H

#include "base/lsn.h"
#include "pg/query.h"
#include "plan/plan.h"

/* A run as the journal knows it. */
typedef struct JournalRun {
    int64_t id;
    const char *name;
    const char *fingerprint;
    const char *canonical; /* the plan's canonical JSON */
    const char *mark;      /* 8 hex digits: slots and publications are godwit_<name>_<mark> */
    const char *state;     /* see journal/run_state_table.c */
    const char *source_system;
    const char *target_system;
    int64_t epoch;          /* raised by each engine that takes the run */
    const char *runner;     /* role that began it */
    const char *started_at; /* text, UTC */
    const char *ended_at;   /* NULL while it lasts */
    int64_t downtime_ms;    /* 0: no cutover yet */
    const char *pinned;     /* hash of the pinned plan that the run is held to; NULL: none */
} JournalRun;

/** Whether the control schema is there. */
MUSTCHECK bool journal_exists(Conn *target, bool *exists, Err *err);

/** Makes or upgrades the control schema. Idempotent. */
MUSTCHECK bool journal_create(Conn *target, Err *err);

/** Finds the run of this plan name. \param run zeroed when there is none (id 0). */
MUSTCHECK bool journal_find_run(Arena *arena, Conn *target, const char *name, JournalRun *run,
                                Err *err);

/** Makes the run's row; fills in id. */
MUSTCHECK bool journal_create_run(Conn *target, JournalRun *run, const char *engine_version,
                                  Err *err);

/** Moves the run along an edge of the state table (journal/run_state_table.c); an edge that is not
 * listed is BUG(). \return false with ERR_STALE when the run is not in `from` any more. */
MUSTCHECK bool journal_run_state(Conn *target, JournalRun *run, const char *to, Err *err);

/** The same for what nobody takes back, and only if the run is still ours: an engine that was
 * frozen, and its lock ended, may wake in the cutover of another. */
MUSTCHECK bool journal_run_switch(Conn *target, JournalRun *run, const char *to, Err *err);

/** The run's state as the journal has it, held until the transaction on `target` ends: behind a
 * statement whose outcome nobody learned this tells it. */
MUSTCHECK bool journal_run_lock(Arena *arena, Conn *target, int64_t run, const char **state,
                                Err *err);

/** Takes over the fingerprint and text of a plan whose changes were accepted. */
MUSTCHECK bool journal_accept_plan(Conn *target, JournalRun *run, const Plan *plan, Err *err);

/** Remembers the pinned plan that the run is held to. \param digest NULL: none */
MUSTCHECK bool journal_pin(Conn *target, int64_t run, const char *digest, Err *err);

/** Remembers that the target becomes the primary now. */
MUSTCHECK bool journal_switched(Conn *target, int64_t run, Err *err);

/** How long the target has been the primary. */
MUSTCHECK bool journal_switched_for(Conn *target, int64_t run, int64_t *ms, Err *err);

/** Forgets what steps did, so that they are done again. \param steps `count` ids */
MUSTCHECK bool journal_forget_steps(Conn *target, int64_t run, const char **steps, size_t count,
                                    Err *err);

MUSTCHECK bool journal_downtime(Conn *target, int64_t run, int64_t downtime_ms, Err *err);

/** What became of a run whose journal is gone; outcome NULL when there is no tombstone. */
typedef struct JournalTombstone {
    const char *fingerprint;
    const char *outcome;
    const char *ended_at;
} JournalTombstone;
MUSTCHECK bool journal_tombstone(Arena *arena, Conn *target, const char *name,
                                 JournalTombstone *tombstone, Err *err);

/** Forgets the run but for a tombstone; with the last run the control tables go too. One
 * transaction. */
MUSTCHECK bool journal_bury_run(Conn *target, int64_t run, const char *outcome, Err *err);

/** Forgets the run without a tombstone; with the last one the journal goes, and its schema unless
 * something of others stands in it. One transaction. */
MUSTCHECK bool journal_forget_run(Conn *conn, int64_t run, Err *err);

/** Records a step's state: running, done, failed; detail may be NULL. */
MUSTCHECK bool journal_step(Conn *target, int64_t run, const char *step, const char *state,
                            const char *detail, Err *err);

/** What the operator says of a step that was running when its engine died.
 * \param state done or failed \return false with ERR_USAGE when its row is not `running` */
MUSTCHECK bool journal_settle_step(Conn *target, int64_t run, const char *step, const char *state,
                                   Err *err);

/** The recorded state of every step: rows (step, state, detail, started, ended). */
MUSTCHECK bool journal_steps(Conn *target, int64_t run, Rows **rows, Err *err);

/** Adds an event for status, report and notify. \param detail JSON text or NULL */
MUSTCHECK bool journal_event(Conn *target, int64_t run, const char *kind, const char *detail,
                             Err *err);

/** Adds a finding, for status and report. \param object may be NULL */
MUSTCHECK bool journal_finding(Conn *target, int64_t run, const char *code, const char *severity,
                               const char *object, const char *message, Err *err);

/** Whether this finding is there. */
MUSTCHECK bool journal_finding_told(Conn *target, int64_t run, const char *code, const char *object,
                                    const char *message, bool *told, Err *err);

/** Names what errors of this code are about that nobody has settled, a row for each. */
MUSTCHECK bool journal_open_findings(Conn *target, int64_t run, const char *code, Rows **rows,
                                     Err *err);

/** What was found of a relation, under either of its names, is mended. */
MUSTCHECK bool journal_settle_findings(Conn *target, int64_t run, const char *code,
                                       const Name *source, const Name *target_name, Err *err);

/** Replaces the newest sample of the running engine. \param json one object */
MUSTCHECK bool journal_metric(Conn *target, int64_t run, const char *json, Err *err);

/** Records what a verification found for one relation. */
MUSTCHECK bool journal_verification(Conn *target, int64_t run, const char *id, const Name *relation,
                                    int64_t source_rows, int64_t target_rows, int64_t differences,
                                    Err *err);

/* --- relations (leaves), waves and parts --- */

/* State letters as in run-model.md: i init, d copying, f replaying, s caught up, r streaming. */
typedef struct JournalLeaf {
    Name source;
    char state;
    int64_t wave;
    Lsn sync_lsn; /* 0: not known yet */
    int64_t rows;
    int64_t bytes;
    const char *published; /* what published it when it was copied; NULL: not known */
} JournalLeaf;

/** All leaves of the run that the journal knows. */
MUSTCHECK bool journal_leaves(Arena *arena, Conn *target, int64_t run, JournalLeaf **leaves,
                              size_t *count, Err *err);

/** Opens a wave over these leaves with its consistent point: rows `d`, parts of these leaves
 * forgotten. One transaction. \param wave receives the new wave's number. */
MUSTCHECK bool journal_wave_open(Conn *target, int64_t run, const Name *leaves, size_t count,
                                 Lsn sync_lsn, int64_t *wave, Err *err);

/** What publishes these leaves under the snapshot of their wave. \param published each one's text,
 * or NULL where nothing has to */
MUSTCHECK bool journal_leaves_published(Conn *target, int64_t run, const Name *leaves,
                                        const char *const *published, size_t count, Err *err);

/** Records a finished part; call inside the transaction that wrote its rows. */
MUSTCHECK bool journal_part_done(Conn *target, int64_t run, const Name *leaf, int64_t wave,
                                 int part, const char *range, int64_t rows_read,
                                 int64_t rows_written, int64_t bytes, Err *err);

/** Moves a leaf's state; inside the caller's transaction if one is open. */
MUSTCHECK bool journal_leaf_state(Conn *target, int64_t run, const Name *leaf, char state,
                                  Err *err);

/** A divided leaf is copied: state 'f'.
 * \return false with ERR_LOST when the journal does not have all its parts: the target crashed, and
 * took some that had been committed without waiting for its disk */
MUSTCHECK bool journal_leaf_copied(Conn *target, int64_t run, const Name *leaf, int64_t wave,
                                   size_t parts, Err *err);

/** Every leaf that is copied streams from now on. */
MUSTCHECK bool journal_leaves_stream(Conn *target, int64_t run, Err *err);

/** Leaves are to be copied anew: state i. Their share of the target is emptied by their next wave.
 */
MUSTCHECK bool journal_leaves_again(Conn *target, int64_t run, const Name *leaves, size_t count,
                                    Err *err);

/** Forgets leaves that are on neither side any more. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_leaves_gone(Conn *target, int64_t run, const Name *leaves, size_t count,
                                   Err *err);

/* A partition of a selected table, as the run last knew it. */
typedef struct JournalPartition {
    uint32_t oid;  /* on the source */
    uint32_t root; /* the same, of the topmost table */
    Name source;
    Name target;        /* the table that has its rows */
    const char *bounds; /* the condition that they and no others meet; NULL: it cannot be told */
    bool shared;        /* the table has other rows, too */
    bool gone;
} JournalPartition;

/** All that the run has known, sorted by oid. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_partitions(Arena *arena, Conn *target, int64_t run,
                                  JournalPartition **partitions, size_t *count, Err *err);

/** Remembers partitions as they are now; none of them is gone. \return as above */
MUSTCHECK bool journal_partitions_know(Conn *target, int64_t run,
                                       const JournalPartition *partitions, size_t count, Err *err);

/** Remembers that partitions went. \return as above */
MUSTCHECK bool journal_partitions_gone(Conn *target, int64_t run, const uint32_t *oids,
                                       size_t count, Err *err);

/* A table that was altered on the source, and is left out of the stream until it is copied anew. */
typedef struct JournalPaused {
    Name source;
    Name target;
    uint32_t oid; /* of the table that was copied */
    const char *why;
    const char *remedy; /* what to do on the target; "": it cannot be said */
    const char *since;
} JournalPaused;

MUSTCHECK bool journal_paused(Arena *arena, Conn *target, int64_t run, JournalPaused **paused,
                              size_t *count, Err *err);

/** Pauses a table, unless it is. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_pause(Conn *target, int64_t run, const JournalPaused *paused, Err *err);

/** A table is paused no more: call when its leaves are marked for their copy. \return as above */
MUSTCHECK bool journal_resume(Conn *target, int64_t run, const Name *source, Err *err);

/** Whether a leaf of the run has streamed: then the stream goes on while others are copied. */
MUSTCHECK bool journal_replicating(Conn *target, int64_t run, bool *replicating, Err *err);

/* --- lane: the applied position --- */

typedef struct JournalLane {
    int id;
    Lsn applied;
    int64_t commit_unix_us; /* source commit time of the last applied transaction, 0 none */
    int64_t epoch;
    int64_t transactions; /* applied since the run began */
    int64_t changes;
} JournalLane;

/** Makes the lane row at the slot's consistent point unless it is there. */
MUSTCHECK bool journal_lane_create(Conn *target, int64_t run, int lane, Lsn start, Err *err);
/** Every lane of the run begins at this position, whatever it stood at. */
MUSTCHECK bool journal_lane_place(Conn *target, int64_t run, Lsn position, Err *err);

/** The compare-and-set statement of data-path.md, for prepared or pipelined use:
 * $1 run $2 lane $3 old applied $4 epoch $5 new applied $6 commit time (timestamptz) $7
 * transactions $8 changes to add. Zero rows affected means that another engine took over. */
#define JOURNAL_LANE_ADVANCE_SQL SQL_JOURNAL_LANE_ADVANCE /* sql_text.h */

/** Reads all lanes of the run, by id. \param routing receives what journal_lanes_set() recorded,
 * NULL: nothing. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_lanes_read(Arena *arena, Conn *target, int64_t run, JournalLane **lanes,
                                  size_t *count, const char **routing, Err *err);

/** Gives the run this many lanes, all at the position where all lanes must stand already, and
 * records how changes are routed from here. \return false with ERR_LOCKED when another engine took
 * over, ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_lanes_set(Conn *target, int64_t run, int64_t epoch, Lsn position,
                                 unsigned count, const char *routing, Err *err);

/** Records what the run's data road stands on, unless an earlier engine did.
 * \param recorded receives what is recorded now: this, or what the run began with
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_structure(Arena *arena, Conn *target, int64_t run, const char *structure,
                                 const char **recorded, Err *err);

/** Records that the run stands on more than before (blueprint/structure.h: structure_grew()). */
MUSTCHECK bool journal_structure_grow(Conn *target, int64_t run, const char *structure, Err *err);

/** Reads what is recorded; NULL when nothing is. */
MUSTCHECK bool journal_structure_read(Arena *arena, Conn *target, int64_t run,
                                      const char **recorded, Err *err);

/** Raises the run's epoch and its lanes' so that a group in flight from an older engine cannot
 * commit. */
MUSTCHECK bool journal_take_epoch(Conn *target, int64_t run, int64_t *epoch, Err *err);

/* --- gates, approvals, requests --- */

/** Records that a gate was reached. */
MUSTCHECK bool journal_gate(Conn *target, int64_t run, const char *gate, const char *detail,
                            Err *err);

/** What was recorded at a gate. \param detail NULL: it was not reached, or has none */
MUSTCHECK bool journal_gate_detail(Arena *arena, Conn *target, int64_t run, const char *gate,
                                   const char **detail, Err *err);

typedef struct JournalApproval {
    const char *approver; /* NULL: none that counts */
    const char *approved_at;
    const char *expires_at;
} JournalApproval;

/** Records an approval by the session user. \param valid_us microseconds it holds */
MUSTCHECK bool journal_approve(Arena *arena, Conn *target, int64_t run, const char *fingerprint,
                               int64_t valid_us, JournalApproval *approval, Err *err);

/** The newest approval of this fingerprint that has not expired and that the plan's rules accept.
 */
MUSTCHECK bool journal_find_approval(Arena *arena, Conn *target, int64_t run, const Plan *plan,
                                     JournalApproval *approval, Err *err);

/** Ends every approval of the run: it was for one attempt. */
MUSTCHECK bool journal_spend_approvals(Conn *target, int64_t run, Err *err);

typedef struct JournalRequest {
    int64_t id; /* 0: none */
    const char *kind;
    const char *argument;
    bool taken;
    bool finished;
    int exit_status;
    const char *message;
} JournalRequest;

/** Asks the engine that holds the lock. \param argument may be NULL */
MUSTCHECK bool journal_request(Conn *target, int64_t run, const char *kind, const char *argument,
                               int64_t *id, Err *err);
MUSTCHECK bool journal_take_request(Arena *arena, Conn *target, int64_t run,
                                    JournalRequest *request, Err *err);
/** Finishes every taken request with the outcome. */
MUSTCHECK bool journal_finish_requests(Conn *target, int64_t run, int exit_status,
                                       const char *message, Err *err);
/** Finishes one request. */
MUSTCHECK bool journal_answer_request(Conn *target, int64_t request, int exit_status,
                                      const char *message, Err *err);
/** Finishes what was asked to be copied beside the stream (refresh, resync) up to this request. */
MUSTCHECK bool journal_answer_late(Conn *target, int64_t run, int64_t request, int exit_status,
                                   const char *message, Err *err);
/** Ends requests to pause that an engine which died did not answer. */
MUSTCHECK bool journal_expire_pauses(Conn *target, int64_t run, Err *err);
/** Ends a request that nobody answered, for its asker who goes: no engine takes it any more.
 * \param answered true: it was finished before, nothing is changed */
MUSTCHECK bool journal_withdraw_request(Conn *target, int64_t request, bool *answered, Err *err);
MUSTCHECK bool journal_read_request(Arena *arena, Conn *target, int64_t id, JournalRequest *request,
                                    Err *err);

/* --- fences --- */

typedef struct JournalFence {
    ConnSide side;
    const char *method;   /* lock, read_only, manual, command; FENCE_CLOSED */
    const char *previous; /* default_transaction_read_only of the database before; NULL: not set */
} JournalFence;

/** Records a fence before it is put up. */
MUSTCHECK bool journal_fence_set(Conn *target, int64_t run, const JournalFence *fence, Err *err);
MUSTCHECK bool journal_fences(Arena *arena, Conn *target, int64_t run, JournalFence **fences,
                              size_t *count, Err *err);
/* The fence of a side that a switch left behind: no rollback takes it down. */
#define FENCE_CLOSED "closed"

MUSTCHECK bool journal_fence_close(Conn *target, int64_t run, ConnSide side, Err *err);
MUSTCHECK bool journal_fence_clear(Conn *target, int64_t run, ConnSide side, Err *err);

#endif
