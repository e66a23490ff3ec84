/*
 * Fold: the net effect of all changes of one relation's rows within a piece. Pure: no connection.
 *
 *     fold_clear(&fold);
 *     while (more) { verdict = fold_insert/update/delete(&fold, ...); }
 *     for (size_t i = 0; i < fold.row_count; i++) switch (fold_net(&fold.rows[i])) ...
 *
 * Rows are told apart by the bytes of their key, as the source stored them: at any moment at most
 * one row has a key, and the source's key columns change bytes only by an update that says so.
 */
#ifndef GODWIT_CDC_FOLD_H
#define GODWIT_CDC_FOLD_H

#include "blueprint/blueprint.h"
#include "cdc/pgoutput.h"

typedef struct FoldRow {
    uint64_t hash;
    uint32_t key_at; /* index of its key's values in Fold.values */
    uint32_t row_at; /* index of its row's values in Fold.values, when present */
    bool existed;    /* before the piece */
    bool present;    /* after what was folded so far */
    bool replaced;   /* existed, was deleted and inserted again */
    bool has_row;    /* row_at has room of its own */
} FoldRow;

typedef struct Fold {
    const Relation *relation;
    FoldRow *rows; /* in the order of their first change */
    size_t row_count;
    size_t row_capacity;
    PgoValue *values;
    size_t value_count;
    size_t value_capacity;
    uint32_t *slots; /* hash table of row indexes + 1 */
    size_t slot_count;
} Fold;

typedef enum FoldVerdict {
    FOLD_DONE,
    FOLD_BARRIER,    /* apply what was folded, then this change alone, then begin anew */
    FOLD_IMPOSSIBLE, /* the source cannot have done this: replay in source order */
} FoldVerdict;

typedef enum FoldNet { NET_NOTHING, NET_DELETE, NET_UPDATE, NET_INSERT, NET_REPLACE } FoldNet;

void fold_init(Fold *fold, const Relation *relation);
void fold_release(Fold *fold);

/** Empty again; large memory is given back. */
void fold_clear(Fold *fold);

/** Rows of values are in the order of Relation.columns; the texts stay the caller's. */
FoldVerdict fold_insert(Fold *fold, const PgoValue *new_values);

/** \param old_values NULL: the key is unchanged. \param old_full old_values is the whole old row */
FoldVerdict fold_update(Fold *fold, const PgoValue *old_values, bool old_full,
                        const PgoValue *new_values);
FoldVerdict fold_delete(Fold *fold, const PgoValue *old_values);

FoldNet fold_net(const FoldRow *row);

/** The key's values of a row (Key.count of them), and the row's (column_count; some may be
 * PGO_UNCHANGED in an update). */
const PgoValue *fold_key(const Fold *fold, const FoldRow *row);
const PgoValue *fold_values(const Fold *fold, const FoldRow *row);

#endif
