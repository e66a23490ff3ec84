/*
 * The reader of test_decoding's lines: every part of them, and every way of being malformed with
 * its exact error. Recorded lines of 9.5 and 9.6 are read in test_recorded.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "cdc/test_decoding.h"
#include "lib/show_line.h"

typedef struct Row {
    const char *line;
    const char *want;
} Row;

static const Row GOOD[] = {
    {"BEGIN 1234", "begin 1234"},
    {"COMMIT 1234", "commit 1234"},
    {"COMMIT 9 (at 1970-01-01 00:00:01.5+00)", "commit 9 1500000"},
    {"COMMIT 9 (at 2016-09-29 12:34:56.123456+02)", "commit 9 1475145296123456"},
    {"COMMIT 9 (at 2016-09-29 07:04:56-03:30)", "commit 9 1475145296000000"},
    /* a whole old row that is all NULL */
    {"table public.t: DELETE:", "delete public/t old"},
    {"table public.t: UPDATE: old-key: new-tuple: a[text]:'x'",
     "update public/t old new a[text]=quoted:x"},
    {"table public.none: INSERT:", "insert public/none new"},
    /* messages; what 9.5 and 9.6 sent of them and of all else stands in test_recorded.c */
    {"message: transactional: 0 prefix: , sz: 0 content:", "message outside ="},
    {"message: transactional: 1 prefix: a, sz: 9 content:b, sz: 3 content:xyz",
     "message inside a, sz: 9 content:b=xyz"},
    /* 11 on: TRUNCATE */
    {"table public.a: TRUNCATE: (no-flags)", "truncate public/a"},
    {"table public.a, s.\"B, c\": TRUNCATE: restart_seqs cascade",
     "truncate public/a s/\"B, c\" restart cascade"},
    {"table public.a: TRUNCATE: cascade", "truncate public/a cascade"},
    /* names, types, values */
    {"table \"Odd \"\"S\"\" .x\".\"T: y\": INSERT: \"Key [1]:\"[text]:'it''s [x]:' "
     "\"new-tuple\"[character varying]:' new-tuple: '",
     "insert \"Odd \"\"S\"\" .x\"/\"T: y\" new Key [1]:[text]=quoted:it's [x]: "
     "new-tuple[character varying]=quoted: new-tuple: "},
    {"table s.t: INSERT: a[integer[]]:'{1,2}' e[s.\"odd]ty\"\"pe\"[]]:'{}' v[numeric(3,1)]:1.5",
     "insert s/t new a[integer[]]=quoted:{1,2} e[s.\"odd]ty\"\"pe\"[]]=quoted:{} "
     "v[numeric(3,1)]=bare:1.5"},
    {"table s.t: INSERT: b[bit(3)]:B'101' v[bit varying]:B'' t[boolean]:true f[boolean]:false",
     "insert s/t new b[bit(3)]=bits:101 v[bit varying]=bits: t[boolean]=bare:t f[boolean]=bare:f"},
    {"table s.t: INSERT: n[numeric]:NaN f[double precision]:-Infinity e[real]:1e-30 "
     "t[text]:'null' u[text]:'unchanged-toast-datum' l[text]:'a\nb\\c' z[text]:''",
     "insert s/t new n[numeric]=bare:NaN f[double precision]=bare:-Infinity e[real]=bare:1e-30 "
     "t[text]=quoted:null u[text]=quoted:unchanged-toast-datum l[text]=quoted:a\nb\\c "
     "z[text]=quoted:"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
        AUTO_ERR Err err = {0};
        AUTO_STR Str out = {0};
        TdLine line;
        size_t size = strlen(GOOD[i].line);
        char *copy = mem_resize(NULL, size);
        memcpy(copy, GOOD[i].line, size);
        if (!td_decode(copy, size, &line, &err))
            fail_msg("%s: %s", GOOD[i].line, err.message);
        show_line(&out, &line);
        mem_free(copy);
        assert_string_equal(out.data, GOOD[i].want);
    }
}

static const Row BAD[] = {
    {"", "BEGIN, COMMIT, a table or a message was expected at offset 0 of 0"},
    {"begin 1", "BEGIN, COMMIT, a table or a message was expected at offset 0 of 7"},
    {"BEGIN", "\" \" was expected at offset 5 of 5"},
    {"BEGIN x", "a number was expected at offset 6 of 7"},
    {"BEGIN 4294967296", "a number was expected at offset 6 of 16"},
    {"BEGIN 12 ", "bytes are left over at offset 8 of 9"},
    {"COMMIT 1 (at 2016-13-01 00:00:00+00)", "a number was expected at offset 18 of 36"},
    {"COMMIT 1 (at 2016-09-29 00:00:00.+00)", "a fraction was expected at offset 33 of 37"},
    {"COMMIT 1 (at 2016-09-29 00:00:00)", "\"+\" was expected at offset 32 of 33"},
    {"COMMIT 1 (at 2016-09-29 00:00:00+00", "\")\" was expected at offset 35 of 35"},
    {"PREPARE TRANSACTION 'g', txid 5",
     "BEGIN, COMMIT, a table or a message was expected at offset 0 of 31"},
    {"table t: INSERT:", "\".\" was expected at offset 7 of 16"},
    {"table Public.t: INSERT:", "a name was expected at offset 6 of 23"},
    {"table public.\"t: INSERT:", "a quote is not closed at offset 13 of 24"},
    {"table public.t INSERT:", "\": \" was expected at offset 14 of 22"},
    {"table public.t: MERGE:", "\"UPDATE:\" was expected at offset 16 of 22"},
    {"table public.a, public.b: INSERT: x[text]:'a'",
     "\"TRUNCATE:\" was expected at offset 26 of 45"},
    {"table public.t: TRUNCATE:", "flags of a truncate were expected at offset 25 of 25"},
    {"table public.t: TRUNCATE: cascade restart_seqs", "bytes are left over at offset 33 of 46"},
    {"table public.t: INSERT: ", "a name was expected at offset 24 of 24"},
    {"table public.t: INSERT: a:1", "\"[\" was expected at offset 25 of 27"},
    {"table public.t: INSERT: a[int[]:1", "a type is not closed at offset 33 of 33"},
    {"table public.t: INSERT: a[int]1", "\":\" was expected at offset 30 of 31"},
    {"table public.t: INSERT: a[int]:", "a value was expected at offset 31 of 31"},
    {"table public.t: INSERT: a[text]:'x", "a quote is not closed at offset 32 of 34"},
    {"table public.t: INSERT: a[text]:'x'y", "\" \" was expected at offset 35 of 36"},
    {"table public.t: INSERT: a[bit]:B'1", "a quote is not closed at offset 32 of 34"},
    {"table public.t: UPDATE: old-key: a[int]:1",
     "\" new-tuple:\" was expected at offset 41 of 41"},
    {"table public.t: INSERT: a[int]:1 new-tuple: a[int]:1",
     "bytes are left over at offset 32 of 52"},
    {"message: transactional: 2 prefix: a, sz: 0 content:",
     "\"0\" was expected at offset 24 of 51"},
    {"message: transactional: 1 prefix: a, sz: 3 content:ab",
     "the size and content of a message were expected at offset 53 of 53"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        AUTO_ERR Err err = {0};
        TdLine line;
        size_t size = strlen(BAD[i].line);
        char *copy = mem_resize(NULL, size);
        memcpy(copy, BAD[i].line, size);
        bool ok = td_decode(copy, size, &line, &err);
        mem_free(copy);
        if (ok)
            fail_msg("accepted: %s", BAD[i].line);
        const char *prefix = "malformed test_decoding line: ";
        assert_memory_equal(err.message, prefix, strlen(prefix));
        assert_string_equal(err.message + strlen(prefix), BAD[i].want);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
}

static void test_names(void **state)
{
    (void)state;
    TdText quoted = {"\"a\"\"b\"", 6};
    assert_true(td_name_is(quoted, "a\"b"));
    assert_false(td_name_is(quoted, "a\"bc"));
    assert_false(td_name_is(quoted, "a"));
    assert_true(td_name_is((TdText){"id", 2}, "id"));
    assert_false(td_name_is((TdText){"id", 2}, "id2"));
    assert_true(td_name_is((TdText){"\"\"", 2}, ""));
}

/* What a real server has sent: GODWIT_TEST_LINES names a file of lines. */
static void test_recorded(void **state)
{
    (void)state;
    const char *path = getenv("GODWIT_TEST_LINES");
    size_t room = 0;
    size_t count = 0;
    char *text = NULL;
    if (path == NULL)
        return;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (ssize_t bytes; (bytes = getline(&text, &room, file)) > 0; count++) {
        AUTO_ERR Err err = {0};
        AUTO_STR Str out = {0};
        TdLine line;
        bytes -= text[bytes - 1] == '\n' ? 1 : 0;
        if (!td_decode(text, (size_t)bytes, &line, &err))
            fail_msg("%s: %.*s", err.message, (int)bytes, text);
        show_line(&out, &line);
    }
    mem_free(text);
    fclose(file);
    printf("read %zu lines\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
