/*
 * Mark: JSON in, JSON out; and how it gets into the WAL.
 */
#include "cdc/mark.h"

#include "base/str.h"
#include "sql_text.h"

#include <jansson.h>

static void json_scope(json_t **json)
{
    json_decref(*json);
}

char *mark_content(Arena *arena, const char *run_mark, const char *nonce)
{
    __attribute__((cleanup(json_scope))) json_t *object = json_object();
    json_object_set_new(object, "run", json_string(run_mark));
    if (nonce != NULL)
        json_object_set_new(object, "marker", json_string(nonce));
    else
        json_object_set_new(object, "heartbeat", json_true());
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        BUG("a logical message cannot be written as JSON: run mark \"%s\"", run_mark);
    char *copy = arena_strdup(arena, text);
    mem_free(text);
    return copy;
}

#define MESSAGES_VERSION 90600 /* pg_logical_emit_message() is there from here on */

static bool emit_by_row(Conn *conn, const char *content, Lsn *lsn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    bool own = !conn_in_transaction(conn);
    bool done = (!own || pg_begin(conn, "READ WRITE", err)) &&
                pg_none(conn,
                        "CREATE SCHEMA " MARK_SCHEMA " CREATE TABLE " MARK_TABLE
                        " (prefix text, content text)",
                        NO_PARAMS, err) &&
                pg_none(conn, "INSERT INTO " MARK_SCHEMA "." MARK_TABLE " VALUES ($1, $2)",
                        PARAMS(MARK_PREFIX, content), err) &&
                pg_one(conn, SQL_VERIFY_INSERT_LSN, NO_PARAMS, &rows, err) &&
                pg_none(conn, "DROP SCHEMA " MARK_SCHEMA " CASCADE", NO_PARAMS, err) &&
                (!own || pg_commit(conn, err));
    if (!done && own)
        pg_rollback(conn);
    if (done)
        *lsn = rows_lsn(rows, 0, 0);
    return done;
}

bool mark_emit(Conn *conn, const char *run_mark, const char *nonce, Lsn *lsn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const char *content = mark_content(&arena, run_mark, nonce);
    if (conn_version(conn) < MESSAGES_VERSION)
        return emit_by_row(conn, content, lsn, err);
    if (!pg_one(conn, SQL_CDC_MESSAGE_EMIT, PARAMS(MARK_PREFIX, content), &rows, err))
        return false;
    *lsn = rows_lsn(rows, 0, 0);
    return true;
}

const char *mark_statements(int version)
{
    if (version < MESSAGES_VERSION)
        return "CREATE SCHEMA " MARK_SCHEMA " CREATE TABLE " MARK_TABLE
               " (prefix text, content text); INSERT INTO " MARK_SCHEMA "." MARK_TABLE
               " VALUES ('" MARK_PREFIX "', (marker of this run)); DROP SCHEMA " MARK_SCHEMA
               " CASCADE";
    return "SELECT pg_catalog.pg_logical_emit_message(true, '" MARK_PREFIX
           "', (marker of this run))";
}

char *mark_nonce(Arena *arena, const PgoLogicalMessage *message, const char *run_mark)
{
    if (!message->transactional || strcmp(message->prefix, MARK_PREFIX) != 0)
        return NULL;
    json_error_t ignored;
    __attribute__((cleanup(json_scope))) json_t *object = json_loadb(
        (const char *)message->content, message->content_bytes, JSON_REJECT_DUPLICATES, &ignored);
    const char *run = json_string_value(json_object_get(object, "run"));
    const char *nonce = json_string_value(json_object_get(object, "marker"));
    if (run == NULL || nonce == NULL || strcmp(run, run_mark) != 0)
        return NULL;
    return arena_strdup(arena, nonce);
}
