/*
 * SQL of people: statement by statement in a session of its own, in one transaction unless the text
 * asks for none.
 *
 * A step must not run twice. On the target its journal row is written by its own transaction. On
 * the source the number of the transaction is journalled before its COMMIT, and a server remembers
 * what became of a transaction; see step/user_step.c.
 */
#include "base/str.h"
#include "hook/hook.h"
#include "hook/statement.h"
#include "journal/journal.h"
#include "pg/query.h"
#include "sql_text.h"

#include <errno.h>

#define LOCK_TIMEOUT_MS 30000
#define WAY_BACK_LIMIT  "SET statement_timeout = '5min'"

typedef struct SqlRun {
    const HookCall *call;
    const PlanStep *step;
    const char *name; /* what messages call the text */
    Arena *arena;
    Conn *conn;
    SqlStatements statements;
    bool in_transaction;
} SqlRun;

bool hook_sql_text(Arena *arena, const Plan *plan, const PlanStep *step, const char **text,
                   Err *err)
{
    AUTO_STR Str content = {0};
    *text = step->sql_statement;
    if (step->sql_file == NULL)
        return true;
    FILE *file = fopen(plan_file_path(arena, plan, step->sql_file), "rbe");
    if (file == NULL)
        return err_set(err, ERR_IO, "could not open \"%s\" of step \"%s\": %s", step->sql_file,
                       step->id, strerror(errno));
    for (size_t got = 1; got > 0; content.length += got)
        got = fread(str_reserve(&content, 65536), 1, 65536, file);
    bool ok = ferror(file) == 0 || err_set(err, ERR_IO, "could not read \"%s\" of step \"%s\"",
                                           step->sql_file, step->id);
    fclose(file);
    if (ok && memchr(str_text(&content), '\0', content.length) != NULL)
        ok = err_set(err, ERR_IO, "\"%s\" of step \"%s\" holds a NUL byte", step->sql_file,
                     step->id);
    if (content.length > 0)
        *str_reserve(&content, 1) = '\0';
    *text = str_dup(arena, &content);
    return ok;
}

/* The line in the text: a server counts characters from the statement's first. */
static uint32_t line_of(const SqlStatement *statement, uint32_t position)
{
    uint32_t line = statement->line;
    const char *at = statement->text;
    for (uint32_t character = 1; character < position && *at != '\0'; at++) {
        line += *at == '\n';
        character += ((unsigned char)at[1] & 0xC0) != 0x80;
    }
    return line;
}

static bool statement_error(const SqlRun *run, const SqlStatement *statement, Err *err)
{
    return err_context(err, "%s:%u", run->name, line_of(statement, err->position));
}

static bool refuse_what_cannot_run(const SqlRun *run, Err *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        const SqlStatement *statement = &run->statements.items[i];
        const char *why = sql_refused(statement, run->in_transaction);
        if (why == NULL)
            continue;
        err_set(err, ERR_RUN, "%s:%u: \"%s\" %s", run->name, statement->line, statement->words,
                why);
        return err_hint(err,
                        "Nothing was run. A text whose first line is \"%s\" runs its statements "
                        "one by one, each by itself.",
                        SQL_NO_TRANSACTION);
    }
    return true;
}

static bool run_statements(const SqlRun *run, Err *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        const SqlStatement *statement = &run->statements.items[i];
        if (!pg_script(run->conn, statement->text, err))
            return statement_error(run, statement, err);
        if (run->in_transaction && !conn_in_transaction(run->conn))
            return err_set(err, ERR_RUN, "%s:%u: the statement ended the step's transaction",
                           run->name, statement->line);
    }
    return true;
}

static const char *run_id(const SqlRun *run)
{
    return arena_int64(run->arena, run->call->run->journal.id);
}

/* Whether another engine's transaction has done the step; this one then waits for its end. */
static bool is_done(const SqlRun *run, bool *done, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *done = false;
    if (!run->call->once || conn_side(run->conn) != CONN_TARGET)
        return true;
    if (!pg_rows(run->conn, SQL_JOURNAL_STEP_LOCK, PARAMS(run_id(run), run->step->id), &rows, err))
        return false;
    *done = rows_count(rows) == 1 && text_equal(rows_text(rows, 0, 0), "done");
    return true;
}

/* What proves afterwards that the transaction was committed, whoever dies when. */
static bool mark(const SqlRun *run, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!run->call->once)
        return true;
    if (conn_side(run->conn) == CONN_TARGET)
        return pg_none(run->conn, "RESET SESSION AUTHORIZATION", NO_PARAMS, err) &&
               pg_none(run->conn, SQL_JOURNAL_STEP_KEEP,
                       PARAMS(run_id(run), run->step->id, "done", NULL), err);
    if (!pg_one(run->conn, "SELECT pg_catalog.txid_current()", NO_PARAMS, &rows, err))
        return false;
    const char *detail = arena_printf(run->arena, "transaction %s", rows_text(rows, 0, 0));
    return pg_none(run->call->target, SQL_JOURNAL_STEP_KEEP,
                   PARAMS(run_id(run), run->step->id, "running", detail), err);
}

static bool run_in_transaction(const SqlRun *run, Err *err)
{
    bool done = false;
    if (!pg_begin(run->conn, NULL, err) || !is_done(run, &done, err))
        return false;
    if (done) {
        pg_rollback(run->conn);
        return true;
    }
    return run_statements(run, err) && mark(run, err) && pg_commit(run->conn, err);
}

static bool open_side(const HookCall *call, PlanServer server, bool read_only, Conn **conn,
                      Err *err)
{
    const Endpoint *endpoint = server == PLAN_ON_SOURCE ? &call->run->source : &call->run->target;
    ConnOptions options = {.purpose = "step",
                           .read_only = read_only,
                           .shows_notices = true,
                           .lock_timeout_ms = LOCK_TIMEOUT_MS,
                           .stop = call->stop};
    if (!conn_open(conn, endpoint, &options, err))
        return false;
    conn_set_step(*conn, call->step);
    return call->stop != NULL || pg_none(*conn, WAY_BACK_LIMIT, NO_PARAMS, err);
}

bool hook_sql(const HookCall *call, const PlanStep *step, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *conn = NULL;
    const char *text = NULL;
    SqlRun run = {.call = call, .step = step, .arena = &arena};
    run.name = step->sql_file != NULL ? step->sql_file : arena_printf(&arena, "step %s", step->id);
    if (!hook_sql_text(&arena, call->run->plan, step, &text, err))
        return false;
    if (!sql_split(&arena, text, &run.statements, err))
        return err_context(err, "%s:%u", run.name, err->line);
    run.in_transaction = !sql_is_no_transaction(text);
    if (!refuse_what_cannot_run(&run, err) || !open_side(call, step->sql_server, false, &conn, err))
        return false;
    run.conn = conn;
    return run.in_transaction ? run_in_transaction(&run, err) : run_statements(&run, err);
}

/* What gives no rows is no question. */
static bool is_query(Arena *arena, const char *sql)
{
    AUTO_ERR Err ignored = {0};
    SqlStatements statements = {0};
    static const char *const HEADS[] = {"SELECT", "WITH", "VALUES", "TABLE", "SHOW"};
    if (!sql_split(arena, sql, &statements, &ignored) || statements.count != 1)
        return false;
    for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
        if (text_starts_with(statements.items[0].words, HEADS[i]))
            return true;
    }
    return *statements.items[0].text == '(';
}

static bool no_answer(const PlanStep *step, const char *instead, Err *err)
{
    err_set(err, ERR_RUN, "done_if of \"%s\" gives %s, not true or false", step->id, instead);
    return err_hint(err, "It is a query of one row; its first column is a boolean.");
}

bool hook_done_if(const HookCall *call, const PlanStep *step, bool *done, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *conn = NULL;
    AUTO_ROWS Rows *rows = NULL;
    *done = false;
    if (step->done_if_sql == NULL)
        return true;
    if (!is_query(&arena, step->done_if_sql))
        return no_answer(step, "no row", err);
    if (!open_side(call, step->done_if_server, true, &conn, err))
        return false;
    if (!pg_one(conn, step->done_if_sql, NO_PARAMS, &rows, err))
        return err_context(err, "done_if of \"%s\"", step->id);
    const char *answer = rows_text(rows, 0, 0);
    if (text_equal(answer, "t") || text_equal(answer, "f")) {
        *done = *answer == 't';
        return true;
    }
    return no_answer(step, answer != NULL ? "something else" : "NULL", err);
}
