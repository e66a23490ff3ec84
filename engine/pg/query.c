/*
 * Queries: send, wait on socket and stop, check the shape. The beginning of the statement goes with
 * an error, so that a reader knows which one failed; of a script it is the statement that did.
 */
#include "pg/query.h"

#include "base/vec.h"
#include "pg/conn_internal.h"
#include "pg/fault.h"
#include "pg/split.h"
#include "sql_text.h"

#include <inttypes.h>

#define STATEMENT_SHOWN_BYTES 200

/* How much of a statement may be told: the value of a setting, an option of a foreign server or of
 * a user there, a connection may be a secret. */
static const struct {
    const char *head;
    const char *secret; /* what is behind this is not told */
} HIDING[] = {
    {"ALTER DATABASE ", " TO "},
    {"ALTER ROLE ", " TO "},
    {"ALTER SERVER ", " OPTIONS "},
    {"ALTER SUBSCRIPTION ", " CONNECTION "},
    {"ALTER USER MAPPING ", " OPTIONS "},
    {"CREATE SERVER ", " OPTIONS "},
    {"CREATE SUBSCRIPTION ", " CONNECTION "},
    {"CREATE USER MAPPING ", " OPTIONS "},
};

static const char *hidden(const char *sql)
{
    for (size_t i = 0; i < sizeof(HIDING) / sizeof(HIDING[0]); i++) {
        const char *secret = strncmp(sql, HIDING[i].head, strlen(HIDING[i].head)) == 0
                                 ? strstr(sql, HIDING[i].secret)
                                 : NULL;
        if (secret != NULL)
            return secret + strlen(HIDING[i].secret) - 1;
    }
    return NULL;
}

static bool tell(const char *what, const char *sql, Err *err)
{
    const char *cut = hidden(sql);
    size_t length = cut != NULL ? (size_t)(cut - sql) : strlen(sql);
    if (length <= STATEMENT_SHOWN_BYTES)
        return err_detail(err, "%s: %.*s%s", what, (int)length, sql, cut != NULL ? " ..." : "");
    return err_detail(err, "%s: %.*s...", what, STATEMENT_SHOWN_BYTES, sql);
}

static bool statement_error(const char *sql, Err *err)
{
    return tell("Statement", sql, err);
}

/* Where the server's position, counted in characters from 1, is in bytes. */
static size_t position_bytes(const char *sql, uint32_t position)
{
    size_t at = 0;
    for (uint32_t left = position; sql[at] != '\0'; at++) {
        left -= ((unsigned char)sql[at] & 0xC0U) != 0x80U;
        if (left == 0)
            break;
    }
    return at;
}

/* Which statement it was: the one that the server points into, else the one behind those that it
 * has answered. */
static bool script_error(const char *sql, size_t answered, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err ignored = {0};
    SqlStatements all = {0};
    size_t index = answered;
    if (!sql_split(&arena, sql, &all, &ignored) || all.count < 2)
        return statement_error(sql, err);
    size_t at = position_bytes(sql, err->position);
    for (size_t i = 0; err->position != 0 && i < all.count; i++)
        if (all.items[i].offset <= at)
            index = i;
    if (index >= all.count)
        return statement_error(sql, err);
    return tell(arena_printf(&arena, "Statement %zu of %zu", index + 1, all.count),
                all.items[index].text, err);
}

const char *pg_text_for(const char *sql, int version)
{
    if (version >= sql_variants_before)
        return sql;
    for (const SqlVariant *variant = sql_variants; variant->sql != NULL; variant++)
        if (*variant->sql == sql && version < variant->before)
            return variant->text;
    return sql;
}

/* Runs one statement by the extended protocol and returns its only result. */
static bool run(Conn *conn, const char *sql, Params params, PGresult **result, Err *err)
{
    sql = pg_text_for(sql, conn_version(conn));
    if (!fault_point(conn, FAULT_STATEMENT, sql, err))
        return statement_error(sql, err);
    if (PQsendQueryParams(conn->pg, sql, params.count, NULL, params.values, NULL, NULL, 0) == 0) {
        conn_result_error(conn, NULL, err);
        return statement_error(sql, err);
    }
    if (!conn_next_result(conn, result, err))
        return statement_error(sql, err);
    ExecStatusType status = PQresultStatus(*result);
    bool ok =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    if (!ok)
        conn_result_error(conn, *result, err);
    conn_discard_results(conn);
    return (ok && fault_behind(conn, sql, err)) || statement_error(sql, err);
}

bool pg_affected(Conn *conn, const char *sql, Params params, int64_t *affected, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!run(conn, sql, params, &result, err))
        return false;
    *affected = strtoll(PQcmdTuples(result), NULL, 10);
    return true;
}

bool pg_none(Conn *conn, const char *sql, Params params, Err *err)
{
    int64_t ignored = 0;
    return pg_affected(conn, sql, params, &ignored, err);
}

bool pg_script(Conn *conn, const char *sql, Err *err)
{
    size_t answered = 0;
    if (!fault_point(conn, FAULT_STATEMENT, sql, err))
        return statement_error(sql, err);
    if (PQsendQuery(conn->pg, sql) == 0) {
        conn_result_error(conn, NULL, err);
        return statement_error(sql, err);
    }
    for (;;) {
        AUTO_RESULT PGresult *result = NULL;
        if (!conn_next_result(conn, &result, err))
            return err_is_set(err) && script_error(sql, answered, err);
        if (result == NULL)
            return true;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
            status == PGRES_EMPTY_QUERY) {
            answered++;
            continue;
        }
        conn_result_error(conn, result, err);
        conn_discard_results(conn);
        return script_error(sql, answered, err);
    }
}

bool pg_rows(Conn *conn, const char *sql, Params params, Rows **rows, Err *err)
{
    PGresult *result = NULL;
    if (!run(conn, sql, params, &result, err)) {
        PQclear(result);
        return false;
    }
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        BUG("a statement without rows was sent by pg_rows(): %s", sql);
    *rows = mem_resize(NULL, sizeof(Rows));
    (*rows)->result = result;
    return true;
}

bool pg_one(Conn *conn, const char *sql, Params params, Rows **rows, Err *err)
{
    if (!pg_rows(conn, sql, params, rows, err))
        return false;
    if (rows_count(*rows) == 1)
        return true;
    err_set(err, ERR_SQL, "%s: one row was expected, %zu came", conn_side_name(conn->side),
            rows_count(*rows));
    rows_free(*rows);
    *rows = NULL;
    return statement_error(sql, err);
}

bool pg_begin(Conn *conn, const char *modes, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *sql = modes == NULL ? "BEGIN" : arena_printf(&arena, "BEGIN %s", modes);
    return pg_none(conn, sql, NO_PARAMS, err);
}

bool pg_commit(Conn *conn, Err *err)
{
    AUTO_RESULT PGresult *result = NULL;
    if (!run(conn, "COMMIT", NO_PARAMS, &result, err))
        return false;
    if (strcmp(PQcmdStatus(result), "COMMIT") == 0)
        return true;
    return err_set(err, ERR_SQL, "%s: the transaction was rolled back at its commit",
                   conn_side_name(conn->side));
}

void pg_rollback(Conn *conn)
{
    if (conn == NULL || !conn_is_ok(conn) || PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        return;
    AUTO_ERR Err err = {0};
    const Stop *stop = conn->stop;
    conn->stop = NULL; /* a stop does not keep a transaction open */
    if (!pg_none(conn, "ROLLBACK", NO_PARAMS, &err))
        log_debug(&conn->log, "rollback: %s", err.message);
    conn->stop = stop;
}

size_t rows_count(const Rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

const char *rows_text(const Rows *rows, size_t row, size_t column)
{
    if (PQgetisnull(rows->result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(rows->result, (int)row, (int)column);
}

int64_t rows_int64(const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    if (text == NULL)
        return 0;
    char *end = NULL;
    int64_t value = strtoll(text, &end, 10);
    if (end == text || *end != '\0')
        BUG("column %zu of a query is no integer: \"%s\"", column, text);
    return value;
}

uint32_t rows_oid(const Rows *rows, size_t row, size_t column)
{
    int64_t value = rows_int64(rows, row, column);
    if (value < 0 || value > UINT32_MAX)
        BUG("column %zu of a query is no oid: %" PRId64, column, value);
    return (uint32_t)value;
}

size_t rows_place(const Rows *rows, size_t column, uint32_t oid)
{
    size_t low = 0;
    for (size_t high = rows_count(rows); low < high;) {
        size_t middle = low + (high - low) / 2;
        if (rows_oid(rows, middle, column) < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool rows_bool(const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    if (text == NULL)
        return false;
    if (strcmp(text, "t") != 0 && strcmp(text, "f") != 0)
        BUG("column %zu of a query is no boolean: \"%s\"", column, text);
    return *text == 't';
}

double rows_double(const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    return text == NULL ? 0 : strtod(text, NULL);
}

Lsn rows_lsn(const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    Lsn lsn = 0;
    AUTO_ERR Err err = {0};
    if (text != NULL && !lsn_parse(text, &lsn, &err))
        BUG("column %zu of a query: %s", column, err.message);
    return lsn;
}

char rows_char(const Rows *rows, size_t row, size_t column)
{
    const char *text = rows_text(rows, row, column);
    return text == NULL ? '\0' : *text;
}

typedef VEC(const char *) ListVec;

/* One element; its end is where the reading goes on. What stands in quotes is freed of them in
 * place: it becomes no longer by that. */
static char *list_item(char **at)
{
    char *item = *at, *to = item;
    if (*item != '"') {
        *at += strcspn(item, " ,}");
        if (**at != '\0')
            *(*at)++ = '\0';
        return item;
    }
    for ((*at)++; **at != '\0' && **at != '"'; (*at)++) {
        *at += **at == '\\';
        *to++ = **at;
    }
    *at += **at == '"';
    *to = '\0';
    return item;
}

size_t rows_list(Arena *arena, const Rows *rows, size_t row, size_t column, const char ***items)
{
    ListVec list = {0};
    const char *text = rows_text(rows, row, column);
    char *at = text == NULL ? NULL : arena_strdup(arena, text);
    while (at != NULL && *(at += strspn(at, " ,{}")) != '\0')
        *vec_push(arena, &list) = list_item(&at);
    *items = list.items;
    return list.count;
}

void rows_free(Rows *rows)
{
    if (rows == NULL)
        return;
    PQclear(rows->result);
    mem_free(rows);
}
