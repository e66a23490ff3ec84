/*
 * Parse: what a server understands by one statement, without running it: its parse tree, or where
 * and why it refuses it. Nothing is planned, no row is read, nothing is written.
 */
#ifndef GODWIT_PG_PARSE_H
#define GODWIT_PG_PARSE_H

#include "pg/conn.h"

typedef struct PgParse {
    const char *tree;    /* nodeToString() of the analyzed statement; NULL: refused */
    const char *refusal; /* the server's message, one line */
    const char *hint;    /* the server's; NULL none */
    size_t position;     /* of the refusal in the statement: characters from 1, 0 unknown */
} PgParse;

/** Lets the server parse and analyze a statement, in a read-only transaction of its own.
 * \param arena owns the texts
 * \return false with ERR_SQL (not for what is wrong in the statement), ERR_LOST, the stop's error.
 * \note Source: PostgreSQL docs, "Developer Options": debug_print_parse sends the tree as a message
 *       of level LOG with the title "parse tree:". */
MUSTCHECK bool pg_parse(Arena *arena, Conn *conn, const char *sql, PgParse *parse, Err *err);

#endif
