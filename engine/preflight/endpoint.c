/*
 * What answers at the addresses of the plan: one backend of the server all the time, or a pooler, a
 * proxy, a balancer; by name, and by behaviour. And whether it lets us replicate.
 */
#include "preflight/check.h"

#include "base/str.h"
#include "pg/ddl.h"
#include "pg/repl.h"
#include "sql_text.h"

#include <string.h>

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

static bool is_one_of(const Err *refused, const char *const *sqlstates)
{
    for (; *sqlstates != NULL; sqlstates++) {
        if (text_equal(refused->sqlstate, *sqlstates))
            return true;
    }
    return false;
}

/* Statements in transactions of their own must meet the same backend with the same settings and
 * prepared statements. Neon's proxy makes up its own process numbers. */
static bool probe_session(Check *check, Side *side, const char **fault, Err *err)
{
    /* Not known, known from somebody else, not offered: whatever else fails says nothing. */
    static const char *const lost[] = {"26000", "42P05", "0A000", "08P01", NULL};
    static const char leave[] = "DEALLOCATE godwit_probe; RESET godwit.probe";
    AUTO_ROWS Rows *first = NULL;
    AUTO_ROWS Rows *second = NULL;
    const char *nonce = check_text(check, "%d/%p", conn_backend_pid(side->conn), (void *)check);
    if (!pg_one(side->conn, "SELECT pg_catalog.set_config('godwit.probe', $1, false)",
                PARAMS(nonce), &first, err))
        return false;
    AUTO_ERR Err refused = {0};
    bool kept = pg_none(side->conn, "PREPARE godwit_probe AS SELECT 1", NO_PARAMS, &refused) &&
                pg_none(side->conn, "EXECUTE godwit_probe", NO_PARAMS, &refused);
    if (!kept && (!conn_is_ok(side->conn) || !is_one_of(&refused, lost)))
        return err_move(err, &refused);
    if (!pg_one(side->conn, SQL_PREFLIGHT_SESSION, PARAMS(nonce), &second, err))
        return false;
    bool same_pid = rows_int64(second, 0, 0) == conn_backend_pid(side->conn) ||
                    text_equal(side->endpoint->kind, "neon");
    if (!kept || !rows_bool(second, 0, 1))
        *fault = "settings and prepared statements do not outlive a transaction";
    else if (!same_pid)
        *fault = "the backend's process number is not the one the login told";
    AUTO_ERR Err ignored = {0};
    if (kept && !pg_script(side->conn, leave, &ignored) && !conn_is_ok(side->conn))
        return err_move(err, &ignored);
    return true;
}

/* A snapshot that one session exports can be imported by another of the same server only.
 * Source: snapmgr.c and procarray.c: 22023 invalid identifier (before 16), 42704 does not exist,
 * 55000 its transaction is not there, 0A000 it is of another database. */
static bool import_snapshot(Conn *other, const char *snapshot, bool *same, Err *err)
{
    static const char *const unknown[] = {"22023", "42704", "55000", "0A000", NULL};
    AUTO_STR Str sql = {0};
    AUTO_ERR Err refused = {0};
    str_append(&sql, "SET TRANSACTION SNAPSHOT ");
    ddl_literal(&sql, other, snapshot);
    if (!pg_begin(other, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
        return false;
    *same = pg_none(other, str_text(&sql), NO_PARAMS, &refused);
    pg_rollback(other);
    return *same || (conn_is_ok(other) && is_one_of(&refused, unknown)) || err_move(err, &refused);
}

static bool probe_server(Check *check, Side *side, const char **fault, Err *err)
{
    AUTO_CONN Conn *other = NULL;
    AUTO_ROWS Rows *rows = NULL;
    bool same = true;
    (void)check;
    if (side->address == NULL || side->catalog->server.in_recovery)
        return true;
    if (!conn_open(
            &other, side->address,
            &(ConnOptions){.purpose = "probe", .read_only = true, .stop = conn_stop(side->conn)},
            err) ||
        !pg_begin(side->conn, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
        return false;
    bool ok = pg_one(side->conn, "SELECT pg_catalog.pg_export_snapshot()", NO_PARAMS, &rows, err) &&
              import_snapshot(other, rows_text(rows, 0, 0), &same, err);
    pg_rollback(side->conn);
    if (ok && !same)
        *fault = "two connections do not reach one server: a snapshot of the one is not known to "
                 "the other";
    return ok;
}

static void replication_refused(Check *check, const Side *side, const Err *refused)
{
    bool back = side->side == CONN_TARGET;
    if (!side->facts.may_replicate)
        return; /* check_source_role() tells it, or check_way_back() */
    check_add(check, back ? CODE_BACK_ROLE : CODE_REPLICATION_ROLE,
              back && check->plan->failback.goes_without ? FINDING_WARNING : FINDING_ERROR, side,
              check_part(check, side->catalog->server.user),
              check_text(check, "a replication connection is refused: %s", refused->message),
              back ? "failback.prepare: the way back is read over a replication connection."
                   : "Snapshots are exported, and the stream is read, over replication "
                     "connections.",
              check_remedy(check, side, TOPIC_REPLICATION_ROLE, NULL, NULL));
}

/* Rights do not tell: a provider's server may let in whom its catalogs do not name, and a pooler or
 * pg_hba.conf may keep out whom they do. */
static bool probe_replication(Check *check, Side *side, const char **fault, Err *err)
{
    AUTO_CONN Conn *repl = NULL;
    AUTO_ERR Err refused = {0};
    ReplServer server = {0};
    const char *known = side->catalog->server.system_identifier;
    if (side->address == NULL || (side->side == CONN_TARGET && !check->plan->failback.prepare))
        return true;
    const ConnOptions options = {
        .purpose = "probe", .replication = true, .stop = conn_stop(side->conn)};
    if (!conn_open(&repl, side->address, &options, &refused)) {
        AUTO_ROWS Rows *rows = NULL;
        if (refused.code != ERR_CONNECT) /* it was let in, and something else failed */
            return err_move(err, &refused);
        if (!pg_one(side->conn, "SELECT 1", NO_PARAMS, &rows, err))
            return false; /* the server is gone for everybody */
        replication_refused(check, side, &refused);
        return true;
    }
    side->facts.may_replicate = true;
    if (!repl_identify(check->arena, repl, &server, err))
        return false;
    if (known != NULL && strcmp(known, server.system) != 0)
        *fault = "replication and SQL reach two servers: their system identifiers differ";
    return true;
}

/* One after the other: behind a pooler the later ones would wait for each other. */
bool probe_endpoint(Check *check, Side *side, Err *err)
{
    static bool (*const looks[])(Check *, Side *, const char **,
                                 Err *) = {probe_session, probe_server, probe_replication};
    const char *fault = NULL;
    if (!probe_address(check, side, err))
        return false;
    for (size_t i = 0; fault == NULL && i < sizeof(looks) / sizeof(looks[0]); i++)
        if (!looks[i](check, side, &fault, err))
            return false;
    if (fault != NULL)
        found_pooler(check, side, fault);
    return true;
}
