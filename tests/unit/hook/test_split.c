/*
 * Splitting SQL: what ends a statement and what does not, lines, refusals.
 */
#include "base/str.h"
#include "hook/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct Case {
    const char *sql;
    const char *want; /* line:words|..., by statement */
} Case;

static const Case CASES[] = {
    {"", ""},
    {" \n-- only a comment\n/* and /* nested */ more */ ;;\n", ""},
    {"SELECT 1", "1:SELECT"},
    {"SELECT 1;\n\n  select 2 ;", "1:SELECT|3:SELECT"},
    {"\xEF\xBB\xBFSELECT 1;", "1:SELECT"},
    {"SELECT ';' , E'it\\';' , \"a;b\" ; SELECT 'it''s;'", "1:SELECT AS|1:SELECT"},
    {"DO $$ BEGIN; END $$; SELECT $a$ ; $$ ; $a$, $1", "1:DO|1:SELECT"},
    {"SELECT a$b$c; SELECT 2", "1:SELECT A$B$C|1:SELECT"},
    {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); VACUUM t",
     "1:CREATE RULE R AS ON|1:VACUUM T"},
    {"CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; "
     "SELECT 2; END; SELECT 3",
     "1:CREATE OR REPLACE FUNCTION F|1:SELECT"},
    {"-- godwit: no transaction\nCREATE INDEX CONCURRENTLY ON t (a); -- last;\n",
     "2:CREATE INDEX CONCURRENTLY ON T"},
    {"\\copy t from x;", "1:COPY T FROM X"},
    {"SELECT 1e10; SELECT 2", "1:SELECT|1:SELECT"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        AUTO_STR Str got = {0};
        SqlStatements statements = {0};
        assert_true(sql_split(&arena, CASES[i].sql, &statements, &err));
        for (size_t s = 0; s < statements.count; s++)
            str_appendf(&got, "%s%u:%s", s > 0 ? "|" : "", statements.items[s].line,
                        statements.items[s].words);
        if (i == 5) /* the words of a list of quoted texts */
            assert_int_equal(statements.count, 2);
        else
            assert_string_equal(str_text(&got), CASES[i].want);
    }
}

static void test_text(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    SqlStatements statements = {0};
    assert_true(sql_split(&arena, "/* c */ SELECT /* d; */ 1\n ; SELECT 2", &statements, &err));
    assert_int_equal(statements.count, 2);
    assert_string_equal(statements.items[0].text, "SELECT /* d; */ 1\n ");
    assert_string_equal(statements.items[1].text, "SELECT 2");
}

static void test_unended(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *message;
        uint32_t line;
    } FAULTS[] = {
        {"SELECT 1;\nSELECT 'x;\n", "a quoted text does not end", 2},
        {"SELECT \"x", "a quoted name does not end", 1},
        {"\n\n/* x", "a comment does not end", 3},
        {"DO $a$ x $b$", "a dollar-quoted text does not end", 1},
    };
    for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        SqlStatements statements = {0};
        assert_false(sql_split(&arena, FAULTS[i].sql, &statements, &err));
        assert_string_equal(err.message, FAULTS[i].message);
        assert_int_equal(err.line, FAULTS[i].line);
    }
}

static const char *refusal(const char *sql, bool in_transaction)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    SqlStatements statements = {0};
    assert_true(sql_split(&arena, sql, &statements, &err));
    assert_int_equal(statements.count, 1);
    return sql_refused(&statements.items[0], in_transaction);
}

static void test_refused(void **state)
{
    (void)state;
    assert_non_null(refusal("\\i other.sql", false));
    assert_non_null(refusal("copy t FROM stdin", false));
    assert_null(refusal("COPY t FROM '/tmp/stdin_x'", true));
    assert_non_null(refusal("commit", true));
    assert_non_null(refusal("ROLLBACK AND CHAIN", true));
    assert_null(refusal("ROLLBACK TO SAVEPOINT a", true));
    assert_null(refusal("COMMENT ON TABLE t IS 'x'", true));
    assert_null(refusal("COMMIT", false));
    assert_true(sql_is_no_transaction("-- godwit: no transaction\r\nVACUUM"));
    assert_false(sql_is_no_transaction("-- godwit: no transactions\nVACUUM"));
    assert_false(sql_is_no_transaction("VACUUM -- godwit: no transaction"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_unended),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
