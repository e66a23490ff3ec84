/*
 * Name: comparison, and the text form that people read and write.
 */
#include "base/name.h"

#include "base/str.h"

int name_compare(const Name *a, const Name *b)
{
    int by_schema = strcmp(a->schema, b->schema);
    return by_schema != 0 ? by_schema : strcmp(a->rel, b->rel);
}

bool name_equal(const Name *a, const Name *b)
{
    return name_compare(a, b) == 0;
}

static bool is_plain(const char *part)
{
    static const char FIRST[] = "abcdefghijklmnopqrstuvwxyz_";
    static const char REST[] = "abcdefghijklmnopqrstuvwxyz_0123456789$";
    return *part != '\0' && strchr(FIRST, *part) != NULL && part[strspn(part, REST)] == '\0';
}

char *name_part_text(Arena *arena, const char *part)
{
    if (is_plain(part))
        return arena_strdup(arena, part);
    AUTO_STR Str text = {0};
    str_append_char(&text, '"');
    for (const char *c = part; *c != '\0'; c++) {
        if (*c == '"')
            str_append_char(&text, '"');
        str_append_char(&text, *c);
    }
    str_append_char(&text, '"');
    return str_dup(arena, &text);
}

char *name_text(Arena *arena, const Name *name)
{
    return arena_printf(arena, "%s.%s", name_part_text(arena, name->schema),
                        name_part_text(arena, name->rel));
}

/* Reads one part; returns where it ends, NULL if it is not one. */
static const char *parse_part(Arena *arena, const char *at, const char **part)
{
    AUTO_STR Str text = {0};
    if (*at != '"') {
        size_t length = strcspn(at, ".\"");
        str_append_bytes(&text, at, length);
        at += length;
    } else {
        for (at++; *at != '"' || at[1] == '"'; at++) {
            if (*at == '\0')
                return NULL;
            if (*at == '"')
                at++;
            str_append_char(&text, *at);
        }
        at++;
    }
    if (text.length == 0)
        return NULL;
    *part = str_dup(arena, &text);
    return at;
}

bool name_parse(Arena *arena, const char *text, Name *name)
{
    const char *at = parse_part(arena, text, &name->schema);
    if (at == NULL || *at != '.')
        return false;
    at = parse_part(arena, at + 1, &name->rel);
    return at != NULL && *at == '\0';
}
