/*
 * Vec: growth by doubling; old storage stays in the arena. Places by halving.
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

static uint32_t key_at(const void *items, size_t index, size_t item_bytes, size_t offset)
{
    uint32_t key;
    memcpy(&key, (const char *)items + index * item_bytes + offset, sizeof(key));
    return key;
}

size_t vec_place_of(const void *items, size_t count, size_t item_bytes, size_t offset, uint32_t key)
{
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (key_at(items, middle, item_bytes, offset) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void vec_open(void *items, size_t count, size_t at, size_t item_bytes)
{
    char *place = (char *)items + at * item_bytes;
    memmove(place + item_bytes, place, (count - 1 - at) * item_bytes);
    memset(place, 0, item_bytes);
}
