/*
 * Width: the characters that take no column of a terminal, or two. Ranges in order, to search by
 * halves. Part of plan/ only.
 */
#ifndef GODWIT_PLAN_WIDTH_H
#define GODWIT_PLAN_WIDTH_H

#include <stddef.h>
#include <stdint.h>

typedef struct WidthRange {
    uint32_t first;
    uint32_t last;
} WidthRange;

extern const WidthRange WIDTH_ZERO[];
extern const WidthRange WIDTH_TWO[];
extern const size_t WIDTH_ZERO_COUNT;
extern const size_t WIDTH_TWO_COUNT;

#endif
