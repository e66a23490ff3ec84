/*
 * Fault hook: in test builds (GODWIT_FAULTS) the Nth statement or message on a side fails, cuts its
 * connection, or kills the process. GODWIT_FAULT holds rules, separated by commas:
 *
 *     side[/purpose-prefix]:statement[=words]|message:N:fail|pass|cut|lose|kill
 *     target:statement:17:cut,source/copy:message:3:kill,target:statement=RESET ROLE:1:fail
 *
 * With words only those statements count that have them. What fails by "pass" fails with a SQLSTATE
 * of a class that passes by itself. By "lose" a statement is done, and its answer is lost with the
 * connection; not those of pipelines, COPY and scripts.
 *
 * GODWIT_SWEEP fails every statement once, over all engines of a run. A statement is its text, its
 * side and who runs it; those that have had their turn stand in a file, which the engines hand on
 * to each other:
 *
 *     side|both|any[/purpose-prefix[+purpose-prefix]]:action[/share][+action[/share]]:share:seed:file
 *     target:fail:1:0:/tmp/seen           each statement on the target fails once
 *     both:fail+cut+kill:10:7:/tmp/seen   a tenth of all: fails the first time, then is cut, then
 *                                         the engine is killed there
 *
 *     both:fail+cut/10+kill/10:1:7:/tmp/seen
 *                                         each fails; a tenth of them is then cut, and killed at
 *     any:pass:1:0:/tmp/seen              a text has one turn on either side, whoever sends it
 *                                         but a unit test itself
 *
 * In release builds the hook compiles to nothing and the variables are not read.
 */
#ifndef GODWIT_PG_FAULT_H
#define GODWIT_PG_FAULT_H

#include "pg/conn.h"

typedef enum FaultPoint { FAULT_STATEMENT, FAULT_MESSAGE } FaultPoint;

#ifdef GODWIT_FAULTS
/** Called before each statement and message. \param text the statement's; NULL for a message
 * \return false with the simulated error. */
MUSTCHECK bool fault_point(Conn *conn, FaultPoint point, const char *text, Err *err);

/** Called behind each statement that was done and is not one of many.
 * \return false with ERR_LOST: its answer is lost, and the connection. */
MUSTCHECK bool fault_behind(Conn *conn, const char *text, Err *err);

/** Whether a sweep goes on: then nobody waits between tries, and a step is tried as often as it has
 * statements. */
bool fault_hurries(void);
#else
static inline bool fault_hurries(void)
{
    return false;
}

static inline MUSTCHECK bool fault_point(Conn *conn, FaultPoint point, const char *text, Err *err)
{
    (void)conn;
    (void)point;
    (void)text;
    (void)err;
    return true;
}

static inline MUSTCHECK bool fault_behind(Conn *conn, const char *text, Err *err)
{
    (void)conn;
    (void)text;
    (void)err;
    return true;
}
#endif

#endif
