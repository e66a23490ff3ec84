/*
 * Made: which objects of the target a plan's runs have made. The mark is written in the transaction
 * that makes the object, so `reset`, a later run and a kill at any moment agree on whose it is.
 */
#ifndef GODWIT_JOURNAL_MADE_H
#define GODWIT_JOURNAL_MADE_H

#include "pg/query.h"

/** Objects that runs of a plan have made.
 * \param rows receives class oid, oid, mark of the run; NULL when there is no journal. Freed by the
 * caller \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool journal_made(Conn *target, const char *plan, Rows **rows, Err *err);

/** Whether an object is among them. \param rows may be NULL \param mark only of the run with this
 * mark; NULL: of any */
bool made_has(const Rows *rows, uint32_t class_oid, uint32_t oid, const char *mark);

/** Marks those objects of a list that the open transaction has created.
 * \param classes,oids two arrays of one length, "{1259,1259}" \return false with ERR_SQL,
 * ERR_LOST. */
MUSTCHECK bool journal_made_add(Conn *target, const char *plan, const char *mark,
                                const char *classes, const char *oids, Err *err);

#endif
