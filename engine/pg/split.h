/*
 * Split: the statements of an SQL text, as psql would send them one by one: semicolons in quotes,
 * comments, parentheses and SQL-standard function bodies end nothing.
 */
#ifndef GODWIT_PG_SPLIT_H
#define GODWIT_PG_SPLIT_H

#include "base/err.h"
#include "base/vec.h"

typedef struct SqlStatement {
    const char *text;  /* without its semicolon and the comments before it */
    size_t offset;     /* bytes from the text's beginning to its first word */
    uint32_t line;     /* 1-based, of its first word */
    const char *words; /* its first words, upper case, one blank between them */
} SqlStatement;

typedef VEC(SqlStatement) SqlStatements;

/** Splits a text. \return false with ERR_RUN (line set) where a quote or comment does not end. */
MUSTCHECK bool sql_split(Arena *arena, const char *text, SqlStatements *statements, Err *err);

#endif
