/*
 * Conn: opening, pinning and reading back, waiting. What runs on a connection is in query.c,
 * copy.c, repl.c and pipeline.c.
 */
#include "pg/conn_internal.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"
#include "pg/cancel.h"
#include "pg/fault.h"
#include "pg/settings_table.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 30000
/* An idle connection whose other end is gone is known after 10 + 3 x 5 seconds. */
#define KEEPALIVES_IDLE        "10"
#define KEEPALIVES_INTERVAL    "5"
#define KEEPALIVES_COUNT       "3"
#define USER_TIMEOUT_WATCH_MS  "10000"
#define USER_TIMEOUT_SOURCE_MS "30000"
#define CANCEL_DRAIN_MS        5000
#define CANCEL_SEND_MS         2000

const char *conn_side_name(ConnSide side)
{
    return side == CONN_SOURCE ? "source" : "target";
}

static bool parse_conninfo(const Endpoint *endpoint, PQconninfoOption **options, Err *err)
{
    char *message = NULL;
    *options = PQconninfoParse(endpoint->conninfo, &message);
    PQfreemem(message); /* may quote the string, password included: never printed */
    if (*options == NULL) {
        err_set(err, ERR_USAGE, "the connection string of the %s cannot be parsed",
                conn_side_name(endpoint->side));
        return err_hint(err,
                        "Use host=... port=... dbname=... user=..., or postgresql://user@host/db; "
                        "the text is not shown because it may hold a password.");
    }
    return true;
}

static void options_free(PQconninfoOption **options)
{
    if (*options != NULL)
        PQconninfoFree(*options);
}

bool endpoint_describe(Arena *arena, const Endpoint *endpoint, const char **host, const char **port,
                       const char **dbname, Err *err)
{
    __attribute__((cleanup(options_free))) PQconninfoOption *options = NULL;
    if (!parse_conninfo(endpoint, &options, err))
        return false;
    __attribute__((cleanup(options_free))) PQconninfoOption *defaults = PQconndefaults();
    *host = *port = *dbname = "";
    for (PQconninfoOption *from = defaults; from != NULL;
         from = from == defaults ? options : NULL) {
        for (PQconninfoOption *o = from; o->keyword != NULL; o++) {
            if (o->val == NULL)
                continue;
            if (strcmp(o->keyword, "host") == 0)
                *host = arena_strdup(arena, o->val);
            else if (strcmp(o->keyword, "port") == 0)
                *port = arena_strdup(arena, o->val);
            else if (strcmp(o->keyword, "dbname") == 0)
                *dbname = arena_strdup(arena, o->val);
        }
    }
    return true;
}

const char *endpoint_password(Arena *arena, const Endpoint *endpoint)
{
    AUTO_ERR Err ignored = {0};
    const char *password = NULL;
    __attribute__((cleanup(options_free))) PQconninfoOption *options = NULL;
    if (!parse_conninfo(endpoint, &options, &ignored))
        return NULL;
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "password") == 0)
            password = arena_strdup(arena, o->val);
    }
    return password;
}

typedef VEC(const char *) TextVec;

/* A line of a password file that fits every server.
 * \note Source: PostgreSQL documentation, "The Password File": \ and : are escaped. */
static bool write_password(const char *password, int *fd, Err *err)
{
    AUTO_STR Str line = {0};
    str_append(&line, "*:*:*:*:");
    for (const char *c = password; *c != '\0'; c++) {
        if (*c == ':' || *c == '\\')
            str_append_char(&line, '\\');
        str_append_char(&line, *c);
    }
    str_append_char(&line, '\n');
    *fd = memfd_create("godwit_passfile", MFD_CLOEXEC);
    /* libpq takes no file that others can read. */
    if (*fd >= 0 && fchmod(*fd, S_IRUSR | S_IWUSR) == 0 &&
        write(*fd, line.data, line.length) == (ssize_t)line.length)
        return true;
    return err_set(err, ERR_IO, "could not keep a password for pg_dump: %s", strerror(errno));
}

static void keep_variables(Arena *arena, TextVec *env)
{
    static const char *const KEPT[] = {"PATH",          "HOME",          "TMPDIR",      "LANG",
                                       "SSL_CERT_FILE", "PGSERVICEFILE", "PGSYSCONFDIR"};
    for (size_t i = 0; i < sizeof(KEPT) / sizeof(KEPT[0]); i++) {
        const char *value = getenv(KEPT[i]);
        if (value != NULL)
            *vec_push(arena, env) = arena_printf(arena, "%s=%s", KEPT[i], value);
    }
}

const char *const *tool_env(Arena *arena)
{
    TextVec env = {0};
    keep_variables(arena, &env);
    *vec_push(arena, &env) = NULL;
    return env.items;
}

const char *const *conn_tool_env(Arena *arena, const Endpoint *endpoint, int *passfile, Err *err)
{
    __attribute__((cleanup(options_free))) PQconninfoOption *options = NULL;
    const char *password = getenv("PGPASSWORD");
    const char *file = endpoint->passfile != NULL ? endpoint->passfile : getenv("PGPASSFILE");
    TextVec env = {0};
    *passfile = -1;
    if (!parse_conninfo(endpoint, &options, err))
        return NULL;
    keep_variables(arena, &env);
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val == NULL)
            continue;
        if (strcmp(o->keyword, "password") == 0)
            password = o->val;
        else if (strcmp(o->keyword, "passfile") == 0)
            file = endpoint->passfile != NULL ? file : o->val;
        else if (strcmp(o->keyword, "service") == 0)
            *vec_push(arena, &env) = arena_printf(arena, "PGSERVICE=%s", o->val);
        else if (o->envvar != NULL)
            *vec_push(arena, &env) = arena_printf(arena, "%s=%s", o->envvar, o->val);
    }
    if (password != NULL && *password != '\0') {
        if (!write_password(password, passfile, err))
            return NULL;
        file = arena_printf(arena, "/proc/%d/fd/%d", (int)getpid(), *passfile);
    }
    if (file != NULL)
        *vec_push(arena, &env) = arena_printf(arena, "PGPASSFILE=%s", file);
    *vec_push(arena, &env) = NULL;
    return env.items;
}

static void on_notice(void *data, const PGresult *result)
{
    const Conn *conn = data;
    const char *tree = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message == NULL)
        return;
    if (conn->parse_tree != NULL && tree != NULL && strcmp(message, "parse tree:") == 0)
        str_append(conn->parse_tree, tree);
    else if (severity != NULL && strcmp(severity, "WARNING") == 0)
        log_warn(&conn->log, "server: %s", message);
    else if (conn->shows_notices)
        log_info(&conn->log, "server: %s", message);
    else
        log_debug(&conn->log, "server: %s", message);
}

static void make_label(Conn *conn)
{
    const char *host = PQhost(conn->pg);
    conn->label = arena_printf(&conn->arena, "%s %s@%s:%s/%s (%s)", conn_side_name(conn->side),
                               PQuser(conn->pg), host != NULL ? host : "", PQport(conn->pg),
                               PQdb(conn->pg), conn->purpose);
    conn->log.conn = conn->label;
}

/* libpq ends its messages with a newline and may begin a new line per address tried. */
static char *libpq_text(Arena *arena, const char *message)
{
    char *text = arena_strdup(arena, message != NULL ? message : "");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \n", text[length - 1]) != NULL)
        text[--length] = '\0';
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\n')
            *c = ' ';
    }
    return text;
}

static bool connect_error(Conn *conn, const char *what, Err *err)
{
    err_set(err, ERR_CONNECT, "could not connect to the %s: %s", conn_side_name(conn->side), what);
    return err_hint(
        err,
        "Check host, port, database, user and password of the %s, that the server runs, "
        "and that pg_hba.conf lets this machine in.",
        conn_side_name(conn->side));
}

static bool connect_wait(Conn *conn, Err *err)
{
    int64_t deadline = clock_ms() + CONNECT_TIMEOUT_MS;
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
    while (wants != PGRES_POLLING_OK && wants != PGRES_POLLING_FAILED) {
        int left = (int)(deadline - clock_ms());
        short events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        int ready = left <= 0 ? 0 : stop_poll(conn->stop, PQsocket(conn->pg), events, left);
        if (ready < 0)
            return stop_error(conn->stop, err);
        if (ready == 0)
            return connect_error(conn, "no answer within 30 seconds", err);
        wants = PQconnectPoll(conn->pg);
    }
    if (wants == PGRES_POLLING_FAILED)
        return connect_error(conn, libpq_text(&conn->arena, PQerrorMessage(conn->pg)), err);
    return true;
}

/* Within what time bytes that were sent must be taken. A way that swallows everything shows by it.
 * It also ends connections to a server that is there and does not read, as a target does while it
 * works on the statement before: so it is short only where little is sent, to the source and in the
 * session that watches for all the others. */
static const char *user_timeout(const Endpoint *endpoint, const ConnOptions *options)
{
    if (options->watches)
        return USER_TIMEOUT_WATCH_MS;
    return endpoint->side == CONN_SOURCE ? USER_TIMEOUT_SOURCE_MS : "0";
}

/* startup: settings as the server's command line takes them; NULL: those of the conninfo. */
static bool connect_start(Conn *conn, const Endpoint *endpoint, const ConnOptions *options,
                          const char *startup, Err *err)
{
    const char *name = arena_printf(&conn->arena, "godwit %s %s",
                                    endpoint->run ? endpoint->run : "", options->purpose);
    /* Later keywords win: defaults stand before the plan's own string, what we insist on after it.
     */
    const char *keywords[] = {"keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "dbname",
                              "application_name",
                              "client_encoding",
                              options->replication ? "replication" : "fallback_application_name",
                              startup != NULL ? "options" : "fallback_application_name",
                              endpoint->passfile != NULL ? "passfile" : NULL,
                              NULL};
    const char *values[] = {KEEPALIVES_IDLE,
                            KEEPALIVES_INTERVAL,
                            KEEPALIVES_COUNT,
                            user_timeout(endpoint, options),
                            endpoint->conninfo,
                            name,
                            "UTF8",
                            options->replication ? "database" : "godwit",
                            startup != NULL ? startup : "godwit",
                            endpoint->passfile,
                            NULL};
    conn->pg = PQconnectStartParams(keywords, values, 1);
    if (conn->pg == NULL)
        err_out_of_memory(0);
    if (PQstatus(conn->pg) == CONNECTION_BAD)
        return connect_error(conn, libpq_text(&conn->arena, PQerrorMessage(conn->pg)), err);
    PQsetNoticeReceiver(conn->pg, on_notice, conn);
    return connect_wait(conn, err);
}

static void pin(Str *sql, const Conn *conn, const char *name, const char *value)
{
    char *literal = PQescapeLiteral(conn->pg, value, strlen(value));
    str_appendf(sql, "SET %s = %s;\n", name, literal);
    PQfreemem(literal);
}

/* A walsender before 10 takes no SQL: its settings come with its start, where one that is refused
 * ends it. Most cannot be read back; those that a server reports by itself are. */
#define WALSENDER_SQL_VERSION 100000

static bool takes_sql(const Conn *conn, const ConnOptions *options)
{
    return !options->replication || conn_version(conn) >= WALSENDER_SQL_VERSION;
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

static char *startup_settings(Conn *conn, const ConnOptions *options)
{
    AUTO_STR Str startup = {0};
    __attribute__((cleanup(options_free))) PQconninfoOption *given = PQconninfo(conn->pg);
    for (const PQconninfoOption *o = given; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "options") == 0 && o->val != NULL)
            str_append(&startup, o->val);
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++)
        if (conn_version(conn) >= s->min_version)
            startup_setting(&startup, s->name, s->value);
    str_appendf(&startup, " -c lock_timeout=%d", options->lock_timeout_ms);
    return str_dup(&conn->arena, &startup);
}

static bool pin_by_startup(Conn *conn, const Endpoint *endpoint, const ConnOptions *options,
                           Err *err)
{
    const char *startup = startup_settings(conn, options);
    PQfinish(conn->pg);
    conn->pg = NULL;
    if (!connect_start(conn, endpoint, options, startup, err))
        return false;
    for (const PinnedSetting *s = PINNED_SETTINGS; s->name != NULL; s++) {
        const char *is = PQparameterStatus(conn->pg, s->name);
        if (is != NULL && strcmp(is, s->value) != 0)
            return err_set(err, ERR_CONNECT,
                           "the %s does not keep the session setting %s: it is \"%s\", not \"%s\"",
                           conn_side_name(conn->side), s->name, is, s->value);
    }
    return true;
}

static bool pin_settings(Conn *conn, const ConnOptions *options, Err *err)
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

bool conn_open(Conn **out, const Endpoint *endpoint, const ConnOptions *options, Err *err)
{
    AUTO_CONN Conn *conn = mem_resize(NULL, sizeof(Conn));
    *conn = (Conn){.side = endpoint->side, .stop = options->stop};
    conn->purpose = arena_strdup(&conn->arena, options->purpose);
    conn->shows_notices = options->shows_notices;
    conn->log.run = arena_strdup(&conn->arena, endpoint->run);
    if (stop_reason(options->stop) != STOP_NONE)
        return stop_error(options->stop, err);
    __attribute__((cleanup(options_free))) PQconninfoOption *parsed = NULL;
    if (!parse_conninfo(endpoint, &parsed, err) ||
        !connect_start(conn, endpoint, options, NULL, err))
        return false;
    if (!takes_sql(conn, options) && !pin_by_startup(conn, endpoint, options, err))
        return false;
    make_label(conn);
    conn->cancel = PQgetCancel(conn->pg);
    if (PQsetnonblocking(conn->pg, 1) != 0)
        return conn_result_error(conn, NULL, err);
    if (takes_sql(conn, options) &&
        (!pin_settings(conn, options, err) || !read_back(conn, options, err)))
        return err_context(err, "%s", conn->label);
    *out = conn;
    conn = NULL;
    return true;
}

void conn_close(Conn *conn)
{
    if (conn == NULL)
        return;
    PQfreeCancel(conn->cancel);
    PQfinish(conn->pg);
    arena_release(&conn->arena);
    mem_free(conn);
}

const LogCtx *conn_log(const Conn *conn)
{
    return &conn->log;
}

void conn_set_step(Conn *conn, const char *step_id)
{
    conn->log.step = step_id;
}

void conn_set_stop(Conn *conn, const Stop *stop)
{
    conn->stop = stop;
}

const Stop *conn_stop(const Conn *conn)
{
    return conn->stop;
}

ConnSide conn_side(const Conn *conn)
{
    return conn->side;
}

int conn_version(const Conn *conn)
{
    return PQserverVersion(conn->pg);
}

const char *conn_version_text(Arena *arena, int version)
{
    if (version >= 100000)
        return arena_printf(arena, "%d", version / 10000);
    return arena_printf(arena, "%d.%d", version / 10000, version / 100 % 100);
}

int conn_backend_pid(const Conn *conn)
{
    return PQbackendPID(conn->pg);
}

bool conn_is_ok(const Conn *conn)
{
    return PQstatus(conn->pg) == CONNECTION_OK;
}

bool conn_is_ended(Conn *conn)
{
    /* What an idle session is sent is its end, or a notice. */
    if (conn_is_ok(conn) && stop_poll(NULL, PQsocket(conn->pg), POLLIN, 0) > 0 &&
        PQconsumeInput(conn->pg) == 0)
        return true;
    return !conn_is_ok(conn);
}

bool conn_in_transaction(const Conn *conn)
{
    PGTransactionStatusType status = PQtransactionStatus(conn->pg);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

/* A server that ends our session speaks of it before the socket breaks. */
static bool sqlstate_is_lost(const char *sqlstate)
{
    return strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0;
}

bool conn_result_error(Conn *conn, const PGresult *result, Err *err)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(conn->pg) == CONNECTION_BAD || (state != NULL && sqlstate_is_lost(state));
    if (primary == NULL)
        primary = libpq_text(&err->arena, PQerrorMessage(conn->pg));
    if (lost)
        err_set(err, ERR_LOST, "lost the connection to the %s: %s", conn_side_name(conn->side),
                primary);
    else
        err_set(err, ERR_SQL, "%s: %s", conn_side_name(conn->side), primary);
    if (state != NULL)
        memcpy(err->sqlstate, state, 5);
    if (result == NULL)
        return false;
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    err->position = position == NULL ? 0 : (uint32_t)strtoul(position, NULL, 10);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (detail != NULL)
        err_detail(err, "%s", detail);
    if (context != NULL)
        err_detail(err, "%s", context);
    if (hint != NULL)
        err_hint(err, "%s", hint);
    return false;
}

void pg_cancel(Conn *conn)
{
    if (conn->cancel != NULL && !cancel_send(conn->cancel, CANCEL_SEND_MS))
        conn->cancel = NULL;
}

/* One result off the connection, for the next statement to be possible.
 * \return false behind the last, and where a COPY goes on */
static bool take_result(PGconn *pg)
{
    AUTO_RESULT PGresult *result = PQgetResult(pg);
    if (result == NULL)
        return false;
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COPY_IN && status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH;
}

/* The stop came while a statement runs: cancel it, and take its end off the wire so that the
 * session can still roll back. */
static bool stop_statement(Conn *conn, Err *err)
{
    pg_cancel(conn);
    int64_t deadline = clock_ms() + CANCEL_DRAIN_MS;
    for (bool more = true; more;) {
        while (PQisBusy(conn->pg) && clock_ms() < deadline) {
            if (stop_poll(NULL, PQsocket(conn->pg), POLLIN, 100) > 0 &&
                PQconsumeInput(conn->pg) == 0)
                break;
        }
        more = PQisBusy(conn->pg) == 0 && take_result(conn->pg);
    }
    /* Nobody answers: whoever rolls back on this connection must not wait for it as well. */
    if (PQisBusy(conn->pg))
        (void)shutdown(PQsocket(conn->pg), SHUT_RDWR);
    return stop_error(conn->stop, err);
}

static bool wait_socket(Conn *conn, short events, Err *err)
{
    if (stop_poll(conn->stop, PQsocket(conn->pg), events, -1) < 0)
        return stop_statement(conn, err);
    if (PQconsumeInput(conn->pg) == 0)
        return conn_result_error(conn, NULL, err);
    return true;
}

bool conn_flush(Conn *conn, Err *err)
{
    for (;;) {
        int left = PQflush(conn->pg);
        if (left < 0)
            return conn_result_error(conn, NULL, err);
        if (left == 0)
            return true;
        if (!wait_socket(conn, POLLIN | POLLOUT, err))
            return false;
    }
}

bool conn_wait_input(Conn *conn, Err *err)
{
    return conn_flush(conn, err) && wait_socket(conn, POLLIN, err);
}

bool conn_next_result(Conn *conn, PGresult **result, Err *err)
{
    if (!conn_flush(conn, err))
        return false;
    while (PQisBusy(conn->pg)) {
        if (!wait_socket(conn, POLLIN, err))
            return false;
    }
    *result = PQgetResult(conn->pg);
    return true;
}

void conn_discard_results(Conn *conn)
{
    for (;;) {
        AUTO_ERR Err ignored = {0};
        AUTO_RESULT PGresult *result = NULL;
        if (PQstatus(conn->pg) == CONNECTION_BAD || !conn_next_result(conn, &result, &ignored) ||
            result == NULL)
            return;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return;
    }
}
