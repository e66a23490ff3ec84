/*
 * Facts: what was seen somewhere, as key and value, so that it can be kept as text or JSON and
 * compared with what is seen later: "column v of public.t" was "text" and is "bigint".
 *
 *     FactVec now = {0};
 *     facts_add(arena, &now, "column v of public.t", "text");
 *     facts_sort(&now);
 *     const char *moved = facts_diff(arena, &before, &now);   // "" when nothing moved
 */
#ifndef GODWIT_BASE_FACTS_H
#define GODWIT_BASE_FACTS_H

#include "base/vec.h"

typedef struct Fact {
    const char *key;
    const char *value; /* "": nothing but being there */
} Fact;

typedef VEC(Fact) FactVec;

/** Adds a fact. \param key,value copied */
void facts_add(Arena *arena, FactVec *facts, const char *key, const char *value);

/** Sorts by key, then value; every other function wants it so. */
void facts_sort(FactVec *facts);

/** One fact a line, "key" TAB "value"; tabs, line ends and backslashes are escaped. */
char *facts_text(Arena *arena, const FactVec *facts);

/** Reads what facts_text() wrote. */
void facts_parse(Arena *arena, FactVec *facts, const char *text);

/** What differs, a line each: "KEY: old -> new", "gone: KEY (old)", "new: KEY (new)"; "" when
 * nothing does. */
char *facts_diff(Arena *arena, const FactVec *before, const FactVec *after);

/** The SHA-256 of the text. */
char *facts_digest(Arena *arena, const FactVec *facts);

#endif
