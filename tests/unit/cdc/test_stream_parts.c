/*
 * Small parts of the stream: COPY rows, groups and batches, relation messages against the
 * Blueprint, our logical messages, the retry table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/encode.h"
#include "cdc/group.h"
#include "cdc/mark.h"
#include "cdc/chunks.h"
#include "cdc/relmap.h"
#include "cdc/retry_table.h"

#define BYTES(text) (text), sizeof(text) - 1

static PgoValue value(PgoValueKind kind, const char *data, size_t length)
{
    return (PgoValue){.data = data, .length = (uint32_t)length, .kind = kind};
}

static void test_text_rows(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PgoValue row[] = {value(PGO_TEXT, BYTES("a\tb\\c\nd\re\b\f\v")), value(PGO_NULL, NULL, 0),
                      value(PGO_TEXT, BYTES("")), value(PGO_TEXT, BYTES("\\N")),
                      value(PGO_TEXT, BYTES("\xc3\xa4"))};
    encode_text_row(&out, row, 5);
    assert_string_equal(out.data, "a\\tb\\\\c\\nd\\re\\b\\f\\v\t\\N\t\t\\\\N\t\xc3\xa4\n");
    encode_text_row(&out, row, 0);
    assert_int_equal(out.data[out.length - 1], '\n');
}

static void test_binary_rows(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PgoValue row[] = {value(PGO_BINARY, BYTES("\0\0\0\5")), value(PGO_NULL, NULL, 0)};
    encode_binary_header(&out);
    encode_binary_row(&out, row, 2);
    encode_binary_trailer(&out);
    static const char WANT[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                               "\0\2\0\0\0\4\0\0\0\5\xff\xff\xff\xff\xff\xff";
    assert_int_equal(out.length, sizeof(WANT) - 1);
    assert_memory_equal(out.data, WANT, sizeof(WANT) - 1);
    assert_true(encode_fits(row, 2, PGO_BINARY));
    row[1].kind = PGO_TEXT;
    assert_false(encode_fits(row, 2, PGO_BINARY));
}

static void test_batches_keep_order_and_bytes(void **state)
{
    (void)state;
    BatchPool pool;
    batch_pool_init(&pool);
    Batch *batch = batch_new(&pool, 10);
    batch_append(batch, &(BatchRecord){.wal_end = 7, .bytes = 3}, "abc");
    batch_append(batch, &(BatchRecord){.wal_end = 9, .keepalive = true}, NULL);
    batch_append(batch, &(BatchRecord){.wal_end = 11, .bytes = 9}, "123456789");
    size_t at = 0;
    const char *payload = NULL;
    const BatchRecord *record = batch_next(batch, &at, &payload);
    assert_true(record->wal_end == 7 && record->bytes == 3 && !record->keepalive);
    assert_memory_equal(payload, "abc", 3);
    record = batch_next(batch, &at, &payload);
    assert_true(record->wal_end == 9 && record->keepalive);
    record = batch_next(batch, &at, &payload);
    assert_memory_equal(payload, "123456789", 9);
    assert_null(batch_next(batch, &at, &payload));
    batch_free(&pool, batch);
    assert_ptr_equal(batch_new(&pool, 10), batch); /* used again */
    batch_free(&pool, batch);
    Batch *large = batch_new(&pool, BATCH_BYTES * 3);
    assert_true(batch_fits(large, BATCH_BYTES * 3));
    batch_free(&pool, large);
    assert_int_equal(pool.free_count, 1);
    batch_pool_release(&pool);
}

static void test_commit_must_fit_its_begin(void **state)
{
    (void)state;
    BatchPool pool;
    batch_pool_init(&pool);
    Group group = {0};
    AUTO_ERR Err stray = {0};
    assert_false(group_commit(&group, &(PgoCommit){.commit_lsn = 5, .end_lsn = 6}, &stray));
    assert_string_equal(stray.message, "a commit at 0/5 came without its begin");
    group_begin(&group, &(PgoBegin){.final_lsn = 5, .xid = 77});
    AUTO_ERR Err other = {0};
    assert_false(group_commit(&group, &(PgoCommit){.commit_lsn = 6, .end_lsn = 7}, &other));
    assert_string_equal(other.message,
                        "transaction 77 was to commit at 0/5, its commit says 0/6, end 0/7");
    AUTO_ERR Err none = {0};
    assert_true(group_commit(&group, &(PgoCommit){.commit_lsn = 5, .end_lsn = 6}, &none));
    assert_false(group.in_txn);
    group_begin(&group, &(PgoBegin){.final_lsn = 8, .xid = 78});
    group_applied(&group, &pool, false);
    assert_int_equal(group.txn_count, 1); /* the open one stays */
    assert_int_equal(group.txns[0].xid, 78);
    group_release(&group, &pool);
    batch_pool_release(&pool);
}

static void test_our_messages_only(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *content = mark_content(&arena, "godwit shop 1a2b", "n\"1");
    assert_string_equal(content, "{\"marker\":\"n\\\"1\",\"run\":\"godwit shop 1a2b\"}");
    PgoLogicalMessage message = {.transactional = true,
                                 .prefix = "godwit",
                                 .content = (const uint8_t *)content,
                                 .content_bytes = (uint32_t)strlen(content)};
    assert_string_equal(mark_nonce(&arena, &message, "godwit shop 1a2b"), "n\"1");
    assert_null(mark_nonce(&arena, &message, "godwit shop ffff"));
    message.prefix = "other";
    assert_null(mark_nonce(&arena, &message, "godwit shop 1a2b"));
    message.prefix = "godwit";
    message.transactional = false;
    assert_null(mark_nonce(&arena, &message, "godwit shop 1a2b"));
    message.transactional = true;
    message.content_bytes = 5;
    assert_null(mark_nonce(&arena, &message, "godwit shop 1a2b"));
    const char *beat = mark_content(&arena, "godwit shop 1a2b", NULL);
    assert_string_equal(beat, "{\"heartbeat\":true,\"run\":\"godwit shop 1a2b\"}");
}

static RetryClass class_of(ErrCode code, const char *sqlstate)
{
    Err err = {.code = code};
    memcpy(err.sqlstate, sqlstate, strlen(sqlstate));
    return retry_class(&err);
}

static void test_retry_table(void **state)
{
    (void)state;
    assert_int_equal(class_of(ERR_SQL, "40P01"), RETRY_GROUP);
    assert_int_equal(class_of(ERR_SQL, "40001"), RETRY_GROUP);
    assert_int_equal(class_of(ERR_SQL, "55P03"), RETRY_GROUP);
    assert_int_equal(class_of(ERR_SQL, "55006"), RETRY_SESSION);
    assert_int_equal(class_of(ERR_LOST, "57P01"), RETRY_SESSION);
    assert_int_equal(class_of(ERR_LOST, ""), RETRY_SESSION);
    assert_int_equal(class_of(ERR_CONNECT, ""), RETRY_SESSION);
    assert_int_equal(class_of(ERR_SQL, "23505"), RETRY_NEVER);
    assert_int_equal(class_of(ERR_CONFLICT, ""), RETRY_NEVER);
    assert_int_equal(class_of(ERR_CANNOT_RESUME, ""), RETRY_NEVER);
    for (const RetryRow *row = RETRY_ROWS; row[0].sqlstate != NULL && row[1].sqlstate != NULL;
         row++)
        assert_true(strcmp(row[0].sqlstate, row[1].sqlstate) < 0);
    for (unsigned attempt = 0; attempt < 40; attempt++) {
        int least = retry_wait_ms(attempt, 0);
        assert_true(least >= RETRY_FIRST_WAIT_MS / 2 && least <= RETRY_MAX_WAIT_MS);
        assert_true(retry_wait_ms(attempt, attempt * 7919) <= RETRY_MAX_WAIT_MS);
    }
    assert_int_equal(retry_wait_ms(39, 0), RETRY_MAX_WAIT_MS / 2);
}

/* Time without progress counts, time in which a table is waited for does not. */
static void test_retry_budget(void **state)
{
    (void)state;
    const int64_t period = RETRY_PERIOD_MS, hours = period * 40;
    RetryBudget budget = {.since_ms = 1000};
    assert_true(retry_may(&budget, 0, 0, 1000 + period));
    assert_false(retry_may(&budget, 0, 0, 1001 + period));
    assert_true(retry_may(&budget, 1, 0, 1001 + period));
    budget.attempt = 3;
    int64_t now = 1001 + period + hours;
    assert_true(retry_may(&budget, 1, now - 5, now)); /* nothing applied for hours: it waited */
    assert_int_equal(budget.attempt, 3);
    assert_true(retry_may(&budget, 1, now - 5, now - 5 + period));
    assert_false(retry_may(&budget, 1, now - 5, now - 4 + period));
    assert_true(retry_may(&budget, 2, now - 5, now + period));
    assert_int_equal(budget.attempt, 0);
}

/* --- relation messages --- */

static Column columns[] = {{.name = "id", .type_text = "integer", .type_oid = 23},
                           {.name = "note", .type_text = "text", .type_oid = 25}};
static const uint16_t key_columns[] = {0};
static const Key key = {.index_name = "t_pkey", .count = 1, .columns = key_columns};

typedef struct World {
    Relation relation;
    Leaf leaf;
    Leaf *leaf_by_oid[1];
    Blueprint blueprint;
    Relmap relmap;
} World;

static void world_init(World *world)
{
    *world =
        (World){.relation = {
                    .source = {"public", "t"}, .columns = columns, .column_count = 2, .key = &key}};
    world->leaf = (Leaf){.oid = 100, .source = {"public", "t"}, .root = &world->relation};
    world->leaf_by_oid[0] = &world->leaf;
    world->blueprint = (Blueprint){.leaf_by_oid = world->leaf_by_oid,
                                   .relations = &world->relation,
                                   .relation_count = 1,
                                   .leaves = &world->leaf,
                                   .leaf_count = 1};
    relmap_init(&world->relmap, &world->blueprint);
}

static PgoRelation relation_message(const char *bytes, size_t size)
{
    AUTO_ERR Err err = {0};
    PgoMessage message;
    if (!pgo_decode(bytes, size, &message, &err))
        fail_msg("%s", err.message);
    return message.relation;
}

static void test_relation_in_another_order(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    PgoRelation message =
        relation_message(BYTES("R\0\0\0\x64public\0t\0d\0\2\0note\0\0\0\0\x19\xff\xff\xff\xff"
                               "\1id\0\0\0\0\x17\xff\xff\xff\xff"));
    AUTO_ERR Err err = {0};
    assert_false(relmap_differs(&world.relmap, &message));
    assert_true(relmap_take(&world.relmap, &message, &err));
    LeafState *leaf = relmap_leaf(&world.relmap, 100, &err);
    assert_false(leaf->same_order);
    PgoMessage insert;
    assert_true(pgo_decode(BYTES("I\0\0\0\x64N\0\2t\0\0\0\1nt\0\0\0\0015"), &insert, &err));
    PgoValue scratch[2];
    PgoValue values[2];
    change_values(leaf, &insert.change.new_tuple, scratch, values);
    assert_memory_equal(values[0].data, "5", 1);
    assert_memory_equal(values[1].data, "n", 1);
    assert_false(relmap_differs(&world.relmap, &message));
    message.replica_identity = 'f';
    assert_true(relmap_differs(&world.relmap, &message));
    relmap_release(&world.relmap);
}

/* A source before 15 sends columns that a list leaves out; they are dropped, others are drift. */
static void test_columns_are_dropped_on_receipt(void **state)
{
    (void)state;
    static Column left_out[] = {{.name = "secret", .type_oid = 25}};
    World world;
    world_init(&world);
    relmap_release(&world.relmap);
    world.relation.left_out = left_out;
    world.relation.left_out_count = 1;
    relmap_init(&world.relmap, &world.blueprint);
    PgoRelation message = relation_message(
        BYTES("R\0\0\0\x64public\0t\0d\0\3\1id\0\0\0\0\x17\xff\xff\xff\xff\0secret\0\0\0"
              "\0\x19\xff\xff\xff\xff\0note\0\0\0\0\x19\xff\xff\xff\xff"));
    AUTO_ERR Err err = {0};
    assert_true(relmap_take(&world.relmap, &message, &err));
    assert_false(relmap_differs(&world.relmap, &message));
    LeafState *leaf = relmap_leaf(&world.relmap, 100, &err);
    assert_int_equal(leaf->map_count, 3);
    PgoMessage insert;
    assert_true(
        pgo_decode(BYTES("I\0\0\0\x64N\0\3t\0\0\0\0015t\0\0\0\1st\0\0\0\1n"), &insert, &err));
    PgoValue scratch[3];
    PgoValue values[2];
    change_values(leaf, &insert.change.new_tuple, scratch, values);
    assert_memory_equal(values[0].data, "5", 1);
    assert_memory_equal(values[1].data, "n", 1);
    relmap_release(&world.relmap);
}

typedef struct DriftRow {
    const char *bytes;
    size_t size;
    const char *detail;
} DriftRow;

static const DriftRow DRIFT_ROWS[] = {
    {BYTES("R\0\0\0\x64public\0t\0d\0\1\1id\0\0\0\0\x17\xff\xff\xff\xff"),
     "Column note was dropped or renamed."},
    {BYTES("R\0\0\0\x64public\0t\0d\0\2\1id\0\0\0\0\x14\xff\xff\xff\xff\0note\0\0\0\0\x19\xff\xff"
           "\xff\xff"),
     "Column id was integer (type oid 23), it now has type oid 20."},
    {BYTES("R\0\0\0\x64public\0t\0d\0\3\1id\0\0\0\0\x17\xff\xff\xff\xff\0note\0\0\0\0\x19\xff\xff"
           "\xff\xff\0more\0\0\0\0\x19\xff\xff\xff\xff"),
     "Column more was added."},
    {BYTES("R\0\0\0\x64public\0t\0i\0\2\0id\0\0\0\0\x17\xff\xff\xff\xff\1note\0\0\0\0\x19\xff\xff"
           "\xff\xff"),
     "Column id is not part of the replica identity any more."},
    {BYTES("R\0\0\0\x64public\0old_t\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff\0note\0\0\0\0\x19\xff"
           "\xff\xff\xff"),
     "The relation was renamed."},
};

static void test_drift_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(DRIFT_ROWS) / sizeof(DRIFT_ROWS[0]); i++) {
        World world;
        world_init(&world);
        PgoRelation message = relation_message(DRIFT_ROWS[i].bytes, DRIFT_ROWS[i].size);
        AUTO_ERR Err err = {0};
        assert_false(relmap_take(&world.relmap, &message, &err));
        assert_int_equal(err.code, ERR_DRIFT);
        assert_string_equal(err.detail, DRIFT_ROWS[i].detail);
        relmap_release(&world.relmap);
    }
}

/* The WAL may hold a table in shapes whose changes nobody applies: told when one must be read. */
static void test_drift_waits_for_a_change(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    AUTO_ERR Err none = {0};
    AUTO_ERR Err drift = {0};
    AUTO_ERR Err told = {0};
    AUTO_ERR Err again = {0};
    PgoRelation fits =
        relation_message(BYTES("R\0\0\0\x64public\0t\0d\0\2\0note\0\0\0\0\x19\xff\xff\xff\xff"
                               "\1id\0\0\0\0\x17\xff\xff\xff\xff"));
    PgoRelation other = relation_message(DRIFT_ROWS[0].bytes, DRIFT_ROWS[0].size);
    assert_true(relmap_take(&world.relmap, &fits, &none));
    assert_false(relmap_take(&world.relmap, &other, &drift));
    relmap_put_off(&world.relmap, 100, &drift);
    assert_false(err_is_set(&drift));
    assert_non_null(relmap_find(&world.relmap, 100));
    assert_false(relmap_ready(&world.relmap, 100, &told));
    assert_int_equal(told.code, ERR_DRIFT);
    assert_string_equal(told.detail, DRIFT_ROWS[0].detail);
    assert_null(relmap_leaf(&world.relmap, 100, &again));
    assert_string_equal(again.message, told.message);
    assert_true(relmap_take(&world.relmap, &fits, &none)); /* undone */
    assert_non_null(relmap_leaf(&world.relmap, 100, &none));
    relmap_release(&world.relmap);
}

static void test_unknown_relations(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    AUTO_ERR Err unselected = {0};
    assert_null(relmap_leaf(&world.relmap, 7, &unselected));
    assert_string_equal(unselected.message,
                        "the source sent a change of a relation that is not selected (oid 7)");
    AUTO_ERR Err early = {0};
    assert_null(relmap_leaf(&world.relmap, 100, &early));
    assert_string_equal(early.message, "a change of relation 100 came before its relation message");
    PgoRelation message =
        relation_message(BYTES("R\0\0\0\7public\0x\0d\0\1\1id\0\0\0\0\x17\xff\xff\xff\xff"));
    AUTO_ERR Err err = {0};
    assert_false(relmap_take(&world.relmap, &message, &err));
    assert_string_equal(err.message, "the source sends public.x, which is not selected");
    relmap_release(&world.relmap);
}

/* A chunk has columns in an order of its own, and its changes are its hypertable's. */
static void test_chunks_are_their_hypertable(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    world.relation.chunked = true;
    AUTO_ERR Err err = {0};
    PgoRelation message =
        relation_message(BYTES("R\0\0\0\7i\0chunk\0d\0\2\0note\0\0\0\0\x19\xff\xff\xff\xff"
                               "\1id\0\0\0\0\x17\xff\xff\xff\xff"));
    assert_false(relmap_knows(&world.relmap, 7));
    relmap_add_chunk(&world.relmap, 9, &world.leaf);
    relmap_add_chunk(&world.relmap, 7, &world.leaf);
    relmap_add_chunk(&world.relmap, 7, &world.leaf);
    assert_int_equal(world.relmap.chunks.count, 2);
    assert_true(relmap_knows(&world.relmap, 7) && relmap_knows(&world.relmap, 9));
    assert_ptr_equal(relmap_chunk_of(&world.relmap, 7), &world.leaf);
    assert_null(relmap_chunk_of(&world.relmap, 100));
    assert_true(relmap_take(&world.relmap, &message, &err));
    LeafState *state_of = relmap_leaf(&world.relmap, 7, &err);
    assert_non_null(state_of);
    assert_ptr_equal(state_of->leaf, &world.leaf);
    assert_int_equal(state_of->map[0], 1);
    assert_int_equal(state_of->map[1], 0);
    relmap_forget(&world.relmap);
    assert_false(state_of->known);
    relmap_release(&world.relmap);
}

static void test_truncate_of_chunks(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    world.relation.chunked = true;
    world.relation.target = (Name){"public", "t"};
    relmap_add_chunk(&world.relmap, 7, &world.leaf);
    relmap_add_chunk(&world.relmap, 9, &world.leaf);
    AUTO_ERR Err err = {0};
    static const uint8_t WHOLE[] = {0, 0, 0, 7, 0, 0, 0, 100, 0, 0, 0, 9};
    static const uint8_t PART[] = {0, 0, 0, 7, 0, 0, 0, 9};
    PgoTruncate whole = {.relation_count = 3, .relations = WHOLE};
    PgoTruncate part = {.relation_count = 2, .relations = PART};
    assert_true(chunks_truncated_whole(&world.relmap, &whole, &err));
    assert_false(chunks_truncated_whole(&world.relmap, &part, &err));
    assert_string_equal(
        err.message, "a TRUNCATE of a chunk of public.t cannot be applied to a part of public.t");
    relmap_release(&world.relmap);
}

/* --- the question about a relation --- */

typedef struct Asking {
    World world;
    Stream stream;
    StreamSession session;
    Group group;
    Lane lane;
    Err err;
    bool ok;
} Asking;

static void *ask_outside_of_transactions(void *data)
{
    Asking *asking = data;
    asking->ok = chunks_meet(&asking->lane, &asking->session, 7, &asking->err);
    return NULL;
}

static ChunkQuestion wait_for_question(Stream *stream)
{
    for (;;) {
        pthread_mutex_lock(&stream->mutex);
        ChunkQuestion question = stream->chunk;
        pthread_mutex_unlock(&stream->mutex);
        if (question.answer == CHUNK_ASKED)
            return question;
        assert_true(stop_sleep(&stream->stop, 1));
    }
}

/* The spool tells relations outside of transactions: the question is of none. An answer to a
 * question that nobody asks any more is not taken for this one's. */
static void test_questions_about_relations(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    static const Catalog catalog;
    static Asking asking;
    pthread_t thread;
    world_init(&asking.world);
    asking.world.relation.chunked = true;
    asking.world.blueprint.has_chunked = true;
    asking.world.blueprint.source = &catalog;
    asking.stream.spec.blueprint = &asking.world.blueprint;
    relmap_init(&asking.stream.relmap, &asking.world.blueprint);
    pthread_mutex_init(&asking.stream.mutex, NULL);
    assert_true(stop_init(&asking.stream.stop, &err));
    asking.session.stream = &asking.stream;
    queue_init(&asking.session.queue, 1, 1);
    asking.lane.group = &asking.group;
    for (int gone = 1; gone >= 0; gone--) {
        atomic_store(&asking.stream.draining, false);
        assert_int_equal(pthread_create(&thread, NULL, ask_outside_of_transactions, &asking), 0);
        ChunkQuestion question = wait_for_question(&asking.stream);
        assert_int_equal(question.oid, 7);
        assert_int_equal(question.xid, 0);
        ChunkQuestion before = question;
        before.ticket--;
        assert_false(chunks_settle(&asking.stream, &before, CHUNK_GONE, NULL));
        if (gone == 1)
            atomic_store(&asking.stream.draining, true);
        else
            assert_true(chunks_settle(&asking.stream, &question, CHUNK_IS, &asking.world.leaf));
        pthread_join(thread, NULL);
        assert_int_equal(asking.ok, gone == 0);
        assert_false(chunks_settle(&asking.stream, &question, CHUNK_GONE, NULL));
        err_release(&asking.err);
    }
    assert_ptr_equal(relmap_chunk_of(&asking.stream.relmap, 7), &asking.world.leaf);
    queue_release(&asking.session.queue);
    stop_release(&asking.stream.stop);
    pthread_mutex_destroy(&asking.stream.mutex);
    relmap_release(&asking.stream.relmap);
    relmap_release(&asking.world.relmap);
}

static void test_key_text(void **state)
{
    (void)state;
    World world;
    world_init(&world);
    AUTO_ARENA Arena arena = {0};
    PgoValue five = value(PGO_TEXT, BYTES("5"));
    assert_string_equal(change_key_text(&arena, &world.relation, &five), "Key (id)=(5)");
    PgoValue binary = value(PGO_BINARY, BYTES("\0\x1f"));
    assert_string_equal(change_key_text(&arena, &world.relation, &binary), "Key (id)=(0x001f)");
    relmap_release(&world.relmap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_rows),
        cmocka_unit_test(test_binary_rows),
        cmocka_unit_test(test_batches_keep_order_and_bytes),
        cmocka_unit_test(test_commit_must_fit_its_begin),
        cmocka_unit_test(test_our_messages_only),
        cmocka_unit_test(test_retry_table),
        cmocka_unit_test(test_retry_budget),
        cmocka_unit_test(test_relation_in_another_order),
        cmocka_unit_test(test_columns_are_dropped_on_receipt),
        cmocka_unit_test(test_drift_is_named),
        cmocka_unit_test(test_drift_waits_for_a_change),
        cmocka_unit_test(test_unknown_relations),
        cmocka_unit_test(test_chunks_are_their_hypertable),
        cmocka_unit_test(test_truncate_of_chunks),
        cmocka_unit_test(test_questions_about_relations),
        cmocka_unit_test(test_key_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
