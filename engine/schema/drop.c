/*
 * Dropping: the server itself words each statement from the object's numbers.
 */
#include "schema/drop.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "pg/query.h"
#include "sql_text.h"

/* Kinds that somebody may have made on top of what is dropped. */
static const char GUARDED[] = {OBJECT_TABLE,    OBJECT_VIEW,      OBJECT_MATVIEW,
                               OBJECT_SEQUENCE, OBJECT_COMPOSITE, OBJECT_TYPE,
                               OBJECT_FUNCTION, OBJECT_OTHER,     '\0'};

static bool is_listed(const SchemaObject *const *objects, size_t count, const SchemaObject *object)
{
    for (size_t i = 0; i < count; i++)
        if (objects[i]->class_oid == object->class_oid && objects[i]->oid == object->oid)
            return true;
    return false;
}

/* Inside the transaction: what was not to go is still there. */
static bool nothing_else_went(Conn *target, const SchemaObjects *before,
                              const SchemaObject *const *objects, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    SchemaObjects now = {0};
    if (before == NULL)
        return true;
    if (!schema_objects_read(&arena, target, NULL, false, &now, err))
        return false;
    for (size_t i = 0; i < before->count; i++) {
        const SchemaObject *object = &before->items[i];
        if (strchr(GUARDED, (char)object->kind) == NULL ||
            schema_object(&now, object->class_oid, object->oid) != NULL ||
            is_listed(objects, count, object))
            continue;
        err_set(err, ERR_DRIFT, "%s of the target depends on what is to be dropped", object->key);
        return err_hint(err, "It was not made by this plan and is not touched: drop it yourself.");
    }
    return true;
}

bool schema_drop(Conn *target, const SchemaObject *const *objects, size_t count,
                 const char *const *schemas, size_t schema_count, const SchemaObjects *before,
                 Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str script = {0};
    json_t *ids = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids,
                              json_pack("{s:I, s:I}", "class", (json_int_t)objects[i]->class_oid,
                                        "oid", (json_int_t)objects[i]->oid));
    const char *id_text = jsontext_compact(&arena, ids);
    const char *name_texts = jsontext_list(&arena, schemas, schema_count);
    if (!pg_rows(target, SQL_SCHEMA_DROP, PARAMS(id_text, name_texts), &rows, err))
        return false;
    str_append(&script, "BEGIN;\n");
    for (size_t r = 0; r < rows_count(rows); r++)
        str_appendf(&script, "%s;\n", rows_text(rows, r, 0));
    if (pg_script(target, script.data, err) &&
        nothing_else_went(target, before, objects, count, err) && pg_commit(target, err))
        return true;
    pg_rollback(target);
    return err_context(err, "could not drop what the run made");
}
