/*
 * What the steps that end a run share with the one that made its publications.
 */
#ifndef GODWIT_STEP_PUBLICATION_H
#define GODWIT_STEP_PUBLICATION_H

#include "base/str.h"
#include "pg/conn.h"

/** Appends the statement that drops a publication. */
void publication_drop_sql(Str *sql, Conn *source, const char *name);

#endif
