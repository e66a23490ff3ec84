/*
 * Split: the statements of an SQL text, as psql would send them one by one: semicolons in quotes,
 * comments, parentheses and SQL-standard function bodies end nothing.
 */
#ifndef GODWIT_HOOK_SPLIT_H
#define GODWIT_HOOK_SPLIT_H

#include "base/err.h"
#include "base/vec.h"

typedef struct SqlStatement {
    const char *text;  /* without its semicolon and the comments before it */
    uint32_t line;     /* 1-based, of its first word */
    const char *words; /* its first words, upper case, one blank between them */
} SqlStatement;

typedef VEC(SqlStatement) SqlStatements;

/* The first line of a text whose statements run one by one, each its own transaction. */
#define SQL_NO_TRANSACTION "-- godwit: no transaction"

/** Splits a text. \return false with ERR_RUN (line set) where a quote or comment does not end. */
MUSTCHECK bool sql_split(Arena *arena, const char *text, SqlStatements *statements, Err *err);

/** Whether the text's first line asks for no transaction. */
bool sql_is_no_transaction(const char *text);

/** Why a statement cannot run as part of a step: it speaks to psql, needs a client's data, or (in a
 * transaction) would begin or end one. NULL: it can. */
const char *sql_refused(const SqlStatement *statement, bool in_transaction);

#endif
