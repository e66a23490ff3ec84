/*
 * Schema: the one description of the plan language. libcyaml binds with the fields; the walker, the
 * defaults, the JSON Schema and the documentation read the fields and, row by row beside them, the
 * keys.
 */
#ifndef GODWIT_PLAN_SCHEMA_H
#define GODWIT_PLAN_SCHEMA_H

#include "plan/format.h"

#include <cyaml/cyaml.h>

/* What libcyaml has no place for, one row per field, in the same order. */
typedef struct PlanKey {
    const char *key;
    const char *doc;          /* one or two sentences */
    PlanFormat format;        /* of a text, or of the texts in a list */
    const char *fallback;     /* the default, as one would write it; NULL: none */
    uint64_t min;             /* range of a number, a size (bytes) or an interval (microseconds); */
    uint64_t max;             /* max 0: none */
    const char *const *later; /* values that are not in this version, NULL-terminated */
    bool is_later;            /* the whole key is not in this version */
    bool in_choice;           /* takes part in the mapping's choice */
} PlanKey;

typedef enum PlanChoice {
    CHOICE_NONE,
    CHOICE_EXACTLY_ONE,
    CHOICE_AT_LEAST_ONE,
    CHOICE_AT_MOST_ONE, /* of two keys */
} PlanChoice;

typedef struct PlanMapping {
    const char *path; /* "cutover.gates"; "" the plan itself; [] an entry of a list */
    const char *doc;
    const cyaml_schema_field_t *fields;
    const PlanKey *keys;
    PlanChoice choice;
    const char *shorthand; /* a plain text stands for a mapping with only this key; NULL: no */
} PlanMapping;

/** The whole plan, as libcyaml takes it. */
extern const cyaml_schema_value_t PLAN_SCHEMA;

/** The mapping whose fields these are. BUG() when there is none. */
const PlanMapping *schema_mapping(const cyaml_schema_field_t *fields);

/** All mappings, the plan itself first. */
const PlanMapping *schema_mappings(size_t *count);

/** The mapping at a path ("cutover.gates"), and a key of it. BUG() when there is none. */
const PlanMapping *schema_at(const char *path);
const PlanKey *schema_key(const PlanMapping *mapping, const char *key);

/** Index of a key in a mapping; -1 when it is not known. */
int schema_find(const PlanMapping *mapping, const char *key);

/** The word that stands for an enum's value. */
const char *schema_word(const char *path, const char *key, uint32_t value);

/** Whether a value of a key is not in this version. */
bool schema_word_is_later(const PlanKey *key, const char *word);

/** Whether a field must be given. */
static inline bool schema_required(const cyaml_schema_field_t *field)
{
    return (field->value.flags & CYAML_FLAG_OPTIONAL) == 0;
}

#endif
