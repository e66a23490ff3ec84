/*
 * What translate's parts share: translate.c takes lines, translate_name.c knows whose rows they
 * are, translate_row.c makes relation messages and rows, translate_output.c writes messages.
 */
#ifndef GODWIT_CDC_TRANSLATE_INTERNAL_H
#define GODWIT_CDC_TRANSLATE_INTERNAL_H

#include "cdc/pgoutput.h"
#include "cdc/test_decoding.h"
#include "cdc/translate.h"

struct TranslateLeaf {
    const Leaf *leaf;
    bool told;    /* its relation message came in this session, and told the Blueprint's columns */
    int *columns; /* of the last row, by position: index in Relation.columns, or negative */
    size_t column_count;
    TdColumn *row; /* the row at hand, by index in Relation.columns; name.data NULL: not there */
};

/* One batch on its way: the line at hand, the message that is made of it. */
typedef struct Output {
    Translate *translate;
    BatchPool *pool;
    Batch *batch;
    TdLine line;
    Str message;
    Err *err;
} Output;

/** Whose rows a relation's are, by its name as the line has it. \param leaf receives the selected
 * table, or the hypertable of a chunk; NULL: not selected
 * \return false with what the question for it ended with */
MUSTCHECK bool translate_find_leaf(Output *output, TdText schema, TdText name,
                                   TranslateLeaf **leaf);

/** Writes the relation message, once a session. */
void translate_tell_relation(Output *output, TranslateLeaf *leaf);

/** Writes the line's change of a row. One whose columns or types are not the Blueprint's comes
 * behind a relation message of what it has: what reads the messages says how they differ. */
void translate_row(Output *output, TranslateLeaf *leaf);

/** Begins a message; what is appended to Output.message until output_end() is in it. */
void output_begin(Output *output, char kind);

/** The same of the open transaction's block, which begins with its first message. */
void output_begin_in_block(Output *output, char kind);

/** Puts the message into the batch. \param wal_end 0: no position */
void output_end(Output *output, Lsn wal_end);

/** Appends an integer of so many bytes, the highest first. */
void output_number(Output *output, uint64_t value, size_t bytes);

/** Appends a text and its end. */
void output_text(Output *output, const char *text);

#endif
