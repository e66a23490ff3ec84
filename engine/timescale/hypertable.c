/*
 * Hypertable: SQL and facts.
 */
#include "timescale/hypertable.h"

#include "base/str.h"
#include "sql_text.h"

/* --- statements --- */

static void append_func(Str *sql, const Conn *conn, const char *partition_func)
{
    if (partition_func == NULL)
        return;
    str_append(sql, ", partition_func => ");
    ts_regproc(sql, conn, partition_func);
}

static void append_range(Str *sql, const Conn *conn, const char *schema, const PlanDimension *range)
{
    ts_function(sql, conn, schema, "by_range");
    ddl_literal(sql, conn, range->column_name);
    if (range->partition_interval != NULL) {
        str_append(sql, ", ");
        ts_span(sql, conn, range->partition_interval, range->interval_is_integer);
    }
    append_func(sql, conn, range->partition_func);
    str_append(sql, ")");
}

static void append_hash(Str *sql, const Conn *conn, const char *schema, const PlanDimension *hash)
{
    ts_function(sql, conn, schema, "by_hash");
    ddl_literal(sql, conn, hash->column_name);
    str_appendf(sql, ", %u", hash->number_partitions);
    append_func(sql, conn, hash->partition_func);
    str_append(sql, ")");
}

/* The dimensions in their order, the first one of them as one of the others. */
static PlanDimension dimension_at(const PlanHypertable *plan, size_t index)
{
    if (index > 0)
        return plan->dimensions[index - 1];
    return (PlanDimension){
        .column_name = plan->column_name,
        .partition_interval = plan->partition_interval,
        .interval_is_integer = plan->interval_is_integer,
        .partition_func = plan->partition_func,
        .pos = plan->pos,
    };
}

static void add_create(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                       const char *schema, SqlList *list)
{
    const PlanDimension first = dimension_at(plan, 0);
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT ");
    ts_function(&sql, conn, schema, "create_hypertable");
    ts_relation(&sql, conn, &plan->target_table);
    str_append(&sql, ", ");
    append_range(&sql, conn, schema, &first);
    str_appendf(&sql, ", create_default_indexes => %s, if_not_exists => true)",
                plan->create_default_indexes ? "true" : "false");
    sql_list_add(arena, list, &sql);
}

static void add_dimension(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                          const char *schema, const PlanDimension *dimension, SqlList *list)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT ");
    ts_function(&sql, conn, schema, "add_dimension");
    ts_relation(&sql, conn, &plan->target_table);
    str_append(&sql, ", ");
    if (dimension->number_partitions > 0)
        append_hash(&sql, conn, schema, dimension);
    else
        append_range(&sql, conn, schema, dimension);
    str_append(&sql, ", if_not_exists => true)");
    sql_list_add(arena, list, &sql);
}

SqlList hypertable_sql(Arena *arena, const Conn *conn, const PlanHypertable *plan,
                       const char *schema)
{
    SqlList list = {0};
    add_create(arena, conn, plan, schema, &list);
    for (size_t i = 0; i < plan->dimension_count; i++)
        add_dimension(arena, conn, plan, schema, &plan->dimensions[i], &list);
    if (plan->integer_now_func != NULL) {
        AUTO_STR Str sql = {0};
        str_append(&sql, "SELECT ");
        ts_function(&sql, conn, schema, "set_integer_now_func");
        ts_relation(&sql, conn, &plan->target_table);
        str_append(&sql, ", ");
        ts_regproc(&sql, conn, plan->integer_now_func);
        str_append(&sql, ", replace_if_exists => true)");
        sql_list_add(arena, &list, &sql);
    }
    return list;
}

/* --- facts --- */

/* As an array; what a plan can have there is digits, letters and blanks. */
static const char *wanted_intervals(Arena *arena, const PlanHypertable *plan)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i <= plan->dimension_count; i++) {
        const PlanDimension dimension = dimension_at(plan, i);
        str_append(&text, i == 0 ? "{" : ",");
        if (dimension.partition_interval == NULL)
            str_append(&text, "NULL");
        else
            str_appendf(&text, "\"%s\"", dimension.partition_interval);
    }
    str_append(&text, "}");
    return str_dup(arena, &text);
}

static const char *function_text(Arena *arena, const Rows *rows, size_t row, size_t column)
{
    const Name name = {rows_text(rows, row, column), rows_text(rows, row, column + 1)};
    return name.schema == NULL || name.rel == NULL ? NULL : name_text(arena, &name);
}

/* As function_text() writes it. */
static const char *planned_function(Arena *arena, const char *text)
{
    Name name;
    if (text == NULL || !name_parse(arena, text, &name))
        return NULL;
    return name_text(arena, &name);
}

static void show(Str *text, Arena *arena, size_t index, const char *column, const char *interval,
                 const char *partitions)
{
    str_appendf(text, "%s%s", index > 0 ? ", " : "", name_part_text(arena, column));
    if (partitions != NULL)
        str_appendf(text, " in %s partitions", partitions);
    else
        str_appendf(text, " every %s", interval == NULL ? "interval" : interval);
}

static const char *show_plan(Arena *arena, const PlanHypertable *plan)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i <= plan->dimension_count; i++) {
        const PlanDimension one = dimension_at(plan, i);
        const char *number =
            one.number_partitions == 0 ? NULL : arena_printf(arena, "%u", one.number_partitions);
        show(&text, arena, i, one.column_name, one.partition_interval, number);
        if (one.partition_func != NULL)
            str_appendf(&text, " by %s", one.partition_func);
    }
    if (plan->integer_now_func != NULL)
        str_appendf(&text, ", now %s", plan->integer_now_func);
    return str_dup(arena, &text);
}

static bool is_same(Arena *arena, const Rows *rows, size_t row, const PlanDimension *one)
{
    bool hash = rows_text(rows, row, 3) != NULL;
    const char *function = planned_function(arena, one->partition_func);
    return strcmp(rows_text(rows, row, 0), one->column_name) == 0 && rows_bool(rows, row, 2) &&
           hash == (one->number_partitions > 0) &&
           (!hash || rows_int64(rows, row, 3) == (int64_t)one->number_partitions) &&
           (function == NULL || text_equal(function, function_text(arena, rows, row, 4)));
}

static bool is_as_planned(Arena *arena, const Rows *rows, const PlanHypertable *plan)
{
    const char *now = planned_function(arena, plan->integer_now_func);
    if (rows_count(rows) != plan->dimension_count + 1)
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        const PlanDimension one = dimension_at(plan, i);
        if (!is_same(arena, rows, i, &one))
            return false;
    }
    return now == NULL || text_equal(now, function_text(arena, rows, 0, 6));
}

static const char *show_rows(Arena *arena, const Rows *rows)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *number = rows_text(rows, i, 3);
        show(&text, arena, i, rows_text(rows, i, 0), rows_text(rows, i, 1), number);
        if (number == NULL && function_text(arena, rows, i, 4) != NULL)
            str_appendf(&text, " by %s", function_text(arena, rows, i, 4));
    }
    if (function_text(arena, rows, 0, 6) != NULL)
        str_appendf(&text, ", now %s", function_text(arena, rows, 0, 6));
    return str_dup(arena, &text);
}

bool hypertable_facts(Arena *arena, Conn *conn, const PlanHypertable *plan, HypertableFacts *facts,
                      Err *err)
{
    *facts = (HypertableFacts){.state = HYPERTABLE_NO_EXTENSION};
    const char *schema = NULL;
    if (!timescaledb_schema(arena, conn, &schema, err))
        return false;
    if (schema == NULL)
        return true;
    AUTO_ROWS Rows *rows = NULL;
    const Name *table = &plan->target_table;
    if (!pg_rows(conn, SQL_TIMESCALE_DIMENSION,
                 PARAMS(table->schema, table->rel, wanted_intervals(arena, plan)), &rows, err))
        return false;
    facts->state = HYPERTABLE_PLAIN;
    if (rows_count(rows) == 0)
        return true;
    facts->shown = show_rows(arena, rows);
    facts->wanted = show_plan(arena, plan);
    facts->state = is_as_planned(arena, rows, plan) ? HYPERTABLE_AS_PLANNED : HYPERTABLE_DIFFERENT;
    return true;
}
