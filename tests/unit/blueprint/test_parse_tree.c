/*
 * ParseTree: what a condition is made of, from trees as PostgreSQL 15 and 18 print them.
 */
#include "blueprint/parse_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD ":jointree {FROMEXPR :fromlist ({RANGETBLREF :rtindex 1}) :quals "
#define TAIL "} :targetList <> :override 0}"

/* ten < 5 AND d < now() */
static const char COMPARED[] =
    HEAD "{BOOLEXPR :boolop and :args ({OPEXPR :opno 97 :opfuncid 66 :opresulttype 16 :args "
         "({VAR :varno 1 :varattno 2 :vartype 23 :varnosyn 1 :location 30} {CONST :consttype 23 "
         ":constvalue 4 [ 5 0 0 0 0 0 0 0 ] :location 36}) :location 34} {OPEXPR :opno 2358 "
         ":opfuncid 2351 :args ({VAR :varno 1 :varattno 4 :vartype 1082 :location 42} {FUNCEXPR "
         ":funcid 1299 :funcresulttype 1184 :funcformat 0 :args <> :location 46}) :location "
         "44}) :location 38}" TAIL;

static void columns_and_functions_have_their_places(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    ParseTree tree;
    assert_true(parse_tree_read(&arena, COMPARED, &tree));
    assert_int_equal(tree.faults.count, 0);
    assert_int_equal(tree.columns.count, 2);
    assert_int_equal(tree.columns.items[0].oid, 2);
    assert_int_equal(tree.columns.items[0].location, 30);
    assert_int_equal(tree.columns.items[1].oid, 4);
    assert_int_equal(tree.functions.count, 3);
    assert_int_equal(tree.functions.items[0].oid, 66);
    assert_int_equal(tree.functions.items[1].oid, 1299);
    assert_int_equal(tree.functions.items[1].location, 46);
    assert_int_equal(tree.functions.items[2].oid, 2351);
}

static void what_is_not_allowed_is_told_once(void **state)
{
    (void)state;
    static const struct {
        const char *quals;
        const char *what;
        int location;
    } CASES[] = {
        {"{COERCEVIAIO :arg {VAR :varattno 2 :vartype 23 :location 3} :resulttype 25 :location 7}",
         "a cast by way of text", 7},
        {"{SUBLINK :subLinkType 2 :testexpr {OPEXPR :opfuncid 65 :args ({VAR :varattno -1 :vartype "
         "27 :location 3} {PARAM :paramkind 2 :location -1}) :location 5} :subselect {QUERY "
         ":commandType 1} :location 9}",
         "a subquery", 9},
        {"{NULLTEST :arg {VAR :varattno -1 :vartype 27 :location 3} :location 5}",
         "a system column", 3},
        {"{NULLTEST :arg {VAR :varattno 0 :vartype 16400 :location 3} :location 5}",
         "the row as a whole", 3},
        {"{OPEXPR :opno 99 :opfuncid 65 :opcollid 0 :inputcollid 16999 :args <> :location 8}",
         "a type, function, operator or collation of your own", 8},
        {"{FUNCEXPR :funcid 16999 :args <> :location 8}",
         "a type, function, operator or collation of your own", 8},
        {"{SQLVALUEFUNCTION :op 3 :type 1184 :location 2}", "the current time or user", 2},
        {"{NEWEXPR :location 4}", "an expression of kind NEWEXPR", 4},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        ParseTree tree;
        const char *text = arena_printf(&arena, "%s%s%s", HEAD, CASES[i].quals, TAIL);
        assert_true(parse_tree_read(&arena, text, &tree));
        assert_int_equal(tree.faults.count, 1);
        assert_string_equal(tree.faults.items[0].what, CASES[i].what);
        assert_int_equal(tree.faults.items[0].location, CASES[i].location);
    }
}

/* Both ways in which majors call one thing; a brace inside a name is escaped. */
static void names_of_every_major_are_known(void **state)
{
    (void)state;
    static const char *const QUALS[] = {
        "{CASE :args ({WHEN :expr {CONST :consttype 16 :location 1} :location 2}) :location 3}",
        "{CASEEXPR :args ({CASEWHEN :expr {CONST :location 1} :location 2}) :location 3}",
        "{COALESCE :args <> :location 3}",
        "{ROWEXPR :args <> :row_typeid 2249 :colnames (\"a\\}b\") :location 3}",
    };
    for (size_t i = 0; i < sizeof(QUALS) / sizeof(QUALS[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        ParseTree tree;
        assert_true(
            parse_tree_read(&arena, arena_printf(&arena, "%s%s%s", HEAD, QUALS[i], TAIL), &tree));
        assert_int_equal(tree.faults.count, 0);
    }
}

static void another_form_is_refused(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"", "{QUERY}", HEAD "<>" TAIL, HEAD "{OPEXPR :opno 97"};
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        ParseTree tree;
        assert_false(parse_tree_read(&arena, TEXTS[i], &tree));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_and_functions_have_their_places),
        cmocka_unit_test(what_is_not_allowed_is_told_once),
        cmocka_unit_test(names_of_every_major_are_known),
        cmocka_unit_test(another_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
