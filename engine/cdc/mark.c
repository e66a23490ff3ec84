/*
 * Mark: JSON in, JSON out.
 */
#include "cdc/mark.h"

#include "base/str.h"

#include <jansson.h>

static void json_scope(json_t **json)
{
    json_decref(*json);
}

char *mark_content(Arena *arena, const char *run_mark, const char *nonce)
{
    __attribute__((cleanup(json_scope))) json_t *object = json_object();
    json_object_set_new(object, "run", json_string(run_mark));
    if (nonce != NULL)
        json_object_set_new(object, "marker", json_string(nonce));
    else
        json_object_set_new(object, "heartbeat", json_true());
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        BUG("a logical message cannot be written as JSON: run mark \"%s\"", run_mark);
    char *copy = arena_strdup(arena, text);
    mem_free(text);
    return copy;
}

char *mark_nonce(Arena *arena, const PgoLogicalMessage *message, const char *run_mark)
{
    if (!message->transactional || strcmp(message->prefix, MARK_PREFIX) != 0)
        return NULL;
    json_error_t ignored;
    __attribute__((cleanup(json_scope))) json_t *object = json_loadb(
        (const char *)message->content, message->content_bytes, JSON_REJECT_DUPLICATES, &ignored);
    const char *run = json_string_value(json_object_get(object, "run"));
    const char *nonce = json_string_value(json_object_get(object, "marker"));
    if (run == NULL || nonce == NULL || strcmp(run, run_mark) != 0)
        return NULL;
    return arena_strdup(arena, nonce);
}
