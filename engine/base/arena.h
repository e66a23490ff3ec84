/*
 * Arena: memory that is given back all at once. A function that returns memory takes `Arena *`
 * first; that is the ownership statement. A zeroed Arena is valid and empty.
 *
 *     AUTO_ARENA Arena arena = {0};
 *     char *label = arena_printf(&arena, "%s.%s", schema, relation);
 *
 * Out of memory prints and ends the process: a run is resumable, so there is nothing to unwind.
 * An arena belongs to one thread at a time. This file owns the only free() of the program.
 */
#ifndef GODWIT_BASE_ARENA_H
#define GODWIT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define MUSTCHECK    __attribute__((warn_unused_result))
#define PRINTF(a, b) __attribute__((format(printf, a, b)))

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *head;
    size_t total_bytes;
} Arena;

#define AUTO_ARENA __attribute__((cleanup(arena_release)))

/** Zeroed memory, aligned for any type. \param size_bytes may be 0. */
void *arena_alloc(Arena *arena, size_t size_bytes);

/** Zeroed array of one type. */
#define arena_array(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/** One zeroed object. */
#define arena_new(arena, type) arena_array(arena, type, 1)

/** A copy of bytes, followed by a NUL that is not counted. */
char *arena_memdup(Arena *arena, const void *data, size_t size_bytes);

/** A copy of a string; NULL gives NULL. */
char *arena_strdup(Arena *arena, const char *text);

/** Formatted text owned by the arena. */
char *arena_printf(Arena *arena, const char *format, ...) PRINTF(2, 3);
char *arena_vprintf(Arena *arena, const char *format, va_list args) PRINTF(2, 0);

/** A number as decimal text: for statement parameters. */
char *arena_int64(Arena *arena, int64_t value);

/** Forgets everything but keeps the largest block, for hot loops. */
void arena_reset(Arena *arena);

/** Gives everything back; the arena is empty and usable again. */
void arena_release(Arena *arena);

/** realloc() that ends the process when memory is out; for buffers outside arenas (Str, queues). */
void *mem_resize(void *memory, size_t size_bytes);

/** The only free(); NULL is allowed. */
void mem_free(void *memory);

#endif
