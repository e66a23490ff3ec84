/*
 * Lane: what is applied. Changes gather in its group; the group and the lanes' rows go to the
 * target in one transaction, or in one for each lane of the crew. Used by the thread that decodes,
 * and by no other, but for lane_apply().
 */
#ifndef GODWIT_CDC_LANE_H
#define GODWIT_CDC_LANE_H

#include "cdc/crew.h"

typedef struct Lane {
    Stream *stream;
    Crew *crew;
    Group *group;
    Lsn applied;           /* the lane row; the lowest of all */
    Lsn covered;           /* nothing of ours waits below */
    Lsn keepalive;         /* came behind the group's last commit */
    int64_t synced_ms;     /* when the last synchronous commit was */
    bool piece_applied;    /* of the open transaction, in the open target transaction */
    uint64_t changes;      /* of the pieces applied in the open target transaction */
    uint64_t transactions; /* finished in those pieces */
    unsigned random;
} Lane;

/** Begins where the session does. */
void lane_begin(Lane *lane, StreamSession *session);

/** Where rows differ: nothing below the highest is to come any more, this begins beyond it. The
 * rows become equal. */
MUSTCHECK bool lane_pass(Lane *lane, Lsn next, Err *err);

/** Applies a group, or a lane's share of one, and commits it when there is a step; what may pass by
 * itself (deadlocks) is tried again if `whole`: all of the target transaction is in the group. Any
 * thread that owns the applier. \return false with the errors of apply_piece(). */
MUSTCHECK bool lane_apply(Stream *stream, Applier *applier, Group *group, const LaneStep *step,
                          bool whole, unsigned *random, Err *err);

/** Whether a piece of the open transaction must be applied before more is taken. */
bool lane_is_full(const Lane *lane);

/** Whether the group should be applied at this commit, or may wait for more. */
bool lane_is_due(const Lane *lane);

/** All transactions of the group are whole: applies, commits, forgets them.
 * \param synchronous the commit is durable when this returns
 * \param keep_newest the newest batch is still being read
 * \return false with the errors of apply_piece(); the target transaction is rolled back. */
MUSTCHECK bool lane_flush_group(Lane *lane, bool synchronous, bool keep_newest, Err *err);

/** What is here of the open transaction is applied, its target transaction stays open. */
MUSTCHECK bool lane_flush_piece(Lane *lane, Err *err);

/** Applies and commits the transactions of the group that are whole; what is here of the open one
 * stays for later. */
MUSTCHECK bool lane_flush_finished(Lane *lane, Err *err);

/** Moves the lane row without changes, when it is time: durable, then reported. Never beyond what
 * is covered: finished transactions may wait in the group for the end of the one that is open. */
MUSTCHECK bool lane_step_when_due(Lane *lane, Err *err);

/** Nothing has come: applies what waits, or moves the row. */
MUSTCHECK bool lane_idle(Lane *lane, Err *err);

/** The stream ends: applies what is whole and makes the position durable, so that the next engine
 * begins where this one ends. */
MUSTCHECK bool lane_drain(Lane *lane, Err *err);

#endif
