/*
 * COPY streams on a real server: counts, large rows, errors of either end, stops; and which
 * statement of a script is told to have failed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/server.h"
#include "pg/copy.h"
#include "pg/copy_through.h"
#include "pg/pipeline.h"

#include <unistd.h>

/* Enough rows for the server to begin sending, then nothing for long. */
#define SLOW_COPY "COPY (SELECT repeat('x', 20000) UNION ALL SELECT pg_sleep(60)::text) TO STDOUT"

static int setup(void **state)
{
    (void)state;
    return server_setup(NULL);
}

/* Passes everything that `from` sends on to `to`; both are inside their COPY. */
static void pump(Conn *from, Conn *to, size_t piece_bytes)
{
    AUTO_ERR Err err = {0};
    char *piece = mem_resize(NULL, piece_bytes);
    size_t bytes = 1;
    while (bytes > 0) {
        if (!copy_out_read(from, piece, piece_bytes, &bytes, &err))
            fail_msg("%s", err.message);
        if (bytes > 0 && !copy_in_write(to, piece, bytes, &err))
            fail_msg("%s", err.message);
    }
    mem_free(piece);
}

static void rows_pass_whole(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    static const struct {
        const char *format;
        size_t piece_bytes;
    } CASES[] = {{"binary", COPY_PIECE_BYTES}, {"text", COPY_PIECE_BYTES}, {"binary", 7}};
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    AUTO_CONN Conn *to = server_open(CONN_TARGET, "postgres");
    server_script(from, "DROP TABLE IF EXISTS public.a, public.b;"
                        "CREATE TABLE public.a AS SELECT i, repeat(md5(i::text), "
                        "CASE i % 1000 WHEN 0 THEN 40000 ELSE i % 5 END) AS t "
                        "FROM generate_series(1, 3000) i;"
                        "CREATE TABLE public.b (LIKE public.a)");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        int64_t read = 0, written = 0;
        server_script(from, "TRUNCATE public.b");
        assert_true(copy_out_begin(
            from, arena_printf(&arena, "COPY public.a TO STDOUT (FORMAT %s)", CASES[i].format),
            &err));
        assert_true(copy_in_begin(
            to, arena_printf(&arena, "COPY public.b FROM STDIN (FORMAT %s)", CASES[i].format),
            &err));
        pump(from, to, CASES[i].piece_bytes);
        assert_true(copy_out_end(from, &read, &err));
        assert_true(copy_in_end(to, &written, &err));
        assert_int_equal(read, 3000);
        assert_int_equal(written, 3000);
        assert_string_equal(server_value(&arena, from,
                                         "SELECT count(*) FROM (TABLE public.a EXCEPT ALL "
                                         "TABLE public.b) d"),
                            "0");
    }
}

static void empty_relation_gives_no_rows(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    int64_t read = -1;
    size_t bytes = 1;
    char piece[64];
    assert_true(copy_out_begin(from, "COPY (SELECT 1 WHERE false) TO STDOUT", &err));
    assert_true(copy_out_read(from, piece, sizeof(piece), &bytes, &err));
    assert_int_equal(bytes, 0);
    assert_true(copy_out_end(from, &read, &err));
    assert_int_equal(read, 0);
}

static void wrong_statement_says_why(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *to = server_open(CONN_TARGET, "postgres");
    assert_false(copy_in_begin(to, "COPY public.nowhere FROM STDIN", &err));
    assert_string_equal(err.message, "target: relation \"public.nowhere\" does not exist");
    assert_string_equal(err.sqlstate, "42P01");
    assert_string_equal(err.detail, "Statement: COPY public.nowhere FROM STDIN");
    server_script(to, "SELECT 1");
}

static void refused_row_is_the_verdict(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *to = server_open(CONN_TARGET, "postgres");
    int64_t written = -1;
    server_script(to, "CREATE TEMPORARY TABLE u (i int PRIMARY KEY)");
    assert_true(copy_in_begin(to, "COPY pg_temp.u FROM STDIN", &err));
    assert_true(copy_in_write(to, "1\n1\n", 4, &err));
    assert_false(copy_in_end(to, &written, &err));
    assert_string_equal(err.sqlstate, "23505");
    assert_int_equal(written, -1);
    server_script(to, "SELECT 1");
}

static void abort_leaves_the_session_usable(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    AUTO_CONN Conn *to = server_open(CONN_TARGET, "postgres");
    char piece[64];
    size_t bytes = 0;
    server_script(to, "CREATE TEMPORARY TABLE u (i int PRIMARY KEY)");
    assert_true(copy_out_begin(from, "COPY (SELECT generate_series(1, 2000000)) TO STDOUT", &err));
    assert_true(copy_out_read(from, piece, sizeof(piece), &bytes, &err));
    copy_out_abort(from);
    server_script(from, "SELECT 1");

    assert_true(copy_in_begin(to, "COPY pg_temp.u FROM STDIN", &err));
    assert_true(copy_in_write(to, "1\n2\n", 4, &err));
    copy_in_abort(to, "the source went away", &err);
    assert_false(err_is_set(&err));
    server_script(to, "SELECT 1");

    assert_true(copy_in_begin(to, "COPY pg_temp.u FROM STDIN", &err));
    assert_true(copy_in_write(to, "x\n", 2, &err));
    copy_in_abort(to, "the source went away", &err);
    assert_string_equal(err.sqlstate, "22P02");
    server_script(to, "SELECT 1");
}

/* What is wrong on either side is told, and both sessions go on. */
static void one_copy_goes_into_the_other(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    static const struct {
        const char *from;
        const char *into;
        const char *sqlstate; /* NULL: the rows pass, or are counted differently */
        int64_t rows;
        ErrCode code;
    } CASES[] = {
        {"SELECT i FROM generate_series(1, 200000) i", "pg_temp.u", NULL, 200000, ERR_NONE},
        {"SELECT 1 WHERE false", "pg_temp.u", NULL, 0, ERR_NONE},
        {"SELECT i FROM nowhere", "pg_temp.u", "42P01", 0, ERR_SQL},
        {"SELECT 1", "pg_temp.nowhere", "42P01", 0, ERR_SQL},
        {"SELECT 1 / (i - 150000) FROM generate_series(1, 200000) i", "pg_temp.u", "22012", 0,
         ERR_SQL},
        {"SELECT i % 150000 FROM generate_series(1, 200000) i", "pg_temp.u", "23505", 0, ERR_SQL},
        {"SELECT i FROM generate_series(1, 200000) i", "pg_temp.odd", NULL, 0, ERR_ROW_COUNT},
    };
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    AUTO_CONN Conn *to = server_open(CONN_TARGET, "postgres");
    server_script(
        to, "CREATE TEMPORARY TABLE u (i int PRIMARY KEY); CREATE TEMPORARY TABLE odd (i int);"
            "CREATE FUNCTION pg_temp.odd() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF NEW.i % 2 = 1 THEN RETURN NEW; END IF; RETURN NULL; END$$;"
            "CREATE TRIGGER odd BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION "
            "pg_temp.odd()");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ERR Err err = {0};
        CopyThrough through = {.rows = 7};
        server_script(to, "BEGIN");
        bool passed = copy_through(
            from, arena_printf(&arena, "COPY (%s) TO STDOUT (FORMAT binary)", CASES[i].from), to,
            arena_printf(&arena, "COPY %s FROM STDIN (FORMAT binary)", CASES[i].into), &through,
            &err);
        assert_int_equal(err.code, CASES[i].code);
        assert_int_equal(passed, CASES[i].code == ERR_NONE);
        assert_int_equal(through.rows, passed ? CASES[i].rows : 7);
        if (CASES[i].sqlstate != NULL)
            assert_string_equal(err.sqlstate, CASES[i].sqlstate);
        if (CASES[i].code == ERR_ROW_COUNT)
            assert_string_equal(err.message, "200000 rows were read from the source, 100000 "
                                             "written to the target");
        server_script(to, "ROLLBACK");
        server_script(from, "SELECT 1");
    }
}

static void stop_ends_the_wait(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    Stop stop;
    char piece[40000];
    size_t bytes = 0;
    assert_true(stop_init(&stop, &err));
    conn_set_stop(from, &stop);
    assert_true(copy_out_begin(from, SLOW_COPY, &err));
    stop_request(&stop, STOP_INTERRUPT);
    assert_false(copy_out_read(from, piece, sizeof(piece), &bytes, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    copy_out_abort(from);
    conn_set_stop(from, NULL);
    server_script(from, "SELECT 1");
    stop_release(&stop);
}

static void cut_connection_is_lost(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *from = server_open(CONN_SOURCE, "postgres");
    AUTO_CONN Conn *killer = server_open(CONN_SOURCE, "postgres");
    char piece[40000];
    size_t bytes = 1;
    int64_t rows = 0;
    assert_true(copy_out_begin(from, SLOW_COPY, &err));
    server_value(&arena, killer,
                 arena_printf(&arena, "SELECT pg_terminate_backend(%d)", conn_backend_pid(from)));
    bool ok =
        copy_out_read(from, piece, sizeof(piece), &bytes, &err) && copy_out_end(from, &rows, &err);
    assert_false(ok);
    assert_int_equal(err.code, ERR_LOST);
}

/* Which statement of a script failed, by how many are answered or by where the server points; of
 * one that may hold a secret only the beginning. */
static void failed_statement_is_told(void **state)
{
    static const struct {
        const char *sql;
        const char *detail;
    } CASES[] = {
        {"SELECT 1; SELECT ';'; -- ;\nSELECT 1 / 0; SELECT 2", "Statement 3 of 4: SELECT 1 / 0"},
        {"SELECT '\303\266\303\266\303\266'; SELECT nope; SELECT 1 / 0",
         "Statement 2 of 3: SELECT nope"},
        {"SELECT 1; SELECT 2; SELEKT 3", "Statement 3 of 3: SELEKT 3"},
        {"SELECT 1 / 0;", "Statement: SELECT 1 / 0;"},
        {"SELECT 1; CREATE USER MAPPING FOR nobody SERVER none OPTIONS (password 's3cret')",
         "Statement 2 of 2: CREATE USER MAPPING FOR nobody SERVER none OPTIONS ..."},
    };
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, "postgres");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ERR Err err = {0};
        assert_false(pg_script(conn, CASES[i].sql, &err));
        assert_string_equal(err.detail, CASES[i].detail);
    }
}

/* Behind the stop nobody waits for an answer that only the end of the pipeline would bring. */
static void a_stop_ends_a_pipeline(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    Stop stop = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *conn = server_open(CONN_TARGET, "postgres");
    assert_true(stop_init(&stop, &err));
    conn_set_stop(conn, &stop);
    assert_true(pg_begin(conn, NULL, &err) && pipe_begin(conn, &err));
    assert_true(pipe_query(conn, "SELECT 1", NO_PARAMS, &err));
    stop_request(&stop, STOP_INTERRUPT);
    alarm(20); /* not for ever */
    assert_false(pipe_end(conn, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    pg_rollback(conn);
    alarm(0);
    conn_set_stop(conn, NULL);
    stop_release(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_pass_whole),
        cmocka_unit_test(a_stop_ends_a_pipeline),
        cmocka_unit_test(empty_relation_gives_no_rows),
        cmocka_unit_test(wrong_statement_says_why),
        cmocka_unit_test(refused_row_is_the_verdict),
        cmocka_unit_test(abort_leaves_the_session_usable),
        cmocka_unit_test(one_copy_goes_into_the_other),
        cmocka_unit_test(stop_ends_the_wait),
        cmocka_unit_test(cut_connection_is_lost),
        cmocka_unit_test(failed_statement_is_told),
    };
    return cmocka_run_group_tests(tests, setup, server_teardown);
}
