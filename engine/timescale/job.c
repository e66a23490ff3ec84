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

/* A job belongs to who adds it, and no function changes that. Where the role is there, may log in
 * (add_job() asks for it), run the procedure, and be taken, it is for the rest of the transaction.
 */
static void append_owner(Arena *arena, SqlList *list, const Conn *conn, const PlanJob *plan)
{
    if (plan->owner == NULL)
        return;
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT pg_catalog.set_config('role', r.rolname::text, true)"
                     " FROM pg_catalog.pg_roles r WHERE r.rolname = ");
    ddl_literal(&sql, conn, plan->owner);
    str_append(&sql, " AND r.rolname <> CURRENT_USER AND r.rolcanlogin AND "
                     "pg_catalog.pg_has_role(r.oid, 'MEMBER')"
                     " AND pg_catalog.has_schema_privilege(r.oid, ");
    ddl_literal(&sql, conn, plan->procedure.schema);
    str_append(&sql, ", 'USAGE') AND pg_catalog.has_function_privilege(r.oid, ");
    append_procedure(&sql, conn, &plan->procedure);
    str_append(&sql, "::oid, 'EXECUTE')");
    sql_list_add(arena, list, &sql);
}

SqlList job_sql(Arena *arena, const Conn *conn, const PlanJob *plan, const TsTarget *target)
{
    SqlList list = {0};
    append_owner(arena, &list, conn, plan);
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
    if (plan->drifts)
        str_append(&add, ", fixed_schedule => false");
    if (plan->check.rel != NULL) {
        str_append(&add, ", check_config => ");
        append_procedure(&add, conn, &plan->check);
    }
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
