/*
 * The tables: fields and keys side by side, defaults that parse, documentation for each; the JSON
 * Schema in the repository is the one they give, and judges the plans of the repository as the
 * engine does.
 */
#include "plan/schema.h"

#include "base/process.h"
#include "base/str.h"
#include "base/units.h"
#include "plan/plan.h"
#include "lib/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void check_default(const PlanMapping *mapping, const cyaml_schema_value_t *schema,
                          const PlanKey *key)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    FormatResult result = {0};
    uint32_t number = 0;
    bool ok = false;
    if (schema->type == CYAML_UINT) {
        ok = units_uint32_parse(key->fallback, &number);
        result.value = number;
    } else if (schema->type == CYAML_BOOL) {
        ok = text_equal(key->fallback, "true") || text_equal(key->fallback, "false");
    } else if (schema->type == CYAML_ENUM) {
        for (uint32_t i = 0; i < schema->enumeration.count; i++)
            ok = ok || text_equal(schema->enumeration.strings[i].str, key->fallback);
    } else if (schema->type == CYAML_STRING) {
        ok = format_check(&arena, key->format, key->fallback, &result, &err);
    }
    if (!ok)
        fail_msg("the default of %s.%s does not parse", mapping->path, key->key);
    if (schema->type == CYAML_UINT || schema->type == CYAML_STRING) {
        assert_true(result.value >= key->min);
        assert_true(key->max == 0 || result.value <= key->max);
    }
}

static void check_row(const PlanMapping *mapping, const cyaml_schema_field_t *field,
                      const PlanKey *key)
{
    const char *const where = mapping->path;
    if (!text_equal(field->key, key->key))
        fail_msg("in \"%s\", field \"%s\" stands beside key \"%s\"", where, field->key, key->key);
    size_t length = key->doc == NULL ? 0 : strlen(key->doc);
    if (length < 5 || key->doc[length - 1] != '.')
        fail_msg("%s.%s has no documentation", where, key->key);
    /* What is not in this version is described too, so that its faults are reported with it. */
    if (field->value.type == CYAML_IGNORE)
        fail_msg("%s.%s is ignored", where, key->key);
    for (const char *const *later = key->later; later != NULL && *later != NULL; later++) {
        bool known = false;
        for (uint32_t i = 0; i < field->value.enumeration.count; i++)
            known = known || text_equal(field->value.enumeration.strings[i].str, *later);
        assert_true(known);
    }
    if (schema_required(field) && (key->fallback != NULL || key->in_choice))
        fail_msg("%s.%s is required, and has a default", where, key->key);
    if (field->value.type == CYAML_MAPPING)
        assert_non_null(schema_mapping(field->value.mapping.fields));
    bool scalar = field->value.type == CYAML_UINT || field->value.type == CYAML_BOOL ||
                  field->value.type == CYAML_ENUM;
    /* "Not given" must be known: optional scalars are pointers. */
    if (scalar && !schema_required(field))
        assert_true((field->value.flags & CYAML_FLAG_POINTER) != 0);
    if (key->fallback != NULL)
        check_default(mapping, &field->value, key);
}

static void fields_and_keys_stand_side_by_side(void **state)
{
    (void)state;
    size_t count = 0;
    const PlanMapping *mappings = schema_mappings(&count);
    assert_string_equal(mappings[0].path, "");
    for (size_t i = 0; i < count; i++) {
        size_t row = 0;
        for (; mappings[i].keys[row].key != NULL; row++) {
            check_row(&mappings[i], &mappings[i].fields[row], &mappings[i].keys[row]);
            assert_int_equal(schema_find(&mappings[i], mappings[i].keys[row].key), (int)row);
        }
        assert_null(mappings[i].fields[row].key);
        assert_ptr_equal(schema_at(mappings[i].path), &mappings[i]);
    }
}

static void no_word_is_a_yaml_boolean(void **state)
{
    (void)state;
    static const char *const BOOLEANS[] = {"y",   "n",    "yes",   "no",   "on",
                                           "off", "true", "false", "null", "~"};
    size_t count = 0;
    const PlanMapping *mappings = schema_mappings(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; mappings[i].keys[row].key != NULL; row++) {
            const cyaml_schema_value_t *schema = &mappings[i].fields[row].value;
            for (size_t b = 0; b < sizeof(BOOLEANS) / sizeof(*BOOLEANS); b++) {
                assert_string_not_equal(mappings[i].keys[row].key, BOOLEANS[b]);
                bool words = schema->type == CYAML_ENUM || schema->type == CYAML_FLAGS;
                for (uint32_t w = 0; words && w < schema->enumeration.count; w++)
                    assert_string_not_equal(schema->enumeration.strings[w].str, BOOLEANS[b]);
            }
        }
    }
}

static void the_committed_json_schema_is_the_generated_one(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    char *schema = plan_schema_json(&arena);
    golden_write("schemas/plan.schema.json", schema);
    assert_string_equal(schema, file_text(&arena, "schemas/plan.schema.json"));
}

/* Whether a mapping stands below a key that is not in this version. */
static bool below_later(Arena *arena, const char *path)
{
    while (*path != '\0') {
        const char *dot = strrchr(path, '.');
        const char *parent = dot == NULL ? "" : arena_memdup(arena, path, (size_t)(dot - path));
        char *key = arena_strdup(arena, dot == NULL ? path : dot + 1);
        if (strchr(key, '[') != NULL)
            *strchr(key, '[') = '\0';
        int index = schema_find(schema_at(parent), key);
        if (index < 0 || schema_at(parent)->keys[index].is_later)
            return true;
        path = parent;
    }
    return false;
}

static void the_documentation_names_every_key(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *page = file_text(&arena, "docs/plan-language.md");
    const char *refused = strstr(page, "## Not in this version");
    assert_non_null(refused);
    size_t count = 0;
    const PlanMapping *mappings = schema_mappings(&count);
    for (size_t i = 0; i < count; i++) {
        for (const PlanKey *key = mappings[i].keys; key->key != NULL; key++) {
            const char *path = mappings[i].path;
            if (key->is_later || below_later(&arena, path))
                continue;
            const char *row =
                arena_printf(&arena, "| `%s%s%s` |", path, *path == '\0' ? "" : ".", key->key);
            if (strstr(refused, row) != NULL)
                fail_msg("docs/plan-language.md says of %s that it is refused", row);
            const char *line = strstr(page, row);
            if (line == NULL)
                fail_msg("docs/plan-language.md has no row %s", row);
            const char *end = strchr(line, '\n');
            const char *meaning = arena_printf(&arena, "| %s |", key->doc);
            const char *found = strstr(line, meaning);
            if (found == NULL || found > end)
                fail_msg("docs/plan-language.md does not say of %s: %s", row, key->doc);
            const char *value =
                key->fallback == NULL ? NULL : arena_printf(&arena, "| `%s` |", key->fallback);
            found = value == NULL ? line : strstr(line, value);
            if (found == NULL || found > end)
                fail_msg("docs/plan-language.md has another default in row %s", row);
        }
    }
}

/* The script loads every plan with PyYAML and judges it with python3-jsonschema. */
static void other_readers_agree(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    const char *const argv[] = {"/usr/bin/python3", "tests/unit/plan/schema_check.py", NULL};
    const ProcessSpec spec = {.argv = argv, .timeout_ms = 60000};
    ProcessResult result;
    if (!process_run(&arena, &spec, NULL, &result, &err))
        fail_msg("%s", err.message);
    if (result.exit_status != 0)
        fail_msg("%s%s", result.output, result.errors);
    assert_non_null(strstr(result.output, "plans agree"));
}

static void every_format_takes_its_example(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    for (PlanFormat format = 0; format < FORMAT_COUNT; format++) {
        AUTO_ERR Err err = {0};
        FormatResult result;
        const FormatRow *row = format_row(format);
        if (!format_check(&arena, format, row->example, &result, &err))
            fail_msg("%s: %s", row->name, err.message);
        assert_false(format_check(&arena, format, "", &result, &err));
    }
}

typedef struct FormatCase {
    PlanFormat format;
    const char *text;
    const char *fault; /* NULL: accepted */
} FormatCase;

static void formats_judge_exactly(void **state)
{
    (void)state;
    static const FormatCase CASES[] = {
        {FORMAT_NAME, "a", NULL},
        {FORMAT_NAME, "_a_9", NULL},
        {FORMAT_NAME, "abcdefghijklmnopqrstuvwxyz0123456789abcde", NULL},
        {FORMAT_NAME, "abcdefghijklmnopqrstuvwxyz0123456789abcdef", "not a migration's name"},
        {FORMAT_NAME, "a-b", "not a migration's name"},
        {FORMAT_NAME, "9a", "not a migration's name"},
        {FORMAT_NAME, "a\n", "not a migration's name"},
        {FORMAT_VARIABLE, "PG_9", NULL},
        {FORMAT_VARIABLE, "A=b", "not the name of an environment variable"},
        {FORMAT_PARTITION, "1 month", NULL},
        {FORMAT_PARTITION, "1 year 2 mons 3 days", NULL},
        {FORMAT_PARTITION, "86400000000", NULL},
        {FORMAT_PARTITION, "9223372036854775807", NULL},
        {FORMAT_PARTITION, "9223372036854775808", "not a positive whole number"},
        {FORMAT_PARTITION, "-5", "not a positive whole number"},
        {FORMAT_PARTITION, "0.0 days", "not longer than nothing"},
        {FORMAT_PARTITION, "1 fortnight", "neither an interval nor a whole number"},
        {FORMAT_PARTITION, "1 day'; DROP", "neither an interval nor a whole number"},
        {FORMAT_RELATION, "\"A\".\"b\"", NULL},
        {FORMAT_RELATION, "a.b.c", "\".\""},
        {FORMAT_CONNINFO, "host = db  dbname='a\\'b'", NULL},
        {FORMAT_CONNINFO, "dbname='a", "unterminated quoted string in the connection string"},
        {FORMAT_CONNINFO, "postgresql:///app?host=/tmp", NULL},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        AUTO_ERR Err err = {0};
        FormatResult result;
        bool ok = format_check(&arena, CASES[i].format, CASES[i].text, &result, &err);
        if (ok != (CASES[i].fault == NULL))
            fail_msg("\"%s\": %s", CASES[i].text, ok ? "accepted" : err.message);
        if (!ok && CASES[i].format != FORMAT_RELATION)
            assert_string_equal(err.message, CASES[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_keys_stand_side_by_side),
        cmocka_unit_test(no_word_is_a_yaml_boolean),
        cmocka_unit_test(the_committed_json_schema_is_the_generated_one),
        cmocka_unit_test(the_documentation_names_every_key),
        cmocka_unit_test(other_readers_agree),
        cmocka_unit_test(every_format_takes_its_example),
        cmocka_unit_test(formats_judge_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
