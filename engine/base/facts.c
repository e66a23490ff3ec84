/*
 * Facts: sorted lines, and the merge of two of them.
 */
#include "base/facts.h"

#include "base/digest.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void facts_add(Arena *arena, FactVec *facts, const char *key, const char *value)
{
    *vec_push(arena, facts) =
        (Fact){.key = arena_strdup(arena, key), .value = arena_strdup(arena, value)};
}

static int compare(const void *a, const void *b)
{
    const Fact *left = a;
    const Fact *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : strcmp(left->value, right->value);
}

void facts_sort(FactVec *facts)
{
    if (facts->count > 1)
        qsort(facts->items, facts->count, sizeof(Fact), compare);
}

/* --- as text --- */

static const char PLAIN[] = "\t\n\\";
static const char LETTERS[] = "tn\\";

static void escape(Str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        const char *special = strchr(PLAIN, *c);
        if (special != NULL)
            str_append_char(out, '\\');
        str_append_char(out, special != NULL ? LETTERS[special - PLAIN] : *c);
    }
}

static const char *unescape(Arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1);
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        const char *letter =
            text[i] == '\\' && i + 1 < length ? strchr(LETTERS, text[i + 1]) : NULL;
        if (letter != NULL)
            i++;
        out[at++] = letter != NULL ? PLAIN[letter - LETTERS] : text[i];
    }
    return out;
}

char *facts_text(Arena *arena, const FactVec *facts)
{
    AUTO_STR Str out = {0};
    for (size_t i = 0; i < facts->count; i++) {
        escape(&out, facts->items[i].key);
        str_append_char(&out, '\t');
        escape(&out, facts->items[i].value);
        str_append_char(&out, '\n');
    }
    return str_dup(arena, &out);
}

void facts_parse(Arena *arena, FactVec *facts, const char *text)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        size_t key = strcspn(text, "\t\n");
        size_t value = key < line ? key + 1 : line;
        *vec_push(arena, facts) = (Fact){.key = unescape(arena, text, key),
                                         .value = unescape(arena, text + value, line - value)};
        text += line + (text[line] == '\n');
    }
    facts_sort(facts);
}

char *facts_digest(Arena *arena, const FactVec *facts)
{
    AUTO_ARENA Arena own = {0};
    const char *text = facts_text(&own, facts);
    return digest_hex(arena, text, strlen(text));
}

/* --- comparing --- */

static void one_sided(Str *out, const char *word, const Fact *fact)
{
    str_appendf(out, "%s: %s", word, fact->key);
    if (*fact->value != '\0')
        str_appendf(out, " (%s)", fact->value);
    str_append_char(out, '\n');
}

static void merge(Str *out, const FactVec *before, const FactVec *after)
{
    size_t b = 0;
    size_t a = 0;
    while (b < before->count || a < after->count) {
        const Fact *was = b < before->count ? &before->items[b] : NULL;
        const Fact *is = a < after->count ? &after->items[a] : NULL;
        int order = is == NULL ? -1 : was == NULL ? 1 : strcmp(was->key, is->key);
        if (order < 0)
            one_sided(out, "gone", was);
        else if (order > 0)
            one_sided(out, "new", is);
        else if (strcmp(was->value, is->value) != 0)
            str_appendf(out, "%s: %s -> %s\n", is->key, was->value, is->value);
        b += order <= 0;
        a += order >= 0;
    }
}

char *facts_diff(Arena *arena, const FactVec *before, const FactVec *after)
{
    AUTO_STR Str out = {0};
    merge(&out, before, after);
    return str_dup(arena, &out);
}
