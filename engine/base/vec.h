/*
 * Vec: a growing array in an arena, one macro type per element.
 *
 *     typedef VEC(Column) ColumnVec;
 *     ColumnVec columns = {0};
 *     *vec_push(arena, &columns) = (Column){...};
 *     for (size_t i = 0; i < columns.count; i++) use(&columns.items[i]);
 *
 * Growing moves the items: keep indexes, not pointers, until the vector is complete.
 */
#ifndef GODWIT_BASE_VEC_H
#define GODWIT_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

/** Grows by one zeroed element; the value is a pointer to it. */
#define vec_push(arena, vec)                                                                       \
    ((vec)->items =                                                                                \
         vec_grow((arena), (vec)->items, (vec)->count, &(vec)->capacity, sizeof(*(vec)->items)),   \
     &(vec)->items[(vec)->count++])

/** Implementation of vec_push: makes sure that one more element fits. */
void *vec_grow(Arena *arena, void *items, size_t count, size_t *capacity, size_t item_bytes);

#endif
