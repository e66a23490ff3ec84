/*
 * Arena: a list of blocks, newest first; allocations are cut from the newest one.
 * Owns malloc, realloc and free for the whole program.
 */
#include "base/arena.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdint.h>

struct ArenaBlock {
    ArenaBlock *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

#define ARENA_FIRST_BLOCK ((size_t)4096)
#define ARENA_MAX_BLOCK   ((size_t)1024 * 1024)

void *mem_resize(void *memory, size_t size_bytes)
{
    void *grown = realloc(memory, size_bytes > 0 ? size_bytes : 1);
    if (grown == NULL)
        err_out_of_memory(size_bytes);
    return grown;
}

void mem_free(void *memory)
{
    free(memory);
}

static ArenaBlock *block_new(Arena *arena, size_t need)
{
    size_t size = arena->head == NULL ? ARENA_FIRST_BLOCK : arena->head->size * 2;
    if (size > ARENA_MAX_BLOCK)
        size = ARENA_MAX_BLOCK;
    if (size < need)
        size = need;
    ArenaBlock *block = mem_resize(NULL, sizeof(ArenaBlock) + size);
    block->size = size;
    block->used = 0;
    block->next = arena->head;
    arena->head = block;
    arena->total_bytes += size;
    return block;
}

void *arena_alloc(Arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        err_out_of_memory(size_bytes);
    const size_t align = alignof(max_align_t);
    size_t need = (size_bytes + align - 1) / align * align;
    ArenaBlock *block = arena->head;
    if (block == NULL || block->size - block->used < need)
        block = block_new(arena, need);
    void *memory = block->data + block->used;
    block->used += need;
    return memset(memory, 0, need);
}

char *arena_memdup(Arena *arena, const void *data, size_t size_bytes)
{
    char *copy = arena_alloc(arena, size_bytes + 1);
    if (size_bytes > 0)
        memcpy(copy, data, size_bytes);
    return copy;
}

char *arena_strdup(Arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_memdup(arena, text, strlen(text));
}

char *arena_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        BUG("a format string could not be rendered: %s", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *arena_int64(Arena *arena, int64_t value)
{
    return arena_printf(arena, "%" PRId64, value);
}

static void blocks_free(ArenaBlock *block)
{
    while (block != NULL) {
        ArenaBlock *next = block->next;
        mem_free(block);
        block = next;
    }
}

void arena_reset(Arena *arena)
{
    if (arena->head == NULL)
        return;
    ArenaBlock *keep = arena->head;
    blocks_free(keep->next);
    keep->next = NULL;
    keep->used = 0;
    arena->total_bytes = keep->size;
}

void arena_release(Arena *arena)
{
    blocks_free(arena->head);
    *arena = (Arena){0};
}
