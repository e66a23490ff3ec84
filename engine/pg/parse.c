/*
 * Parse: the tree comes as a notice, between the settings that ask for it and the ROLLBACK that
 * takes them back.
 */
#include "pg/parse.h"

#include "pg/conn_internal.h"
#include "pg/fault.h"

/* client_min_messages last but one: the settings themselves are not to be shown. */
static const char ASK[] = "BEGIN READ ONLY;"
                          "SET LOCAL debug_pretty_print = off;"
                          "SET LOCAL client_min_messages = log;"
                          "SET LOCAL debug_print_parse = on";

/* A fault of the statement: syntax, names, types, limits, what is not supported. */
static bool is_refusal(const char *state)
{
    static const char *const CLASSES[] = {"42", "22", "0A", "54", "2F"};
    for (size_t i = 0; state != NULL && i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++) {
        if (strncmp(state, CLASSES[i], 2) == 0)
            return strcmp(state, "42501") != 0;
    }
    return false;
}

static void take_refusal(Arena *arena, const PGresult *result, PgParse *parse)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    size_t line = strcspn(message, "\n"); /* it may quote the statement */
    parse->refusal =
        arena_printf(arena, "%.*s%s", (int)line, message, message[line] == '\0' ? "" : "...");
    parse->hint = hint == NULL ? NULL : arena_strdup(arena, hint);
    parse->position = position == NULL ? 0 : (size_t)strtoul(position, NULL, 10);
}

static bool prepare(Arena *arena, Conn *conn, const char *sql, PgParse *parse, Err *err)
{
    AUTO_STR Str tree = {0};
    AUTO_RESULT PGresult *result = NULL;
    if (!fault_point(conn, FAULT_STATEMENT, sql, err))
        return false;
    if (PQsendPrepare(conn->pg, "", sql, 0, NULL) == 0)
        return conn_result_error(conn, NULL, err);
    conn->parse_tree = &tree;
    bool came = conn_next_result(conn, &result, err);
    conn->parse_tree = NULL;
    if (!came)
        return false;
    conn_discard_results(conn);
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        parse->tree = str_dup(arena, &tree);
        return true;
    }
    if (!is_refusal(PQresultErrorField(result, PG_DIAG_SQLSTATE)))
        return conn_result_error(conn, result, err);
    take_refusal(arena, result, parse);
    return true;
}

bool pg_parse(Arena *arena, Conn *conn, const char *sql, PgParse *parse, Err *err)
{
    *parse = (PgParse){0};
    bool ok = pg_script(conn, ASK, err) && prepare(arena, conn, sql, parse, err);
    pg_rollback(conn);
    return ok;
}
