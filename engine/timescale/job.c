/*
 * Job: SQL and facts.
 */
#include "timescale/job.h"

#include "base/str.h"
#include "pg/query.h"
#include "sql_text.h"

/* A regproc, as a text that the server looks up. */
static void append_procedure(Str *sql, const Conn *conn, const Name *name)
{
    AUTO_STR Str procedure = {0};
    ddl_qname(&procedure, conn, name);
    ddl_literal(sql, conn, procedure.data);
    str_append(sql, "::regproc");
}

SqlList job_sql(Arena *arena, const Conn *conn, const PlanJob *plan, const TsTarget *target)
{
    SqlList list = {0};
    AUTO_STR Str add = {0};
    AUTO_STR Str sql = {0};
    ts_function(&add, conn, target->schema, "add_job");
    append_procedure(&add, conn, &plan->procedure);
    if (plan->config != NULL) {
        str_append(&add, ", config => ");
        ddl_literal(&add, conn, plan->config);
        str_append(&add, "::jsonb");
    }
    if (!plan->policy.scheduled)
        str_append(&add, ", scheduled => false");
    policy_schedule(&add, conn, &plan->policy);
    policy_altered(&sql, conn, &plan->policy, str_text(&add), false, target);
    sql_list_add(arena, &list, &sql);
    return list;
}

bool job_find(Conn *conn, const PlanJob *plan, bool *found, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_TIMESCALE_JOB,
                 PARAMS(plan->procedure.schema, plan->procedure.rel, plan->config), &rows, err))
        return false;
    *found = rows_count(rows) > 0;
    return true;
}
