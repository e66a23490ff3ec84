/*
 * Fold: an open-addressing hash of keys over growing arrays; nothing is allocated per row.
 */
#include "cdc/fold.h"

#define FOLD_FIRST_ROWS  64
#define FOLD_KEPT_VALUES ((size_t)64 * 1024)

void fold_init(Fold *fold, const Relation *relation)
{
    *fold = (Fold){.relation = relation};
}

void fold_release(Fold *fold)
{
    mem_free(fold->rows);
    mem_free(fold->values);
    mem_free(fold->slots);
    fold_init(fold, fold->relation);
}

void fold_clear(Fold *fold)
{
    if (fold->value_capacity > FOLD_KEPT_VALUES) {
        fold_release(fold);
        return;
    }
    fold->row_count = 0;
    fold->value_count = 0;
    if (fold->slot_count > 0)
        memset(fold->slots, 0, fold->slot_count * sizeof(uint32_t));
}

/* FNV-1a over the key's bytes; each value's length keeps ("a","bc") apart from ("ab","c"). */
static uint64_t hash_key(const PgoValue *key, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t k = 0; k < count; k++) {
        hash = (hash ^ key[k].length) * UINT64_C(1099511628211);
        for (uint32_t i = 0; i < key[k].length; i++)
            hash = (hash ^ (uint8_t)key[k].data[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

static size_t values_room(Fold *fold, size_t count)
{
    if (fold->value_count + count > fold->value_capacity) {
        size_t capacity = fold->value_capacity * 2 + count + 256;
        fold->values = mem_resize(fold->values, capacity * sizeof(PgoValue));
        fold->value_capacity = capacity;
    }
    size_t at = fold->value_count;
    fold->value_count += count;
    return at;
}

static void slot_put(Fold *fold, size_t row)
{
    size_t slot = (size_t)fold->rows[row].hash & (fold->slot_count - 1);
    while (fold->slots[slot] != 0)
        slot = (slot + 1) & (fold->slot_count - 1);
    fold->slots[slot] = (uint32_t)row + 1;
}

static void slots_grow(Fold *fold)
{
    fold->slot_count = fold->slot_count > 0 ? fold->slot_count * 2 : (size_t)FOLD_FIRST_ROWS * 2;
    fold->slots = mem_resize(fold->slots, fold->slot_count * sizeof(uint32_t));
    memset(fold->slots, 0, fold->slot_count * sizeof(uint32_t));
    for (size_t row = 0; row < fold->row_count; row++)
        slot_put(fold, row);
}

static FoldRow *find(const Fold *fold, const PgoValue *key, uint64_t hash)
{
    if (fold->slot_count == 0)
        return NULL;
    size_t count = fold->relation->key->count;
    size_t slot = (size_t)hash & (fold->slot_count - 1);
    for (; fold->slots[slot] != 0; slot = (slot + 1) & (fold->slot_count - 1)) {
        FoldRow *row = &fold->rows[fold->slots[slot] - 1];
        bool equal = row->hash == hash;
        for (size_t k = 0; k < count && equal; k++)
            equal = pgo_value_equal(&fold->values[row->key_at + k], &key[k]);
        if (equal)
            return row;
    }
    return NULL;
}

/* Takes the key that key_of() left behind the last value. */
static FoldRow *add(Fold *fold, uint64_t hash, bool existed)
{
    if ((fold->row_count + 1) * 2 > fold->slot_count)
        slots_grow(fold);
    if (fold->row_count == fold->row_capacity) {
        fold->row_capacity = fold->row_capacity > 0 ? fold->row_capacity * 2 : FOLD_FIRST_ROWS;
        fold->rows = mem_resize(fold->rows, fold->row_capacity * sizeof(FoldRow));
    }
    FoldRow *row = &fold->rows[fold->row_count++];
    *row = (FoldRow){.hash = hash,
                     .key_at = (uint32_t)fold->value_count,
                     .existed = existed,
                     .present = existed};
    fold->value_count += fold->relation->key->count;
    slot_put(fold, fold->row_count - 1);
    return row;
}

static PgoValue *row_room(Fold *fold, FoldRow *row)
{
    if (!row->has_row) {
        row->row_at = (uint32_t)values_room(fold, fold->relation->column_count);
        row->has_row = true;
    }
    return &fold->values[row->row_at];
}

static void set_row(Fold *fold, FoldRow *row, const PgoValue *values)
{
    memcpy(row_room(fold, row), values, fold->relation->column_count * sizeof(PgoValue));
}

/* Later values over earlier ones; what did not travel keeps what was known. */
static void merge_row(Fold *fold, FoldRow *row, const PgoValue *values)
{
    if (!row->has_row) {
        set_row(fold, row, values);
        return;
    }
    PgoValue *mine = &fold->values[row->row_at];
    for (size_t c = 0; c < fold->relation->column_count; c++) {
        if (values[c].kind != PGO_UNCHANGED)
            mine[c] = values[c];
    }
}

/* Leaves the key behind the last value, where add() takes it; nothing may be put there between.
 * \return false when a key column has no value */
static bool key_of(Fold *fold, const PgoValue *values, const PgoValue *fallback)
{
    const Key *key = fold->relation->key;
    size_t at = values_room(fold, key->count);
    fold->value_count = at;
    for (size_t k = 0; k < key->count; k++) {
        PgoValue value = values[key->columns[k]];
        if (value.kind == PGO_UNCHANGED && fallback != NULL)
            value = fallback[key->columns[k]];
        if (value.kind == PGO_NULL || value.kind == PGO_UNCHANGED)
            return false;
        fold->values[at + k] = value;
    }
    return true;
}

/* The row with the key that key_of() left. */
static FoldRow *find_left(const Fold *fold, uint64_t *hash)
{
    const PgoValue *key = &fold->values[fold->value_count];
    *hash = hash_key(key, fold->relation->key->count);
    return find(fold, key, *hash);
}

static FoldRow *find_or_add(Fold *fold, bool existed)
{
    uint64_t hash = 0;
    FoldRow *row = find_left(fold, &hash);
    return row != NULL ? row : add(fold, hash, existed);
}

FoldVerdict fold_insert(Fold *fold, const PgoValue *new_values)
{
    if (!key_of(fold, new_values, NULL))
        return FOLD_IMPOSSIBLE;
    FoldRow *row = find_or_add(fold, false);
    if (row->present)
        return FOLD_IMPOSSIBLE;
    row->present = true;
    row->replaced = row->existed;
    set_row(fold, row, new_values);
    return FOLD_DONE;
}

FoldVerdict fold_delete(Fold *fold, const PgoValue *old_values)
{
    if (!key_of(fold, old_values, NULL))
        return FOLD_IMPOSSIBLE;
    FoldRow *row = find_or_add(fold, true);
    if (!row->present)
        return FOLD_IMPOSSIBLE;
    row->present = false;
    return FOLD_DONE;
}

/* Whether the two rows have the same key; a key value that did not travel is the old one. */
static bool same_key(const Relation *relation, const PgoValue *old_values,
                     const PgoValue *new_values)
{
    for (size_t k = 0; k < relation->key->count; k++) {
        uint16_t c = relation->key->columns[k];
        if (new_values[c].kind != PGO_UNCHANGED && !pgo_value_equal(&old_values[c], &new_values[c]))
            return false;
    }
    return true;
}

/* The whole new row of an update that changes the key: what did not travel comes from the row as
 * folded so far, or from a full old row. */
static bool complete(const Fold *fold, const FoldRow *row, const PgoValue *full_old,
                     const PgoValue *new_values, PgoValue *out)
{
    for (size_t c = 0; c < fold->relation->column_count; c++) {
        out[c] = new_values[c];
        if (out[c].kind == PGO_UNCHANGED && row != NULL && row->has_row && row->present)
            out[c] = fold->values[row->row_at + c];
        if (out[c].kind == PGO_UNCHANGED && full_old != NULL)
            out[c] = full_old[c];
        if (out[c].kind == PGO_UNCHANGED)
            return false;
    }
    return true;
}

static FoldVerdict change_key(Fold *fold, const PgoValue *old_values, bool old_full,
                              const PgoValue *new_values)
{
    if (!key_of(fold, old_values, NULL))
        return FOLD_IMPOSSIBLE;
    uint64_t hash = 0;
    const FoldRow *old_row = find_left(fold, &hash);
    /* Room for the row and both keys at once: nothing below may move the row while it is read. */
    size_t columns = fold->relation->column_count;
    size_t at = values_room(fold, columns + fold->relation->key->count * 2);
    fold->value_count = at + columns;
    if (!complete(fold, old_row, old_full ? old_values : NULL, new_values, &fold->values[at])) {
        fold->value_count = at;
        return FOLD_BARRIER;
    }
    FoldVerdict verdict = fold_delete(fold, old_values);
    if (verdict != FOLD_DONE)
        return verdict;
    if (!key_of(fold, &fold->values[at], NULL))
        return FOLD_IMPOSSIBLE;
    FoldRow *row = find_or_add(fold, false);
    if (row->present)
        return FOLD_IMPOSSIBLE;
    row->present = true;
    row->replaced = row->existed;
    row->row_at = (uint32_t)at;
    row->has_row = true;
    return FOLD_DONE;
}

FoldVerdict fold_update(Fold *fold, const PgoValue *old_values, bool old_full,
                        const PgoValue *new_values)
{
    if (old_values != NULL && !same_key(fold->relation, old_values, new_values))
        return change_key(fold, old_values, old_full, new_values);
    if (!key_of(fold, new_values, old_values))
        return FOLD_IMPOSSIBLE;
    FoldRow *row = find_or_add(fold, true);
    if (!row->present)
        return FOLD_IMPOSSIBLE;
    merge_row(fold, row, new_values);
    return FOLD_DONE;
}

FoldNet fold_net(const FoldRow *row)
{
    if (!row->present)
        return row->existed ? NET_DELETE : NET_NOTHING;
    if (!row->existed)
        return NET_INSERT;
    return row->replaced ? NET_REPLACE : NET_UPDATE;
}

const PgoValue *fold_key(const Fold *fold, const FoldRow *row)
{
    return &fold->values[row->key_at];
}

const PgoValue *fold_values(const Fold *fold, const FoldRow *row)
{
    return &fold->values[row->row_at];
}
