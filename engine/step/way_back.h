/*
 * WayBack: the way back of a run, as a Run with a Blueprint of its own. Its journal is in a schema
 * `godwit` on the source, since that is where its effects are: the run's row there (named
 * "<plan>/back", which no plan can be called), the lane, identities that were set on the target.
 */
#ifndef GODWIT_STEP_WAY_BACK_H
#define GODWIT_STEP_WAY_BACK_H

#include "step/leg.h"

struct WayBack {
    Arena arena;
    Catalog from; /* the plan's target */
    Catalog to;   /* the plan's source */
    Plan plan;
    Blueprint blueprint;
    Run run;
};

/** Reads both servers and derives the way back into run->back, unless it is there. Changes
 * nothing. \return false with ERR_RUN: there is none; ERR_SQL, ERR_LOST. */
MUSTCHECK bool way_back_find(Run *run, Conn *source, Conn *target, Err *err);

/** The name of its slot, and of its publication, on the plan's target. */
char *way_back_slot(Arena *arena, const char *plan, const char *mark);

/** Whether the source holds the journal of one. Needs no more of the run than its plan, and its
 * mark if only this run's is meant. */
MUSTCHECK bool way_back_exists(const Run *run, Conn *source, bool *exists, Err *err);

/** Derives one that was prepared, with its journal's id, and changes nothing: its engine goes on.
 * \param found false: there is none \return as way_back_find() */
MUSTCHECK bool way_back_peek(Run *run, Conn *source, Conn *target, bool *found, Err *err);

/** Makes its journal on the source. */
MUSTCHECK bool way_back_journal(Run *run, Conn *source, Err *err);

/** Takes over one that was prepared, by this engine or another, with the partitions that came to
 * both sides since. \param found false: there is none \return false with ERR_STALE when the
 * target's tables do not allow it, saying what to do. */
MUSTCHECK bool way_back_take(Run *run, Conn *source, Conn *target, bool *found, Err *err);

/** Its structure (blueprint/structure.h) as the target has it now.
 * \return NULL with ERR_SQL, ERR_LOST; ERR_RUN: nothing can go back any more as the target is now
 */
const char *way_back_look(Arena *arena, const Run *run, Conn *target, Err *err);

/** Drops slot, publication and identities on the target, and the journal on the source. By name
 * alone: it needs no blueprint. Idempotent. */
MUSTCHECK bool way_back_drop(Run *run, Conn *source, Conn *target, Err *err);

/** The same with connections of its own, when something failed: what it cannot is logged, and left
 * to the next engine or to cleanup. */
void way_back_withdraw(Run *run);

/** Releases what this process holds; stream and cutover of its run are released. NULL is allowed.
 */
void way_back_free(WayBack *back);

#endif
