/*
 * Arguments of TimescaleDB's functions, always quoted.
 */
#include "timescale/sql.h"

#include "pg/query.h"
#include "sql_text.h"

void ts_function(Str *sql, const Conn *conn, const char *schema, const char *function)
{
    ddl_ident(sql, conn, schema);
    str_appendf(sql, ".%s(", function);
}

void ts_relation(Str *sql, const Conn *conn, const Name *name)
{
    AUTO_STR Str table = {0};
    ddl_qname(&table, conn, name);
    ddl_literal(sql, conn, table.data);
    str_append(sql, "::regclass");
}

void ts_regproc(Str *sql, const Conn *conn, const char *text)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str function = {0};
    Name name;
    if (!name_parse(&arena, text, &name))
        BUG("\"%s\" passed the walker as a function", text);
    ddl_qname(&function, conn, &name);
    ddl_literal(sql, conn, function.data);
    str_append(sql, "::regproc");
}

void ts_span(Str *sql, const Conn *conn, const char *text, bool is_integer)
{
    str_append(sql, is_integer ? "" : "INTERVAL ");
    ddl_literal(sql, conn, text);
    str_append(sql, is_integer ? "::bigint" : "");
}

void sql_list_add(Arena *arena, SqlList *list, const Str *sql)
{
    *vec_push(arena, list) = str_dup(arena, sql);
}

bool ts_run(Conn *conn, const SqlList *list, Err *err)
{
    bool done = pg_script(conn, "BEGIN READ WRITE", err);
    for (size_t i = 0; i < list->count && done; i++)
        done = pg_script(conn, list->items[i], err); /* some give rows, some do not */
    if (done && pg_commit(conn, err))
        return true;
    pg_rollback(conn);
    return false;
}

bool timescaledb_schema(Arena *arena, Conn *conn, const char **schema, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_SCHEMA_TIMESCALEDB_SCHEMA, NO_PARAMS, &rows, err))
        return false;
    *schema = rows_count(rows) == 0 ? NULL : arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}
