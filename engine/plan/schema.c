/*
 * Schema: looking things up in the table.
 */
#include "plan/schema.h"

#include "base/str.h"

const PlanMapping *schema_mapping(const cyaml_schema_field_t *fields)
{
    size_t count = 0;
    const PlanMapping *mappings = schema_mappings(&count);
    for (size_t i = 0; i < count; i++) {
        if (mappings[i].fields == fields)
            return &mappings[i];
    }
    BUG("a mapping of the plan language has no row");
}

const PlanMapping *schema_at(const char *path)
{
    size_t count = 0;
    const PlanMapping *mappings = schema_mappings(&count);
    for (size_t i = 0; i < count; i++) {
        if (text_equal(mappings[i].path, path))
            return &mappings[i];
    }
    BUG("the plan language has no mapping \"%s\"", path);
}

int schema_find(const PlanMapping *mapping, const char *key)
{
    for (int i = 0; mapping->keys[i].key != NULL; i++) {
        if (text_equal(mapping->keys[i].key, key))
            return i;
    }
    return -1;
}

const PlanKey *schema_key(const PlanMapping *mapping, const char *key)
{
    int index = schema_find(mapping, key);
    if (index < 0)
        BUG("\"%s\" has no key \"%s\"", mapping->path, key);
    return &mapping->keys[index];
}

const char *schema_word(const char *path, const char *key, uint32_t value)
{
    const PlanMapping *mapping = schema_at(path);
    const cyaml_schema_value_t *schema =
        &mapping->fields[schema_key(mapping, key) - mapping->keys].value;
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (schema->enumeration.strings[i].val == (int64_t)value)
            return schema->enumeration.strings[i].str;
    }
    BUG("\"%s.%s\" has no word for %u", path, key, value);
}

bool schema_word_is_later(const PlanKey *key, const char *word)
{
    for (const char *const *later = key->later; later != NULL && *later != NULL; later++) {
        if (text_equal(*later, word))
            return true;
    }
    return false;
}
