/*
 * test_decoding: its lines of text, taken apart. Pure functions over bytes: no connection, no
 * allocation; what a line holds points into the bytes that were given, still quoted.
 *
 *     TdLine line;
 *     if (!td_decode(data, size, &line, err))
 *         return false;                             // ERR_PROTOCOL, with the offset
 *     for (TdCursor at = td_columns(&line.new_tuple); td_column(&at, &column);)
 *         use(&column);
 *
 * Of versions 9.4 and later, without its options for streaming and for two phases.
 */
#ifndef GODWIT_CDC_TEST_DECODING_H
#define GODWIT_CDC_TEST_DECODING_H

#include "base/err.h"

#include <stddef.h>

typedef struct TdText {
    const char *data;
    size_t bytes;
} TdText;

typedef enum TdKind {
    TD_BEGIN,
    TD_COMMIT,
    TD_INSERT,
    TD_UPDATE,
    TD_DELETE,
    TD_TRUNCATE,
    TD_MESSAGE,
} TdKind;

/* Columns of a row as they stand in the line. */
typedef struct TdTuple {
    TdText columns;
    bool present; /* false: not there, or "(no-tuple-data)" */
} TdTuple;

typedef enum TdValueKind { TD_NULL, TD_UNCHANGED, TD_QUOTED, TD_BARE, TD_BITS } TdValueKind;

typedef struct TdColumn {
    TdText name; /* perhaps in double quotes */
    TdText type;
    TdText value; /* of TD_QUOTED and TD_BITS what stands between the quotes */
    TdValueKind kind;
} TdColumn;

typedef struct TdLine {
    TdKind kind;
    uint32_t xid;           /* begin, commit */
    int64_t commit_unix_us; /* commit; 0 when the line tells none */
    TdText relation;        /* of a change; the first of a TRUNCATE: see td_relation() */
    TdTuple old_tuple;      /* "old-key", or what a DELETE tells */
    TdTuple new_tuple;
    bool cascade;
    bool restart_identity;
    bool transactional; /* message */
    TdText prefix;
    TdText content;
} TdLine;

/** Takes one line apart and checks all of it. \return false with ERR_PROTOCOL: what is wrong, and
 * where. \note Source: PostgreSQL, contrib/test_decoding. */
MUSTCHECK bool td_decode(const void *data, size_t size_bytes, TdLine *line, Err *err);

typedef struct TdCursor {
    const char *at;
    const char *end;
} TdCursor;

/** Columns of a tuple of a decoded line, one after the other. \return false at the end */
TdCursor td_columns(const TdTuple *tuple);
bool td_column(TdCursor *cursor, TdColumn *column);

/** The relations of a decoded TRUNCATE (of any change: one). `schema` and `name` stay quoted. */
TdCursor td_relations(const TdLine *line);
bool td_relation(TdCursor *cursor, TdText *schema, TdText *name);

/** A name without its quotes. \param out room for text.bytes \return its length */
size_t td_unquote_name(TdText text, char *out);

/** A value as the server's output function wrote it: quotes undone, booleans as t and f.
 * \param out room for column->value.bytes \return its length */
size_t td_value(const TdColumn *column, char *out);

/** Whether a column's type, as the line has it, is this one: what is in parentheses behind a type's
 * name is not in the line. \param type_text format_type() of the column, under the same search_path
 */
bool td_type_is(TdText type, const char *type_text);

/** Whether a quoted name is this one. */
bool td_name_is(TdText text, const char *name);

#endif
