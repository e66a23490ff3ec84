/*
 * Checks of what the target's user may do, where the run has another way when it may not.
 */
#include "preflight/check.h"

#include "base/str.h"
#include "cdc/quiet.h"
#include "sql_text.h"

#include <string.h>

/* Foreign keys that read their table in the downtime, since they cannot be added NOT VALID. */
static size_t whole_keys(const Blueprint *blueprint)
{
    size_t count = 0;
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        const CatRelation *table = catalog_relation(blueprint->source, key->table_oid);
        bool partitioned =
            table != NULL && table->kind == 'p' && !relation_is_gathered(key->relation);
        count += (blueprint->plan->schema.foreign_keys_validated && key->validated) ||
                 (partitioned && blueprint->target->server.version < 180000);
    }
    return count;
}

/* Apply under replica role keeps triggers and keys silent; without it they are made later. */
void check_replica_role(Check *check)
{
    const Side *target = &check->target;
    const Blueprint *blueprint = check->blueprint;
    if (!blueprint_keeps_quiet(blueprint))
        return;
    size_t whole = whole_keys(blueprint);
    check_add(check, CODE_REPLICA_ROLE, whole > 0 ? FINDING_WARNING : FINDING_INFO, target,
              check_part(check, target->catalog->server.user),
              whole == 0
                  ? "may not set session_replication_role: triggers, rules and foreign keys are "
                    "made after the drain"
                  : check_text(check,
                               "may not set session_replication_role: triggers, rules and foreign "
                               "keys are made after the drain, and %zu foreign keys read their "
                               "tables in the downtime",
                               whole),
              "They would act on replicated changes a second time. The run goes without the right; "
              "foreign keys are validated behind the cutover, while the target takes writes.",
              check_remedy(check, target, TOPIC_REPLICA_ROLE, NULL, NULL));
}

/* Tables that stand on the target already, with triggers or keys that nobody can silence. */
bool probe_quiet(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const Side *target = &check->target;
    if (!blueprint_keeps_quiet(check->blueprint) || check->input->resuming)
        return true;
    if (!quiet_acting(check->blueprint, target->conn, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Name table = {rows_text(rows, r, 2), rows_text(rows, r, 3)};
        const char *kind = arena_strdup(check->arena, rows_text(rows, r, 0));
        const char *name = check_sql_part(check, target, rows_text(rows, r, 1));
        bool key = kind[0] == 'f';
        check_add(check, CODE_ACTING, FINDING_ERROR, target, check_name(check, &table),
                  check_text(check, "its %s %s would act on replicated changes", kind, name),
                  "session_replication_role cannot be set here, which would silence it.",
                  check_text(check,
                             key ? "-- drop it for the run: ALTER TABLE %s DROP CONSTRAINT %s"
                                 : "ALTER TABLE %s DISABLE %s %s;",
                             check_sql(check, target, &table),
                             key              ? name
                             : kind[0] == 't' ? "TRIGGER"
                                              : "RULE",
                             name));
    }
    return true;
}

/* --- powers --- */

/* Tried in a transaction that is rolled back, whatever comes of it. */
static bool try_sql(Conn *conn, const char *sql, bool *may, Err *refused, Err *err)
{
    if (!pg_begin(conn, "READ WRITE", err))
        return false;
    *may = pg_script(conn, sql, refused);
    pg_rollback(conn);
    return *may || conn_is_ok(conn) || err_move(err, refused);
}

static const char *power_remedy(Check *check, const ProviderPower *power)
{
    const Side *target = &check->target;
    AUTO_STR Str out = {0};
    for (const char *at = power->remedy; *at != '\0';) {
        if (text_starts_with(at, "$user")) {
            str_append(&out, check_sql_part(check, target, target->catalog->server.user));
            at += strlen("$user");
        } else if (text_starts_with(at, "$database")) {
            str_append(&out, check_sql_part(check, target, target->catalog->server.database));
            at += strlen("$database");
        } else {
            str_append_char(&out, *at++);
        }
    }
    return str_dup(check->arena, &out);
}

static bool probe_power(Check *check, const ProviderPower *power, Err *err)
{
    const Side *target = &check->target;
    AUTO_ERR Err refused = {0};
    bool may = false;
    if (!try_sql(target->conn, power->probe, &may, &refused, err))
        return false;
    if (!may)
        check_add(check, CODE_POWER, FINDING_INFO, target, power->name,
                  check_text(check, "%s may not %s",
                             check_part(check, target->catalog->server.user), power->what),
                  check_text(check, "Instead: %s.", power->fallback), power_remedy(check, power));
    return true;
}

/* In the order in which the step creates them, all in one transaction: one may need another. */
static bool probe_extensions(Check *check, Err *err)
{
    const Side *target = &check->target;
    const Blueprint *blueprint = check->blueprint;
    if (!pg_begin(target->conn, "READ WRITE", err))
        return false;
    for (size_t i = 0; i < blueprint->extension_count; i++) {
        const ExtensionDef *extension = &blueprint->extensions[i];
        AUTO_ERR Err refused = {0};
        if (!check->plan->extensions.create_missing || extension->on_target ||
            strcmp(extension->name, "timescaledb") == 0 ||
            catalog_available(target->catalog, extension->name) == NULL)
            continue; /* TimescaleDB wants a session of its own */
        const char *name = check_sql_part(check, target, extension->name);
        const char *schema = check_sql_part(check, target, extension->schema);
        bool system = strncmp(extension->schema, "pg_", 3) == 0;
        if (pg_script(target->conn,
                      check_text(check, "SAVEPOINT godwit; %s%s; CREATE EXTENSION %s SCHEMA %s",
                                 system ? "" : "CREATE SCHEMA IF NOT EXISTS ", system ? "" : schema,
                                 name, schema),
                      &refused))
            continue;
        if (!conn_is_ok(target->conn))
            return err_move(err, &refused);
        check_add(check, CODE_EXTENSION_CREATE, FINDING_ERROR, target, name,
                  check_text(check, "may not be created here: %s", refused.message),
                  "Selected objects need it.",
                  check_remedy(check, target, TOPIC_EXTENSION, name, NULL));
        if (!pg_script(target->conn, "ROLLBACK TO SAVEPOINT godwit", err))
            return false;
    }
    pg_rollback(target->conn);
    return true;
}

bool probe_powers(Check *check, Err *err)
{
    size_t count = 0;
    const ProviderPower *powers = provider_powers(&count);
    if (!check->input->tries || check->target.catalog->server.in_recovery)
        return true;
    for (size_t i = 0; i < count; i++)
        if (!probe_power(check, &powers[i], err))
            return false;
    return probe_extensions(check, err);
}

/* --- sessions --- */

/* What the fence cannot end rolls the cutover back; better known before. */
static bool probe_sessions_of(Check *check, const Side *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *user = check_sql_part(check, side, side->catalog->server.user);
    if (!pg_one(side->conn, SQL_PREFLIGHT_UNENDABLE, NO_PARAMS, &rows, err))
        return false;
    if (rows_int64(rows, 0, 0) == 0)
        return true;
    bool told = rows_bool(rows, 0, 1);
    check_add(check, CODE_SIGNAL, FINDING_WARNING, side, "sessions",
              check_text(check, "%lld session%s of superusers %s open%s",
                         (long long)rows_int64(rows, 0, 0), rows_int64(rows, 0, 0) == 1 ? "" : "s",
                         rows_int64(rows, 0, 0) == 1 ? "is" : "are",
                         told ? "" : ", clients or background workers: this role is not told"),
              "The cutover ends every other client's session; a session that it cannot end, or "
              "tell from a background worker (TimescaleDB's scheduler), rolls it back.",
              told ? "-- end them before the cutover"
                   : check_text(check, "GRANT pg_read_all_stats TO %s;", user));
    return true;
}

bool probe_sessions(Check *check, Err *err)
{
    if (!probe_sessions_of(check, &check->target, err))
        return false;
    return check->plan->cutover.method == PLAN_STOP_MANUAL ||
           probe_sessions_of(check, &check->source, err);
}

/* --- roles that a closed side does not close out --- */

static bool probe_own_settings_of(Check *check, const Side *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(side->conn, SQL_CUTOVER_OWN_SETTINGS, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *name = check_text(check, "%s", rows_text(rows, r, 0));
        const char *database = check_sql_part(check, side, side->catalog->server.database);
        check_add(check, CODE_OWN_SETTING, FINDING_ERROR, side, check_part(check, name),
                  "has default_transaction_read_only = off as a setting of its own",
                  "A side is closed by that setting of the database, which a role's own overrules: "
                  "it would go on writing where nobody reads any more.",
                  rows_bool(rows, r, 1)
                      ? check_text(check,
                                   "ALTER ROLE %s IN DATABASE %s RESET "
                                   "default_transaction_read_only;",
                                   check_sql_part(check, side, name), database)
                      : check_text(check, "ALTER ROLE %s RESET default_transaction_read_only;",
                                   check_sql_part(check, side, name)));
    }
    return true;
}

bool probe_own_settings(Check *check, Err *err)
{
    PlanStopWrites method = check->plan->cutover.method;
    bool closes = method == PLAN_STOP_LOCK || method == PLAN_STOP_READ_ONLY;
    return (!closes || probe_own_settings_of(check, &check->source, err)) &&
           probe_own_settings_of(check, &check->target, err);
}
