/*
 * Repl: START_REPLICATION, CopyBoth messages, status updates.
 */
#include "pg/repl.h"

#include "base/clock.h"
#include "base/str.h"
#include "pg/conn_internal.h"
#include "pg/fault.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define WAL_HEADER_BYTES       25 /* 'w', start, end, time */
#define KEEPALIVE_HEADER_BYTES 18 /* 'k', end, time, reply */
#define FEEDBACK_BYTES         34 /* 'r', written, flushed, applied, time, reply */

static void quoted(Str *sql, Conn *conn, const char *text, bool is_name)
{
    char *out = is_name ? PQescapeIdentifier(conn->pg, text, strlen(text))
                        : PQescapeLiteral(conn->pg, text, strlen(text));
    str_append(sql, out);
    PQfreemem(out);
}

/* A walsender sends each change by itself. Over the loopback every such send runs through the whole
 * stack at once, at the walsender's expense, unless the receiver's window is closed: then it is
 * only queued. So the window is kept small there; elsewhere it stays as large as the way is long.
 */
#define LOOPBACK_WINDOW_BYTES (64 * 1024)

static void narrow_loopback(Conn *conn)
{
    const char *address = PQhostaddr(conn->pg);
    const int bytes = LOOPBACK_WINDOW_BYTES;
    if (address != NULL && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0) &&
        setsockopt(PQsocket(conn->pg), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0)
        log_debug(&conn->log, "the receive buffer stays as it is");
}

static void pgoutput_options(Str *sql, Conn *conn, const ReplStart *spec)
{
    str_appendf(sql, "proto_version '%d', publication_names ", spec->proto_version);
    quoted(sql, conn, spec->publications, false);
    if (spec->messages)
        str_append(sql, ", messages 'true'");
    if (spec->streaming)
        str_append(sql, ", streaming 'on'");
    if (spec->binary)
        str_append(sql, ", binary 'true'");
}

bool repl_start(Conn *conn, const ReplStart *spec, Err *err)
{
    if (!fault_point(conn, FAULT_STATEMENT, "START_REPLICATION", err))
        return false;
    AUTO_STR Str sql = {0};
    str_append(&sql, "START_REPLICATION SLOT ");
    quoted(&sql, conn, spec->slot, true);
    str_appendf(&sql, " LOGICAL %s (", lsn_text(spec->position).text);
    if (spec->test_decoding)
        str_append(&sql, "\"include-xids\" '1', \"include-timestamp\" '1'");
    else
        pgoutput_options(&sql, conn, spec);
    str_append(&sql, ")");
    if (PQsendQuery(conn->pg, sql.data) == 0)
        return conn_result_error(conn, NULL, err);
    AUTO_RESULT PGresult *result = NULL;
    if (!conn_next_result(conn, &result, err))
        return false;
    if (PQresultStatus(result) == PGRES_COPY_BOTH) {
        narrow_loopback(conn);
        return true;
    }
    conn_result_error(conn, result, err);
    conn_discard_results(conn);
    return err_context(err, "could not start replication from slot \"%s\"", spec->slot);
}

static uint64_t read_be64(const char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | (uint8_t)at[i];
    return value;
}

static void write_be64(char *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--) {
        at[i] = (char)(value & 0xff);
        value >>= 8;
    }
}

/* The stream is over: the server says why in a result. */
static bool stream_ended(Conn *conn, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!conn_next_result(conn, &result, err))
        return false;
    if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR)
        return conn_result_error(conn, result, err);
    return err_set(err, ERR_LOST, "lost the connection to the %s: the server ended the stream",
                   conn_side_name(conn->side));
}

static bool parse(ReplMessage *message, size_t size, Err *err)
{
    const char *at = message->buffer;
    if (at[0] == 'w' && size >= WAL_HEADER_BYTES) {
        message->keepalive = false;
        message->reply_requested = false;
        message->wal_end = read_be64(at + 9);
        message->data = at + WAL_HEADER_BYTES;
        message->bytes = size - WAL_HEADER_BYTES;
        return true;
    }
    if (at[0] == 'k' && size >= KEEPALIVE_HEADER_BYTES) {
        message->keepalive = true;
        message->wal_end = read_be64(at + 1);
        message->reply_requested = at[17] != 0;
        message->data = NULL;
        message->bytes = 0;
        return true;
    }
    return err_set(err, ERR_PROTOCOL,
                   "unknown message in the replication stream: 0x%02x, %zu bytes",
                   (unsigned)(uint8_t)at[0], size);
}

void repl_release(ReplMessage *message)
{
    PQfreemem(message->buffer);
    message->buffer = NULL;
}

bool repl_next(Conn *conn, ReplMessage *message, bool *got, Err *err)
{
    repl_release(message);
    *got = false;
    int size = PQgetCopyData(conn->pg, &message->buffer, 1);
    if (size == 0) {
        if (PQconsumeInput(conn->pg) == 0)
            return conn_result_error(conn, NULL, err);
        size = PQgetCopyData(conn->pg, &message->buffer, 1);
    }
    if (size == 0)
        return true;
    if (size < 0)
        return size == -1 ? stream_ended(conn, err) : conn_result_error(conn, NULL, err);
    *got = true;
    return fault_point(conn, FAULT_MESSAGE, NULL, err) && parse(message, (size_t)size, err);
}

bool repl_wait(Conn *conn, int timeout_ms, Err *err)
{
    int left = PQflush(conn->pg);
    if (left < 0)
        return conn_result_error(conn, NULL, err);
    short events = left > 0 ? POLLIN | POLLOUT : POLLIN;
    if (stop_poll(conn->stop, PQsocket(conn->pg), events, timeout_ms) < 0)
        return stop_error(conn->stop, err);
    return true;
}

bool repl_feedback(Conn *conn, const ReplFeedback *feedback, Err *err)
{
    char bytes[FEEDBACK_BYTES] = {'r'};
    write_be64(bytes + 1, feedback->received);
    write_be64(bytes + 9, feedback->flushed);
    write_be64(bytes + 17, feedback->applied);
    write_be64(bytes + 25, (uint64_t)(clock_unix_us() - CLOCK_PG_EPOCH_US));
    bytes[33] = feedback->reply ? 1 : 0;
    if (PQputCopyData(conn->pg, bytes, FEEDBACK_BYTES) < 0 || PQflush(conn->pg) < 0)
        return conn_result_error(conn, NULL, err);
    return true;
}

/* \param columns how many the one row must have */
static bool command(Conn *conn, const char *text, int columns, PGresult **result, Err *err)
{
    if (PQsendQuery(conn->pg, text) == 0)
        return conn_result_error(conn, NULL, err);
    if (!conn_next_result(conn, result, err))
        return false;
    bool ok = PQresultStatus(*result) == PGRES_TUPLES_OK && PQntuples(*result) == 1 &&
              PQnfields(*result) >= columns;
    if (!ok)
        conn_result_error(conn, *result, err);
    conn_discard_results(conn);
    return ok;
}

bool repl_identify(Arena *arena, Conn *conn, ReplServer *server, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!command(conn, "IDENTIFY_SYSTEM", 2, &result, err))
        return false;
    server->system = arena_strdup(arena, PQgetvalue(result, 0, 0));
    server->timeline = (uint32_t)strtoul(PQgetvalue(result, 0, 1), NULL, 10);
    return true;
}

/* "1\t0/3000060\tno recovery target specified": a timeline, where it ended, why. */
static bool history_line(Arena *arena, const char *line, uint32_t then, Lsn *left, Err *err)
{
    char *end = NULL;
    unsigned long timeline = strtoul(line, &end, 10);
    if (end == line || timeline != then) /* a comment, an empty line, another one */
        return true;
    end += strspn(end, " \t");
    return lsn_parse(arena_memdup(arena, end, strcspn(end, " \t")), left, err) ||
           err_recode(err, ERR_PROTOCOL);
}

bool repl_timeline_left(Conn *conn, uint32_t now, uint32_t then, Lsn *left, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_RESULT PGresult *result = NULL;
    *left = 0;
    if (!command(conn, arena_printf(&arena, "TIMELINE_HISTORY %" PRIu32, now), 2, &result, err))
        return false;
    const char *content = PQgetvalue(result, 0, 1);
    for (const char *line = content; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (!history_line(&arena, arena_memdup(&arena, line, length), then, left, err))
            return false;
        line += length + (line[length] == '\n');
    }
    return true;
}
