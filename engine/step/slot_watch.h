/*
 * Slot watch: a thread with a session of its own on the source that looks at the run's slot from
 * the first step to the switch: in the copy, while replicating, and while the run waits at a gate.
 * It warns; ends the run when the slot is lost; and does what the plan says when the slot holds
 * more than replication.slot.max_retained_wal. Another one does the same on the target with the way
 * back's slot, while that is kept open and in a failback.
 *
 *     run->slot_watch = slot_watch_begin(run);
 *     ... slot_watch_arm(run->slot_watch) once the slot is there ...
 *     ... in each tick: slot_watch_journal(run, watch, target) ...
 *     slot_watch_end(watch);                     // joins; what was decided stays
 *     slot_watch_answer(run, watch, target, err) // gives the slot up if that was decided, tells
 * why
 */
#ifndef GODWIT_STEP_SLOT_WATCH_H
#define GODWIT_STEP_SLOT_WATCH_H

#include "cdc/health.h"
#include "step/run.h"

/** Starts it over the run's own slot. \return NULL when no thread can be had: it is logged, and the
 * run goes on. */
SlotWatch *slot_watch_begin(Run *run);

/** The same over the slot of the run's way back, which is on the target and goes by its name alone.
 */
SlotWatch *slot_watch_begin_back(Run *run);

/** The slot is made: from now on its loss ends the run. Idempotent; NULL is allowed. */
void slot_watch_arm(SlotWatch *watch);

/** The slot is about to be dropped: that is no loss. Idempotent; NULL is allowed. */
void slot_watch_disarm(SlotWatch *watch);

/** The newest look as JSON (health_json()), NULL before the slot was seen. A new reference. */
json_t *slot_watch_json(SlotWatch *watch);

/** What becomes of the slot when this engine leaves it (health_unread_text()), "" before it was
 * seen. */
const char *slot_watch_unread_text(Arena *arena, SlotWatch *watch);

/** Journals and tells what the watch found since the last call. \param run that the journal knows
 * \param watch NULL is allowed */
MUSTCHECK bool slot_watch_journal(Run *run, SlotWatch *watch, Conn *target, Err *err);

/** Ends the thread. Idempotent; NULL is allowed. */
void slot_watch_end(SlotWatch *watch);

/** Behind a run that ended by the watch's stop: replaces its error by the named one, and for
 * on_limit: stop_and_drop_slot drops the slot, with a session of its own. The stream must have
 * ended. \param run as above */
void slot_watch_answer(Run *run, SlotWatch *watch, Conn *target, Err *failure);

void slot_watch_free(SlotWatch *watch);

#endif
