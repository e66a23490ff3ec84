/*
 * Statement: what a statement of a user's SQL may be.
 */
#ifndef GODWIT_HOOK_STATEMENT_H
#define GODWIT_HOOK_STATEMENT_H

#include "pg/split.h"

/* The first line of a text whose statements run one by one, each its own transaction. */
#define SQL_NO_TRANSACTION "-- godwit: no transaction"

/** Whether the text's first line asks for no transaction. */
bool sql_is_no_transaction(const char *text);

/** Why a statement cannot run as part of a step: it speaks to psql, needs a client's data, or (in a
 * transaction) would begin or end one. NULL: it can. */
const char *sql_refused(const SqlStatement *statement, bool in_transaction);

#endif
