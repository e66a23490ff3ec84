/*
 * Pinned plan: reading, writing, comparing.
 */
#include "cmd/pinned.h"

#include "base/clock.h"
#include "base/digest.h"

#include <errno.h>
#include <jansson.h>
#include <sys/mman.h>
#include <unistd.h>

#define PINNED_VERSION 1
#define SUFFIX         ".pinned"

bool pinned_is(const char *path)
{
    size_t length = strlen(path);
    return length > strlen(SUFFIX) && strcmp(path + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void json_release(json_t **json)
{
    json_decref(*json);
}

bool pinned_read(Arena *arena, const char *path, Pinned *pinned, Err *err)
{
    json_error_t error;
    __attribute__((cleanup(json_release))) json_t *root = json_load_file(path, 0, &error);
    if (root == NULL)
        return err_set(err, ERR_PLAN, "%s:%d: not a pinned plan: %s", path, error.line, error.text);
    int version = 0;
    json_t *steps = NULL;
    if (json_unpack_ex(root, &error, 0, "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}",
                       "godwit_pinned", &version, "name", &pinned->name, "fingerprint",
                       &pinned->fingerprint, "plan", &pinned->plan_text, "source",
                       &pinned->source_system, "target", &pinned->target_system, "catalog",
                       &pinned->catalog, "written_at", &pinned->written_at, "steps", &steps) != 0)
        return err_set(err, ERR_PLAN, "%s: not a pinned plan: %s", path, error.text);
    if (version != PINNED_VERSION)
        return err_set(err, ERR_PLAN,
                       "%s: pinned by another version of godwit (format %d, this one reads %d)",
                       path, version, PINNED_VERSION);
    const char **texts[] = {&pinned->name,          &pinned->fingerprint,   &pinned->plan_text,
                            &pinned->source_system, &pinned->target_system, &pinned->catalog,
                            &pinned->written_at};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = arena_strdup(arena, *texts[i]);
    pinned->step_count = json_array_size(steps);
    pinned->steps = arena_array(arena, const char *, pinned->step_count);
    for (size_t i = 0; i < pinned->step_count; i++)
        pinned->steps[i] = arena_strdup(arena, json_string_value(json_array_get(steps, i)));
    return true;
}

bool pinned_write(const char *path, const Pinned *pinned, Err *err)
{
    __attribute__((cleanup(json_release))) json_t *steps = json_array();
    for (size_t i = 0; i < pinned->step_count; i++)
        json_array_append_new(steps, json_string(pinned->steps[i]));
    __attribute__((cleanup(json_release))) json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "godwit_pinned", PINNED_VERSION, "name",
        pinned->name, "fingerprint", pinned->fingerprint, "source", pinned->source_system, "target",
        pinned->target_system, "catalog", pinned->catalog, "written_at", pinned->written_at, "plan",
        pinned->plan_text, "steps", steps);
    if (root == NULL || json_dump_file(root, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
        return err_set(err, ERR_IO, "could not write %s: %s", path, strerror(errno));
    return true;
}

bool pinned_plan_file(Arena *arena, const char *path, const char **file, Err *err)
{
    Pinned pinned = {0};
    if (!pinned_read(arena, path, &pinned, err))
        return false;
    int fd = memfd_create("plan", MFD_CLOEXEC);
    size_t length = strlen(pinned.plan_text);
    if (fd < 0 || write(fd, pinned.plan_text, length) != (ssize_t)length)
        return err_set(err, ERR_IO, "could not unpack the plan of %s: %s", path, strerror(errno));
    *file =
        arena_printf(arena, "/proc/self/fd/%d", fd); /* stays open for the life of the process */
    return true;
}

const char *pinned_catalog(Arena *arena, const Blueprint *blueprint)
{
    AUTO_STR Str text = {0};
    for (size_t r = 0; r < blueprint->relation_count; r++) {
        const Relation *relation = &blueprint->relations[r];
        str_appendf(&text, "%s -> %s\n", name_text(arena, &relation->source),
                    name_text(arena, &relation->target));
        for (size_t c = 0; c < relation->column_count; c++)
            str_appendf(&text, "  %s %s %d\n", relation->columns[c].name,
                        relation->columns[c].type_text, relation->columns[c].not_null);
        if (relation->key != NULL)
            str_appendf(&text, "  key %s\n", relation->key->index_name);
        for (size_t l = 0; l < relation->leaf_count; l++)
            str_appendf(&text, "  leaf %s\n", name_text(arena, &relation->leaves[l]->source));
    }
    return digest_hex(arena, str_text(&text), text.length);
}

bool pinned_check(const Pinned *pinned, const char *source_system, const char *target_system,
                  const char *catalog, Err *err)
{
    if (!text_equal(pinned->source_system, source_system))
        return err_set(err, ERR_STALE, "the plan was pinned for source %s, this is %s",
                       pinned->source_system, source_system);
    if (!text_equal(pinned->target_system, target_system))
        return err_set(err, ERR_STALE, "the plan was pinned for target %s, this is %s",
                       pinned->target_system, target_system);
    if (text_equal(pinned->catalog, catalog))
        return true;
    err_set(err, ERR_STALE, "the selected relations changed since the plan was pinned at %s",
            pinned->written_at);
    return err_hint(err, "Run \"godwit plan --out\" again and have the new one reviewed.");
}
