/*
 * The reader of test_decoding's lines: as 9.5, 9.6 and later write them, every part of them, and
 * every way of being malformed with its exact error. A walk shows a line as
 * "name[type]=kind:value".
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

static void show_text(Str *out, TdText text)
{
    str_append_bytes(out, text.data, text.bytes);
}

static void show_tuple(Str *out, const char *before, const TdTuple *tuple)
{
    static const char *const KINDS[] = {"null", "unchanged", "quoted", "bare", "bits"};
    if (!tuple->present)
        return;
    str_append(out, before);
    TdColumn column;
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        AUTO_STR Str value = {0};
        AUTO_STR Str name = {0};
        str_reserve(&value, column.value.bytes + 1);
        value.length = td_value(&column, value.data);
        str_reserve(&name, column.name.bytes + 1);
        name.length = td_unquote_name(column.name, name.data);
        str_append_char(out, ' ');
        str_append_bytes(out, name.data, name.length);
        str_append_char(out, '[');
        show_text(out, column.type);
        str_appendf(out, "]=%s:", KINDS[column.kind]);
        str_append_bytes(out, value.data, value.length);
    }
}

static void show(Str *out, const TdLine *line)
{
    static const char *const KINDS[] = {"begin",  "commit",   "insert", "update",
                                        "delete", "truncate", "message"};
    str_append(out, KINDS[line->kind]);
    if (line->kind <= TD_COMMIT)
        str_appendf(out, " %u", line->xid);
    if (line->kind == TD_COMMIT && line->commit_unix_us != 0)
        str_appendf(out, " %lld", (long long)line->commit_unix_us);
    if (line->kind == TD_MESSAGE) {
        str_append(out, line->transactional ? " inside " : " outside ");
        show_text(out, line->prefix);
        str_append_char(out, '=');
        show_text(out, line->content);
        return;
    }
    TdText schema;
    TdText name;
    for (TdCursor at = td_relations(line); td_relation(&at, &schema, &name);) {
        str_append_char(out, ' ');
        show_text(out, schema);
        str_append_char(out, '/');
        show_text(out, name);
    }
    str_append(out, line->restart_identity ? " restart" : "");
    str_append(out, line->cascade ? " cascade" : "");
    show_tuple(out, " old", &line->old_tuple);
    show_tuple(out, " new", &line->new_tuple);
}

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
    /* 9.5: an oid in front, no TRUNCATE, no messages */
    {"table public.t: INSERT: oid[oid]:16400 id[integer]:1 data[text]:'a'",
     "insert public/t new oid[oid]=bare:16400 id[integer]=bare:1 data[text]=quoted:a"},
    {"table public.tr_pkey: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:-1 d[text]:null",
     "update public/tr_pkey old id[integer]=bare:1 new id[integer]=bare:-1 d[text]=null:"},
    {"table public.t: UPDATE: id[integer]:1 toasted[text]:unchanged-toast-datum rand[double "
     "precision]:79",
     "update public/t new id[integer]=bare:1 toasted[text]=unchanged: rand[double "
     "precision]=bare:79"},
    {"table public.t: DELETE: id[integer]:1", "delete public/t old id[integer]=bare:1"},
    {"table public.t: DELETE: (no-tuple-data)", "delete public/t"},
    /* a whole old row that is all NULL */
    {"table public.t: DELETE:", "delete public/t old"},
    {"table public.t: UPDATE: old-key: new-tuple: a[text]:'x'",
     "update public/t old new a[text]=quoted:x"},
    {"table public.none: INSERT:", "insert public/none new"},
    /* 9.6 on: messages */
    {"message: transactional: 1 prefix: godwit, sz: 2 content:{}", "message inside godwit={}"},
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
        show(&out, &line);
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
        show(&out, &line);
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
