/*
 * Facts of one session, and the live probes: is this one backend of the server all the time, is it
 * the server that the plan expects, whose is it.
 */
#include "preflight/check.h"

#include "base/clock.h"
#include "base/str.h"
#include "sql_text.h"

#include <string.h>

bool facts_read(Check *check, Side *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Facts *facts = &side->facts;
    if (!pg_one(side->conn, SQL_PREFLIGHT_FACTS, NO_PARAMS, &rows, err) ||
        !pg_rows(side->conn, SQL_PREFLIGHT_SCHEMAS, NO_PARAMS, &facts->schemas, err))
        return err_context(err, "asking the %s what this session may do",
                           conn_side_name(side->side));
    facts->may_replicate = rows_bool(rows, 0, 0) || rows_bool(rows, 0, 1);
    facts->sees_every_row = rows_bool(rows, 0, 2);
    facts->slots_used = rows_int64(rows, 0, 3);
    facts->senders_used = rows_int64(rows, 0, 4);
    facts->connections_used = rows_int64(rows, 0, 5);
    facts->prepared = rows_int64(rows, 0, 6);
    facts->prepared_names = arena_strdup(check->arena, rows_text(rows, 0, 7));
    facts->may_create = rows_bool(rows, 0, 8);
    facts->owns_database = rows_bool(rows, 0, 9);
    facts->role_limit = rows_int64(rows, 0, 10);
    facts->database_limit = rows_int64(rows, 0, 11);
    facts->may_signal = rows_bool(rows, 0, 12);
    return true;
}

void facts_release(Facts *facts)
{
    rows_free(facts->schemas);
    facts->schemas = NULL;
}

bool facts_schema(const Facts *facts, const char *schema, bool *usage, bool *create)
{
    size_t low = 0;
    size_t high = rows_count(facts->schemas);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rows_text(facts->schemas, middle, 0), schema);
        if (order == 0) {
            *usage = rows_bool(facts->schemas, middle, 1);
            *create = rows_bool(facts->schemas, middle, 2);
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The address itself is compared before connecting; here, the database that answered. */
bool probe_expect(Check *check, Side *side, Err *err)
{
    (void)check;
    const char *expected = side->endpoint->expect.dbname;
    const char *actual = side->catalog->server.database;
    if (expected == NULL || strcmp(expected, actual) == 0)
        return true;
    return err_set(err, ERR_STALE, "%s: the plan expects database %s, but this is %s",
                   conn_side_name(side->side), expected, actual);
}
