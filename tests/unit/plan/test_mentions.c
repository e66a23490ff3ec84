/*
 * sql_mentions: which relations an SQL text names, however they are written.
 */
#include "plan/mentions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Case {
    const char *sql;
    bool named;
} Case;

static void check(const Case *cases, size_t count, const Name *name)
{
    for (size_t i = 0; i < count; i++)
        if (sql_mentions(cases[i].sql, name) != cases[i].named)
            fail_msg("%s: %s.%s is %s", cases[i].sql, name->schema, name->rel,
                     cases[i].named ? "not found" : "found");
}

static void names_are_read_as_the_server_does(void **state)
{
    (void)state;
    static const Name NAME = {"app", "a"};
    static const Case CASES[] = {
        {"SELECT 1 FROM app.a", true},
        {"SELECT 1 FROM App.A", true},
        {"SELECT 1 FROM \"app\".\"a\"", true},
        {"SELECT 1 FROM app /* x /* y */ */ . -- z\n a", true},
        {"SELECT 1 FROM db.app.a", true},
        {"SELECT E'\\'' FROM app.a", true},
        {"SELECT 1.5, $1 FROM app.a", true},
        {"SELECT 1 FROM \"App\".a", false},
        {"SELECT 1 FROM app.a1, app.\"A\", xapp.a", false},
        {"SELECT 1 FROM app, a", false},
        {"SELECT 'app.a', $$app.a$$, $x$ app.a $$ $x$ FROM b -- app.a", false},
        {"SELECT E'\\' app.a' /* app.a */ AS \"x app.a\"", false},
        {"SELECT 'it''s app.a' AS \"q\"\" app.a\"", false},
        {"SELECT 'app.a", false},
        {"SELECT \"app.a", false},
        {"/* app.a", false},
        {"$x$ app.a", false},
        {"", false},
    };
    check(CASES, sizeof(CASES) / sizeof(CASES[0]), &NAME);
}

static void names_with_quotes_and_letters(void **state)
{
    (void)state;
    static const Name QUOTED = {"Odd S", "a\"b.c"};
    static const Name LETTERS = {"sch\xc3\xa9ma", "_a$1"};
    static const Case OF_QUOTED[] = {
        {"SELECT 1 FROM \"Odd S\".\"a\"\"b.c\"", true},
        {"SELECT 1 FROM \"Odd S\".\"a\"\"b\".\"c\"", false},
        {"SELECT 1 FROM \"Odd S\".\"a", false},
    };
    static const Case OF_LETTERS[] = {
        {"SELECT 1 FROM sch\xc3\xa9ma._A$1", true},
        {"SELECT 1 FROM sch\xc3\xa9ma._a$", false},
    };
    check(OF_QUOTED, sizeof(OF_QUOTED) / sizeof(OF_QUOTED[0]), &QUOTED);
    check(OF_LETTERS, sizeof(OF_LETTERS) / sizeof(OF_LETTERS[0]), &LETTERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_the_server_does),
        cmocka_unit_test(names_with_quotes_and_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
