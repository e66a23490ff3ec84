/*
 * JSON out, through jansson.
 */
#include "base/jsontext.h"

#include "base/err.h"

static char *dump(Arena *arena, json_t *value, size_t flags, const char *end)
{
    char *text = value == NULL ? NULL : json_dumps(value, flags);
    if (text == NULL)
        BUG("a value cannot be written as JSON");
    char *copy = arena_printf(arena, "%s%s", text, end);
    mem_free(text);
    json_decref(value);
    return copy;
}

char *jsontext_compact(Arena *arena, json_t *value)
{
    return dump(arena, value, JSON_COMPACT, "");
}

char *jsontext_pretty(Arena *arena, json_t *value)
{
    return dump(arena, value, JSON_INDENT(2) | JSON_PRESERVE_ORDER, "\n");
}

char *jsontext_list(Arena *arena, const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return jsontext_compact(arena, array);
}
