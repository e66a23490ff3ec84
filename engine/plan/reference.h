/*
 * Reference: what the tables say of each key, as pages for people (docs/keys, `godwit explain
 * KEY`).
 */
#ifndef GODWIT_PLAN_REFERENCE_H
#define GODWIT_PLAN_REFERENCE_H

#include "base/arena.h"

/** The page of one key and all keys below it, as Markdown.
 * \param path "select", "select.rows.where"; `[]` of lists may be left out
 * \return NULL when the language has no such key. */
char *reference_page(Arena *arena, const char *path);

/** The page that lists every key of the language, each with a link to its place. */
char *reference_index(Arena *arena);

/** The keys of the plan itself, in the order of the table; NULL behind the last. */
const char *reference_top(size_t index);

#endif
