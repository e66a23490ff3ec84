/*
 * Texts: open addressing over FNV-1a, at most half full.
 */
#include "plan/texts.h"

#include "base/str.h"

struct TextsEntry {
    const char *text; /* NULL: free */
    const void *owner;
};

static size_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* Where a text is, or where it would be. */
static TextsEntry *place_of(const Texts *texts, const char *text)
{
    size_t at = hash_of(text) & (texts->capacity - 1);
    while (texts->entries[at].text != NULL && !text_equal(texts->entries[at].text, text))
        at = (at + 1) & (texts->capacity - 1);
    return &texts->entries[at];
}

static void grow(Texts *texts)
{
    Texts larger = {.arena = texts->arena,
                    .capacity = texts->capacity == 0 ? 16 : texts->capacity * 2,
                    .count = texts->count};
    larger.entries = arena_array(texts->arena, TextsEntry, larger.capacity);
    for (size_t i = 0; i < texts->capacity; i++) {
        if (texts->entries[i].text != NULL)
            *place_of(&larger, texts->entries[i].text) = texts->entries[i];
    }
    *texts = larger;
}

const void *texts_add(Texts *texts, const char *text, const void *owner)
{
    if (texts->count * 2 >= texts->capacity)
        grow(texts);
    TextsEntry *entry = place_of(texts, text);
    if (entry->text != NULL)
        return entry->owner;
    *entry = (TextsEntry){.text = text, .owner = owner};
    texts->count++;
    return NULL;
}

const void *texts_find(const Texts *texts, const char *text)
{
    return texts->capacity == 0 ? NULL : place_of(texts, text)->owner;
}
