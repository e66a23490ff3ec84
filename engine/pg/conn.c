/*
 * Conn: opening, closing, what is known of a connection. Its settings are pinned by pinned.c,
 * waited is in answer.c; what runs on it is in query.c, copy.c, repl.c and pipeline.c.
 */
#include "pg/conn_internal.h"

#include "base/clock.h"

#include <poll.h>

#define CONNECT_TIMEOUT_MS 30000
/* An idle connection whose other end is gone is known after 10 + 3 x 5 seconds. */
#define KEEPALIVES_IDLE        "10"
#define KEEPALIVES_INTERVAL    "5"
#define KEEPALIVES_COUNT       "3"
#define USER_TIMEOUT_WATCH_MS  "10000"
#define USER_TIMEOUT_SOURCE_MS "30000"

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
char *libpq_text(Arena *arena, const char *message)
{
    char *text = arena_strdup(arena, message != NULL ? message : "");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \n", text[length - 1]) != NULL)
        text[--length] = '\0';
    char *end = text;
    for (const char *c = text; *c != '\0'; c++) {
        bool blank = strchr(" \t\n", *c) != NULL;
        if (!blank || end == text || end[-1] != ' ')
            *end++ = blank ? ' ' : *c;
    }
    *end = '\0';
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

/* A walsender before 10 takes no SQL: its settings come with its start, where one that is refused
 * ends it. Most cannot be read back; those that a server reports by itself are. */
#define WALSENDER_SQL_VERSION 100000

static bool takes_sql(const Conn *conn, const ConnOptions *options)
{
    return !options->replication || conn_version(conn) >= WALSENDER_SQL_VERSION;
}

static bool pin_by_startup(Conn *conn, const Endpoint *endpoint, const ConnOptions *options,
                           Err *err)
{
    const char *startup = pinned_startup(conn, options);
    PQfinish(conn->pg);
    conn->pg = NULL;
    return connect_start(conn, endpoint, options, startup, err) && pinned_reported(conn, err);
}

static bool guard_lets(const Endpoint *endpoint, const ConnOptions *options, Conn *conn, Err *err)
{
    if (endpoint->guard == NULL || options->stop == NULL || options->replication)
        return true;
    return endpoint->guard->stands(endpoint->guard->data, conn, err);
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
    AUTO_CONNINFO PQconninfoOption *parsed = NULL;
    if (!endpoint_parse(endpoint, &parsed, err) ||
        !connect_start(conn, endpoint, options, NULL, err))
        return false;
    if (!takes_sql(conn, options) && !pin_by_startup(conn, endpoint, options, err))
        return false;
    make_label(conn);
    conn->cancel = PQgetCancel(conn->pg);
    if (PQsetnonblocking(conn->pg, 1) != 0)
        return conn_result_error(conn, NULL, err);
    if (takes_sql(conn, options) && !pinned_set(conn, options, err))
        return err_context(err, "%s", conn->label);
    if (!guard_lets(endpoint, options, conn, err))
        return false;
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

bool conn_idle(Conn *conn, int timeout_ms)
{
    return stop_poll(conn->stop, PQsocket(conn->pg), POLLIN, timeout_ms) >= 0;
}

bool conn_in_transaction(const Conn *conn)
{
    PGTransactionStatusType status = PQtransactionStatus(conn->pg);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}
