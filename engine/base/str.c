/*
 * Str: a growing, terminated buffer with a ceiling.
 */
#include "base/str.h"

#include "base/err.h"

char *str_reserve(Str *str, size_t extra_bytes)
{
    size_t ceiling = str->ceiling_bytes > 0 ? str->ceiling_bytes : STR_CEILING_BYTES;
    if (extra_bytes > ceiling - str->length)
        BUG("a text grows beyond its ceiling of %zu bytes", ceiling);
    size_t need = str->length + extra_bytes + 1;
    if (need > str->capacity) {
        size_t capacity = str->capacity > 0 ? str->capacity * 2 : 64;
        if (capacity < need)
            capacity = need;
        str->data = mem_resize(str->data, capacity);
        str->capacity = capacity;
        str->data[str->length] = '\0';
    }
    return str->data + str->length;
}

void str_append_bytes(Str *str, const void *data, size_t size_bytes)
{
    char *end = str_reserve(str, size_bytes);
    if (size_bytes > 0)
        memcpy(end, data, size_bytes);
    end[size_bytes] = '\0';
    str->length += size_bytes;
}

void str_append(Str *str, const char *text)
{
    str_append_bytes(str, text, strlen(text));
}

void str_append_char(Str *str, char c)
{
    str_append_bytes(str, &c, 1);
}

void str_vappendf(Str *str, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        BUG("a format string could not be rendered: %s", format);
    char *end = str_reserve(str, (size_t)length);
    vsnprintf(end, (size_t)length + 1, format, again);
    va_end(again);
    str->length += (size_t)length;
}

void str_appendf(Str *str, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vappendf(str, format, args);
    va_end(args);
}

char *str_dup(Arena *arena, const Str *str)
{
    return arena_memdup(arena, str_text(str), str->length);
}

void str_reset(Str *str)
{
    str->length = 0;
    if (str->data != NULL)
        str->data[0] = '\0';
}

void str_release(Str *str)
{
    mem_free(str->data);
    *str = (Str){.ceiling_bytes = str->ceiling_bytes};
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}
