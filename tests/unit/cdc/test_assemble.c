/*
 * The assembler: pieces of transactions under way become ordinary transactions, in the order of
 * their commits, whatever is between them, however little memory there is; aborted parts vanish.
 * Lines are written as "kind+number"; a message of a block carries its xid as the server sends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/str.h"
#include "cdc/assemble.h"

typedef struct Test {
    BatchPool pool;
    Assembly assembly;
    Batch *batch; /* being filled */
    Str out;      /* what came out, one word a message */
    Err err;
} Test;

static void begin(Test *test, size_t memory)
{
    *test = (Test){0};
    batch_pool_init(&test->pool);
    assemble_init(&test->assembly, &test->pool, memory, NULL);
}

static void end(Test *test)
{
    if (test->batch != NULL)
        batch_free(&test->pool, test->batch);
    assemble_release(&test->assembly);
    batch_pool_release(&test->pool);
    str_release(&test->out);
    err_release(&test->err);
}

static void put(Test *test, const void *data, size_t bytes)
{
    if (test->batch == NULL)
        test->batch = batch_new(&test->pool, bytes);
    assert_true(batch_fits(test->batch, bytes));
    batch_append(test->batch, &(BatchRecord){.wal_end = 1, .bytes = (uint32_t)bytes}, data);
}

static void keepalive(Test *test)
{
    if (test->batch == NULL)
        test->batch = batch_new(&test->pool, 0);
    batch_append(test->batch, &(BatchRecord){.wal_end = 9, .keepalive = true}, NULL);
}

static void u32(Str *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        str_append_char(out, (char)(value >> shift & 0xff));
}

static void start(Test *test, uint32_t xid, bool first)
{
    AUTO_STR Str m = {0};
    str_append_char(&m, 'S');
    u32(&m, xid);
    str_append_char(&m, first ? 1 : 0);
    put(test, m.data, m.length);
}

static void stop(Test *test)
{
    put(test, "E", 1);
}

/* An insert whose one value is `text`, padded. xid 0: of an ordinary transaction */
static void insert(Test *test, uint32_t xid, const char *text, size_t padding)
{
    AUTO_STR Str m = {0};
    str_append_char(&m, 'I');
    if (xid != 0)
        u32(&m, xid);
    u32(&m, 100);
    str_append_bytes(&m, "N\0\1t", 4);
    u32(&m, (uint32_t)(strlen(text) + padding));
    str_append(&m, text);
    for (size_t i = 0; i < padding; i++)
        str_append_char(&m, '.');
    put(test, m.data, m.length);
}

static void stream_end(Test *test, char kind, uint32_t xid, uint32_t second)
{
    AUTO_STR Str m = {0};
    str_append_char(&m, kind);
    u32(&m, xid);
    if (kind == 'A') {
        u32(&m, second);
    } else {
        str_append_char(&m, 0);
        u32(&m, 0);
        u32(&m, second);
        u32(&m, 0);
        u32(&m, second + 1);
        str_append_bytes(&m, "\0\0\0\0\0\0\0\7", 8);
    }
    put(test, m.data, m.length);
}

static void block(Test *test, uint32_t top, bool first, uint32_t xid, const char *text)
{
    start(test, top, first);
    insert(test, xid, text, 0);
    stop(test);
}

static void tell(Test *test, const BatchRecord *record, const char *payload)
{
    PgoMessage m;
    PgoValue value = {0};
    if (record->keepalive) {
        str_append(&test->out, "keepalive ");
        return;
    }
    AUTO_ERR Err err = {0};
    if (!pgo_decode(payload, record->bytes, &m, &err))
        fail_msg("%s", err.message);
    switch ((int)m.kind) {
    case PGO_BEGIN:
        str_appendf(&test->out, "B%u@%u ", m.begin.xid, (unsigned)m.begin.final_lsn);
        break;
    case PGO_COMMIT:
        str_appendf(&test->out, "C@%u ", (unsigned)m.commit.end_lsn);
        break;
    case PGO_INSERT:
        pgo_tuple_values(&m.change.new_tuple, &value);
        const char *dots = memchr(value.data, '.', value.length);
        str_appendf(&test->out, "%.*s ",
                    (int)(dots != NULL ? (size_t)(dots - value.data) : value.length), value.data);
        break;
    default:
        str_appendf(&test->out, "%c ", (char)m.kind);
    }
}

/* Gives what was put, and reads all that comes of it. */
static bool give(Test *test)
{
    Batch *batch = NULL;
    assemble_give(&test->assembly, test->batch);
    test->batch = NULL;
    for (;;) {
        if (!assemble_next(&test->assembly, &batch, &test->err))
            return false;
        if (batch == NULL)
            return true;
        size_t at = 0;
        const char *payload = NULL;
        const BatchRecord *record = NULL;
        while ((record = batch_next(batch, &at, &payload)) != NULL)
            tell(test, record, payload);
        batch_free(&test->pool, batch);
    }
}

static void ordinary(Test *test, unsigned xid, const char *text)
{
    char begin_bytes[21] = {'B', 0, 0, 0, 0, 0, 0, 0, 5};
    char commit_bytes[26] = {'C', 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6};
    begin_bytes[20] = (char)xid;
    put(test, begin_bytes, sizeof(begin_bytes));
    insert(test, 0, text, 0);
    put(test, commit_bytes, sizeof(commit_bytes));
}

static void test_ordinary_batches_pass_untouched(void **state)
{
    (void)state;
    Test test;
    begin(&test, 1 << 20);
    ordinary(&test, 7, "a");
    keepalive(&test);
    Batch *given = test.batch;
    Batch *got = NULL;
    assemble_give(&test.assembly, given);
    assert_true(assemble_next(&test.assembly, &got, &test.err));
    assert_ptr_equal(got, given);
    batch_free(&test.pool, got);
    test.batch = NULL;
    assert_true(assemble_next(&test.assembly, &got, &test.err));
    assert_null(got);
    end(&test);
}

static void test_commits_decide_the_order(void **state)
{
    (void)state;
    Test test;
    begin(&test, 1 << 20);
    block(&test, 10, true, 10, "a1");
    block(&test, 20, true, 20, "b1");
    keepalive(&test);
    ordinary(&test, 7, "o");
    block(&test, 10, false, 10, "a2");
    stream_end(&test, 'c', 20, 50);
    stream_end(&test, 'c', 10, 60);
    assert_true(give(&test));
    assert_string_equal(test.out.data, "keepalive B7@5 o C@6 B20@50 b1 C@51 B10@60 a1 a2 C@61 ");
    assert_int_equal(test.assembly.unfinished.count, 0);
    assert_int_equal(test.assembly.unfinished.memory, 0);
    end(&test);
}

static void test_a_block_may_end_in_another_batch(void **state)
{
    (void)state;
    Test test;
    begin(&test, 1 << 20);
    start(&test, 10, true);
    assert_true(give(&test));
    insert(&test, 10, "x", 0);
    keepalive(&test);
    assert_true(give(&test));
    stop(&test);
    stream_end(&test, 'c', 10, 5);
    assert_true(give(&test));
    assert_string_equal(test.out.data, "keepalive B10@5 x C@6 ");
    end(&test);
}

static void test_aborts(void **state)
{
    (void)state;
    Test test;
    begin(&test, 1 << 20);
    block(&test, 10, true, 10, "top1");
    block(&test, 10, false, 11, "sub1");
    block(&test, 10, false, 12, "below");
    block(&test, 10, false, 11, "sub2");
    stream_end(&test, 'A', 10, 12); /* below, and what its parent wrote later, which goes too */
    stream_end(&test, 'A', 10, 11);
    block(&test, 10, false, 13, "kept");
    block(&test, 10, false, 10, "top2");
    block(&test, 10, false, 14, "gone");
    stream_end(&test, 'A', 10, 14);
    stream_end(&test, 'A', 10, 99); /* it wrote nothing of ours */
    block(&test, 10, false, 15, "last");
    block(&test, 20, true, 20, "all");
    stream_end(&test, 'A', 20, 20);
    stream_end(&test, 'A', 30, 30); /* never heard of */
    stream_end(&test, 'c', 10, 5);
    assert_true(give(&test));
    assert_string_equal(test.out.data, "B10@5 top1 kept top2 last C@6 ");
    end(&test);
}

static void test_a_transaction_sent_anew_replaces_its_pieces(void **state)
{
    (void)state;
    Test test;
    begin(&test, 1 << 20);
    block(&test, 10, true, 10, "old");
    block(&test, 10, true, 10, "new");
    stream_end(&test, 'c', 10, 5);
    assert_true(give(&test));
    assert_string_equal(test.out.data, "B10@5 new C@6 ");
    end(&test);
}

typedef struct Faulty {
    const char *message;
    void (*pieces)(Test *test);
} Faulty;

static void lost_first(Test *test)
{
    block(test, 10, false, 10, "x");
}

static void lost_all(Test *test)
{
    stream_end(test, 'c', 10, 5);
}

static void open_twice(Test *test)
{
    start(test, 10, true);
    start(test, 11, true);
}

static void inside_ordinary(Test *test)
{
    put(test, "B\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\7", 21);
    start(test, 10, true);
}

static void commit_inside(Test *test)
{
    block(test, 10, true, 10, "x");
    put(test, "B\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\7", 21);
    stream_end(test, 'c', 10, 5);
}

static void ordinary_inside(Test *test)
{
    start(test, 10, true);
    put(test, "B\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\7", 21);
}

static void cut_inside(Test *test)
{
    start(test, 10, true);
    put(test, "I\0\0", 3);
}

/* Each of these would lose changes if it were let through. */
static void test_pieces_that_do_not_fit(void **state)
{
    (void)state;
    static const Faulty ROWS[] = {
        {"a stream start of transaction 10 came without its first segment", lost_first},
        {"a stream commit of transaction 10 came without its changes", lost_all},
        {"a stream start message came inside a streamed block", open_twice},
        {"a stream start of transaction 10 came inside another transaction", inside_ordinary},
        {"a stream commit of transaction 10 came inside another transaction", commit_inside},
        {"a begin message came inside a streamed block", ordinary_inside},
        {"malformed insert message: the message ends inside the transaction id at offset 1 of 3",
         cut_inside},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        Test test;
        begin(&test, 1 << 20);
        ROWS[i].pieces(&test);
        assert_false(give(&test));
        assert_string_equal(test.err.message, ROWS[i].message);
        assert_int_equal(test.err.code, ERR_PROTOCOL);
        end(&test);
    }
}

static void test_reset_forgets(void **state)
{
    (void)state;
    Test test;
    begin(&test, 4096);
    for (int i = 0; i < 20; i++) {
        start(&test, 10, i == 0);
        insert(&test, 10, "old", 3000);
        assert_true(give(&test));
        stop(&test);
        assert_true(give(&test));
    }
    assert_true(spill_used(&test.assembly.unfinished.spill) > 0);
    start(&test, 20, true); /* left open */
    assert_true(give(&test));
    assemble_reset(&test.assembly);
    assert_int_equal(spill_used(&test.assembly.unfinished.spill), 0);
    block(&test, 10, true, 10, "new");
    stream_end(&test, 'c', 10, 5);
    assert_true(give(&test));
    assert_string_equal(test.out.data, "B10@5 new C@6 ");
    end(&test);
}

/* --- much of it, against a model --- */

#define TXNS       300
#define STEPS      12000
#define MAX_NESTED 4
#define MAX_SUBS   256

typedef struct Model {
    Str text; /* what must come out of it */
    uint32_t xid;
    uint32_t subs[MAX_NESTED]; /* open ones, outermost first */
    size_t sub_at[MAX_NESTED]; /* the text's length when it began */
    size_t depth;
    uint32_t all[MAX_SUBS]; /* every one that was begun and is not aborted */
    size_t all_count;
    size_t all_at[MAX_NESTED]; /* where an open one stands in `all` */
    bool known;
} Model;

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void write_piece(Test *test, Model *txn, uint32_t *seed, int step)
{
    uint32_t dice = next_random(seed);
    AUTO_STR Str word = {0};
    str_appendf(&word, "w%d", step);
    start(test, txn->xid, !txn->known);
    txn->known = true;
    uint32_t writer = txn->depth > 0 ? txn->subs[txn->depth - 1] : txn->xid;
    insert(test, writer, word.data, dice % 50 == 0 ? 90000 : dice % 700);
    stop(test);
    str_appendf(&txn->text, "%s ", word.data);
}

static void finish(Test *test, Model *txn, bool commit, Str *want)
{
    if (txn->known && commit) {
        stream_end(test, 'c', txn->xid, 5);
        str_appendf(want, "B%u@5 %sC@6 ", txn->xid, str_text(&txn->text));
    } else if (txn->known) {
        stream_end(test, 'A', txn->xid, txn->xid);
    }
    str_reset(&txn->text);
    txn->known = false;
    txn->depth = 0;
    txn->all_count = 0;
}

static void cut_text(Str *text, size_t length)
{
    text->length = length;
    if (text->data != NULL)
        text->data[length] = '\0';
}

/* None of the reserved ones. */
static uint32_t new_xid(uint32_t *next_xid)
{
    if (*next_xid < 3)
        *next_xid = 3;
    return (*next_xid)++;
}

static void nest(Test *test, Model *txn, uint32_t *next_xid, uint32_t dice)
{
    if (txn->depth < MAX_NESTED && dice % 2 == 0 && txn->all_count < MAX_SUBS) {
        txn->all_at[txn->depth] = txn->all_count;
        txn->subs[txn->depth] = new_xid(next_xid);
        txn->all[txn->all_count++] = txn->subs[txn->depth];
        txn->sub_at[txn->depth++] = txn->text.length;
    } else if (txn->depth > 0) {
        txn->depth--;
        if (dice % 3 != 0)
            return; /* released */
        /* Those below it that were released first, then itself, as the abort record lists them. */
        for (size_t i = txn->all_at[txn->depth] + 1; i < txn->all_count; i++)
            stream_end(test, 'A', txn->xid, txn->all[i]);
        stream_end(test, 'A', txn->xid, txn->subs[txn->depth]);
        txn->all_count = txn->all_at[txn->depth];
        cut_text(&txn->text, txn->sub_at[txn->depth]);
    }
}

/* Three hundred at once, nested aborts, messages larger than a slot, ids that wrap around, in a
 * memory for a hundredth of it. */
static void test_many_at_once_in_little_memory(void **state)
{
    (void)state;
    Test test;
    AUTO_STR Str want = {0};
    static Model models[TXNS];
    uint32_t seed = 4711;
    uint32_t next_xid = UINT32_MAX - 4000;
    size_t most = 0;
    begin(&test, 512 * 1024);
    for (size_t i = 0; i < TXNS; i++)
        models[i] = (Model){.xid = new_xid(&next_xid)};
    for (int step = 0; step < STEPS; step++) {
        Model *txn = &models[next_random(&seed) % TXNS];
        uint32_t dice = next_random(&seed);
        if (dice % 10 < 6) {
            write_piece(&test, txn, &seed, step);
        } else if (dice % 10 < 9) {
            if (txn->known)
                nest(&test, txn, &next_xid, next_random(&seed));
        } else if (dice % 100 < 30) {
            finish(&test, txn, dice % 3 > 0, &want);
            txn->xid = new_xid(&next_xid);
        }
        if (test.batch != NULL && !give(&test))
            fail_msg("%s", test.err.message);
        if (test.assembly.unfinished.memory > most)
            most = test.assembly.unfinished.memory;
    }
    assert_true(most <= 512 * 1024);
    assert_true(spill_used(&test.assembly.unfinished.spill) > 50);
    for (size_t i = 0; i < TXNS; i++) {
        finish(&test, &models[i], true, &want);
        if (test.batch != NULL && !give(&test))
            fail_msg("%s", test.err.message);
        str_release(&models[i].text);
    }
    assert_true(strcmp(test.out.data, want.data) == 0);
    assert_int_equal(spill_used(&test.assembly.unfinished.spill), 0);
    assert_int_equal(lseek(test.assembly.unfinished.spill.fd, 0, SEEK_END), 0);
    end(&test);
}

static void test_no_place_for_the_file(void **state)
{
    (void)state;
    Test test;
    begin(&test, 4096);
    unfinished_release(&test.assembly.unfinished);
    unfinished_init(&test.assembly.unfinished, 4096, "/proc/self/not-there");
    start(&test, 10, true);
    insert(&test, 10, "x", 5000);
    assert_false(give(&test));
    assert_int_equal(test.err.code, ERR_IO);
    assert_string_equal(test.err.message, "could not make the file of unfinished transactions in "
                                          "\"/proc/self/not-there\": No such file or directory");
    assemble_reset(&test.assembly);
    assert_int_equal(test.assembly.unfinished.memory, 0);
    end(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_batches_pass_untouched),
        cmocka_unit_test(test_commits_decide_the_order),
        cmocka_unit_test(test_a_block_may_end_in_another_batch),
        cmocka_unit_test(test_aborts),
        cmocka_unit_test(test_a_transaction_sent_anew_replaces_its_pieces),
        cmocka_unit_test(test_pieces_that_do_not_fit),
        cmocka_unit_test(test_reset_forgets),
        cmocka_unit_test(test_many_at_once_in_little_memory),
        cmocka_unit_test(test_no_place_for_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
