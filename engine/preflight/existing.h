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

bool existing_is_table(const CatObject *object);

#endif
