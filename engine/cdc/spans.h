/*
 * Spans: between which keys the open target transaction has touched each relation, and what of that
 * the journal has already. A lane writes it down with its changes, in the same transaction, while a
 * verification is under way that another engine may have to go on with (docs/adr/0026).
 */
#ifndef GODWIT_CDC_SPANS_H
#define GODWIT_CDC_SPANS_H

#include "cdc/emit.h"
#include "cdc/span.h"

typedef struct SpanItem SpanItem;

typedef struct Spans {
    const Blueprint *blueprint;
    SpanItem *items; /* by Relation.index */
    uint32_t *open;  /* indexes of relations that the open transaction touched */
    size_t open_count;
} Spans;

void spans_init(Spans *spans, const Blueprint *blueprint);
void spans_release(Spans *spans);

/** A new connection: nobody knows what is in the journal. */
void spans_forget(Spans *spans);

/** The open transaction touches a row. \param key NULL: all of the relation */
void spans_touch(Spans *spans, const Relation *relation, const PgoValue *key);

/** Writes down what the journal does not have yet. \param look the newest one, as the lane's row
 * tells it inside the transaction; 0: there was none, nothing is written
 * \param emitted receives whether something was */
MUSTCHECK bool spans_emit(Spans *spans, Emit *emit, int64_t run, unsigned lane, int64_t look,
                          bool *emitted, Err *err);

/** The transaction has ended. */
void spans_end(Spans *spans, bool committed);

#endif
