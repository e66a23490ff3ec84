/*
 * Fault hook: in test builds (GODWIT_FAULTS) the Nth statement or message on a side fails, cuts its
 * connection, or kills the process. GODWIT_FAULT holds rules, separated by commas:
 *
 *     side[/purpose-prefix]:statement|message:N:fail|cut|kill
 *     target:statement:17:cut,source/copy:message:3:kill
 *
 * In release builds the hook compiles to nothing and the variable is not read.
 */
#ifndef GODWIT_PG_FAULT_H
#define GODWIT_PG_FAULT_H

#include "pg/conn.h"

typedef enum FaultPoint { FAULT_STATEMENT, FAULT_MESSAGE } FaultPoint;

#ifdef GODWIT_FAULTS
/** Called before each statement and message. \return false with the simulated error. */
MUSTCHECK bool fault_point(Conn *conn, FaultPoint point, Err *err);
#else
static inline MUSTCHECK bool fault_point(Conn *conn, FaultPoint point, Err *err)
{
    (void)conn;
    (void)point;
    (void)err;
    return true;
}
#endif

#endif
