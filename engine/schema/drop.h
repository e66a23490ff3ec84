/*
 * Dropping what a run restored on the target, object by object: for `reset`.
 */
#ifndef GODWIT_SCHEMA_DROP_H
#define GODWIT_SCHEMA_DROP_H

#include "schema/objects.h"

/** Drops these objects of the target in one transaction, then the schemas that are empty.
 * \param before what the target holds: when anything of it that is not to be dropped would go
 * along, nothing is dropped; NULL: no matter \param objects of the target; those that others take
 * along are no error \return false with ERR_DRIFT when something else would go, ERR_SQL, ERR_LOST
 */
MUSTCHECK bool schema_drop(Conn *target, const SchemaObject *const *objects, size_t count,
                           const char *const *schemas, size_t schema_count,
                           const SchemaObjects *before, Err *err);

#endif
