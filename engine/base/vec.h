/*
 * Vec: a growing array in an arena, one macro type per element.
 *
 *     typedef VEC(Column) ColumnVec;
 *     ColumnVec columns = {0};
 *     *vec_push(arena, &columns) = (Column){...};
 *     for (size_t i = 0; i < columns.count; i++) use(&columns.items[i]);
 *
 * Growing moves the items: keep indexes, not pointers, until the vector is complete. One that is
 * kept sorted by a number:
 *
 *     size_t at = vec_place(&columns, relation, oid);
 *     *vec_insert(arena, &columns, at) = (Column){.relation = oid};
 */
#ifndef GODWIT_BASE_VEC_H
#define GODWIT_BASE_VEC_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

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

/** Grows by one zeroed element in front of the one at `at`; the value is a pointer to it. */
#define vec_insert(arena, vec, at)                                                                 \
    (vec_push((arena), (vec)), vec_open((vec)->items, (vec)->count, (at), sizeof(*(vec)->items)),  \
     &(vec)->items[(at)])

/** Where, in a vector sorted by a uint32_t member, `key` stands or would: the first element that is
 * not below it. The same of an array: vec_place_of(items, count, bytes of an item, offset, key). */
#define vec_place(vec, member, key)                                                                \
    vec_place_of((vec)->items, (vec)->count, sizeof(*(vec)->items),                                \
                 offsetof(__typeof__(*(vec)->items), member), (key))

size_t vec_place_of(const void *items, size_t count, size_t item_bytes, size_t offset,
                    uint32_t key);

/** Implementation of vec_insert: moves the last element to `at`, zeroed. */
void vec_open(void *items, size_t count, size_t at, size_t item_bytes);

/** Implementation of vec_push: makes sure that one more element fits. */
void *vec_grow(Arena *arena, void *items, size_t count, size_t *capacity, size_t item_bytes);

#endif
