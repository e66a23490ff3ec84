/*
 * Whether the rows of a relation can be compared at all: somebody may have changed its columns on
 * one side.
 */
#ifndef GODWIT_CMD_VERIFY_COLUMNS_H
#define GODWIT_CMD_VERIFY_COLUMNS_H

#include "cmd/session.h"

/** The first column that the target lacks, or has in another type; NULL: there is none. */
const char *verify_columns_apart(Arena *arena, const Session *session, const Relation *relation);

#endif
