/*
 * Span: keys by their place in an order that is coarse but never wrong, so that "which keys of a
 * relation were touched" is two numbers. Lanes write them down, verification reads them.
 */
#ifndef GODWIT_CDC_SPAN_H
#define GODWIT_CDC_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Span {
    bool any;
    bool whole; /* the keys cannot be told: all of the relation */
    int64_t least;
    int64_t greatest;
} Span;

/** The place of a value of the key's first column: integers are their own, days and times their
 * day. A value that is smaller never comes later. \return false: it has none */
bool span_order(uint32_t type_oid, const char *text, size_t length, int64_t *order);

/** Whether two spans may have a key in common; an empty one has none. */
bool span_meets(const Span *a, const Span *b);

/** Takes another one's keys in. */
void span_add(Span *span, const Span *more);

/** Whether all keys of `part` are in it. */
bool span_holds(const Span *span, const Span *part);

/** Widened to multiples of 4,096. */
Span span_rounded(Span span);

#endif
