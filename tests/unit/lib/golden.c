/*
 * Golden: reading and rewriting the files that tests compare with.
 */
#include "lib/golden.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *file_text(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return arena_strdup(arena, "(there is no such file)");
    AUTO_STR Str text = {0};
    int c;
    while ((c = fgetc(file)) != EOF)
        str_append_char(&text, (char)c);
    fclose(file);
    return str_dup(arena, &text);
}

void golden_write(const char *path, const char *text)
{
    const char *mode = getenv("GODWIT_GOLDEN");
    if (mode == NULL || strcmp(mode, "write") != 0)
        return;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}
