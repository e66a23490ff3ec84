/*
 * Dropping what a run restored on the target, object by object: for `reset`.
 */
#ifndef GODWIT_SCHEMA_DROP_H
#define GODWIT_SCHEMA_DROP_H

#include "schema/objects.h"

/** Drops these objects of the target in one transaction, then the schemas that are empty.
 * \param objects of the target; those that others take along are no error */
MUSTCHECK bool schema_drop(Conn *target, const SchemaObject *const *objects, size_t count,
                           const char *const *schemas, size_t schema_count, Err *err);

#endif
