/*
 * What the files of the apply lane share: single changes, used by folded pieces for what cannot be
 * folded and by the replay for everything.
 */
#ifndef GODWIT_CDC_APPLY_INTERNAL_H
#define GODWIT_CDC_APPLY_INTERNAL_H

#include "cdc/apply.h"

/* A change with its values in the order of Relation.columns; pointers into the relmap's scratch. */
typedef struct Row {
    RelState *rel;
    const Change *change;
    const PgoValue *old_values; /* NULL: none travelled */
    bool old_full;              /* the whole old row, not only its key */
    const PgoValue *new_values; /* NULL for deletes */
} Row;

/** Reads a change's tuples. \return false with ERR_PROTOCOL or ERR_DRIFT when the identity that
 * travelled does not name the row. */
MUSTCHECK bool row_read(Applier *applier, const Change *change, Row *row, Err *err);

/** Notes that a row is touched. \param key NULL: all of the relation */
void applier_touch(Applier *applier, const Relation *relation, const PgoValue *key);

/** Notes the keys of an emitted change's row, old and new, as touched. Overwrites the relmap's key.
 */
void row_touch(Applier *applier, const Row *row);

/** Emits the statement of one change, in source order. A change with nothing to do emits none.
 * \param upsert inserts become upserts */
MUSTCHECK bool single_emit(Applier *applier, const Row *row, bool upsert, Err *err);

/** TRUNCATE of all the message's relations, less what was copied later, in one statement.
 * \param as_delete a DELETE for each: TRUNCATE is refused where a table that it does not take
 * refers to them, as empty as it may be */
MUSTCHECK bool truncate_emit(Applier *applier, const Group *group, const Change *change,
                             bool as_delete, Err *err);

/** Replays a whole piece change by change. */
MUSTCHECK bool replay(Applier *applier, const Group *group, Err *err);

/** Begins a run of inserts into a relation. \param use_copy receives whether it is a COPY, which
 * emit_copy_end() must end */
MUSTCHECK bool insert_begin(Applier *applier, RelState *rel, size_t rows, bool *use_copy, Err *err);
MUSTCHECK bool insert_row(Applier *applier, RelState *rel, bool use_copy, const PgoValue *values,
                          Err *err);

/** Deletes, updates, inserts of what was folded so far; then the fold begins anew. */
MUSTCHECK bool folded_emit(Applier *applier, RelState *rel, Err *err);

/** Whether any column is set in the mask after this: every value that travelled, without the key
 * (unless it changes) and without what may not be set. */
bool update_mask(const Row *row, bool *mask);

#endif
