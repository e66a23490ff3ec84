/*
 * Suggest: the nearest known word to one that is not known, for "did you mean".
 */
#ifndef GODWIT_PLAN_SUGGEST_H
#define GODWIT_PLAN_SUGGEST_H

#include <stddef.h>

typedef struct Suggest {
    const char *word;
    const char *best; /* NULL: nothing is near */
    size_t distance;
} Suggest;

/** Begins a search for a word. */
Suggest suggest_begin(const char *word);

/** Offers a known word; the first of equally near ones stays. */
void suggest_offer(Suggest *suggest, const char *candidate);

#endif
