/*
 * Values: a key's binary values as the text that the source would have sent. Routes, touched keys
 * and messages know keys by their text, whatever form the stream asked for; so what they say is the
 * same for an engine that asks for the other one.
 */
#ifndef GODWIT_CDC_VALUES_H
#define GODWIT_CDC_VALUES_H

#include "blueprint/blueprint.h"
#include "cdc/pgoutput.h"

#define VALUE_TEXT_BYTES 48

/** Whether values of this type can be told as text: what the key of a table must be for the stream
 * to bring binary values. */
bool value_is_told(uint32_t type_oid);

/** The value as text, under the settings that all connections are pinned to. Text stays as it is.
 * \param room VALUE_TEXT_BYTES; `text` may point into it, or where `value` does
 * \return false: NULL, unchanged, a type that cannot be told, or bytes that are none of that type
 * \note Source: PostgreSQL, the types' send and output functions (utils/adt). */
bool value_text(uint32_t type_oid, const PgoValue *value, char *room, PgoValue *text);

/* A key as text. */
typedef struct KeyText {
    PgoValue *values; /* Key.count */
    char *room;
    size_t capacity;
} KeyText;

/** \return NULL when a value cannot be told; else the key as text, until the next call: `key`
 * itself where it is text. Zeroed before its first use. */
const PgoValue *key_text(KeyText *text, const Relation *relation, const PgoValue *key);
void key_text_release(KeyText *text);

#endif
