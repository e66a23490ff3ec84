/*
 * JSON out: jansson values as text that an arena owns.
 */
#ifndef GODWIT_BASE_JSONTEXT_H
#define GODWIT_BASE_JSONTEXT_H

#include "base/arena.h"

#include <jansson.h>

/** The text of a value on one line; takes the value. */
char *jsontext_compact(Arena *arena, json_t *value);

/** The text of a value, indented, in the order of its keys, with a newline at its end; takes the
 * value. */
char *jsontext_pretty(Arena *arena, json_t *value);

/** An array of strings: ["a", "b"], for parameters that are lists. */
char *jsontext_list(Arena *arena, const char *const *texts, size_t count);

#endif
