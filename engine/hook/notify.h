/*
 * Notify: each event of the run on the standard input of the plan's command, as JSON. A thread of
 * its own and a bounded queue: an event that finds no room is counted and lost, a command that
 * fails is logged; the run never waits for either.
 */
#ifndef GODWIT_HOOK_NOTIFY_H
#define GODWIT_HOOK_NOTIFY_H

#include "step/run.h"

/** Starts the notifier of a run. \return NULL when the plan has no notify. */
Notifier *notifier_begin(Run *run);

/** Gives what is queued a few seconds, then ends it; says how many events were lost. */
void notifier_end(Notifier *notifier);

/** Tells an event, if the run has a notifier. Never waits.
 * \param message one line for people; NULL: the event's own \param detail JSON text or NULL */
void notify_event(const Run *run, const char *kind, const char *message, const char *detail);

/** Journals an event and tells it. \param detail JSON text or NULL */
MUSTCHECK bool run_event(const Run *run, Conn *target, const char *kind, const char *detail,
                         Err *err);

#endif
