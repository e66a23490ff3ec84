/*
 * Bind: libcyaml fills the bound structs.
 *
 * It is given the tree written out again, as one flow document in which every shorthand stands in
 * full (a text for {match: text}), for libcyaml has no unions. Only what the walker accepted comes
 * here: a refusal is a defect of this program, not of the plan.
 */
#include "plan/layers.h"

#include "base/str.h"
#include "plan/json.h"
#include "plan/schema.h"

#include <stddef.h>

static void write_node(Str *out, const cyaml_schema_value_t *schema, const Node *node);

static void write_entry(Str *out, const PlanMapping *mapping, const Node *child)
{
    int index = schema_find(mapping, child->key->text);
    if (index < 0)
        BUG("key \"%s\" passed the walker", child->key->text);
    str_appendf(out, "%s: ", mapping->keys[index].key);
    write_node(out, &mapping->fields[index].value, child);
}

static void write_mapping(Str *out, const cyaml_schema_value_t *schema, const Node *node)
{
    const PlanMapping *mapping = schema_mapping(schema->mapping.fields);
    str_append_char(out, '{');
    if (node->kind == NODE_SCALAR) {
        str_appendf(out, "%s: ", mapping->shorthand);
        json_write_text(out, node->text);
    }
    for (const Node *child = node->first; child != NULL; child = child->next) {
        write_entry(out, mapping, child);
        if (child->next != NULL)
            str_append(out, ", ");
    }
    str_append_char(out, '}');
}

static void write_node(Str *out, const cyaml_schema_value_t *schema, const Node *node)
{
    if (schema->type == CYAML_MAPPING) {
        write_mapping(out, schema, node);
    } else if (node->kind == NODE_SEQUENCE) {
        str_append_char(out, '[');
        for (const Node *entry = node->first; entry != NULL; entry = entry->next) {
            if (schema->type == CYAML_SEQUENCE)
                write_node(out, schema->sequence.entry, entry);
            else
                str_append(out, entry->text);
            if (entry->next != NULL)
                str_append(out, ", ");
        }
        str_append_char(out, ']');
    } else if (schema->type == CYAML_STRING) {
        json_write_text(out, node->text);
    } else {
        str_append(out, node->text);
    }
}

/* What stands before the memory that libcyaml gets. */
typedef struct Block {
    size_t capacity;
    max_align_t memory[];
} Block;

/* libcyaml grows a list by one entry at a time: without room to spare an allocator that copies
 * makes a long list take time that grows with its square. */
static void *resize(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    Block *block = memory == NULL ? NULL : (Block *)((char *)memory - offsetof(Block, memory));
    if (size_bytes == 0) {
        mem_free(block);
        return NULL;
    }
    if (block != NULL && block->capacity >= size_bytes)
        return memory;
    size_t capacity = block == NULL ? size_bytes : size_bytes * 2;
    block = mem_resize(block, sizeof(Block) + capacity);
    block->capacity = capacity;
    return block->memory;
}

static void keep_log(cyaml_log_t level, void *context, const char *format, va_list args)
    PRINTF(3, 0);

static void keep_log(cyaml_log_t level, void *context, const char *format, va_list args)
{
    (void)level;
    str_vappendf(context, format, args);
}

static cyaml_config_t config_for(Str *log)
{
    return (cyaml_config_t){
        .log_fn = log == NULL ? NULL : keep_log,
        .log_ctx = log,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = resize,
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

bool plan_bind_text(const char *yaml, size_t bytes, BoundPlan **bound, Err *err)
{
    AUTO_STR Str log = {0};
    cyaml_data_t *data = NULL;
    cyaml_config_t config = config_for(&log);
    cyaml_err_t result =
        cyaml_load_data((const uint8_t *)yaml, bytes, &config, &PLAN_SCHEMA, &data, NULL);
    if (result != CYAML_OK || data == NULL) {
        err_set(err, ERR_BUG, "libcyaml %s refuses a plan that was accepted: %s", cyaml_version_str,
                cyaml_strerror(result));
        err_detail(err, "%s", str_text(&log));
        return err_hint(err, "Please report this, with the plan.");
    }
    *bound = data;
    return true;
}

bool plan_bind(const Node *root, BoundPlan **bound, Err *err)
{
    AUTO_STR Str yaml = {0};
    write_node(&yaml, &PLAN_SCHEMA, root);
    return plan_bind_text(str_text(&yaml), yaml.length, bound, err);
}

void plan_unbind(BoundPlan *bound)
{
    cyaml_config_t config = config_for(NULL);
    cyaml_err_t result = cyaml_free(&config, &PLAN_SCHEMA, bound, 0);
    if (result != CYAML_OK)
        BUG("libcyaml cannot free a plan: %s", cyaml_strerror(result));
}
