/*
 * Timeline: a standby that took over may lack the last of the WAL that the engine has applied. Once
 * it has written that much of its own, positions do not tell any more: the changes in between are
 * left out, without a word. The timelines tell. See docs/adr/0038.
 */
#ifndef GODWIT_COPY_TIMELINE_H
#define GODWIT_COPY_TIMELINE_H

#include "pg/query.h"

/* Whose source it is. */
typedef struct TimelineOf {
    int64_t run;
    Conn *target;     /* where the run's journal is */
    const char *plan; /* its file, for messages */
    bool back;        /* of the way back: the plan's target is read */
    const LogCtx *log;
} TimelineOf;

/** Compares the source's timeline with the one of what is applied and copied, and writes a new one
 * down that began behind all of it.
 * \param repl a replication connection that does not stream yet
 * \param kept up to where changes are kept elsewhere (the spool), or 0
 * \return false with ERR_CANNOT_RESUME when the source left that timeline before, ERR_SQL, ERR_LOST
 */
MUSTCHECK bool timeline_check(const TimelineOf *of, Conn *repl, Lsn kept, Err *err);

#endif
