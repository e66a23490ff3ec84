/*
 * Selector: what a plan writes to name relations: `schema.name`, a schema name, or a pattern that
 * begins with `~` (PCRE2, anchored at both ends, over raw text). The only room that calls PCRE2.
 */
#ifndef GODWIT_MATCH_SELECTOR_H
#define GODWIT_MATCH_SELECTOR_H

#include "base/err.h"
#include "base/name.h"

typedef struct Pattern Pattern;

typedef struct Selector {
    const char *text;       /* as written */
    const Pattern *pattern; /* NULL: an exact name */
    Name name;              /* exact: schema (and rel, NULL for a schema selector), raw */
} Selector;

/** Compiles a relation selector (`schema.name` or `~pattern` over schema.name).
 * \param column on failure of a pattern: 0-based character offset of the fault within text
 * \return false with ERR_PLAN and the reason. The pattern lives until selector_release(). */
MUSTCHECK bool selector_relation(Arena *arena, const char *text, Selector *selector, size_t *column,
                                 Err *err);

/** Compiles a schema selector (a schema name, or `~pattern` over schema names). */
MUSTCHECK bool selector_schema(Arena *arena, const char *text, Selector *selector, size_t *column,
                               Err *err);

/** Whether a relation (or, with rel NULL in the selector's kind, a schema name in name->schema)
 * matches. Thread-safe: a compiled pattern is read only. */
bool selector_matches(const Selector *selector, const Name *name);

/** The name that `text` (schema.name, parts quoted as SQL does) becomes for a relation that the
 * selector matches: ${n} stands for the n-th group of the pattern, raw, wherever it stands in a
 * part. \param name what is matched
 * \return false with ERR_PLAN: there is no such group, or a part is empty or longer than a name. */
MUSTCHECK bool selector_expand(Arena *arena, const Selector *selector, const Name *name,
                               const char *text, Name *expanded, Err *err);

void selector_release(Selector *selector);

#endif
