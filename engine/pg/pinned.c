/*
 * The settings that every session begins with (settings_table.c) and those that its options ask
 * for: set, and read back, since a pooler or a role may stand in between.
 */
#include "pg/conn_internal.h"

#include "pg/settings_table.h"

static void pin(Str *sql, const Conn *conn, const char *name, const char *value)
{
    char *literal = PQescapeLiteral(conn->pg, value, strlen(value));
    str_appendf(sql, "SET %s = %s;\n", name, literal);
    PQfreemem(literal);
}

static void startup_setting(Str *startup, const char *name, const char *value)
{
    str_appendf(startup, " -c %s=", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == ' ' || *c == '\\')
            str_append_char(startup, '\\');
        str_append_char(startup, *c);
    }
}

char *pinned_options(Arena *arena, const char *given)
{
    AUTO_STR Str options = {0};
    str_append(&options, given == NULL ? "" : given);
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++)
        if (s->min_version == 0)
            startup_setting(&options, s->name, s->value);
    return str_dup(arena, &options);
}

char *pinned_startup(Conn *conn, const ConnOptions *options)
{
    AUTO_STR Str startup = {0};
    AUTO_CONNINFO PQconninfoOption *given = PQconninfo(conn->pg);
    for (const PQconninfoOption *o = given; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "options") == 0 && o->val != NULL)
            str_append(&startup, o->val);
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++)
        if (conn_version(conn) >= s->min_version)
            startup_setting(&startup, s->name, s->value);
    str_appendf(&startup, " -c lock_timeout=%d", options->lock_timeout_ms);
    return str_dup(&conn->arena, &startup);
}

bool pinned_reported(Conn *conn, Err *err)
{
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++) {
        const char *is = PQparameterStatus(conn->pg, s->name);
        if (is != NULL && strcmp(is, s->value) != 0)
            return err_set(err, ERR_CONNECT,
                           "the %s does not keep the session setting %s: it is \"%s\", not \"%s\"",
                           conn_side_name(conn->side), s->name, is, s->value);
    }
    return true;
}

static bool set(Conn *conn, const ConnOptions *options, Err *err)
{
    AUTO_STR Str sql = {0};
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++) {
        if (conn_version(conn) < s->min_version)
            continue;
        if (strcmp(s->name, "DateStyle") == 0 || strcmp(s->name, "search_path") == 0)
            str_appendf(&sql, "SET %s = %s;\n", s->name, s->value); /* lists: not one literal */
        else
            pin(&sql, conn, s->name, s->value);
    }
    str_appendf(&sql, "SET lock_timeout = %d;\n", options->lock_timeout_ms);
    if (options->replica_sql != NULL)
        str_appendf(&sql, "%s;\n", options->replica_sql);
    if (options->async_commit)
        str_append(&sql, "SET synchronous_commit = 'off';\n");
    /* A fence of ours makes the database read-only for others; our sessions say what they are. */
    str_appendf(&sql, "SET default_transaction_read_only = '%s';\n",
                options->read_only ? "on" : "off");
    return pg_script(conn, sql.data, err);
}

static const char *find_setting(const PGresult *result, const char *name)
{
    for (int row = 0; row < PQntuples(result); row++) {
        if (strcmp(PQgetvalue(result, row, 0), name) == 0)
            return PQgetvalue(result, row, 1);
    }
    return NULL;
}

static bool check_setting(Conn *conn, const PGresult *result, const char *name, const char *want,
                          Err *err)
{
    const char *is = find_setting(result, name);
    if (text_equal(is, want))
        return true;
    err_set(err, ERR_CONNECT,
            "the %s does not keep the session setting %s: it is \"%s\", not \"%s\"",
            conn_side_name(conn->side), name, is != NULL ? is : "(not there)", want);
    return err_hint(err,
                    "A connection pooler or a role setting stands in between: connect directly.");
}

static bool read_back(Conn *conn, const ConnOptions *options, Err *err)
{
    /* The simple protocol: replication connections know no other. */
    AUTO_RESULT PGresult *result = NULL;
    if (PQsendQuery(conn->pg, "SELECT name, setting FROM pg_catalog.pg_settings") == 0)
        return conn_result_error(conn, NULL, err);
    if (!conn_next_result(conn, &result, err))
        return false;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        conn_discard_results(conn);
        return conn_result_error(conn, result, err);
    }
    conn_discard_results(conn);
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++) {
        if (conn_version(conn) >= s->min_version &&
            !check_setting(conn, result, s->name, s->value, err))
            return false;
    }
    const char *lock = arena_printf(&conn->arena, "%d", options->lock_timeout_ms);
    if (!check_setting(conn, result, "lock_timeout", lock, err))
        return false;
    if (options->replica_sql != NULL &&
        !check_setting(conn, result, "session_replication_role", "replica", err))
        return false;
    if (options->async_commit && !check_setting(conn, result, "synchronous_commit", "off", err))
        return false;
    return check_setting(conn, result, "default_transaction_read_only",
                         options->read_only ? "on" : "off", err);
}

bool pinned_set(Conn *conn, const ConnOptions *options, Err *err)
{
    return set(conn, options, err) && read_back(conn, options, err);
}
