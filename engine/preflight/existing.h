/*
 * Existing: selected objects and what bears their names on the target. Part of preflight/ only.
 */
#ifndef GODWIT_PREFLIGHT_EXISTING_H
#define GODWIT_PREFLIGHT_EXISTING_H

#include "preflight/check.h"

/* A selected object and what bears its name. */
typedef struct ExistingPair {
    const CatObject *source;
    const CatObject *target;
} ExistingPair;

typedef VEC(ExistingPair) ExistingPairs;

/** Which of the pairs' tables on the target have rows. \param has_rows one for each pair
 * \return false with the connection's error */
MUSTCHECK bool existing_have_rows(Check *check, const ExistingPairs *pairs, bool *has_rows,
                                  Err *err);

/** Of a run that goes on: leaves only those of tables that it is about to take in, that is, of
 * which its journal has no row, and that it has not made itself. Rows in those that it made, and
 * partitions that have another place on the target, are found here.
 * \return false with the connection's error */
MUSTCHECK bool existing_added(Check *check, ExistingPairs *pairs, Err *err);

/** What objects the plan's runs have made: class, oid, mark of the run. \param marks NULL: none
 * \return false with the connection's error */
MUSTCHECK bool existing_marks(Check *check, Rows **marks, Err *err);

/** Whether the object is among them. \param mark of one run; NULL: of any */
bool existing_is_marked(const Rows *marks, const CatObject *object, const char *mark);

bool existing_is_table(const CatObject *object);

#endif
