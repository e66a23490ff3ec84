/*
 * Leg: one direction of replication between two servers that hold the same rows: made, armed and
 * taken away by the same code for the way there (again, behind a failback) and the way back.
 *
 * `leg` is the Run of that direction; `from` and `to` are its ends.
 *
 *     leg_prepare()   before any fence: identities, publication, slot
 *     leg_arm()       nobody writes on either end: the position is the WAL's end at `from`
 *     leg_stream()    behind the switch
 *     leg_drop()      slot, publication, identities go
 *
 * Why no change goes round in a circle: a leg's position lies behind everything that the other leg
 * has written, for it is taken while both ends stand still; and of the two only one is armed at a
 * time. See docs/adr/0018.
 */
#ifndef GODWIT_STEP_LEG_H
#define GODWIT_STEP_LEG_H

#include "step/step.h"

typedef struct LegEnds {
    Run *leg;
    Conn *from; /* writable, outside a transaction */
    Conn *to;
    Arena *arena;
    LogCtx log;
} LegEnds;

/** Makes the leg anew: what is left of it goes first. Waits for running transactions at `from`, as
 * any slot that is made. \return false with the step's error; leg_drop() then takes back the rest.
 */
MUSTCHECK bool leg_prepare(const LegEnds *ends, Err *err);

/** The position: everything at `from` up to now is at `to` already. Both ends stand still. */
MUSTCHECK bool leg_arm(const LegEnds *ends, Err *err);

/** Starts the leg's stream; every leaf is in step since leg_arm(). */
MUSTCHECK bool leg_stream(Run *leg, Conn *from, bool sealed, Stream **stream, Err *err);

/** Drops slot and publications, puts back the identities. Needs no blueprint. Idempotent.
 * \param identities false: they stay, the leg will be made again */
MUSTCHECK bool leg_drop(const LegEnds *ends, bool identities, Err *err);

#endif
