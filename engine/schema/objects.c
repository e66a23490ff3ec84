/*
 * SchemaObjects: one set-based reading of a side, two sorted views of it.
 */
#include "schema/objects.h"

#include "base/jsontext.h"
#include "pg/query.h"
#include "sql_text.h"

static int compare_numbers(uint32_t class_a, uint32_t a, uint32_t class_b, uint32_t b)
{
    if (class_a != class_b)
        return class_a < class_b ? -1 : 1;
    return a == b ? 0 : (a < b ? -1 : 1);
}

static int compare_names(const void *a, const void *b)
{
    const SchemaObject *left = a;
    const SchemaObject *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return strcmp(left->key, right->key);
}

static int compare_ids(const void *a, const void *b)
{
    const SchemaObject *left = *(SchemaObject *const *)a;
    const SchemaObject *right = *(SchemaObject *const *)b;
    return compare_numbers(left->class_oid, left->oid, right->class_oid, right->oid);
}

static const char *renames_text(Arena *arena, const Blueprint *blueprint)
{
    json_t *list = json_array();
    for (size_t i = 0; blueprint != NULL && i < blueprint->rename_count; i++) {
        const Rename *rename = &blueprint->renames[i];
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:s, s:s, s:s}", "oid", (json_int_t)rename->oid,
                            "from_schema", rename->source.schema, "from_rel", rename->source.rel,
                            "schema", rename->target.schema, "rel", rename->target.rel));
    }
    return jsontext_compact(arena, list);
}

static bool read_items(Arena *arena, Conn *conn, const Blueprint *blueprint, bool quiet,
                       SchemaObjects *objects, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_SCHEMA_OBJECTS,
                 PARAMS(quiet ? "t" : "f", renames_text(arena, blueprint)), &rows, err))
        return false;
    objects->count = rows_count(rows);
    objects->items = arena_array(arena, SchemaObject, objects->count);
    objects->by_id = arena_array(arena, SchemaObject *, objects->count);
    for (size_t r = 0; r < objects->count; r++) {
        const char *key = rows_text(rows, r, 4);
        objects->items[r] = (SchemaObject){
            .class_oid = rows_oid(rows, r, 0),
            .oid = rows_oid(rows, r, 1),
            .owner = rows_oid(rows, r, 2),
            .kind = (ObjectKind)rows_char(rows, r, 3),
            .key = key == NULL ? "" : arena_strdup(arena, key),
            .state = arena_strdup(arena, rows_text(rows, r, 5)),
            .late = rows_bool(rows, r, 6),
        };
    }
    qsort(objects->items, objects->count, sizeof(*objects->items), compare_names);
    for (size_t i = 0; i < objects->count; i++)
        objects->by_id[i] = &objects->items[i];
    qsort(objects->by_id, objects->count, sizeof(SchemaObject *), compare_ids);
    return true;
}

bool schema_objects_read(Arena *arena, Conn *conn, const Blueprint *blueprint, bool quiet,
                         SchemaObjects *objects, Err *err)
{
    *objects = (SchemaObjects){0};
    return read_items(arena, conn, blueprint, quiet, objects, err) ||
           err_context(err, "could not read the objects of the %s",
                       conn_side_name(conn_side(conn)));
}

const SchemaObject *schema_object_named(const SchemaObjects *objects, ObjectKind kind,
                                        const char *key)
{
    const SchemaObject wanted = {.kind = kind, .key = key};
    return objects->count == 0 ? NULL
                               : bsearch(&wanted, objects->items, objects->count,
                                         sizeof(*objects->items), compare_names);
}

const SchemaObject *schema_object(const SchemaObjects *objects, uint32_t class_oid, uint32_t oid)
{
    SchemaObject number = {.class_oid = class_oid, .oid = oid};
    SchemaObject *wanted = &number;
    SchemaObject *const *found =
        objects->count == 0
            ? NULL
            : bsearch(&wanted, objects->by_id, objects->count, sizeof(SchemaObject *), compare_ids);
    return found == NULL ? NULL : *found;
}

bool schema_object_kept(const Blueprint *blueprint, const SchemaObject *object)
{
    uint32_t class_oid = object->class_oid == 0 ? CAT_CLASS_RELATION : object->class_oid;
    return blueprint_keeps_object(blueprint, class_oid, object->oid);
}

bool schema_on_hypertable(const Blueprint *blueprint, uint32_t relation)
{
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (blueprint->relations[i].hypertable != NULL && blueprint->relations[i].oid == relation)
            return true;
    }
    return false;
}
