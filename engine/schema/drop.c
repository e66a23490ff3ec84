/*
 * Dropping: the server itself words each statement from the object's numbers.
 */
#include "schema/drop.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "pg/query.h"
#include "sql_text.h"

bool schema_drop(Conn *target, const SchemaObject *const *objects, size_t count,
                 const char *const *schemas, size_t schema_count, Err *err)
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
    str_append(&script, "COMMIT;");
    if (pg_script(target, script.data, err))
        return true;
    pg_rollback(target);
    return err_context(err, "could not drop what the run made");
}
