/*
 * Pinned plan: reading and writing. What it is compared with: hold.c.
 */
#include "cmd/pinned.h"

#include "base/digest.h"
#include "base/jsontext.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define PINNED_VERSION 2
#define SUFFIX         ".pinned"
#define SEAL           "sha256"

const PinnedGroup PINNED_GROUPS[] = {
    {"source_catalog", "source", offsetof(PinnedFacts, source)},
    {"target_catalog", "target", offsetof(PinnedFacts, target)},
    {"journal", "journal", offsetof(PinnedFacts, journal)},
    {"files", "file", offsetof(PinnedFacts, files)},
    {"graph", "graph", offsetof(PinnedFacts, steps)},
    {NULL, NULL, 0},
};

FactVec *pinned_group(PinnedFacts *facts, const PinnedGroup *group)
{
    return (FactVec *)(void *)((char *)facts + group->offset);
}

bool pinned_is(const char *path)
{
    size_t length = strlen(path);
    return length > strlen(SUFFIX) && strcmp(path + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void json_release(json_t **json)
{
    json_decref(*json);
}

#define AUTO_JSON __attribute__((cleanup(json_release)))

/* Blind to layout and to the order of keys. */
static const char *seal_of(Arena *arena, const json_t *root)
{
    AUTO_JSON json_t *copy = json_copy((json_t *)(uintptr_t)root);
    json_object_del(copy, SEAL);
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    const char *seal = digest_hex(arena, text, strlen(text));
    mem_free(text);
    return seal;
}

/* --- the texts --- */

typedef struct TextRow {
    const char *key;
    size_t offset;
} TextRow;

static const TextRow TEXTS[] = {
    {"engine", offsetof(Pinned, engine)},
    {"written_at", offsetof(Pinned, written_at)},
    {"name", offsetof(Pinned, name)},
    {"fingerprint", offsetof(Pinned, fingerprint)},
    {"source", offsetof(Pinned, source_system)},
    {"target", offsetof(Pinned, target_system)},
    {"plan_path", offsetof(Pinned, plan_path)},
    {"plan", offsetof(Pinned, plan_text)},
    {"canonical", offsetof(Pinned, canonical)},
};

#define TEXT_COUNT (sizeof(TEXTS) / sizeof(TEXTS[0]))

/* --- reading --- */

static bool check_format(const char *path, const json_t *root, Err *err)
{
    const json_t *format = json_object_get(root, "godwit_pinned");
    if (!json_is_integer(format))
        return err_set(err, ERR_PLAN, "%s: not a pinned plan", path);
    if (json_integer_value(format) != PINNED_VERSION)
        return err_set(err, ERR_PLAN,
                       "%s: pinned by another version of godwit (format %lld, this one reads %d)",
                       path, (long long)json_integer_value(format), PINNED_VERSION);
    return true;
}

static bool check_seal(Arena *arena, const char *path, const json_t *root, Pinned *pinned, Err *err)
{
    pinned->digest = seal_of(arena, root);
    if (text_equal(pinned->digest, json_string_value(json_object_get(root, SEAL))))
        return true;
    err_set(err, ERR_STALE, "%s was changed after it was written: its hash does not match", path);
    return err_hint(err, "Run \"godwit plan --out\" again and have the new one reviewed.");
}

static bool read_texts(Arena *arena, const char *path, const json_t *root, Pinned *pinned, Err *err)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = json_string_value(json_object_get(root, TEXTS[i].key));
        if (text == NULL)
            return err_set(err, ERR_PLAN, "%s: not a pinned plan: it has no \"%s\"", path,
                           TEXTS[i].key);
        const char *copy = arena_strdup(arena, text);
        memcpy((char *)pinned + TEXTS[i].offset, &copy, sizeof(copy));
    }
    return true;
}

static void read_facts(Arena *arena, const json_t *root, Pinned *pinned)
{
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++) {
        AUTO_STR Str lines = {0};
        const json_t *array = json_object_get(root, group->key);
        for (size_t i = 0; i < json_array_size(array); i++) {
            const char *line = json_string_value(json_array_get(array, i));
            if (line != NULL)
                str_appendf(&lines, "%s\n", line);
        }
        facts_parse(arena, pinned_group(&pinned->facts, group), str_text(&lines));
    }
}

/* The plan is looked for from the pinned plan's own directory. */
static const char *beside(Arena *arena, const char *path, const char *file)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || *file == '/')
        return file;
    return arena_printf(arena, "%.*s/%s", (int)(slash - path), path, file);
}

bool pinned_read(Arena *arena, const char *path, Pinned *pinned, Err *err)
{
    json_error_t error;
    AUTO_JSON json_t *root = json_load_file(path, 0, &error);
    *pinned = (Pinned){0};
    if (root == NULL && error.line < 0)
        return err_set(err, ERR_PLAN, "the pinned plan cannot be read: %s", error.text);
    if (root == NULL) {
        err_set(err, ERR_PLAN, "%s: not a pinned plan: line %d is not its JSON", path, error.line);
        return err_hint(err, "\"godwit plan PLAN --out FILE\" writes one.");
    }
    if (!check_format(path, root, err) || !check_seal(arena, path, root, pinned, err) ||
        !read_texts(arena, path, root, pinned, err))
        return false;
    read_facts(arena, root, pinned);
    pinned->plan_file = beside(arena, path, pinned->plan_path);
    if (!dry_run_parse(arena, json_object_get(root, "dry_run"), &pinned->dry, err))
        return err_context(err, "%s", path);
    pinned->dry.path = pinned->plan_file;
    return true;
}

/* --- writing --- */

static json_t *facts_json(const FactVec *facts)
{
    AUTO_ARENA Arena arena = {0};
    json_t *array = json_array();
    for (size_t i = 0; i < facts->count; i++) {
        FactVec one = {.items = &facts->items[i], .count = 1};
        char *line = facts_text(&arena, &one);
        line[strlen(line) - 1] = '\0';
        json_array_append_new(array, json_string(line));
    }
    return array;
}

static json_t *pinned_json(const Pinned *pinned)
{
    json_t *root = json_pack("{s:i}", "godwit_pinned", PINNED_VERSION);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = NULL;
        memcpy(&text, (const char *)pinned + TEXTS[i].offset, sizeof(text));
        json_object_set_new(root, TEXTS[i].key, json_string(text));
    }
    PinnedFacts facts = pinned->facts;
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++)
        json_object_set_new(root, group->key, facts_json(pinned_group(&facts, group)));
    json_object_set_new(root, "dry_run", dry_run_json(&pinned->dry));
    return root;
}

static const char *real_path(Arena *arena, const char *path)
{
    char *found = realpath(path, NULL);
    const char *copy = arena_strdup(arena, found == NULL ? path : found);
    mem_free(found);
    return copy;
}

/* `file` as seen from the directory where `from` stands. */
static const char *relative_path(Arena *arena, const char *from, const char *file)
{
    const char *slash = strrchr(from, '/');
    const char *directory =
        slash == NULL ? "." : arena_printf(arena, "%.*s/.", (int)(slash - from), from);
    const char *base = arena_printf(arena, "%s/", real_path(arena, directory));
    const char *there = real_path(arena, file);
    size_t same = 0;
    for (size_t i = 0; base[i] != '\0' && base[i] == there[i]; i++) {
        if (base[i] == '/')
            same = i + 1;
    }
    AUTO_STR Str path = {0};
    for (const char *c = base + same; (c = strchr(c, '/')) != NULL; c++)
        str_append(&path, "../");
    str_append(&path, there + same);
    return str_dup(arena, &path);
}

bool pinned_write(const char *path, const Pinned *pinned, const char *plan_file, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Pinned sealed = *pinned;
    sealed.plan_path = relative_path(&arena, path, plan_file);
    sealed.dry.path = sealed.plan_path;
    AUTO_JSON json_t *root = pinned_json(&sealed);
    json_object_set_new(root, SEAL, json_string(seal_of(&arena, root)));
    if (json_dump_file(root, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
        return err_set(err, ERR_IO, "could not write %s: %s", path, strerror(errno));
    return true;
}
