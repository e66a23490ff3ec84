/*
 * Attver: the archive's SQL without the versions of columns. The minor releases of November 2026
 * keep the version of each column among its options, as pg_attver, and their own pg_dump leaves it
 * out; an older pg_dump writes "ALTER TABLE ONLY t ALTER COLUMN c SET (pg_attver=22228968)", which
 * an older server refuses. A version is a place in the WAL of one server, and means nothing on
 * another. A pure function over text.
 * Source: ATTRIBUTE_VERSION_ATTOPTION in catalog/pg_attribute.h of 15.20.
 */
#ifndef GODWIT_SCHEMA_ATTVER_H
#define GODWIT_SCHEMA_ATTVER_H

#include "base/arena.h"

/** Takes pg_attver from the statements that set a column's options, and those statements that set
 * nothing else. \return the script, itself when nothing of it changes */
const char *attver_drop(Arena *arena, const char *script);

#endif
