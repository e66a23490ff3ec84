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
    int64_t epoch; /* raised by each engine that takes the run */
} JournalRun;

/** Whether the control schema is there. */
MUSTCHECK bool journal_exists(Conn *target, bool *exists, Err *err);

/** Makes or upgrades the control schema. Idempotent. */
MUSTCHECK bool journal_create(Conn *target, Err *err);

/** Finds the run of this plan name. \param run zeroed when there is none (id 0). */
MUSTCHECK bool journal_find_run(Arena *arena, Conn *target, const char *name, JournalRun *run,
                                Err *err);

/** Records a step's state: running, done, failed; detail may be NULL. */
MUSTCHECK bool journal_step(Conn *target, int64_t run, const char *step, const char *state,
                            const char *detail, Err *err);

/** The recorded state of every step: rows (step, state, detail, started, ended). */
MUSTCHECK bool journal_steps(Conn *target, int64_t run, Rows **rows, Err *err);

/** Adds an event for status, report and notify. \param detail JSON text or NULL */
MUSTCHECK bool journal_event(Conn *target, int64_t run, const char *kind, const char *detail,
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
} JournalLeaf;

/** All leaves of the run that the journal knows. */
MUSTCHECK bool journal_leaves(Arena *arena, Conn *target, int64_t run, JournalLeaf **leaves,
                              size_t *count, Err *err);

/** Opens a wave over these leaves with its consistent point: rows `d`, parts of these leaves
 * forgotten. One transaction. \param wave receives the new wave's number. */
MUSTCHECK bool journal_wave_open(Conn *target, int64_t run, const Name *leaves, size_t count,
                                 Lsn sync_lsn, int64_t *wave, Err *err);

/** Records a finished part; call inside the transaction that wrote its rows. */
MUSTCHECK bool journal_part_done(Conn *target, int64_t run, const Name *leaf, int64_t wave,
                                 int part, const char *range, int64_t rows_read,
                                 int64_t rows_written, int64_t bytes, Err *err);

/** Moves a leaf's state; inside the caller's transaction if one is open. */
MUSTCHECK bool journal_leaf_state(Conn *target, int64_t run, const Name *leaf, char state,
                                  Err *err);

/* --- lane: the applied position --- */

typedef struct JournalLane {
    int id;
    Lsn applied;
    int64_t commit_unix_us; /* source commit time of the last applied transaction, 0 none */
    int64_t epoch;
} JournalLane;

/** Makes the lane row at the slot's consistent point unless it is there. */
MUSTCHECK bool journal_lane_create(Conn *target, int64_t run, int lane, Lsn start, Err *err);
MUSTCHECK bool journal_lane_read(Conn *target, int64_t run, int lane, JournalLane *row, Err *err);

/** The compare-and-set statement of data-path.md, for prepared or pipelined use:
 * $1 run $2 lane $3 old applied $4 epoch $5 new applied $6 commit time (timestamptz) $7
 * transactions $8 changes to add. Zero rows affected means that another engine took over. */
extern const char *const JOURNAL_LANE_ADVANCE_SQL;

/** Raises the run's epoch and its lanes' so that a group in flight from an older engine cannot
 * commit. */
MUSTCHECK bool journal_take_epoch(Conn *target, int64_t run, int64_t *epoch, Err *err);

#endif
