/*
 * Aggregate: SQL, ranges and facts.
 */
#include "timescale/aggregate.h"

#include "base/str.h"
#include "plan/mentions.h"
#include "sql_text.h"

#include <ctype.h>

/* Releases in which what is replicated (under session_replication_role = replica) is not logged for
 * the next refresh, and a refresh can be told to look at everything. */
#define FORCE_FROM   218
#define FORCE_BEFORE 223

bool aggregate_reads(const PlanAggregate *aggregate, const PlanAggregate *other)
{
    return aggregate != other && sql_mentions(aggregate->query, &other->target_view);
}

/* --- statements --- */

/* Without what ends a statement. */
static size_t query_length(const char *query)
{
    size_t length = strlen(query);
    while (length > 0 && (isspace((unsigned char)query[length - 1]) || query[length - 1] == ';'))
        length--;
    return length;
}

static void append_indexes(Arena *arena, SqlList *list, const Conn *conn, const PlanAggregate *plan)
{
    for (size_t i = 0; i < plan->index_count; i++) {
        AUTO_STR Str sql = {0};
        str_append(&sql, plan->indexes[2 * i]);
        ddl_qname(&sql, conn, &plan->target_view);
        str_append(&sql, plan->indexes[2 * i + 1]);
        sql_list_add(arena, list, &sql);
    }
}

PlanHypertable aggregate_as_table(const PlanAggregate *aggregate)
{
    return (PlanHypertable){.target_table = aggregate->target_view,
                            .columnstore = aggregate->columnstore,
                            .retention = aggregate->retention,
                            .is_aggregate = true,
                            .pos = aggregate->pos};
}

static void append_columnstore(Arena *arena, SqlList *list, const Conn *conn,
                               const PlanAggregate *plan, const TsTarget *target)
{
    const PlanHypertable table = aggregate_as_table(plan);
    if (plan->columnstore == NULL)
        return;
    SqlList more = columnstore_sql(arena, conn, &table, target);
    for (size_t i = 0; i < more.count; i++)
        *vec_push(arena, list) = more.items[i];
}

SqlList aggregate_sql(Arena *arena, const Conn *conn, const PlanAggregate *plan,
                      const TsTarget *target)
{
    SqlList list = {0};
    AUTO_STR Str sql = {0};
    str_append(&sql, "SET LOCAL search_path = ");
    ddl_ident(&sql, conn, target->schema);
    sql_list_add(arena, &list, &sql);
    str_reset(&sql);
    str_append(&sql, "CREATE MATERIALIZED VIEW ");
    ddl_qname(&sql, conn, &plan->target_view);
    str_appendf(&sql, " WITH (timescaledb.continuous, timescaledb.materialized_only = %s%s) AS\n",
                plan->materialized_only ? "true" : "false",
                plan->mirrored ? ", timescaledb.create_group_indexes = false" : "");
    str_append_bytes(&sql, plan->query, query_length(plan->query));
    str_append(&sql, "\nWITH NO DATA"); /* a line of its own: the query may end in a comment */
    sql_list_add(arena, &list, &sql);
    append_indexes(arena, &list, conn, plan);
    append_columnstore(arena, &list, conn, plan, target);
    return list;
}

/* The hypertable of the plan whose clock counts for the aggregate: the one that it reads, or that
 * those read which it reads. */
static const PlanHypertable *clock_of(const Blueprint *blueprint, const PlanAggregate *aggregate,
                                      size_t depth)
{
    for (size_t i = 0; i < blueprint->hypertable_count; i++)
        if (blueprint->hypertables[i]->integer_now_func != NULL &&
            sql_mentions(aggregate->query, &blueprint->hypertables[i]->target_table))
            return blueprint->hypertables[i];
    const PlanHypertable *found = NULL;
    for (size_t i = 0; i < blueprint->aggregate_count && depth > 0 && found == NULL; i++)
        if (aggregate_reads(aggregate, blueprint->aggregates[i]))
            found = clock_of(blueprint, blueprint->aggregates[i], depth - 1);
    return found;
}

/* "now() - offset" of an integer column. \return false when nothing says what now is */
static bool append_integer_end(Str *sql, const Conn *conn, const Blueprint *blueprint,
                               const PlanAggregate *aggregate)
{
    AUTO_ARENA Arena arena = {0};
    Name now;
    const PlanHypertable *clock = clock_of(blueprint, aggregate, blueprint->aggregate_count);
    if (clock == NULL || !name_parse(&arena, clock->integer_now_func, &now))
        return false;
    ddl_qname(sql, conn, &now);
    str_appendf(sql, "() - %s", aggregate->refresh->end_offset);
    return true;
}

/* Where the plan ends what is refreshed. */
static void append_end(Str *sql, const Conn *conn, const Blueprint *blueprint,
                       const PlanAggregate *aggregate)
{
    const PlanRefresh *refresh = aggregate->refresh;
    if (refresh == NULL || refresh->end_offset == NULL)
        str_append(sql, "NULL");
    else if (!refresh->end_is_integer)
        ts_span(sql, conn, refresh->end_offset, false);
    else if (!append_integer_end(sql, conn, blueprint, aggregate))
        str_append(sql, "NULL");
}

const char *aggregate_refresh_sql(Arena *arena, const Conn *conn, const Blueprint *blueprint,
                                  const PlanAggregate *aggregate, const AggregateRange *range,
                                  const TsTarget *target)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "CALL ");
    ts_function(&sql, conn, target->schema, "refresh_continuous_aggregate");
    ts_relation(&sql, conn, &aggregate->target_view);
    str_append(&sql, ", ");
    if (range->start == NULL)
        str_append(&sql, "NULL");
    else
        ddl_literal(&sql, conn, range->start);
    str_append(&sql, ", ");
    if (range->until == NULL)
        append_end(&sql, conn, blueprint, aggregate);
    else
        ddl_literal(&sql, conn, range->until);
    if (target->release >= FORCE_FROM && target->release < FORCE_BEFORE)
        str_append(&sql, ", force => true");
    str_append(&sql, ")");
    return str_dup(arena, &sql);
}

static void append_offset(Str *sql, const Conn *conn, const char *key, const char *offset,
                          bool is_integer)
{
    str_appendf(sql, ", %s => ", key);
    if (offset == NULL)
        str_append(sql, "NULL");
    else if (is_integer)
        ddl_literal(sql, conn, offset); /* of the column's own type, whatever that is */
    else
        ts_span(sql, conn, offset, false);
}

/* What add_continuous_aggregate_policy() takes in some versions only, all of them keep in the
 * configuration. */
static void append_more(Arena *arena, SqlList *list, const Conn *conn, const PlanAggregate *plan,
                        const TsTarget *target)
{
    if (plan->refresh->policy.more == NULL)
        return;
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT ");
    ts_function(&sql, conn, target->schema, "alter_job");
    str_append(&sql, "j.job_id");
    policy_more(&sql, conn, &plan->refresh->policy);
    str_append(&sql, ") FROM timescaledb_information.jobs j"
                     " JOIN _timescaledb_catalog.continuous_agg a"
                     " ON j.config ->> 'mat_hypertable_id' = a.mat_hypertable_id::text"
                     " WHERE a.user_view_schema = ");
    ddl_literal(&sql, conn, plan->target_view.schema);
    str_append(&sql, " AND a.user_view_name = ");
    ddl_literal(&sql, conn, plan->target_view.rel);
    str_append(&sql, " AND j.proc_name = 'policy_refresh_continuous_aggregate'");
    sql_list_add(arena, list, &sql);
}

SqlList aggregate_policy_sql(Arena *arena, const Conn *conn, const PlanAggregate *plan,
                             const TsTarget *target)
{
    const PlanRefresh *refresh = plan->refresh;
    SqlList list = {0};
    AUTO_STR Str add = {0};
    AUTO_STR Str sql = {0};
    ts_function(&add, conn, target->schema, "add_continuous_aggregate_policy");
    ts_relation(&add, conn, &plan->target_view);
    append_offset(&add, conn, "start_offset", refresh->start_offset, refresh->start_is_integer);
    append_offset(&add, conn, "end_offset", refresh->end_offset, refresh->end_is_integer);
    policy_schedule(&add, conn, &refresh->policy);
    policy_altered(&sql, conn, &refresh->policy, str_text(&add), true, target);
    sql_list_add(arena, &list, &sql);
    append_more(arena, &list, conn, plan, target);
    return list;
}

/* --- ranges --- */

/* Where an integer column's refresh ends, as a number; NULL: with the last row. */
static bool integer_limit(Arena *arena, Conn *conn, const Blueprint *blueprint,
                          const PlanAggregate *aggregate, const char **limit, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    *limit = NULL;
    if (aggregate->refresh == NULL || !aggregate->refresh->end_is_integer)
        return true;
    str_append(&sql, "SELECT ");
    if (!append_integer_end(&sql, conn, blueprint, aggregate))
        return true;
    if (!pg_one(conn, sql.data, NO_PARAMS, &rows, err))
        return false;
    *limit = arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool aggregate_ranges(Arena *arena, Conn *conn, const Blueprint *blueprint,
                      const PlanAggregate *aggregate, const char *done, AggregateRanges *ranges,
                      Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const Name *view = &aggregate->target_view;
    const PlanRefresh *refresh = aggregate->refresh;
    const char *limit = NULL;
    const char *age = refresh == NULL || refresh->end_is_integer ? NULL : refresh->end_offset;
    if (!integer_limit(arena, conn, blueprint, aggregate, &limit, err) ||
        !pg_rows(conn, SQL_TIMESCALE_RANGES, PARAMS(view->schema, view->rel, age, limit, done),
                 &rows, err))
        return false;
    AggregateRange range = {0};
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *border = arena_strdup(arena, rows_text(rows, r, 0));
        range.until = border;
        if (!rows_bool(rows, r, 2))
            *vec_push(arena, ranges) = range;
        range.start = arena_strdup(arena, rows_text(rows, r, 1));
    }
    range.until = NULL;
    *vec_push(arena, ranges) = range;
    return true;
}

/* --- facts --- */

bool aggregate_find(Conn *conn, const PlanAggregate *plan, AggregateState *state, uint32_t *oid,
                    Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *state = AGGREGATE_MISSING;
    *oid = 0;
    if (!pg_rows(conn, SQL_TIMESCALE_AGGREGATE,
                 PARAMS(plan->target_view.schema, plan->target_view.rel), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *oid = rows_oid(rows, 0, 0);
    if (rows_text(rows, 0, 1) == NULL)
        *state = AGGREGATE_OTHER;
    else if (rows_bool(rows, 0, 1) != plan->materialized_only)
        *state = AGGREGATE_DIFFERENT;
    else
        *state = plan->columnstore != NULL && !rows_bool(rows, 0, 2) ? AGGREGATE_NO_STORE
                                                                     : AGGREGATE_AS_PLANNED;
    return true;
}

bool aggregate_policy_find(Conn *conn, const Name *view, bool *found, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_TIMESCALE_AGGREGATE_POLICY, PARAMS(view->schema, view->rel), &rows, err))
        return false;
    *found = rows_count(rows) > 0;
    return true;
}
