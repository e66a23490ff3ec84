/*
 * Translate's rows: columns are found by their names; as they nearly always come in the same order,
 * the place where the last row had one is tried first.
 */
#include "cdc/translate_internal.h"

#define NOT_KNOWN (-1) /* a column that the Blueprint does not have */
#define NOT_SENT  (-2) /* generated, or left out by a column list */

static void begin_relation(Output *output, const Leaf *leaf, size_t columns)
{
    output_begin_in_block(output, PGO_RELATION);
    output_number(output, leaf->oid, 4);
    output_text(output, leaf->source.schema);
    output_text(output, leaf->source.rel);
    output_number(output, (uint8_t)leaf->replica_identity, 1);
    output_number(output, columns, 2);
}

static void put_column(Output *output, bool in_key, const char *name, uint32_t type)
{
    output_number(output, in_key ? 1 : 0, 1);
    output_text(output, name);
    output_number(output, type, 4);
    output_number(output, UINT32_MAX, 4);
}

static bool in_key(const Relation *relation, size_t column)
{
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        if (relation->key->columns[k] == column)
            return true;
    }
    return false;
}

void translate_tell_relation(Output *output, TranslateLeaf *leaf)
{
    const Relation *relation = leaf->leaf->root;
    if (leaf->told)
        return;
    begin_relation(output, leaf->leaf, relation->column_count);
    for (size_t i = 0; i < relation->column_count; i++)
        put_column(output, in_key(relation, i), relation->columns[i].name,
                   relation->columns[i].type_oid);
    output_end(output, 0);
    leaf->told = true;
}

static int find_column(const Relation *relation, TdText name)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        if (td_name_is(name, relation->columns[i].name))
            return (int)i;
    }
    for (size_t i = 0; i < relation->generated_count; i++) {
        if (td_name_is(name, relation->generated[i]))
            return NOT_SENT;
    }
    for (size_t i = 0; i < relation->left_out_count; i++) {
        if (td_name_is(name, relation->left_out[i].name))
            return NOT_SENT;
    }
    return NOT_KNOWN;
}

/* A table WITH OIDS (before 12) shows its oid in front of the columns. */
static bool is_hidden_oid(size_t position, const TdColumn *column)
{
    return position == 0 && td_name_is(column->name, "oid") && column->type.bytes == 3 &&
           memcmp(column->type.data, "oid", 3) == 0;
}

static int column_at(Output *output, TranslateLeaf *leaf, size_t position, const TdColumn *column)
{
    const Relation *relation = leaf->leaf->root;
    if (position == leaf->column_count) { /* the widest row so far */
        int *wider = arena_array(&output->translate->arena, int, position * 2 + 8);
        for (size_t i = 0; i < position; i++)
            wider[i] = leaf->columns[i];
        for (size_t i = position; i < position * 2 + 8; i++)
            wider[i] = NOT_KNOWN;
        leaf->columns = wider;
        leaf->column_count = position * 2 + 8;
    }
    int guess = leaf->columns[position];
    if (guess >= 0 && td_name_is(column->name, relation->columns[guess].name))
        return guess;
    int found = find_column(relation, column->name);
    if (found == NOT_KNOWN && is_hidden_oid(position, column))
        found = NOT_SENT;
    return leaf->columns[position] = found;
}

/* Sorts a row's columns into leaf->row. \return false: it has one that the Blueprint does not */
static bool sort_row(Output *output, TranslateLeaf *leaf, const TdTuple *tuple, size_t *found)
{
    size_t position = 0;
    bool known = true;
    TdColumn column;
    *found = 0;
    for (size_t i = 0; i < leaf->leaf->root->column_count; i++)
        leaf->row[i] = (TdColumn){.kind = TD_NULL};
    for (TdCursor at = td_columns(tuple); td_column(&at, &column); position++) {
        int index = column_at(output, leaf, position, &column);
        known = known && index != NOT_KNOWN;
        if (index < 0)
            continue;
        leaf->row[index] = column;
        (*found)++;
    }
    return known;
}

static void put_value(Output *output, const TdColumn *column)
{
    Str *out = &output->message;
    if (column->kind == TD_NULL || column->kind == TD_UNCHANGED) {
        str_append_char(out, column->kind == TD_NULL ? PGO_NULL : PGO_UNCHANGED);
        return;
    }
    str_append_char(out, PGO_TEXT);
    size_t length_at = out->length;
    output_number(output, 0, 4);
    size_t bytes = td_value(column, str_reserve(out, column->value.bytes + 1));
    out->length += bytes;
    for (size_t i = 0; i < 4; i++)
        out->data[length_at + i] = (char)(bytes >> (8 * (3 - i)) & 0xff);
}

/* A full old row does not tell its NULLs, an old key nothing but itself, and which of the two a
 * line has is decided by the identity at its time, not by the catalog's of now. So what is not told
 * counts as not known where a key finds the row: taken for NULL, it would stand for a value that
 * did not travel. Without a key only full rows come. */
static void put_row(Output *output, TranslateLeaf *leaf, char kind)
{
    const Relation *relation = leaf->leaf->root;
    bool may_be_key = kind == 'O' && relation->key != NULL;
    str_append_char(&output->message, kind);
    output_number(output, relation->column_count, 2);
    for (size_t i = 0; i < relation->column_count; i++) {
        TdColumn column = leaf->row[i];
        if (may_be_key && column.name.data == NULL)
            column.kind = TD_UNCHANGED;
        put_value(output, &column);
    }
}

/* The row in its own columns, as pgoutput would send it behind such a relation message: the change
 * that needs what does not fit. */
static void put_other_row(Output *output, const TranslateLeaf *leaf, const TdTuple *tuple,
                          size_t count)
{
    TdColumn column;
    output_begin_in_block(output, PGO_INSERT);
    output_number(output, leaf->leaf->oid, 4);
    str_append_char(&output->message, 'N');
    output_number(output, count, 2);
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        if (find_column(leaf->leaf->root, column.name) != NOT_SENT)
            put_value(output, &column);
    }
    output_end(output, 0);
}

/* A column that a key does not tell, and that is as it was as far as one can see. */
static bool is_not_told(const Relation *relation, size_t index, const TdTuple *tuple)
{
    TdColumn column;
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        if (td_name_is(column.name, relation->columns[index].name))
            return false;
    }
    return !in_key(relation, index);
}

/* The relation as this row has it, so that what differs is told by name, and the row.
 * \param whole the row has all columns; a key has its own only */
static void tell_other_columns(Output *output, TranslateLeaf *leaf, const TdTuple *tuple,
                               bool whole)
{
    const Relation *relation = leaf->leaf->root;
    TdColumn column;
    size_t count = 0;
    size_t rest = 0;
    AUTO_STR Str name = {0};
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);)
        count += find_column(relation, column.name) != NOT_SENT ? 1 : 0;
    for (size_t i = 0; i < relation->column_count && !whole; i++)
        rest += is_not_told(relation, i, tuple) ? 1 : 0;
    begin_relation(output, leaf->leaf, count + rest);
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        int index = find_column(relation, column.name);
        if (index == NOT_SENT)
            continue;
        str_reset(&name);
        str_reserve(&name, column.name.bytes + 1);
        name.data[td_unquote_name(column.name, name.data)] = '\0';
        bool same = index >= 0 && td_type_is(column.type, relation->columns[index].type_text);
        put_column(output, index >= 0 && in_key(relation, (size_t)index), name.data,
                   same ? relation->columns[index].type_oid : 0);
    }
    for (size_t i = 0; i < relation->column_count && rest > 0; i++) {
        if (is_not_told(relation, i, tuple))
            put_column(output, false, relation->columns[i].name, relation->columns[i].type_oid);
    }
    output_end(output, 0);
    leaf->told = false;
    put_other_row(output, leaf, tuple, count);
}

static bool same_types(const TranslateLeaf *leaf)
{
    const Relation *relation = leaf->leaf->root;
    for (size_t i = 0; i < relation->column_count; i++) {
        if (!td_type_is(leaf->row[i].type, relation->columns[i].type_text))
            return false;
    }
    return true;
}

/* A new row has all columns: another set of them is another table. */
static bool same_columns(Output *output, TranslateLeaf *leaf, const TdTuple *tuple)
{
    size_t found = 0;
    if (sort_row(output, leaf, tuple, &found) && found == leaf->leaf->root->column_count &&
        same_types(leaf))
        return true;
    tell_other_columns(output, leaf, tuple, true);
    return false;
}

void translate_row(Output *output, TranslateLeaf *leaf)
{
    const TdLine *line = &output->line;
    if (line->kind != TD_DELETE && !same_columns(output, leaf, &line->new_tuple))
        return;
    size_t found = 0;
    if (line->old_tuple.present && !sort_row(output, leaf, &line->old_tuple, &found)) {
        tell_other_columns(output, leaf, &line->old_tuple, false);
        return;
    }
    translate_tell_relation(output, leaf);
    static const char KINDS[] = {
        [TD_INSERT] = PGO_INSERT, [TD_UPDATE] = PGO_UPDATE, [TD_DELETE] = PGO_DELETE};
    output_begin_in_block(output, KINDS[line->kind]);
    output_number(output, leaf->leaf->oid, 4);
    if (line->old_tuple.present)
        put_row(output, leaf, leaf->leaf->replica_identity == 'f' ? 'O' : 'K');
    if (line->kind != TD_DELETE) {
        if (line->old_tuple.present && !sort_row(output, leaf, &line->new_tuple, &found))
            BUG("a row's columns were known a moment ago");
        put_row(output, leaf, 'N');
    }
    output_end(output, 0);
}
