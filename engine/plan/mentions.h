/*
 * Mentions: which relations an SQL text names. Looks at the words alone: a column of an alias looks
 * like a relation of a schema, so what is found may be more than what is read, and less only where
 * a name is written as U&"...".
 */
#ifndef GODWIT_PLAN_MENTIONS_H
#define GODWIT_PLAN_MENTIONS_H

#include "base/name.h"

#include <stdbool.h>

/** Whether the text names this relation, as schema.name in any way of quoting and writing it.
 * Texts, comments and dollar quotes are passed over. */
bool sql_mentions(const char *sql, const Name *name);

#endif
