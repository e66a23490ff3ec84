/*
 * Vec: growth by doubling; old storage stays in the arena.
 */
#include "base/vec.h"

void *vec_grow(Arena *arena, void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t grown = *capacity > 0 ? *capacity * 2 : 8;
    void *memory = arena_alloc(arena, grown * item_bytes);
    if (count > 0)
        memcpy(memory, items, count * item_bytes);
    *capacity = grown;
    return memory;
}
