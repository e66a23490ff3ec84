/*
 * Folded: what a fold has left, as few statements as possible: inserts by COPY, runs of deletes and
 * of updates that set the same columns by one statement over arrays, little ones row by row.
 */
#include "cdc/apply_internal.h"

/* From so many rows on, a COPY is worth its two round trips, one statement over arrays its plan. */
#define COPY_MIN_ROWS 16
#define SET_MIN_ROWS  32
#define SET_MAX_ROWS  10000
#define SET_MAX_BYTES ((size_t)64 * 1024 * 1024)

#define BOX_OID 603 /* the one built-in type whose arrays are not separated by commas */

bool insert_begin(Applier *applier, RelState *rel, size_t rows, bool *use_copy, Err *err)
{
    *use_copy = rows >= COPY_MIN_ROWS;
    if (!*use_copy)
        return true;
    bool binary = applier->form == PGO_BINARY;
    return emit_copy_begin(&applier->emit, statement_copy(rel, applier->conn, binary), binary, err);
}

bool insert_row(Applier *applier, RelState *rel, bool use_copy, const PgoValue *values, Err *err)
{
    size_t columns = rel->relation->column_count;
    if (use_copy)
        return emit_copy_row(&applier->emit, values, columns, err);
    EmitRow parameters = {.row = values, .columns = columns};
    Statement *statement = statement_get(rel, applier->conn, STATEMENT_INSERT, NULL);
    return emit_statement(&applier->emit, statement, &parameters, 1, err);
}

/* Whether values of this column can be elements of an array of its type. */
static bool fits_array(const Column *column)
{
    size_t length = strlen(column->type_text);
    bool is_array = length > 2 && strcmp(column->type_text + length - 2, "[]") == 0;
    return !is_array && column->type_oid != BOX_OID;
}

/* Partitions and chunks are found by constants, row by row; a join would have to look at all. */
static bool set_is_possible(const Relation *relation, const bool *mask)
{
    if (relation->partitioned || relation->hypertable != NULL)
        return false;
    for (size_t k = 0; k < relation->key->count; k++) {
        if (!fits_array(&relation->columns[relation->key->columns[k]]))
            return false;
    }
    for (size_t c = 0; mask != NULL && c < relation->column_count; c++) {
        if (mask[c] && (!fits_array(&relation->columns[c]) || relation->columns[c].identity == 'a'))
            return false;
    }
    return true;
}

/* Adds up what would be sent. \return false when a value is of the other form */
static bool add_bytes(const PgoValue *values, size_t count, const bool *mask, PgoValueKind form,
                      size_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (mask != NULL && !mask[i])
            continue;
        if (values[i].kind != form && values[i].kind != PGO_NULL)
            return false;
        *bytes += values[i].length;
    }
    return true;
}

/* Whether the collected rows can be one statement's. \param form of all their values */
static bool rows_fit(const Applier *applier, const RelState *rel, const bool *mask,
                     PgoValueKind form)
{
    size_t bytes = 0;
    for (size_t i = 0; i < applier->set_count; i++) {
        const FoldRow *row = applier->set_rows[i];
        if (!add_bytes(fold_key(&rel->fold, row), rel->relation->key->count, NULL, form, &bytes))
            return false;
        if (mask != NULL && !add_bytes(fold_values(&rel->fold, row), rel->relation->column_count,
                                       mask, form, &bytes))
            return false;
    }
    return bytes <= SET_MAX_BYTES;
}

/* Rows of a fold that go into one statement. */
typedef struct SetRows {
    const Relation *relation;
    const Fold *fold;
    const FoldRow *const *rows;
    const bool *mask; /* NULL: the key alone */
    size_t set_count; /* columns in the mask */
} SetRows;

/* Where the n-th column of the mask stands in Relation.columns. */
static size_t masked_column(const SetRows *set, size_t column)
{
    size_t c = 0;
    for (size_t left = column + 1; left > 0; c++)
        left -= set->mask[c] ? 1 : 0;
    return c - 1;
}

static const PgoValue *set_value(const void *data, size_t row, size_t column)
{
    const SetRows *set = data;
    if (column >= set->set_count)
        return fold_key(set->fold, set->rows[row]) + (column - set->set_count);
    return fold_values(set->fold, set->rows[row]) + masked_column(set, column);
}

static uint32_t set_type(const void *data, size_t column)
{
    const SetRows *set = data;
    size_t at = column >= set->set_count ? set->relation->key->columns[column - set->set_count]
                                         : masked_column(set, column);
    return set->relation->columns[at].type_oid;
}

static bool emit_set(Applier *applier, RelState *rel, const bool *mask, size_t first, size_t rows,
                     Err *err)
{
    SetRows set = {.relation = rel->relation,
                   .fold = &rel->fold,
                   .rows = applier->set_rows + first,
                   .mask = mask};
    for (size_t c = 0; mask != NULL && c < rel->relation->column_count; c++)
        set.set_count += mask[c] ? 1 : 0;
    EmitArrays arrays = {.rows = rows,
                         .columns = set.set_count + rel->relation->key->count,
                         .binary = fold_key(&rel->fold, set.rows[0])->kind == PGO_BINARY,
                         .value = set_value,
                         .type_oid = set_type,
                         .data = &set};
    StatementKind kind = mask != NULL ? STATEMENT_UPDATE_SET : STATEMENT_DELETE_SET;
    return emit_arrays(&applier->emit, statement_get(rel, applier->conn, kind, mask), &arrays, err);
}

static bool emit_row(Applier *applier, RelState *rel, const bool *mask, const FoldRow *row,
                     Err *err)
{
    const Relation *relation = rel->relation;
    EmitRow parameters = {.row = mask != NULL ? fold_values(&rel->fold, row) : NULL,
                          .columns = relation->column_count,
                          .mask = mask,
                          .tail = fold_key(&rel->fold, row),
                          .tail_count = relation->key->count};
    StatementKind kind = mask != NULL ? STATEMENT_UPDATE : STATEMENT_DELETE;
    for (size_t c = 0; mask != NULL && c < relation->column_count; c++) {
        if (mask[c] && relation->columns[c].identity == 'a')
            kind = STATEMENT_MOVE; /* the deleted row's key is kept */
    }
    Statement *statement = statement_get(rel, applier->conn, kind, mask);
    return emit_statement(&applier->emit, statement, &parameters, 1, err);
}

/* The collected rows: deletes (mask NULL), or updates that all set the same columns. */
static bool emit_collected(Applier *applier, RelState *rel, const bool *mask, Err *err)
{
    size_t count = applier->set_count;
    bool as_set = count >= SET_MIN_ROWS && set_is_possible(rel->relation, mask) &&
                  rows_fit(applier, rel, mask, fold_key(&rel->fold, applier->set_rows[0])->kind);
    applier->set_count = 0;
    for (size_t i = 0; as_set && i < count; i += SET_MAX_ROWS) {
        size_t rows = count - i < SET_MAX_ROWS ? count - i : SET_MAX_ROWS;
        if (!emit_set(applier, rel, mask, i, rows, err))
            return false;
    }
    for (size_t i = 0; !as_set && i < count; i++) {
        if (!emit_row(applier, rel, mask, applier->set_rows[i], err))
            return false;
    }
    return true;
}

static void collect(Applier *applier, const FoldRow *row)
{
    if (applier->set_count == applier->set_capacity) {
        applier->set_capacity = applier->set_capacity * 2 + 1024;
        applier->set_rows =
            mem_resize(applier->set_rows, applier->set_capacity * sizeof(*applier->set_rows));
    }
    applier->set_rows[applier->set_count++] = row;
}

static bool folded_deletes(Applier *applier, RelState *rel, Err *err)
{
    const Fold *fold = &rel->fold;
    for (size_t i = 0; i < fold->row_count; i++) {
        FoldNet net = fold_net(&fold->rows[i]);
        applier_touch(applier, rel->relation, fold_key(fold, &fold->rows[i]));
        if (net == NET_DELETE || net == NET_REPLACE)
            collect(applier, &fold->rows[i]);
    }
    return applier->set_count == 0 || emit_collected(applier, rel, NULL, err);
}

/* The columns that this net update sets. \return false: none travelled, there is nothing to say */
static bool folded_mask(const RelState *rel, const FoldRow *row, bool *mask)
{
    const Relation *relation = rel->relation;
    if (!row->has_row)
        return false;
    const PgoValue *values = fold_values(&rel->fold, row);
    for (size_t c = 0; c < relation->column_count; c++)
        mask[c] = values[c].kind != PGO_UNCHANGED;
    for (size_t k = 0; k < relation->key->count; k++)
        mask[relation->key->columns[k]] = false;
    return memchr(mask, 1, relation->column_count * sizeof(bool)) != NULL;
}

static bool folded_updates(Applier *applier, RelState *rel, Err *err)
{
    const Fold *fold = &rel->fold;
    size_t mask_bytes = rel->relation->column_count * sizeof(bool);
    for (size_t i = 0; i < fold->row_count; i++) {
        const FoldRow *row = &fold->rows[i];
        if (fold_net(row) != NET_UPDATE || !folded_mask(rel, row, applier->mask))
            continue;
        bool other = memcmp(applier->mask, applier->set_mask, mask_bytes) != 0;
        if (applier->set_count > 0 && other &&
            !emit_collected(applier, rel, applier->set_mask, err))
            return false;
        memcpy(applier->set_mask, applier->mask, mask_bytes);
        collect(applier, row);
    }
    return applier->set_count == 0 || emit_collected(applier, rel, applier->set_mask, err);
}

static bool is_insert(const FoldRow *row)
{
    FoldNet net = fold_net(row);
    return net == NET_INSERT || net == NET_REPLACE;
}

static bool folded_inserts(Applier *applier, RelState *rel, Err *err)
{
    const Fold *fold = &rel->fold;
    size_t rows = 0;
    for (size_t i = 0; i < fold->row_count; i++)
        rows += is_insert(&fold->rows[i]) ? 1 : 0;
    if (rows == 0)
        return true;
    bool use_copy = false;
    if (!insert_begin(applier, rel, rows, &use_copy, err))
        return false;
    for (size_t i = 0; i < fold->row_count; i++) {
        if (is_insert(&fold->rows[i]) &&
            !insert_row(applier, rel, use_copy, fold_values(fold, &fold->rows[i]), err))
            return false;
    }
    return !use_copy || emit_copy_end(&applier->emit, err);
}

bool folded_emit(Applier *applier, RelState *rel, Err *err)
{
    applier->set_count = 0;
    if (!folded_deletes(applier, rel, err) || !folded_updates(applier, rel, err) ||
        !folded_inserts(applier, rel, err))
        return false;
    fold_clear(&rel->fold);
    return true;
}
