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
    facts->large_objects = rows_int64(rows, 0, 13);
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

static void found_pooler(Check *check, const Side *side, const char *message)
{
    check_add(check, CODE_POOLER, FINDING_ERROR, side,
              check_part(check, side->catalog->server.database), message,
              "Snapshots, locks, prepared statements and replication need one session of the "
              "server itself; behind a pooler they are lost or shared without a word.",
              check_remedy(check, side, TOPIC_DIRECT, NULL, NULL));
}

/* An address that is known to be a pooler's, or a database name that only a pooler knows. */
static bool probe_address(Check *check, Side *side, Err *err)
{
    const char *host = NULL;
    const char *port = NULL;
    const char *dbname = NULL;
    if (side->address == NULL)
        return true;
    if (!endpoint_describe(check->arena, side->address, &host, &port, &dbname, err))
        return false;
    const ProviderEndpoint *known = provider_endpoint(host, port);
    if (known != NULL)
        check_add(check, CODE_POOLER, FINDING_ERROR, side, host,
                  check_text(check, "this address is that of %s", known->what),
                  "Snapshots, locks and replication need one session of the primary itself.",
                  check_text(check, "-- %s", known->advice));
    const char *actual = side->catalog->server.database;
    if (known == NULL && dbname != NULL && *dbname != '\0' && strcmp(dbname, actual) != 0)
        found_pooler(check, side,
                     check_text(check, "asked for database %s and got %s",
                                check_part(check, dbname), check_part(check, actual)));
    return true;
}

/* Statements in transactions of their own must meet the same backend with the same settings and
 * prepared statements. Neon's proxy makes up its own process numbers. */
bool probe_pooler(Check *check, Side *side, Err *err)
{
    static const char leave[] = "DEALLOCATE godwit_probe; RESET godwit.probe";
    AUTO_ROWS Rows *first = NULL;
    AUTO_ROWS Rows *second = NULL;
    const char *nonce = check_text(check, "%d/%p", conn_backend_pid(side->conn), (void *)check);
    if (!probe_address(check, side, err) ||
        !pg_one(side->conn, "SELECT pg_catalog.set_config('godwit.probe', $1, false)",
                PARAMS(nonce), &first, err))
        return false;
    AUTO_ERR Err refused = {0};
    bool kept = pg_none(side->conn, "PREPARE godwit_probe AS SELECT 1", NO_PARAMS, &refused) &&
                pg_none(side->conn, "EXECUTE godwit_probe", NO_PARAMS, &refused);
    if (!kept && !conn_is_ok(side->conn))
        return err_move(err, &refused);
    if (!pg_one(side->conn, SQL_PREFLIGHT_SESSION, PARAMS(nonce), &second, err))
        return false;
    bool same_pid = rows_int64(second, 0, 0) == conn_backend_pid(side->conn) ||
                    text_equal(side->endpoint->kind, "neon");
    if (!kept || !rows_bool(second, 0, 1))
        found_pooler(check, side, "settings and prepared statements do not outlive a transaction");
    else if (!same_pid)
        found_pooler(check, side, "the backend's process number is not the one the login told");
    AUTO_ERR Err ignored = {0};
    if (kept && !pg_script(side->conn, leave, &ignored) && !conn_is_ok(side->conn))
        return err_move(err, &ignored);
    return true;
}

static bool kinds_agree(const char *planned, const char *found)
{
    if (found == NULL)
        return strcmp(planned, "self_hosted") == 0;
    return strcmp(planned, found) == 0;
}

bool probe_provider(Check *check, Side *side, Err *err)
{
    const char *kind = NULL;
    const char *evidence = NULL;
    if (!provider_detect(check->arena, side->conn, &kind, &evidence, err))
        return false;
    if (kinds_agree(side->endpoint->kind, kind))
        return true;
    const char *found = kind == NULL ? "self_hosted" : kind;
    const char *message =
        kind == NULL ? check_text(check, "the plan says %s, but nothing on the server points to it",
                                  side->endpoint->kind)
                     : check_text(check, "the plan says %s, but the server looks like %s (%s)",
                                  side->endpoint->kind, kind, evidence);
    check_add(check, CODE_PROVIDER, FINDING_WARNING, side, side->endpoint->kind, message,
              "The kind decides which remedies are shown and which limits are expected.",
              check_text(check, "-- in the plan: %s.kind: %s, if that is what it is",
                         conn_side_name(side->side), found));
    return true;
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
