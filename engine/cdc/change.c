/*
 * Change: from tuples as they travel to values in the order of the Blueprint's columns.
 */
#include "cdc/change.h"

#include "base/str.h"
#include "cdc/values.h"

#define SHOWN_VALUE_BYTES 100

void change_values(const LeafState *leaf, const PgoTuple *tuple, PgoValue *scratch,
                   PgoValue *values)
{
    if (leaf->same_order) {
        pgo_tuple_values(tuple, values);
        return;
    }
    pgo_tuple_values(tuple, scratch);
    for (uint16_t i = 0; i < leaf->map_count; i++) {
        if (leaf->map[i] != COLUMN_LEFT_OUT)
            values[leaf->map[i]] = scratch[i];
    }
}

bool change_old_key(const Relation *relation, const PgoValue *old_values,
                    const PgoValue *new_values, PgoValue *key)
{
    for (size_t k = 0; k < relation->key->count; k++) {
        uint16_t column = relation->key->columns[k];
        const PgoValue *from = old_values != NULL ? old_values : new_values;
        key[k] = from[column];
        if (key[k].kind == PGO_UNCHANGED || key[k].kind == PGO_NULL)
            return false;
    }
    return true;
}

static void append_value(Str *text, uint32_t type_oid, const PgoValue *binary)
{
    char room[VALUE_TEXT_BYTES];
    PgoValue told;
    const PgoValue *value = value_text(type_oid, binary, room, &told) ? &told : binary;
    if (value->kind == PGO_NULL || value->kind == PGO_UNCHANGED) {
        str_append(text, value->kind == PGO_NULL ? "null" : "(unchanged)");
        return;
    }
    uint32_t shown = value->length < SHOWN_VALUE_BYTES ? value->length : SHOWN_VALUE_BYTES;
    if (value->kind == PGO_TEXT)
        str_append_bytes(text, value->data, shown);
    for (uint32_t i = 0; value->kind == PGO_BINARY && i < shown; i++)
        str_appendf(text, "%s%02x", i == 0 ? "0x" : "", (unsigned)(uint8_t)value->data[i]);
    if (shown < value->length)
        str_append(text, "...");
}

char *change_key_text(Arena *arena, const Relation *relation, const PgoValue *key)
{
    AUTO_STR Str text = {0};
    str_append(&text, "Key (");
    for (size_t k = 0; k < relation->key->count; k++)
        str_appendf(&text, "%s%s", k > 0 ? ", " : "",
                    relation->columns[relation->key->columns[k]].name);
    str_append(&text, ")=(");
    for (size_t k = 0; k < relation->key->count; k++) {
        str_append(&text, k > 0 ? ", " : "");
        append_value(&text, relation->columns[relation->key->columns[k]].type_oid, &key[k]);
    }
    str_append(&text, ")");
    return str_dup(arena, &text);
}
