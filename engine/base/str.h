/*
 * Str: text while it is being built. Never NULL, always terminated, with a ceiling.
 *
 *     AUTO_STR Str sql = {0};
 *     str_appendf(&sql, "SELECT %s", column);
 *     pg_none(conn, sql.data, err);        // after the first append data is never NULL
 *
 * A zeroed Str is valid; use str_text() where nothing may have been appended yet.
 */
#ifndef GODWIT_BASE_STR_H
#define GODWIT_BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct Str {
    char *data;
    size_t length;
    size_t capacity;
    size_t ceiling_bytes; /* 0 means STR_CEILING_BYTES */
} Str;

/* A Str beyond this is a defect: texts are SQL, names, messages; rows never pass through a Str. */
#define STR_CEILING_BYTES ((size_t)256 * 1024 * 1024)

#define AUTO_STR __attribute__((cleanup(str_release)))

void str_append(Str *str, const char *text);
void str_append_bytes(Str *str, const void *data, size_t size_bytes);
void str_append_char(Str *str, char c);
void str_appendf(Str *str, const char *format, ...) PRINTF(2, 3);
void str_vappendf(Str *str, const char *format, va_list args) PRINTF(2, 0);

/** Room for `extra` more bytes after the present length; returns where they begin. */
char *str_reserve(Str *str, size_t extra_bytes);

/** The text, "" when nothing was appended. */
static inline const char *str_text(const Str *str)
{
    return str->data == NULL ? "" : str->data;
}

/** A copy that the arena owns. */
char *str_dup(Arena *arena, const Str *str);

/** Empty again, memory kept. */
void str_reset(Str *str);
void str_release(Str *str);

/** Case-sensitive equality of two strings that may both be NULL. */
bool text_equal(const char *a, const char *b);
bool text_starts_with(const char *text, const char *prefix);

#endif
