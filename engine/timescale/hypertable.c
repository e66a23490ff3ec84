/*
 * Hypertable: SQL and facts.
 */
#include "timescale/hypertable.h"

#include "pg/ddl.h"
#include "sql_text.h"

static void append_function(Str *sql, const Conn *conn, const char *schema, const char *function)
{
    ddl_ident(sql, conn, schema);
    str_appendf(sql, ".%s(", function);
}

char *hypertable_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan, const char *schema)
{
    AUTO_STR Str table = {0};
    ddl_qname(&table, conn, &plan->target_table);
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT ");
    append_function(&sql, conn, schema, "create_hypertable");
    ddl_literal(&sql, conn, table.data);
    str_append(&sql, "::regclass, ");
    append_function(&sql, conn, schema, "by_range");
    ddl_literal(&sql, conn, plan->column_name);
    if (plan->partition_interval != NULL) {
        str_append(&sql, plan->interval_is_integer ? ", " : ", INTERVAL ");
        ddl_literal(&sql, conn, plan->partition_interval);
        str_append(&sql, plan->interval_is_integer ? "::bigint" : "");
    }
    if (plan->partition_func != NULL) {
        str_append(&sql, ", partition_func => ");
        ddl_literal(&sql, conn, plan->partition_func);
        str_append(&sql, "::regproc");
    }
    str_appendf(&sql, "), create_default_indexes => %s, if_not_exists => true)",
                plan->create_default_indexes ? "true" : "false");
    return str_dup(arena, &sql);
}

bool hypertable_schema(Arena *arena, Conn *conn, const char **schema, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_SCHEMA_TIMESCALEDB_SCHEMA, NO_PARAMS, &rows, err))
        return false;
    *schema = rows_count(rows) == 0 ? NULL : arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool hypertable_facts(Arena *arena, Conn *conn, const PlanHypertable *plan, HypertableFacts *facts,
                      Err *err)
{
    *facts = (HypertableFacts){.state = HYPERTABLE_NO_EXTENSION};
    const char *schema = NULL;
    if (!hypertable_schema(arena, conn, &schema, err))
        return false;
    if (schema == NULL)
        return true;
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(
            conn, SQL_TIMESCALE_DIMENSION,
            PARAMS(plan->target_table.schema, plan->target_table.rel, plan->partition_interval),
            &rows, err))
        return false;
    facts->state = HYPERTABLE_PLAIN;
    if (rows_count(rows) == 0)
        return true;
    facts->column = arena_strdup(arena, rows_text(rows, 0, 0));
    facts->interval = arena_strdup(arena, rows_text(rows, 0, 1));
    bool as_planned = strcmp(facts->column, plan->column_name) == 0 && rows_bool(rows, 0, 2);
    facts->state = as_planned ? HYPERTABLE_AS_PLANNED : HYPERTABLE_DIFFERENT;
    return true;
}
