/*
 * Name: a relation's or object's raw name. Never quoted in memory; quoting is pg/ddl's.
 */
#ifndef GODWIT_BASE_NAME_H
#define GODWIT_BASE_NAME_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct Name {
    const char *schema;
    const char *rel;
} Name;

/** Order by schema, then relation, byte by byte. */
int name_compare(const Name *a, const Name *b);
bool name_equal(const Name *a, const Name *b);

/** For messages, step ids and plan files: schema.rel, a part quoted as SQL does when it is not a
 * plain lower-case identifier. Not for SQL (use pg/ddl). */
char *name_text(Arena *arena, const Name *name);

/** One part as name_text() shows it. */
char *name_part_text(Arena *arena, const char *part);

/** Parses what name_text() prints: schema.name, parts optionally double-quoted.
 * \return false if it is not exactly two parts. */
MUSTCHECK bool name_parse(Arena *arena, const char *text, Name *name);

#endif
