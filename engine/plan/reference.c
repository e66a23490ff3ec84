/*
 * Reference: the tables of the plan language as Markdown. A key's place is found by walking them
 * from the plan down, so that a mapping that is used twice is described at both places.
 */
#include "plan/reference.h"

#include "base/str.h"
#include "base/units.h"
#include "plan/schema.h"

#include <inttypes.h>

typedef struct Place {
    const PlanMapping *mapping; /* that has the key */
    size_t index;
    const char *path; /* whole, with [] behind lists */
    bool is_later;    /* it, or what it stands in, is not in this version */
} Place;

typedef void Visit(Arena *arena, Str *out, const Place *place);

/* The mapping below a field: of a mapping, or of the entries of a list; NULL if there is none. */
static const PlanMapping *below(const cyaml_schema_value_t *schema)
{
    if (schema->type == CYAML_SEQUENCE)
        schema = schema->sequence.entry;
    return schema->type == CYAML_MAPPING ? schema_mapping(schema->mapping.fields) : NULL;
}

static void walk(Arena *arena, Str *out, const Place *place, Visit *visit)
{
    const cyaml_schema_value_t *schema = &place->mapping->fields[place->index].value;
    const PlanMapping *inner = below(schema);
    visit(arena, out, place);
    for (size_t i = 0; inner != NULL && inner->keys[i].key != NULL; i++) {
        const Place child = {
            .mapping = inner,
            .index = i,
            .path = arena_printf(arena, "%s%s.%s", place->path,
                                 schema->type == CYAML_SEQUENCE ? "[]" : "", inner->keys[i].key),
            .is_later = place->is_later || inner->keys[i].is_later,
        };
        walk(arena, out, &child, visit);
    }
}

/* ---- one key -------------------------------------------------------------------------------- */

static void put_words(Str *out, const cyaml_schema_value_t *schema, const PlanKey *key, bool later)
{
    const char *before = "";
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        const char *word = schema->enumeration.strings[i].str;
        if (schema_word_is_later(key, word) != later)
            continue;
        str_appendf(out, "%s`%s`", before, word);
        before = ", ";
    }
}

static void put_value(Str *out, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    if (schema->type == CYAML_UINT) {
        str_append(out, "a whole number");
    } else if (schema->type == CYAML_BOOL) {
        str_append(out, "`true` or `false`");
    } else if (schema->type == CYAML_ENUM || schema->type == CYAML_FLAGS) {
        str_append(out, schema->type == CYAML_ENUM ? "one of " : "a list of ");
        put_words(out, schema, key, false);
    } else if (schema->type == CYAML_STRING) {
        str_appendf(out, "%s, like `%s`", format_row(key->format)->name,
                    format_row(key->format)->example);
    } else if (schema->type == CYAML_MAPPING) {
        str_append(out, "a mapping");
    } else {
        str_append(out, "a list; each entry is ");
        put_value(out, schema->sequence.entry, key);
    }
}

static const char *amount(Arena *arena, const cyaml_schema_value_t *schema, const PlanKey *key,
                          uint64_t value)
{
    if (schema->type == CYAML_UINT)
        return arena_printf(arena, "%" PRIu64, value);
    return key->format == FORMAT_INTERVAL ? units_interval_text(arena, (int64_t)value)
                                          : units_size_text(arena, value);
}

static void put_range(Arena *arena, Str *out, const cyaml_schema_value_t *schema,
                      const PlanKey *key)
{
    if (schema->type == CYAML_FLAGS || (key->min == 0 && key->max == 0))
        return;
    str_appendf(out, "- range: at least %s", amount(arena, schema, key, key->min));
    if (key->max > 0)
        str_appendf(out, ", at most %s", amount(arena, schema, key, key->max));
    str_append(out, "\n");
}

static void put_choice(Str *out, const PlanMapping *mapping)
{
    static const char *const WORDS[] = {
        [CHOICE_NONE] = "",
        [CHOICE_EXACTLY_ONE] = "exactly one of",
        [CHOICE_AT_LEAST_ONE] = "at least one of",
        [CHOICE_AT_MOST_ONE] = "no, and at most one of",
    };
    str_appendf(out, "- needed: %s ", WORDS[mapping->choice]);
    const char *before = "";
    for (const PlanKey *key = mapping->keys; key->key != NULL; key++) {
        if (key->in_choice) {
            str_appendf(out, "%s`%s`", before, key->key);
            before = ", ";
        }
    }
    str_append(out, "\n");
}

static void put_key(Arena *arena, Str *out, const Place *place)
{
    const PlanKey *key = &place->mapping->keys[place->index];
    const cyaml_schema_field_t *field = &place->mapping->fields[place->index];
    const PlanMapping *inner = below(&field->value);
    str_appendf(out, "\n## `%s`\n\n%s\n\n- value: ", place->path, key->doc);
    put_value(out, &field->value, key);
    if (inner != NULL && inner->shorthand != NULL)
        str_appendf(out, "; a plain text stands for `{%s: text}`", inner->shorthand);
    str_append(out, "\n");
    if (key->in_choice)
        put_choice(out, place->mapping);
    else
        str_appendf(out, "- needed: %s\n", schema_required(field) ? "yes" : "no");
    if (key->fallback != NULL)
        str_appendf(out, "- default: `%s`\n", key->fallback);
    put_range(arena, out, &field->value, key);
    if (field->value.type == CYAML_SEQUENCE && field->value.sequence.min > 0)
        str_appendf(out, "- entries: at least %u\n", field->value.sequence.min);
    if (place->is_later) {
        str_append(out, "- not in this version: a plan that has it is refused "
                        "([P102](../codes/P102.md))\n");
    } else if (key->later != NULL) {
        str_append(out, "- not in this version: ");
        put_words(out, &field->value, key, true);
        str_append(out, "\n");
    }
}

/* ---- pages ---------------------------------------------------------------------------------- */

static Place top_place(size_t index)
{
    const PlanMapping *plan = schema_at("");
    return (Place){.mapping = plan,
                   .index = index,
                   .path = plan->keys[index].key,
                   .is_later = plan->keys[index].is_later};
}

const char *reference_top(size_t index)
{
    return schema_at("")->keys[index].key;
}

/* The key below a place that a path's next word names; false if there is none. */
static bool descend(Arena *arena, Place *place, const char *word, size_t bytes)
{
    const cyaml_schema_value_t *schema = &place->mapping->fields[place->index].value;
    const PlanMapping *inner = below(schema);
    bool list = schema->type == CYAML_SEQUENCE;
    for (size_t i = 0; inner != NULL && inner->keys[i].key != NULL; i++) {
        const PlanKey *key = &inner->keys[i];
        if (strlen(key->key) != bytes || strncmp(key->key, word, bytes) != 0)
            continue;
        *place =
            (Place){.mapping = inner,
                    .index = i,
                    .path = arena_printf(arena, "%s%s.%s", place->path, list ? "[]" : "", key->key),
                    .is_later = place->is_later || key->is_later};
        return true;
    }
    return false;
}

static bool find_place(Arena *arena, const char *path, Place *place)
{
    size_t bytes = strcspn(path, ".[");
    int index = schema_find(schema_at(""), arena_memdup(arena, path, bytes));
    if (index < 0)
        return false;
    *place = top_place((size_t)index);
    for (path += bytes; *path != '\0'; path += bytes) {
        path += strspn(path, "[].");
        bytes = strcspn(path, ".[");
        if (bytes > 0 && !descend(arena, place, path, bytes))
            return false;
    }
    return true;
}

char *reference_page(Arena *arena, const char *path)
{
    AUTO_STR Str out = {0};
    Place place = {0};
    if (!find_place(arena, path, &place))
        return NULL;
    str_appendf(&out, "# `%s`\n\nA key of a plan, and the keys below it. [All keys](README.md)\n",
                place.path);
    walk(arena, &out, &place, put_key);
    return str_dup(arena, &out);
}

/* The anchor that GitHub gives a heading: lower case, only letters, digits, _ and -. */
static void put_row(Arena *arena, Str *out, const Place *place)
{
    (void)arena;
    AUTO_STR Str anchor = {0};
    size_t top = strcspn(place->path, ".[");
    for (const char *at = place->path; *at != '\0'; at++) {
        if (strchr(".[]", *at) == NULL)
            str_append_char(&anchor, *at);
    }
    str_appendf(out, "| [`%s`](%.*s.md#%s) | %s%s |\n", place->path, (int)top, place->path,
                str_text(&anchor), place->is_later ? "*Not in this version.* " : "",
                place->mapping->keys[place->index].doc);
}

char *reference_index(Arena *arena)
{
    AUTO_STR Str out = {0};
    str_append(&out,
               "# Keys of a plan\n\nEach key of the [plan language](../plan-language.md), from the "
               "tables that bind it: these pages are generated, and a test compares them. "
               "`godwit explain KEY` prints the same.\n\n| key | meaning |\n|---|---|\n");
    for (size_t i = 0; reference_top(i) != NULL; i++) {
        const Place place = top_place(i);
        walk(arena, &out, &place, put_row);
    }
    return str_dup(arena, &out);
}
