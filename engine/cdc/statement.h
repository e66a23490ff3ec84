/*
 * Statements: the SQL that changes one relation on the target, prepared once per session. Values
 * travel as parameters, in the form in which the source sent them.
 */
#ifndef GODWIT_CDC_STATEMENT_H
#define GODWIT_CDC_STATEMENT_H

#include "cdc/relmap.h"
#include "pg/conn.h"

typedef enum StatementKind {
    STATEMENT_INSERT,
    STATEMENT_UPSERT, /* INSERT ... ON CONFLICT (key) DO UPDATE */
    STATEMENT_UPDATE, /* SET the columns that are set in the mask, by key */
    STATEMENT_DELETE,
    STATEMENT_UPDATE_WHOLE, /* one row equal to the whole old row */
    STATEMENT_DELETE_WHOLE,
    STATEMENT_UPDATE_SET, /* many rows: each parameter is an array, key columns last */
    STATEMENT_DELETE_SET,
    STATEMENT_MOVE, /* delete by key, insert what is set, take the rest from the deleted row: what
                       an UPDATE may not do to GENERATED ALWAYS AS IDENTITY columns */
} StatementKind;

typedef struct Statement {
    StatementKind kind;
    const bool *mask; /* Relation.column_count; NULL unless kind uses one */
    const char *name;
    const char *sql;
    bool prepared; /* in this session, or queued to be */
} Statement;

struct Statements {
    Statement *items;
    size_t count;
    size_t capacity;
    const char *copy_text;
    const char *copy_binary;
    const char *target; /* quoted */
    Arena arena;
};

/** The relation's statement of this kind, with its SQL; made when it is new.
 * \param mask columns that are set; NULL for kinds without
 * \param conn quotes names */
Statement *statement_get(RelState *rel, const Conn *conn, StatementKind kind, const bool *mask);

/** COPY with all columns, text or binary. */
const char *statement_copy(RelState *rel, const Conn *conn, bool binary);

/** Forgets all statements of a relation: a new session knows none. */
void statements_forget(RelState *rel);

#endif
