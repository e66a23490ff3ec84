/*
 * Renaming: two stages over all tables, so that names may be swapped or handed on in a ring.
 */
#include "schema/rename.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

typedef VEC(const char *) TextVec;

static bool holds(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

/* --- schemas --- */

static bool make_schemas(Renaming *renaming, const TextVec *wanted, bool passing, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    const char *names = jsontext_list(renaming->arena, wanted->items, wanted->count);
    if (!pg_rows(renaming->conn, SQL_SCHEMA_MISSING, PARAMS(names), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *name = arena_strdup(renaming->arena, rows_text(rows, r, 0));
        str_append(&sql, "CREATE SCHEMA ");
        ddl_ident(&sql, renaming->conn, name);
        str_append(&sql, ";\n");
        if (passing)
            *vec_push(renaming->arena, &renaming->schemas) = name;
    }
    return sql.length == 0 || pg_script(renaming->conn, sql.data, err);
}

/* The schemas of the source that do not come to the target: the text needs them. */
static bool make_source_schemas(Renaming *renaming, Err *err)
{
    const Blueprint *blueprint = renaming->blueprint;
    TextVec wanted = {0};
    for (size_t i = 0; i < blueprint->rename_count; i++) {
        const char *schema = blueprint->renames[i].source.schema;
        if (!holds(wanted.items, wanted.count, schema) &&
            !holds(blueprint->schemas, blueprint->schema_count, schema))
            *vec_push(renaming->arena, &wanted) = schema;
    }
    return make_schemas(renaming, &wanted, true, err);
}

static bool make_target_schemas(Renaming *renaming, Err *err)
{
    const Blueprint *blueprint = renaming->blueprint;
    TextVec wanted = {0};
    for (size_t i = 0; i < blueprint->rename_count; i++)
        if (!holds(wanted.items, wanted.count, blueprint->renames[i].target.schema))
            *vec_push(renaming->arena, &wanted) = blueprint->renames[i].target.schema;
    return make_schemas(renaming, &wanted, false, err);
}

static bool drop_passing_schemas(Renaming *renaming, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < renaming->schemas.count; i++) {
        str_append(&sql, "DROP SCHEMA ");
        ddl_ident(&sql, renaming->conn, renaming->schemas.items[i]);
        str_append(&sql, ";\n");
    }
    return sql.length == 0 || pg_script(renaming->conn, sql.data, err) ||
           err_context(err, "something is left in a schema that select.map empties");
}

/* --- tables --- */

static json_t *move_of(const Rename *rename, size_t number, bool to_source)
{
    const Name *from = to_source ? &rename->target : &rename->source;
    const Name *to = to_source ? &rename->source : &rename->target;
    return json_pack("{s:I, s:s, s:s, s:s, s:s}", "n", (json_int_t)number, "from_schema",
                     from->schema, "from_rel", from->rel, "to_schema", to->schema, "to_rel",
                     to->rel);
}

/* The statements of one stage, as one text. */
static const char *stage_text(Arena *arena, const Rows *rows, int64_t stage)
{
    AUTO_STR Str sql = {0};
    for (size_t r = 0; r < rows_count(rows); r++)
        if (rows_int64(rows, r, 0) == stage)
            str_appendf(&sql, "%s;\n", rows_text(rows, r, 1));
    return str_dup(arena, &sql);
}

static bool put_aside(Renaming *renaming, Err *err)
{
    const Blueprint *blueprint = renaming->blueprint;
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    json_t *names = json_array();
    for (size_t i = 0; i < blueprint->rename_count; i++)
        json_array_append_new(names,
                              json_pack("{s:s, s:s}", "schema", blueprint->renames[i].source.schema,
                                        "rel", blueprint->renames[i].source.rel));
    if (!pg_rows(renaming->conn, SQL_SCHEMA_ASIDE, PARAMS(jsontext_compact(renaming->arena, names)),
                 &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        str_appendf(&sql, "%s;\n", rows_text(rows, r, 0));
        *vec_push(renaming->arena, &renaming->back) =
            arena_strdup(renaming->arena, rows_text(rows, r, 1));
    }
    return sql.length == 0 || pg_script(renaming->conn, sql.data, err) ||
           err_context(err, "could not put aside for a moment what bears a name of the source");
}

static bool move_tables(Renaming *renaming, bool to_source, Err *err)
{
    const Blueprint *blueprint = renaming->blueprint;
    AUTO_ROWS Rows *rows = NULL;
    json_t *moves = json_array();
    for (size_t i = 0; i < blueprint->rename_count; i++)
        if (!blueprint->renames[i].follows)
            json_array_append_new(moves, move_of(&blueprint->renames[i], i + 1, to_source));
    if (!pg_rows(renaming->conn, SQL_SCHEMA_RENAME,
                 PARAMS(jsontext_compact(renaming->arena, moves)), &rows, err))
        return false;
    const char *away = stage_text(renaming->arena, rows, 1);
    const char *home = stage_text(renaming->arena, rows, 2);
    return (*away == '\0' || pg_script(renaming->conn, away, err)) &&
           (!to_source || put_aside(renaming, err)) &&
           (*home == '\0' || pg_script(renaming->conn, home, err));
}

bool renaming_begin(Renaming *renaming, Err *err)
{
    if (renaming->blueprint->rename_count == 0)
        return true;
    return (make_source_schemas(renaming, err) && move_tables(renaming, true, err)) ||
           err_context(err, "could not give the tables of select.map their names of the source");
}

bool renaming_end(Renaming *renaming, Err *err)
{
    AUTO_STR Str sql = {0};
    if (renaming->blueprint->rename_count == 0)
        return true;
    for (size_t i = 0; i < renaming->back.count; i++)
        str_appendf(&sql, "%s;\n", renaming->back.items[i]);
    return (make_target_schemas(renaming, err) && move_tables(renaming, false, err) &&
            (sql.length == 0 || pg_script(renaming->conn, sql.data, err)) &&
            drop_passing_schemas(renaming, err)) ||
           err_context(err, "could not give the tables of select.map their names of the target");
}
