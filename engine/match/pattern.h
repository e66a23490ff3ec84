/*
 * Pattern: one compiled PCRE2 pattern over UTF-8, anchored at both ends. Read only once compiled:
 * any number of threads may match with it.
 *
 *     Pattern *pattern = pattern_compile(text, &column, err);
 *     if (pattern_matches(pattern, subject)) ...
 *     pattern_free(pattern);
 */
#ifndef GODWIT_MATCH_PATTERN_H
#define GODWIT_MATCH_PATTERN_H

#include "base/str.h"
#include "match/selector.h"

/** Compiles, with JIT where the library has it.
 * \param column on failure: 0-based character offset of the fault within text
 * \return NULL with ERR_PLAN and PCRE2's own reason; otherwise give it to pattern_free(). */
MUSTCHECK Pattern *pattern_compile(const char *text, size_t *column, Err *err);

/** Whether the whole subject matches. A pattern that backtracks without end is matched again by
 * PCRE2's DFA algorithm, which does not backtrack.
 * \note Source: PCRE2, pcre2matching: the two algorithms agree on whether there is a match, for
 * patterns without back references and atomic groups. */
bool pattern_matches(const Pattern *pattern, const char *subject);

/** Whether `text` begins with ${n}, n of one or two digits. \param length of the reference */
bool reference_read(const char *text, unsigned *number, size_t *length);

/** Replaces ${n} in `text` by what the pattern's n-th group matched of the subject (${0}: all of
 * it) and appends the result. The pattern must match. \return false with ERR_PLAN: the pattern has
 * no such group, or the group took no part. */
MUSTCHECK bool pattern_expand(const Pattern *pattern, const char *subject, const char *text,
                              Str *expanded, Err *err);

void pattern_free(Pattern *pattern);

#endif
