/*
 * JSON Schema (draft-07) of the plan language, from the tables that bind it: for editors, and for
 * any other tool. It says what this version takes; keys that are not in it are left out.
 */
#include "plan/plan.h"

#include "plan/json.h"
#include "plan/schema.h"

static void put_value(Json *json, const cyaml_schema_value_t *schema, const PlanKey *key);

static void put_numbers(Json *json, const PlanKey *key)
{
    json_number(json, "minimum", key->min);
    if (key->max > 0)
        json_number(json, "maximum", key->max);
}

static void put_string(Json *json, Arena *arena, const PlanKey *key)
{
    const FormatRow *row = format_row(key->format);
    if (row->integer) {
        json_open(json, "type", '[');
        json_text(json, NULL, "string");
        json_text(json, NULL, "integer");
        json_close(json, ']');
        json_number(json, "minimum",
                    key->format == FORMAT_PARTITION || key->format == FORMAT_AGE ? 1 : key->min);
    } else {
        json_text(json, "type", "string");
    }
    if (row->check == NULL && key->format == FORMAT_TEXT)
        json_number(json, "minLength", 1);
    else
        json_text(json, "pattern", arena_printf(arena, "^(%s)$", row->regex));
}

static void put_words(Json *json, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    json_open(json, "enum", '[');
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (!schema_word_is_later(key, schema->enumeration.strings[i].str))
            json_text(json, NULL, schema->enumeration.strings[i].str);
    }
    json_close(json, ']');
}

static void put_list(Json *json, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    json_text(json, "type", "array");
    json_open(json, "items", '{');
    if (schema->type == CYAML_FLAGS)
        put_words(json, schema, key);
    else
        put_value(json, schema->sequence.entry, key);
    json_close(json, '}');
    if (schema->type == CYAML_FLAGS) {
        json_number(json, "minItems", 1);
        json_bool(json, "uniqueItems", true);
    } else if (schema->sequence.min > 0) {
        json_number(json, "minItems", schema->sequence.min);
    }
}

/* Of two keys not both: what requires both is refused. */
static void put_exclusion(Json *json, const PlanMapping *mapping)
{
    json_open(json, "not", '{');
    json_open(json, "required", '[');
    for (const PlanKey *key = mapping->keys; key->key != NULL; key++) {
        if (key->in_choice)
            json_text(json, NULL, key->key);
    }
    json_close(json, ']');
    json_close(json, '}');
}

/* The choice between keys: each way is one required key. */
static void put_choice(Json *json, const PlanMapping *mapping)
{
    if (mapping->choice == CHOICE_NONE)
        return;
    if (mapping->choice == CHOICE_AT_MOST_ONE) {
        put_exclusion(json, mapping);
        return;
    }
    json_open(json, mapping->choice == CHOICE_EXACTLY_ONE ? "oneOf" : "anyOf", '[');
    for (const PlanKey *key = mapping->keys; key->key != NULL; key++) {
        if (!key->in_choice)
            continue;
        json_open(json, NULL, '{');
        json_open(json, "required", '[');
        json_text(json, NULL, key->key);
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static bool has_required(const PlanMapping *mapping)
{
    for (size_t i = 0; mapping->keys[i].key != NULL; i++) {
        if (schema_required(&mapping->fields[i]))
            return true;
    }
    return false;
}

static void put_default(Json *json, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    if (key->fallback == NULL)
        return;
    if (schema->type == CYAML_UINT)
        json_number(json, "default", strtoull(key->fallback, NULL, 10));
    else if (schema->type == CYAML_BOOL)
        json_bool(json, "default", strcmp(key->fallback, "true") == 0);
    else
        json_text(json, "default", key->fallback);
}

static void put_properties(Json *json, const PlanMapping *mapping)
{
    json_open(json, "properties", '{');
    for (size_t i = 0; mapping->keys[i].key != NULL; i++) {
        const PlanKey *key = &mapping->keys[i];
        if (key->is_later)
            continue;
        json_open(json, key->key, '{');
        json_text(json, "description", key->doc);
        put_value(json, &mapping->fields[i].value, key);
        put_default(json, &mapping->fields[i].value, key);
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void put_object(Json *json, const PlanMapping *mapping)
{
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    if (has_required(mapping)) {
        json_open(json, "required", '[');
        for (size_t i = 0; mapping->keys[i].key != NULL; i++) {
            if (schema_required(&mapping->fields[i]))
                json_text(json, NULL, mapping->keys[i].key);
        }
        json_close(json, ']');
    }
    put_choice(json, mapping);
    put_properties(json, mapping);
}

static void put_mapping(Json *json, const PlanMapping *mapping)
{
    if (mapping->shorthand == NULL) {
        put_object(json, mapping);
        return;
    }
    int index = schema_find(mapping, mapping->shorthand);
    json_text(json, "description", mapping->doc);
    json_open(json, "anyOf", '[');
    json_open(json, NULL, '{');
    put_value(json, &mapping->fields[index].value, &mapping->keys[index]);
    json_close(json, '}');
    json_open(json, NULL, '{');
    put_object(json, mapping);
    json_close(json, '}');
    json_close(json, ']');
}

static void put_value(Json *json, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    AUTO_ARENA Arena arena = {0};
    if (schema->type == CYAML_UINT) {
        json_text(json, "type", "integer");
        put_numbers(json, key);
    } else if (schema->type == CYAML_BOOL) {
        json_text(json, "type", "boolean");
    } else if (schema->type == CYAML_ENUM) {
        put_words(json, schema, key);
    } else if (schema->type == CYAML_STRING) {
        put_string(json, &arena, key);
    } else if (schema->type == CYAML_MAPPING) {
        put_mapping(json, schema_mapping(schema->mapping.fields));
    } else {
        put_list(json, schema, key);
    }
}

char *plan_schema_json(Arena *arena)
{
    AUTO_STR Str out = {0};
    Json json = {.out = &out, .pretty = true};
    json_open(&json, NULL, '{');
    json_text(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_text(&json, "title", "godwit plan, version 1");
    json_text(&json, "description", schema_at("")->doc);
    put_object(&json, schema_at(""));
    json_close(&json, '}');
    str_append_char(&out, '\n');
    return str_dup(arena, &out);
}
