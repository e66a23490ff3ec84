/*
 * Texts: which of many texts are the same, without comparing each with each: a plan may hold a
 * hundred thousand names.
 *
 *     Texts texts = {.arena = arena};
 *     const Node *first = texts_add(&texts, node->text, node);   // NULL: it is the first
 */
#ifndef GODWIT_PLAN_TEXTS_H
#define GODWIT_PLAN_TEXTS_H

#include "base/arena.h"

typedef struct TextsEntry TextsEntry;

/* Zeroed but for the arena, it is empty. */
typedef struct Texts {
    Arena *arena;
    TextsEntry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} Texts;

/** Adds a text with something that belongs to it, unless the text is there.
 * \param text must live as long as the set
 * \return what belongs to the text that was there; NULL when it was not. */
const void *texts_add(Texts *texts, const char *text, const void *owner);

/** What belongs to a text; NULL when it is not there. */
const void *texts_find(const Texts *texts, const char *text);

#endif
