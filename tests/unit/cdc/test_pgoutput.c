/*
 * The pgoutput decoder: every kind of message, every field of it, and every way of being malformed
 * with its exact error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/pgoutput.h"

#define BYTES(text) (text), sizeof(text) - 1

static PgoMessage decode(const char *data, size_t size)
{
    AUTO_ERR Err err = {0};
    PgoMessage message;
    if (!pgo_decode(data, size, &message, &err))
        fail_msg("%s", err.message);
    return message;
}

static void test_begin(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("B\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\5\0\0\3\11"));
    assert_int_equal(m.kind, PGO_BEGIN);
    assert_true(m.begin.final_lsn == 0x100000002);
    assert_true(m.begin.commit_unix_us == INT64_C(946684800000005));
    assert_int_equal(m.begin.xid, 777);
}

static void test_commit(void **state)
{
    (void)state;
    PgoMessage m =
        decode(BYTES("C\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\x9\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(m.kind, PGO_COMMIT);
    assert_true(m.commit.commit_lsn == 7);
    assert_true(m.commit.end_lsn == 9);
    assert_true(m.commit.commit_unix_us == INT64_C(946684799999999));
}

static void test_logical_message(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("M\1\0\0\0\0\0\0\0\3godwit\0\0\0\0\2{}"));
    assert_true(m.message.transactional);
    assert_true(m.message.lsn == 3);
    assert_string_equal(m.message.prefix, "godwit");
    assert_int_equal(m.message.content_bytes, 2);
    assert_memory_equal(m.message.content, "{}", 2);
    m = decode(BYTES("M\0\0\0\0\0\0\0\0\3\0\0\0\0\0"));
    assert_false(m.message.transactional);
    assert_string_equal(m.message.prefix, "");
}

static void test_origin_and_type(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("O\0\0\0\0\0\0\0\4other\0"));
    assert_true(m.origin.lsn == 4);
    assert_string_equal(m.origin.name, "other");
    m = decode(BYTES("Y\0\0\x40\0public\0mood\0"));
    assert_int_equal(m.type.oid, 16384);
    assert_string_equal(m.type.schema, "public");
    assert_string_equal(m.type.name, "mood");
}

static void test_relation(void **state)
{
    (void)state;
    PgoMessage m =
        decode(BYTES("R\0\0\x40\1shop\0Order \"x\"\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff"
                     "\0note\0\0\0\4\x13\0\0\0\x18"));
    assert_int_equal(m.relation.oid, 16385);
    assert_string_equal(m.relation.schema, "shop");
    assert_string_equal(m.relation.name, "Order \"x\"");
    assert_int_equal(m.relation.replica_identity, 'd');
    assert_int_equal(m.relation.column_count, 2);
    PgoColumn column;
    const uint8_t *at = pgo_relation_column(m.relation.columns, &column);
    assert_true(column.in_key);
    assert_string_equal(column.name, "id");
    assert_int_equal(column.type_oid, 23);
    assert_int_equal(column.type_modifier, -1);
    pgo_relation_column(at, &column);
    assert_false(column.in_key);
    assert_string_equal(column.name, "note");
    assert_int_equal(column.type_oid, 1043);
    assert_int_equal(column.type_modifier, 24);
}

static void test_insert_of_every_kind_of_value(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("I\0\0\0\1N\0\4t\0\0\0\3abcnub\0\0\0\0"));
    assert_int_equal(m.change.relation_oid, 1);
    assert_null(m.change.old_tuple.data);
    assert_int_equal(m.change.new_tuple.column_count, 4);
    PgoValue v[4];
    pgo_tuple_values(&m.change.new_tuple, v);
    assert_int_equal(v[0].kind, PGO_TEXT);
    assert_int_equal(v[0].length, 3);
    assert_memory_equal(v[0].data, "abc", 3);
    assert_int_equal(v[1].kind, PGO_NULL);
    assert_null(v[1].data);
    assert_int_equal(v[2].kind, PGO_UNCHANGED);
    assert_int_equal(v[3].kind, PGO_BINARY);
    assert_int_equal(v[3].length, 0);
}

static void test_update_with_and_without_old(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("U\0\0\0\1N\0\1n"));
    assert_null(m.change.old_tuple.data);
    assert_int_equal(m.change.new_tuple.kind, 'N');
    m = decode(BYTES("U\0\0\0\1K\0\1t\0\0\0\1aN\0\1t\0\0\0\1b"));
    assert_int_equal(m.change.old_tuple.kind, 'K');
    assert_int_equal(m.change.new_tuple.column_count, 1);
    PgoValue v;
    pgo_tuple_values(&m.change.old_tuple, &v);
    assert_memory_equal(v.data, "a", 1);
    pgo_tuple_values(&m.change.new_tuple, &v);
    assert_memory_equal(v.data, "b", 1);
    m = decode(BYTES("U\0\0\0\1O\0\0N\0\0"));
    assert_int_equal(m.change.old_tuple.kind, 'O');
    assert_non_null(m.change.old_tuple.data);
}

static void test_delete_and_truncate(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES("D\0\0\0\1O\0\1n"));
    assert_int_equal(m.change.old_tuple.kind, 'O');
    assert_null(m.change.new_tuple.data);
    m = decode(BYTES("T\0\0\0\2\3\0\0\0\7\0\0\x40\0"));
    assert_true(m.truncate.cascade);
    assert_true(m.truncate.restart_identity);
    assert_int_equal(m.truncate.relation_count, 2);
    assert_int_equal(pgo_truncate_relation(&m.truncate, 0), 7);
    assert_int_equal(pgo_truncate_relation(&m.truncate, 1), 16384);
}

typedef struct BadRow {
    const char *data;
    size_t size;
    const char *message;
} BadRow;

static const BadRow BAD_ROWS[] = {
    {BYTES(""), "empty replication message"},
    {BYTES("x"), "unknown kind of replication message: byte 0x78"},
    {BYTES("E"), "a stream stop message came outside a streamed block"},
    {BYTES("S\0\0\0\1"), "malformed stream start message: the message ends inside the mark of the "
                         "first segment at offset 5 of 5"},
    {BYTES("S\0\0\0\1\2"),
     "malformed stream start message: unknown mark of the first segment at offset 5 of 6"},
    {BYTES("S\0\0\0\1\1z"), "malformed stream start message: bytes are left over at offset 6 of 7"},
    {BYTES("c\0\0\0\1\1"), "malformed stream commit message: unknown flags at offset 5 of 6"},
    {BYTES("A\0\0\0\1\0\0"), "malformed stream abort message: the message ends inside the "
                             "subtransaction id at offset 5 of 7"},
    {BYTES("A\0\0\0\1\0\0\0\2\0\0"), "malformed stream abort message: the message ends inside the "
                                     "abort LSN at offset 9 of 11"},
    {BYTES("A\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\1"),
     "malformed stream abort message: the message ends inside the abort time at offset 17 of 17"},
    {BYTES("P\1"), "malformed prepare message: unknown flags at offset 1 of 2"},
    {BYTES("K\1"), "malformed commit prepared message: unknown flags at offset 1 of 2"},
    {BYTES("p\1"), "malformed stream prepare message: unknown flags at offset 1 of 2"},
    {BYTES("r\1"), "malformed rollback prepared message: unknown flags at offset 1 of 2"},
    {BYTES("b\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1gid"),
     "malformed begin prepare message: the global transaction id is not terminated at offset 29 of "
     "32"},
    {BYTES("B\0\0\0\0\0\0\0"),
     "malformed begin message: the message ends inside the final LSN at offset 1 of 8"},
    {BYTES("B\0\0\0\0\0\0\0\1\0\0"),
     "malformed begin message: the message ends inside the commit time at offset 9 of 11"},
    {BYTES("B\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0"),
     "malformed begin message: the message ends inside the transaction id at offset 17 of 19"},
    {BYTES("B\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1z"),
     "malformed begin message: bytes are left over at offset 21 of 22"},
    {BYTES("C"), "malformed commit message: the message ends inside the flags at offset 1 of 1"},
    {BYTES("C\1"), "malformed commit message: unknown flags at offset 1 of 2"},
    {BYTES("C\0\0\0\0\0\0\0\0\7\0"),
     "malformed commit message: the message ends inside the end LSN at offset 10 of 11"},
    {BYTES("M\2"), "malformed message message: unknown flags at offset 1 of 2"},
    {BYTES("M\1\0\0\0\0\0\0\0\3godwit"),
     "malformed message message: the prefix is not terminated at offset 10 of 16"},
    {BYTES("M\1\0\0\0\0\0\0\0\3g\0\0\0\0\3ab"),
     "malformed message message: the content runs over the end at offset 16 of 18"},
    {BYTES("O\0\0\0\0\0\0\0\4x"),
     "malformed origin message: the name is not terminated at offset 9 of 10"},
    {BYTES("R\0\0\0\1s\0t"),
     "malformed relation message: the relation's name is not terminated at offset 7 of 8"},
    {BYTES("R\0\0\0\1s\0t\0"),
     "malformed relation message: the message ends inside the replica identity at offset 9 of 9"},
    {BYTES("R\0\0\0\1s\0t\0d\0\2\1a\0\0\0\0\x17\xff\xff\xff\xff"),
     "malformed relation message: the message ends inside a column's flags at offset 23 of 23"},
    {BYTES("R\0\0\0\1s\0t\0d\0\1\1a\0\0\0\0\x17"),
     "malformed relation message: the message ends inside a column's type at offset 15 of 19"},
    {BYTES("R\0\0\0\1s\0t\0d\0\1\1a"),
     "malformed relation message: a column's name is not terminated at offset 13 of 14"},
    {BYTES("Y\0\0\0\1s\0t"),
     "malformed type message: the type's name is not terminated at offset 7 of 8"},
    {BYTES("I\0\0\0"),
     "malformed insert message: the message ends inside the relation at offset 1 of 4"},
    {BYTES("I\0\0\0\1"),
     "malformed insert message: the message ends inside the kind of a tuple at offset 5 of 5"},
    {BYTES("I\0\0\0\1K\0\0"),
     "malformed insert message: a new tuple was expected at offset 5 of 8"},
    {BYTES("I\0\0\0\1\0\0\0"),
     "malformed insert message: a new tuple was expected at offset 5 of 8"},
    {BYTES("I\0\0\0\1N\0"),
     "malformed insert message: the message ends inside the number of columns at offset 6 of 7"},
    {BYTES("I\0\0\0\1N\0\2n"),
     "malformed insert message: the message ends inside a tuple at offset 9 of 9"},
    {BYTES("I\0\0\0\1N\0\1x"), "malformed insert message: unknown kind of value at offset 8 of 9"},
    {BYTES("I\0\0\0\1N\0\1t\0\0"),
     "malformed insert message: the message ends inside the length of a value at offset 9 of 11"},
    {BYTES("I\0\0\0\1N\0\1t\0\0\0\4abc"),
     "malformed insert message: a value runs over the end of the message at offset 13 of 16"},
    {BYTES("I\0\0\0\1N\0\1t\xff\xff\xff\xff"),
     "malformed insert message: a value runs over the end of the message at offset 13 of 13"},
    {BYTES("I\0\0\0\1N\0\1nn"), "malformed insert message: bytes are left over at offset 9 of 10"},
    {BYTES("U\0\0\0\1D\0\0"), "malformed update message: a key, an old or a new tuple was expected "
                              "at offset 5 of 8"},
    {BYTES("U\0\0\0\1K\0\1n"),
     "malformed update message: the message ends inside the kind of a tuple at offset 9 of 9"},
    {BYTES("U\0\0\0\1K\0\1nK\0\1n"),
     "malformed update message: a new tuple was expected at offset 9 of 13"},
    {BYTES("D\0\0\0\1N\0\0"),
     "malformed delete message: a key or an old tuple was expected at offset 5 of 8"},
    {BYTES("T\0\0\0\1"),
     "malformed truncate message: the message ends inside the options at offset 5 of 5"},
    {BYTES("T\0\0\0\1\4\0\0\0\1"), "malformed truncate message: unknown options at offset 5 of 10"},
    {BYTES("T\x40\0\0\1\0\0\0\0\1"),
     "malformed truncate message: the relations run over the end of "
     "the message at offset 6 of 10"},
    {BYTES("T\0\0\0\1\0\0\0\0\1\0"),
     "malformed truncate message: bytes are left over at offset 10 of 11"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(BAD_ROWS) / sizeof(BAD_ROWS[0]); i++) {
        AUTO_ERR Err err = {0};
        PgoMessage message;
        /* An exact copy, so that address checking sees a byte read too many. */
        char *copy = mem_resize(NULL, BAD_ROWS[i].size);
        memcpy(copy, BAD_ROWS[i].data, BAD_ROWS[i].size);
        bool ok = pgo_decode(copy, BAD_ROWS[i].size, &message, &err);
        mem_free(copy);
        if (ok)
            fail_msg("row %zu is accepted: %s", i, BAD_ROWS[i].message);
        assert_string_equal(err.message, BAD_ROWS[i].message);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
}

static const BadRow GOOD_ROWS[] = {
    {BYTES("B\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\5\0\0\3\11"), NULL},
    {BYTES("C\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\x9\0\0\0\0\0\0\0\0"), NULL},
    {BYTES("M\1\0\0\0\0\0\0\0\3godwit\0\0\0\0\2{}"), NULL},
    {BYTES("O\0\0\0\0\0\0\0\4other\0"), NULL},
    {BYTES("Y\0\0\x40\0public\0mood\0"), NULL},
    {BYTES("R\0\0\x40\1shop\0orders\0d\0\1\1id\0\0\0\0\x17\xff\xff\xff\xff"), NULL},
    {BYTES("I\0\0\0\1N\0\4t\0\0\0\3abcnub\0\0\0\0"), NULL},
    {BYTES("U\0\0\0\1K\0\1t\0\0\0\1aN\0\1t\0\0\0\1b"), NULL},
    {BYTES("D\0\0\0\1O\0\1n"), NULL},
    {BYTES("T\0\0\0\2\3\0\0\0\7\0\0\x40\0"), NULL},
    {BYTES("S\0\0\2\xf3\1"), NULL},
    {BYTES("c\0\0\2\xf3\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\1\0\3\x03\xc7\x2c\x30\xb6\x2b"), NULL},
    {BYTES("A\0\0\2\xf3\0\0\2\xf4"), NULL},
    {BYTES("b\0\0\0\0\1\0\0\1\0\0\0\0\1\0\0\2\0\3\x03\xc7\x2c\0\0\1\0\0\2\xdbg\0"), NULL},
    {BYTES("K\0\0\0\0\0\1\0\0\1\0\0\0\0\1\0\0\2\0\3\x03\xc7\x2c\0\0\1\0\0\2\xdbg\0"), NULL},
};

/* Cut anywhere, lengthened by anything: a message is accepted only as it is. */
static void test_every_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD_ROWS) / sizeof(GOOD_ROWS[0]); i++) {
        decode(GOOD_ROWS[i].data, GOOD_ROWS[i].size);
        for (size_t size = 0; size <= GOOD_ROWS[i].size + 1; size++) {
            AUTO_ERR Err err = {0};
            PgoMessage message;
            char *copy = arena_alloc(&err.arena, size + 1);
            memcpy(copy, GOOD_ROWS[i].data, size < GOOD_ROWS[i].size ? size : GOOD_ROWS[i].size);
            if (size != GOOD_ROWS[i].size && pgo_decode(copy, size, &message, &err))
                fail_msg("row %zu is accepted with %zu bytes", i, size);
        }
    }
}

/* What PostgreSQL 15 and 18 sent; recorded with pg_logical_slot_get_binary_changes(). */
#define START_18  "S\0\0\2\xf3\1"
#define STOP_18   "E"
#define TYPE_18   "Y\0\0\2\xf3\0\0\x40\2public\0mood\0"
#define INSERT_18 "I\0\0\2\xf3\0\0\x40\5N\0\3t\0\0\0\0011t\0\0\0\2okt\0\0\0\2xx"
#define RELATION_18                                                                                \
    "R\0\0\2\xf5\0\0\x40\5public\0t\0d\0\3\1id\0\0\0\0\x17\xff\xff\xff\xff"                        \
    "\0m\0\0\0\x40\2\xff\xff\xff\xff\0v\0\0\0\0\x19\xff\xff\xff\xff"
#define MESSAGE_18  "M\0\0\2\xf3\1\0\0\0\0\1\xba\x84\x50pre\0\0\0\0\7content"
#define TRUNCATE_18 "T\0\0\2\xf5\0\0\0\1\0\0\0\x40\5"
#define ABORT_18    "A\0\0\2\xf3\0\0\2\xf4\0\0\0\0\1\xba\x84\x08\0\3\x03\xc7\x2c\x30\x9f\xa6"
#define ABORT_15    "A\0\0\2\xd7\0\0\2\xd8"
#define COMMIT_18                                                                                  \
    "c\0\0\2\xf3\0\0\0\0\0\1\xbb\x67\xf0\0\0\0\0\1\xbb\x69\x68\0\3\x03\xc7\x2c\x30\xb6\x2b"
#define PREPARED_15                                                                                \
    "\0\0\0\0\1\x97\x3c\x08\0\0\0\0\1\x97\x3d\0\0\3\x03\xc7\x2c\x12\x5a\xe2\0\0\2\xdbgid one\0"
#define ROLLBACK_15                                                                                \
    "r\0\0\0\0\0\1\x97\x3e\xc0\0\0\0\0\1\x97\x3f\0\0\3\x03\xc7\x2c\x12\x80\xa1"                    \
    "\0\3\x03\xc7\x2c\x12\x90\xa6\0\0\2\xdcgid two\0"

static PgoMessage decode_streamed(const char *data, size_t size)
{
    AUTO_ERR Err err = {0};
    PgoMessage message;
    if (!pgo_decode_streamed(data, size, &message, &err))
        fail_msg("%s", err.message);
    return message;
}

static void test_streamed_transactions(void **state)
{
    (void)state;
    PgoMessage m = decode(BYTES(START_18));
    assert_int_equal(m.stream_start.xid, 755);
    assert_true(m.stream_start.first);
    m = decode(BYTES(ABORT_18));
    assert_int_equal(m.stream_abort.xid, 755);
    assert_int_equal(m.stream_abort.subxid, 756);
    assert_true(m.stream_abort.told);
    assert_true(m.stream_abort.abort_lsn == 0x1ba8408);
    assert_true(m.stream_abort.abort_unix_us == INT64_C(0x000303c72c309fa6) + 946684800000000);
    m = decode(BYTES(ABORT_15));
    assert_int_equal(m.stream_abort.subxid, 728);
    assert_false(m.stream_abort.told);
    m = decode(BYTES(COMMIT_18));
    assert_int_equal(m.stream_commit.xid, 755);
    assert_true(m.stream_commit.commit.commit_lsn == 0x1bb67f0);
    assert_true(m.stream_commit.commit.end_lsn == 0x1bb6968);
    assert_true(m.stream_commit.commit.commit_unix_us ==
                INT64_C(0x000303c72c30b62b) + 946684800000000);
}

static void test_messages_of_a_streamed_block(void **state)
{
    (void)state;
    assert_int_equal(decode_streamed(BYTES(STOP_18)).kind, PGO_STREAM_STOP);
    PgoMessage m = decode_streamed(BYTES(TYPE_18));
    assert_int_equal(m.xid, 755);
    assert_string_equal(m.type.name, "mood");
    m = decode_streamed(BYTES(RELATION_18));
    assert_int_equal(m.xid, 757); /* a subtransaction's */
    assert_int_equal(m.relation.oid, 16389);
    assert_int_equal(m.relation.column_count, 3);
    m = decode_streamed(BYTES(INSERT_18));
    assert_int_equal(m.xid, 755);
    assert_int_equal(m.change.relation_oid, 16389);
    assert_int_equal(m.change.new_tuple.column_count, 3);
    m = decode_streamed(BYTES(TRUNCATE_18));
    assert_int_equal(m.xid, 757);
    assert_int_equal(pgo_truncate_relation(&m.truncate, 0), 16389);
    m = decode_streamed(BYTES(MESSAGE_18));
    assert_int_equal(m.xid, 755);
    assert_string_equal(m.message.prefix, "pre");
    m = decode_streamed(BYTES("O\0\0\0\0\0\0\0\4other\0"));
    assert_int_equal(m.xid, 0);
    AUTO_ERR Err err = {0};
    assert_false(pgo_decode_streamed(BYTES(START_18), &m, &err));
    assert_string_equal(err.message, "a stream start message came inside a streamed block");
    AUTO_ERR Err cut = {0};
    assert_false(pgo_decode_streamed(BYTES("I\0\0\2"), &m, &cut));
    assert_string_equal(cut.message, "malformed insert message: the message ends inside the "
                                     "transaction id at offset 1 of 4");
}

static void test_prepared_transactions(void **state)
{
    (void)state;
    static const char *const MESSAGES[] = {"b" PREPARED_15, "P\0" PREPARED_15, "K\0" PREPARED_15,
                                           "p\0" PREPARED_15};
    for (size_t i = 0; i < 4; i++) {
        size_t size = sizeof("b" PREPARED_15) - 1 + (i > 0 ? 1 : 0);
        PgoMessage m = decode(MESSAGES[i], size);
        assert_int_equal(m.kind, MESSAGES[i][0]);
        assert_true(m.prepare.lsn == 0x1973c08);
        assert_true(m.prepare.end_lsn == 0x1973d00);
        assert_true(m.prepare.unix_us == INT64_C(0x000303c72c125ae2) + 946684800000000);
        assert_int_equal(m.prepare.xid, 731);
        assert_string_equal(m.prepare.gid, "gid one");
    }
    PgoMessage m = decode(BYTES(ROLLBACK_15));
    assert_true(m.rollback_prepared.prepare_end_lsn == 0x1973ec0);
    assert_true(m.rollback_prepared.rollback_end_lsn == 0x1973f00);
    assert_true(m.rollback_prepared.rollback_unix_us > m.rollback_prepared.prepare_unix_us);
    assert_int_equal(m.rollback_prepared.xid, 732);
    assert_string_equal(m.rollback_prepared.gid, "gid two");
}

static const BadRow STREAMED_ROWS[] = {
    {BYTES(STOP_18), NULL},     {BYTES(TYPE_18), NULL},    {BYTES(INSERT_18), NULL},
    {BYTES(RELATION_18), NULL}, {BYTES(MESSAGE_18), NULL}, {BYTES(TRUNCATE_18), NULL},
};

static void test_every_prefix_of_a_block_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(STREAMED_ROWS) / sizeof(STREAMED_ROWS[0]); i++) {
        const BadRow *row = &STREAMED_ROWS[i];
        for (size_t size = 0; size <= row->size + 1; size++) {
            AUTO_ERR Err err = {0};
            PgoMessage message;
            char *copy = arena_alloc(&err.arena, size + 1);
            memcpy(copy, row->data, size < row->size ? size : row->size);
            bool ok = pgo_decode_streamed(copy, size, &message, &err);
            if (ok != (size == row->size))
                fail_msg("row %zu with %zu bytes", i, size);
        }
    }
}

static void test_value_equal(void **state)
{
    (void)state;
    PgoValue a = {.data = "ab", .length = 2, .kind = PGO_TEXT};
    PgoValue b = {.data = "abc", .length = 2, .kind = PGO_TEXT};
    assert_true(pgo_value_equal(&a, &b));
    b.kind = PGO_BINARY;
    assert_false(pgo_value_equal(&a, &b));
    b = (PgoValue){.data = "ac", .length = 2, .kind = PGO_TEXT};
    assert_false(pgo_value_equal(&a, &b));
    PgoValue n = {.kind = PGO_NULL};
    PgoValue empty = {.data = "", .kind = PGO_TEXT};
    assert_false(pgo_value_equal(&n, &empty));
    assert_true(pgo_value_equal(&n, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_logical_message),
        cmocka_unit_test(test_origin_and_type),
        cmocka_unit_test(test_relation),
        cmocka_unit_test(test_insert_of_every_kind_of_value),
        cmocka_unit_test(test_update_with_and_without_old),
        cmocka_unit_test(test_delete_and_truncate),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_streamed_transactions),
        cmocka_unit_test(test_messages_of_a_streamed_block),
        cmocka_unit_test(test_prepared_transactions),
        cmocka_unit_test(test_every_prefix_of_a_block_is_refused),
        cmocka_unit_test(test_value_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
