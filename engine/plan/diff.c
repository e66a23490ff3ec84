/*
 * Diff: what differs between two canonical texts, for a plan that was edited between two runs.
 *
 * Entries of lists are paired by what names them (a hypertable's table, a verification's id, a
 * selector's match), so that adding one does not look like changing all that follow.
 */
#include "plan/plan.h"

#include "base/str.h"
#include "plan/report.h"

#include <jansson.h>

#define AUTO_JSON __attribute__((cleanup(json_release)))

typedef struct Diff {
    Arena *arena;
    Str out;
} Diff;

static void json_release(json_t **json)
{
    json_decref(*json);
}

static void diff_value(Diff *diff, const char *path, const json_t *before, const json_t *after);

/* A value on one line; texts without their quotes. */
static const char *value_text(Diff *diff, const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return "(none)";
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        return text_printable(diff->arena, text, strlen(text), NULL);
    }
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (dump == NULL)
        err_out_of_memory(0);
    const char *copy = arena_strdup(diff->arena, dump);
    mem_free(dump);
    return copy;
}

static void put_line(Diff *diff, const char *path, const json_t *before, const json_t *after)
{
    str_appendf(&diff->out, "%s: %s -> %s\n", path, value_text(diff, before),
                value_text(diff, after));
}

static const char *join(Diff *diff, const char *path, const char *key)
{
    return *path == '\0' ? key : arena_printf(diff->arena, "%s.%s", path, key);
}

/* What names an entry of a list; NULL if nothing does. */
static const char *entry_name(const json_t *entry)
{
    static const char *const KEYS[] = {"target_table", "target_view", "id", "match"};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
        const char *name = json_string_value(json_object_get(entry, KEYS[i]));
        if (name != NULL)
            return name;
    }
    return NULL;
}

static const json_t *find_entry(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (text_equal(entry_name(entry), name))
            return entry;
    }
    return NULL;
}

static bool has_names(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (entry_name(json_array_get(list, i)) == NULL)
            return false;
    }
    return true;
}

static bool same_order(const json_t *before, const json_t *after)
{
    for (size_t i = 0; i < json_array_size(before); i++) {
        if (!text_equal(entry_name(json_array_get(before, i)),
                        entry_name(json_array_get(after, i))))
            return false;
    }
    return true;
}

static void diff_list(Diff *diff, const char *path, const json_t *before, const json_t *after)
{
    if (!has_names(before) || !has_names(after)) {
        put_line(diff, path, before, after);
        return;
    }
    bool same_names = json_array_size(before) == json_array_size(after);
    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *entry = json_array_get(before, i);
        const json_t *other = find_entry(after, entry_name(entry));
        same_names = same_names && other != NULL;
        diff_value(diff, arena_printf(diff->arena, "%s[%s]", path, entry_name(entry)), entry,
                   other);
    }
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *entry = json_array_get(after, i);
        if (find_entry(before, entry_name(entry)) == NULL)
            put_line(diff, arena_printf(diff->arena, "%s[%s]", path, entry_name(entry)), NULL,
                     entry);
    }
    if (same_names && !same_order(before, after))
        str_appendf(&diff->out, "%s: the order changed\n", path);
}

/* Keys in sorted order, of both sides. */
static void diff_object(Diff *diff, const char *path, json_t *before, json_t *after)
{
    AUTO_JSON json_t *all = json_object();
    json_object_update(all, before);
    json_object_update(all, after);
    const char *key = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach(all, key, value) count++;
    const char **sorted = arena_array(diff->arena, const char *, count);
    count = 0;
    json_object_foreach(all, key, value)
    {
        size_t at = count++;
        for (; at > 0 && strcmp(sorted[at - 1], key) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = arena_strdup(diff->arena, key);
    }
    for (size_t i = 0; i < count; i++)
        diff_value(diff, join(diff, path, sorted[i]), json_object_get(before, sorted[i]),
                   json_object_get(after, sorted[i]));
}

static void diff_value(Diff *diff, const char *path, const json_t *before, const json_t *after)
{
    union {
        const json_t *shared;
        json_t *own;
    } old = {.shared = before}, new = {.shared = after};
    if (json_equal(before, after))
        return;
    if (json_is_object(before) && json_is_object(after))
        diff_object(diff, path, old.own, new.own);
    else if (json_is_array(before) && json_is_array(after))
        diff_list(diff, path, before, after);
    else
        put_line(diff, path, before, after);
}

char *plan_diff(Arena *arena, const char *old_canonical, const char *new_canonical)
{
    AUTO_JSON json_t *before = json_loads(old_canonical, 0, NULL);
    AUTO_JSON json_t *after = json_loads(new_canonical, 0, NULL);
    if (before == NULL || after == NULL)
        return arena_strdup(arena, text_equal(old_canonical, new_canonical)
                                       ? ""
                                       : "the recorded plan cannot be read\n");
    Diff diff = {.arena = arena};
    diff_value(&diff, "", before, after);
    char *text = str_dup(arena, &diff.out);
    str_release(&diff.out);
    return text;
}
