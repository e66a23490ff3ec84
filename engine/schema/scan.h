/*
 * Scan: where a token of SQL ends, and no more; enough to know where a statement does. What stands
 * in quotes, in dollar quotes or in a comment is passed over, so that a function's body can hold
 * anything. Pure functions over text that ends with NUL.
 * Source: PostgreSQL's documentation, 4.1 "Lexical Structure".
 */
#ifndef GODWIT_SCHEMA_SCAN_H
#define GODWIT_SCHEMA_SCAN_H

/** Behind whatever begins here: a quoted thing, a comment, a word, one character. \param at not at
 * the end of the text */
const char *scan_token(const char *at);

/** Behind blanks and comments. */
const char *scan_blank(const char *at);

#endif
