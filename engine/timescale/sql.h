/*
 * What the builders of TimescaleDB's calls share: a list of statements, and the arguments that its
 * functions take.
 */
#ifndef GODWIT_TIMESCALE_SQL_H
#define GODWIT_TIMESCALE_SQL_H

#include "base/vec.h"
#include "pg/ddl.h"

typedef VEC(const char *) SqlList;

/** Appends schema.function and the opening parenthesis. */
void ts_function(Str *sql, const Conn *conn, const char *schema, const char *function);

/** Appends a relation as a regclass. */
void ts_relation(Str *sql, const Conn *conn, const Name *name);

/** Appends a function, as the plan writes it, as a regproc. */
void ts_regproc(Str *sql, const Conn *conn, const char *text);

/** Appends an interval, or a number of the column's unit. */
void ts_span(Str *sql, const Conn *conn, const char *text, bool is_integer);

/** Copies the text and adds it. */
void sql_list_add(Arena *arena, SqlList *list, const Str *sql);

/** Runs the statements in one transaction. \return false with ERR_SQL, ERR_LOST; nothing is done */
MUSTCHECK bool ts_run(Conn *conn, const SqlList *list, Err *err);

/** The schema of TimescaleDB's functions on this server; NULL when it is not created. */
MUSTCHECK bool timescaledb_schema(Arena *arena, Conn *conn, const char **schema, Err *err);

#endif
