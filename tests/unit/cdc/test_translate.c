/*
 * test_decoding's lines become pgoutput's messages: what comes out is decoded again and written as
 * one word a message, "I16[a=1 b=~]": kind, relation, values (~ NULL, ! unchanged).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/pgoutput.h"
#include "cdc/test_decoding.h"
#include "cdc/translate.h"

static Column T_COLUMNS[] = {{.name = "id", .type_text = "integer", .type_oid = 23},
                             {.name = "v", .type_text = "character varying(9)", .type_oid = 1043}};
static const uint16_t FIRST[] = {0};
static const Key T_KEY = {.index_name = "t_pkey", .count = 1, .columns = FIRST};
static const char *T_GENERATED[] = {"twice"};
static Column T_LEFT_OUT[] = {{.name = "secret", .type_text = "text", .type_oid = 25}};
static Relation T = {.oid = 16,
                     .source = {"public", "t"},
                     .target = {"public", "t"},
                     .columns = T_COLUMNS,
                     .column_count = 2,
                     .generated = T_GENERATED,
                     .generated_count = 1,
                     .left_out = T_LEFT_OUT,
                     .left_out_count = 1,
                     .key = &T_KEY};
static Relation ODD = {
    .oid = 17, .source = {"S x", "a\"b"}, .columns = T_COLUMNS, .column_count = 2};
static Leaf LEAVES[] = {
    {.oid = 16,
     .source = {"public", "t"},
     .root = &T,
     .replica_identity = 'd',
     .has_identity = true},
    {.oid = 17,
     .source = {"S x", "a\"b"},
     .root = &ODD,
     .replica_identity = 'f',
     .has_identity = true},
    {.oid = 18, .source = {"public", "none"}, .root = &T, .replica_identity = 'n'},
    {.oid = 19,
     .source = {"public", "full"},
     .root = &T,
     .replica_identity = 'f',
     .has_identity = true},
    {.oid = 20,
     .source = {"public", "\xc3\xa9t\xc3\xa9"},
     .root = &T,
     .replica_identity = 'd',
     .has_identity = true},
};
static const Catalog *encoded; /* the source's; NULL: UTF8 */

static void show_tuple(Str *out, const PgoTuple *tuple)
{
    PgoValue values[4];
    if (tuple->data == NULL)
        return;
    str_append_char(out, tuple->kind);
    str_append_char(out, '[');
    pgo_tuple_values(tuple, values);
    for (uint16_t i = 0; i < tuple->column_count; i++) {
        str_append(out, i == 0 ? "" : " ");
        if (values[i].kind == PGO_NULL || values[i].kind == PGO_UNCHANGED)
            str_append(out, values[i].kind == PGO_NULL ? "~" : "!");
        else
            str_append_bytes(out, values[i].data, values[i].length);
    }
    str_append_char(out, ']');
}

static void show_relation(Str *out, const PgoRelation *relation)
{
    const uint8_t *at = relation->columns;
    str_appendf(out, "R%u:%s.%s(", relation->oid, relation->schema, relation->name);
    for (uint16_t i = 0; i < relation->column_count; i++) {
        PgoColumn column;
        at = pgo_relation_column(at, &column);
        str_appendf(out, "%s%s%s:%u", i == 0 ? "" : " ", column.name, column.in_key ? "*" : "",
                    column.type_oid);
    }
    str_append(out, ")");
}

static void show(Str *out, const PgoMessage *m)
{
    str_append(out, out->length == 0 ? "" : " ");
    if (m->kind == PGO_RELATION) {
        show_relation(out, &m->relation);
    } else if (m->kind == PGO_TRUNCATE) {
        str_appendf(out, "T%s%s", m->truncate.cascade ? "c" : "",
                    m->truncate.restart_identity ? "r" : "");
        for (uint32_t i = 0; i < m->truncate.relation_count; i++)
            str_appendf(out, ",%u", pgo_truncate_relation(&m->truncate, i));
    } else if (m->kind == PGO_STREAM_COMMIT) {
        str_appendf(out, "c%u@%d", m->stream_commit.xid, (int)m->stream_commit.commit.end_lsn);
    } else if (m->kind == PGO_STREAM_START) {
        str_appendf(out, "S%u", m->stream_start.xid);
    } else if (m->kind == PGO_MESSAGE) {
        str_appendf(out, "M%.*s", (int)m->message.content_bytes, (const char *)m->message.content);
    } else if (m->kind == PGO_INSERT || m->kind == PGO_UPDATE || m->kind == PGO_DELETE) {
        str_appendf(out, "%c%u", (int)m->kind, m->change.relation_oid);
        show_tuple(out, &m->change.old_tuple);
        show_tuple(out, &m->change.new_tuple);
    } else {
        str_append_char(out, (char)m->kind);
    }
}

static Batch *lines_of(BatchPool *pool, const char *text)
{
    Batch *batch = batch_new(pool, 0);
    int lsn = 100;
    for (const char *at = text; *at != '\0'; lsn++) {
        size_t bytes = strcspn(at, "\n");
        bool keepalive = bytes == 1 && *at == 'k';
        batch_append(batch,
                     &(BatchRecord){.wal_end = (Lsn)lsn,
                                    .bytes = keepalive ? 0 : (uint32_t)bytes,
                                    .keepalive = keepalive},
                     at);
        at += bytes + (at[bytes] == '\n' ? 1 : 0);
    }
    return batch;
}

static void show_batch(Str *out, const Batch *batch)
{
    size_t at = 0;
    const char *payload = NULL;
    bool streamed = false;
    for (const BatchRecord *r; (r = batch_next(batch, &at, &payload)) != NULL;) {
        AUTO_ERR Err err = {0};
        PgoMessage message;
        if (r->keepalive) {
            str_appendf(out, "%sk%d", out->length == 0 ? "" : " ", (int)r->wal_end);
            continue;
        }
        if (!(streamed ? pgo_decode_streamed(payload, r->bytes, &message, &err)
                       : pgo_decode(payload, r->bytes, &message, &err)))
            fail_msg("%s", err.message);
        streamed =
            message.kind == PGO_STREAM_START || (streamed && message.kind != PGO_STREAM_STOP);
        show(out, &message);
    }
}

/* \param wanted the messages, or the error */
static void check(uint32_t publish, const char *lines, const char *wanted)
{
    Plan plan = {.replication = {.plugin = PLAN_PLUGIN_TEST_DECODING, .publish = publish}};
    Blueprint blueprint = {.plan = &plan, .source = encoded, .leaves = LEAVES, .leaf_count = 5};
    AUTO_ERR Err err = {0};
    AUTO_STR Str out = {0};
    BatchPool pool;
    Translate translate;
    batch_pool_init(&pool);
    translate_init(&translate, &blueprint);
    Batch *batch = translate_batch(&translate, &pool, lines_of(&pool, lines), &err);
    if (batch == NULL)
        str_append(&out, err.message);
    else
        show_batch(&out, batch);
    assert_string_equal(str_text(&out), wanted);
    if (batch != NULL)
        batch_free(&pool, batch);
    translate_release(&translate);
    batch_pool_release(&pool);
}

/* Chunks of t, and what came along with them. */
static bool resolve(void *data, const Name *name, uint32_t xid, const Leaf **leaf, Err *err)
{
    (void)err;
    Str *asked = data;
    str_appendf(asked, "%s@%u ", name->rel, xid);
    *leaf = strncmp(name->rel, "chunk", 5) == 0 ? &LEAVES[0] : NULL;
    return true;
}

static void check_chunks(const char *lines, const char *wanted, const char *wanted_asked)
{
    Plan plan = {.replication = {.plugin = PLAN_PLUGIN_TEST_DECODING, .publish = PLAN_PUBLISH_ALL}};
    Blueprint blueprint = {.plan = &plan, .source = encoded, .leaves = LEAVES, .leaf_count = 5};
    AUTO_ERR Err err = {0};
    AUTO_STR Str out = {0};
    AUTO_STR Str asked = {0};
    BatchPool pool;
    Translate translate;
    batch_pool_init(&pool);
    translate_init(&translate, &blueprint);
    translate.resolve = resolve;
    translate.resolve_data = &asked;
    Batch *batch = translate_batch(&translate, &pool, lines_of(&pool, lines), &err);
    if (batch == NULL)
        str_append(&out, err.message);
    else
        show_batch(&out, batch);
    assert_string_equal(str_text(&out), wanted);
    assert_string_equal(str_text(&asked), wanted_asked);
    if (batch != NULL)
        batch_free(&pool, batch);
    translate_release(&translate);
    batch_pool_release(&pool);
}

#define T_IS   "R16:public.t(id*:23 v:1043)"
#define ODD_IS "R17:S x.a\"b(id:23 v:1043)"

static void test_changes(void **state)
{
    (void)state;
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.t: INSERT: id[integer]:1 v[character varying]:'it''s'\n"
          "table public.t: UPDATE: id[integer]:1 v[character varying]:unchanged-toast-datum\n"
          "table public.t: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 "
          "v[character varying]:null\ntable public.t: DELETE: id[integer]:2\nCOMMIT 7",
          "S7 " T_IS " I16N[1 it's] U16N[1 !] U16K[1 ~]N[2 ~] D16K[2 ~] E c7@105");
    /* other orders, an oid, generated and left-out columns; the order may change within a session
     */
    check(
        PLAN_PUBLISH_ALL,
        "BEGIN 7\ntable public.t: INSERT: oid[oid]:16400 twice[integer]:2 v[character varying]:'a' "
        "secret[text]:'s' id[integer]:1\n"
        "table public.t: INSERT: id[integer]:2 v[character varying]:'b'\nCOMMIT 7",
        "S7 " T_IS " I16N[1 a] I16N[2 b] E c7@103");
    /* FULL: the columns of an old row that are NULL are not told; all of them may be */
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable \"S x\".\"a\"\"b\": DELETE: v[character varying]:'old'\n"
          "table \"S x\".\"a\"\"b\": UPDATE: old-key: new-tuple: id[integer]:null "
          "v[character varying]:'x'\nCOMMIT 7",
          "S7 " ODD_IS " D17O[~ old] U17O[~ ~]N[~ x] E c7@103");
    /* with a key, what an old row does not tell is not known: it may be an old key, from before
     * the identity became FULL, and the value that did not travel is no NULL */
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.full: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 "
          "v[character varying]:unchanged-toast-datum\nCOMMIT 7",
          "S7 R19:public.full(id*:23 v:1043) U19O[1 !]N[2 !] E c7@102");
}

/* Each is asked for once; changes of a chunk are its hypertable's, and a TRUNCATE is of the whole.
 */
static void test_chunks(void **state)
{
    (void)state;
    check_chunks("BEGIN 7\ntable i.chunk_2: DELETE: id[integer]:1\n"
                 "table i.other: INSERT: id[integer]:5\n"
                 "table i.chunk_1: DELETE: id[integer]:2\nCOMMIT 7\n"
                 "BEGIN 8\ntable i.chunk_2: DELETE: id[integer]:3\n"
                 "table i.other: INSERT: id[integer]:5\nCOMMIT 8",
                 "S7 " T_IS " D16K[1 ~] D16K[2 ~] E c7@104 S8 D16K[3 ~] E c8@108",
                 "chunk_2@7 other@7 chunk_1@7 ");
    check_chunks("BEGIN 7\ntable public.t, i.chunk_1, i.chunk_2: TRUNCATE: (no-flags)\nCOMMIT 7",
                 "S7 " T_IS " T,16 E c7@102", "chunk_1@7 chunk_2@7 ");
    check_chunks("BEGIN 7\ntable i.chunk_1: TRUNCATE: (no-flags)\nCOMMIT 7",
                 "a TRUNCATE of a chunk of public.t cannot be applied to a part of public.t",
                 "chunk_1@7 ");
}

static void test_transactions(void **state)
{
    (void)state;
    /* nothing selected: no transaction; keepalives pass between transactions only */
    check(PLAN_PUBLISH_ALL,
          "k\nBEGIN 7\ntable public.other: INSERT: id[integer]:1\nk\nCOMMIT 7\nk\nBEGIN 8\nk\n"
          "table public.t: DELETE: id[integer]:2\nCOMMIT 8",
          "k100 k105 S8 " T_IS " D16K[2 ~] E c8@109");
    /* our messages, not those of others, nor those outside transactions */
    check(PLAN_PUBLISH_ALL,
          "message: transactional: 0 prefix: godwit, sz: 1 content:x\nBEGIN 7\n"
          "message: transactional: 1 prefix: theirs, sz: 1 content:y\n"
          "message: transactional: 1 prefix: godwit, sz: 2 content:{}\n"
          "message: transactional: 1 prefix: ::timescaledb-compression-start, sz: 0 content:\n"
          "message: transactional: 1 prefix: ::timescaledb-other, sz: 0 content:\nCOMMIT 7",
          "S7 M{} M E c7@106");
    /* a source without messages (9.5) has them as rows of a table that only we make */
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable godwit_mark.message: INSERT: prefix[text]:'godwit' "
          "content[text]:'{it''s}'\n"
          "table godwit_mark.message: INSERT: prefix[text]:'theirs' content[text]:'{}'\n"
          "table godwit_mark.other: INSERT: prefix[text]:'godwit' content[text]:'{}'\n"
          "table other.message: INSERT: prefix[text]:'godwit' content[text]:'{}'\nCOMMIT 7",
          "S7 M{it's} E c7@105");
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.other, public.t, \"S x\".\"a\"\"b\": TRUNCATE: restart_seqs "
          "cascade\n"
          "table public.other: TRUNCATE: (no-flags)\nCOMMIT 7",
          "S7 " T_IS " " ODD_IS " Tcr,16,17 E c7@103");
    /* kinds that the plan does not publish */
    check(PLAN_PUBLISH_INSERT,
          "BEGIN 7\ntable public.t: DELETE: id[integer]:2\ntable public.t: TRUNCATE: (no-flags)\n"
          "table public.t: INSERT: id[integer]:1 v[character varying]:'a'\nCOMMIT 7",
          "S7 " T_IS " I16N[1 a] E c7@104");
}

/* What the server's client_encoding converts everywhere else comes here as the database has it. */
static void test_latin1(void **state)
{
    (void)state;
    static const Catalog catalog = {.server = {.encoding = "LATIN1"}};
    encoded = &catalog;
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable \"S x\".\"a\"\"b\": INSERT: id[integer]:1 v[character varying]:"
          "'\xc3\xa9t\xe9 \x80\xff'\n"
          "table public.\"\xe9t\xe9\": INSERT: id[integer]:2 v[character varying]:'a'\n"
          "message: transactional: 1 prefix: theirs, sz: 1 content:\xe9\nCOMMIT 7",
          "S7 " ODD_IS " I17N[1 \xc3\x83\xc2\xa9t\xc3\xa9 \xc2\x80\xc3\xbf] "
          "R20:public.\xc3\xa9t\xc3\xa9(id*:23 v:1043) I20N[2 a] E c7@104");
    encoded = NULL;
}

static void test_other_shapes(void **state)
{
    (void)state;
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.t: INSERT: id[integer]:1 v[character varying]:'a' more[text]:'b'",
          "S7 R16:public.t(id*:23 v:1043 more:0) I16N[1 a b]");
    check(PLAN_PUBLISH_ALL, "BEGIN 7\ntable public.t: INSERT: id[integer]:1",
          "S7 R16:public.t(id*:23) I16N[1]");
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.t: INSERT: id[bigint]:1 v[character varying]:'a'",
          "S7 R16:public.t(id*:0 v:1043) I16N[1 a]");
    /* a key of another name: what it does not tell is as it was */
    check(PLAN_PUBLISH_ALL, "BEGIN 7\ntable public.t: DELETE: number[integer]:2",
          "S7 R16:public.t(number:0 v:1043) I16N[2]");
    check(PLAN_PUBLISH_ALL, "BEGIN 7\ntable public.t: DELETE: (no-tuple-data)",
          "the source deleted a row of public.t without telling which");
    check(PLAN_PUBLISH_ALL,
          "BEGIN 7\ntable public.none: UPDATE: id[integer]:1 v[character varying]:'a'",
          "the source updated a row of public.none without telling which");
    check(PLAN_PUBLISH_ALL, "BEGIN 7\ntable public.t: INSERT: (no-tuple-data)",
          "a change of public.t came without its row");
    check(PLAN_PUBLISH_ALL, "table public.t: DELETE: id[integer]:2",
          "a change came outside a transaction");
    check(PLAN_PUBLISH_ALL, "BEGIN 7\nBEGIN 8", "transaction 8 begins inside transaction 7");
    check(PLAN_PUBLISH_ALL, "BEGIN 7\nCOMMIT 8",
          "the commit of transaction 8 came inside transaction 7");
}

static void test_types(void **state)
{
    static const struct {
        const char *line;
        const char *text;
        bool same;
    } ROWS[] = {
        {"integer", "integer", true},
        {"integer", "bigint", false},
        {"integer", "integer[]", false},
        {"integer[]", "integer", false},
        {"numeric", "numeric(10,2)", true},
        {"numeric[]", "numeric(10,2)[]", true},
        {"timestamp without time zone", "timestamp(3) without time zone", true},
        {"timestamp with time zone", "timestamp(3) without time zone", false},
        {"interval", "interval day to second(3)", true},
        {"interval[]", "interval(3)[]", true},
        {"bit", "bit(5)", true},
        {"\"char\"", "\"char\"", true},
        {"character", "bpchar", true},
        {"character[]", "bpchar[]", true},
        {"character varying", "bpchar", false},
        {"bit", "\"bit\"", true},
        {"bit[]", "\"bit\"[]", true},
        {"bit[]", "\"bit\"", false},
        {"bit varying", "\"bit\"", false},
        {"s.\"odd(type\"[]", "s.\"odd(type\"[]", true},
        {"s.\"odd(type)\"", "s.\"odd\"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        TdText type = {ROWS[i].line, strlen(ROWS[i].line)};
        if (td_type_is(type, ROWS[i].text) != ROWS[i].same)
            fail_msg("%s, %s", ROWS[i].line, ROWS[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),      cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_transactions), cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_types),        cmocka_unit_test(test_latin1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
