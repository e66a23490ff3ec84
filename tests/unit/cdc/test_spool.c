/*
 * The spool on a disk: what a crash leaves at any byte, what is refused, what is deleted, what
 * stops at the limit, what may be told to the source.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "cdc/spool.h"
#include "cdc/spool_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNER   "godwit spool 1\nrun unit 1\n"
#define NAME    "godwit_unit_0123abcd"
#define FIRST   1000 /* where the stream begins */
#define STEP    100  /* from commit to commit */
#define PAYLOAD ((size_t)100 * 1024)

typedef struct Fixture {
    Arena arena;
    const char *above;
    const char *parent;
    const char *directory;
    BatchPool pool;
    Spool *spool;
    Batch *batch;
} Fixture;

static int set_up(void **state)
{
    Fixture *fixture = mem_resize(NULL, sizeof(Fixture));
    *fixture = (Fixture){0};
    char made[] = "/tmp/godwit_spool_XXXXXX";
    assert_non_null(mkdtemp(made));
    fixture->above = arena_strdup(&fixture->arena, made);
    fixture->parent = arena_printf(&fixture->arena, "%s/spool", made);
    fixture->directory = arena_printf(&fixture->arena, "%s/" NAME, fixture->parent);
    batch_pool_init(&fixture->pool);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    AUTO_ERR Err err = {0};
    bool removed = false;
    if (fixture->batch != NULL)
        batch_free(&fixture->pool, fixture->batch);
    spool_close(fixture->spool);
    assert_true(spool_remove(fixture->parent, NAME, &removed, &err));
    rmdir(fixture->parent);
    rmdir(fixture->above);
    batch_pool_release(&fixture->pool);
    arena_release(&fixture->arena);
    mem_free(fixture);
    return 0;
}

/* --- a stream --- */

static size_t put64(char *at, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        at[i] = (char)(value >> (56 - 8 * i));
    return 8;
}

static void push(Fixture *fixture, const char *data, size_t bytes, Lsn wal_end)
{
    BatchRecord record = {.wal_end = wal_end, .bytes = (uint32_t)bytes, .keepalive = data == NULL};
    if (fixture->batch == NULL)
        fixture->batch = batch_new_sized(&fixture->pool, 4 * 1024 * 1024);
    char *at = batch_push(fixture->batch, &record);
    if (bytes > 0)
        memcpy(at, data, bytes);
    spool_follow(fixture->spool, fixture->batch, &record, at);
}

static void begin(Fixture *fixture, Lsn commit)
{
    char message[21] = {'B'};
    put64(message + 1, commit);
    push(fixture, message, sizeof(message), commit);
}

static void commit(Fixture *fixture, Lsn end)
{
    char message[26] = {'C'};
    put64(message + 2, end - STEP / 2);
    put64(message + 10, end);
    push(fixture, message, sizeof(message), end);
}

static void relation(Fixture *fixture, uint32_t oid)
{
    char message[16] = {'R', 0, 0, (char)(oid >> 8), (char)oid, 'p', 0, 't'};
    push(fixture, message, sizeof(message), FIRST);
}

/* Bytes that do not compress. */
static void change(Fixture *fixture, size_t bytes, uint32_t seed)
{
    char *message = arena_alloc(&fixture->arena, bytes);
    for (size_t i = 1; i < bytes; i++) {
        seed = seed * 1664525 + 1013904223;
        message[i] = (char)(seed >> 24);
    }
    message[0] = 'I';
    push(fixture, message, bytes, FIRST);
}

/* Transaction number n commits at FIRST + n * STEP. */
static void transaction(Fixture *fixture, unsigned n, size_t bytes)
{
    begin(fixture, FIRST + n * STEP - STEP / 2);
    change(fixture, bytes, n);
    commit(fixture, FIRST + n * STEP);
}

static bool write_batch(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    size_t at = 0;
    bool room = false;
    assert_true(spool_write(fixture->spool, fixture->batch, &at, &room, &err));
    if (room) {
        assert_int_equal(at, fixture->batch->used);
        batch_free(&fixture->pool, fixture->batch);
        fixture->batch = NULL;
    }
    return room;
}

static bool open_spool(Fixture *fixture, const char *owner, uint64_t limit, Err *err)
{
    SpoolSpec spec = {
        .parent = fixture->parent, .name = NAME, .owner = owner, .limit_bytes = limit};
    return spool_open(&fixture->spool, &spec, err);
}

static Lsn resume(Fixture *fixture, Lsn applied, Lsn confirmed)
{
    AUTO_ERR Err err = {0};
    Lsn start = 0;
    if (!spool_resume(fixture->spool, applied, confirmed, &start, &err))
        fail_msg("%s", err.message);
    return start;
}

static void begin_spool(Fixture *fixture, uint64_t limit)
{
    AUTO_ERR Err err = {0};
    if (!open_spool(fixture, OWNER, limit, &err))
        fail_msg("%s", err.message);
    assert_int_equal(resume(fixture, FIRST, 0), FIRST);
}

static void sync_spool(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    assert_true(spool_sync(fixture->spool, &err));
}

/* "B", "R" and so on of all that is read from `applied` on; k is a keepalive. */
static const char *read_kinds(Fixture *fixture, Lsn applied)
{
    AUTO_ERR Err err = {0};
    Str kinds = {0};
    spool_read_begin(fixture->spool, applied);
    while (!spool_is_read(fixture->spool)) {
        Batch *batch = NULL;
        if (!spool_read(fixture->spool, &fixture->pool, &batch, 0, &err))
            fail_msg("%s: %s", err.message, err.detail);
        if (batch == NULL)
            continue;
        size_t at = 0;
        const char *payload = NULL;
        while (at < batch->used) {
            const BatchRecord *record = batch_next(batch, &at, &payload);
            str_append_char(&kinds, record->keepalive ? 'k' : *payload);
        }
        batch_free(&fixture->pool, batch);
    }
    const char *text = str_dup(&fixture->arena, &kinds);
    str_release(&kinds);
    return text;
}

static const char *segment(Fixture *fixture, unsigned number)
{
    return arena_printf(&fixture->arena, "%s/%016x.zst", fixture->directory, number);
}

static off_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void reopen(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    spool_close(fixture->spool);
    fixture->spool = NULL;
    if (!open_spool(fixture, OWNER, 0, &err))
        fail_msg("%s", err.message);
}

static char *slurp(Fixture *fixture, const char *path, size_t *bytes)
{
    *bytes = (size_t)size_of(path);
    char *data = arena_alloc(&fixture->arena, *bytes);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, data, *bytes), *bytes);
    close(fd);
    return data;
}

static void spill_out(const char *path, const char *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, data, bytes), bytes);
    close(fd);
}

/* --- the format --- */

static void test_known_checksums(void **state)
{
    (void)state;
    assert_int_equal(spool_crc("123456789", 9), 0xe3069283); /* RFC 3720, B.4 */
    assert_int_equal(spool_crc("", 0), 0);
    uint8_t zeros[32] = {0};
    assert_int_equal(spool_crc(zeros, 32), 0x8a9136aa);
}

static void test_each_flipped_bit_of_a_head_is_seen(void **state)
{
    (void)state;
    SpoolHead head = {.number = 7, .start = 99, .previous_bytes = 12, .owner = 5, .clean = true};
    SpoolFrame frame = {.offset = 64, .restart = 77, .raw = 24, .stored = 20, .is_restart = true};
    uint8_t bytes[SPOOL_HEAD_BYTES], other[SPOOL_FRAME_BYTES];
    spool_head_encode(&head, bytes);
    spool_frame_encode(&frame, other);
    SpoolHead head_read;
    SpoolFrame frame_read;
    assert_null(spool_head_decode(bytes, sizeof(bytes), &head_read));
    assert_null(spool_frame_decode(other, sizeof(other), &frame_read));
    assert_true(head_read.number == 7 && head_read.start == 99 && head_read.previous_bytes == 12 &&
                head_read.owner == 5 && head_read.clean);
    assert_true(frame_read.is_restart && !frame_read.is_relation && frame_read.restart == 77);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_non_null(spool_head_decode(bytes, sizeof(bytes), &head_read));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof(other) * 8; bit++) {
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_non_null(spool_frame_decode(other, sizeof(other), &frame_read));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_string_equal(spool_head_decode(bytes, 63, &head_read), "it ends within a head");
}

static void test_only_whole_records_are_taken(void **state)
{
    (void)state;
    char records[64] = {0};
    BatchRecord record = {.wal_end = 5, .bytes = 3};
    memcpy(records, &record, sizeof(record));
    size_t bytes = batch_record_bytes(3);
    assert_true(spool_records_whole(records, bytes));
    assert_false(spool_records_whole(records, bytes - 1));
    assert_false(spool_records_whole(records, bytes + 1));
    record.bytes = UINT32_MAX;
    memcpy(records, &record, sizeof(record));
    assert_false(spool_records_whole(records, bytes));
}

/* --- crashes --- */

/* Whatever of the end is missing, what was told is there, or its lack is named; never less. */
static void test_a_torn_end_at_any_byte(void **state)
{
    Fixture *fixture = *state;
    begin_spool(fixture, 0);
    relation(fixture, 16384);
    for (unsigned n = 1; n <= 3; n++) {
        transaction(fixture, n, 40);
        assert_true(write_batch(fixture));
    }
    sync_spool(fixture);
    begin(fixture, 5000);
    assert_true(write_batch(fixture)); /* open when it crashes */
    const char *path = segment(fixture, 1);
    size_t bytes = 0;
    char *whole = slurp(fixture, path, &bytes);
    Lsn before = 0;
    for (size_t cut = SPOOL_HEAD_BYTES; cut <= bytes; cut += cut + 3 < bytes ? 3 : 1) {
        spill_out(path, whole, cut);
        reopen(fixture);
        Lsn start = resume(fixture, FIRST, 0);
        unsigned kept = (unsigned)(start - FIRST) / STEP;
        assert_true(start >= before && kept <= 3 && start == FIRST + kept * STEP);
        static const char *const KINDS[] = {"", "RBIC", "RBICBIC", "RBICBICBIC"};
        assert_string_equal(read_kinds(fixture, FIRST), KINDS[kept]);
        before = start;
    }
    assert_int_equal(before, FIRST + 3 * STEP);
    spill_out(path, whole, bytes / 2);
    reopen(fixture);
    AUTO_ERR Err err = {0};
    Lsn start = 0;
    assert_false(spool_resume(fixture->spool, FIRST, FIRST + 3 * STEP, &start, &err));
    assert_int_equal(err.code, ERR_CANNOT_RESUME);
    assert_non_null(strstr(err.message, "does not hold what the source was told it does"));
}

static void test_a_flipped_byte_is_refused(void **state)
{
    Fixture *fixture = *state;
    begin_spool(fixture, 8 * 1024 * 1024);
    for (unsigned n = 1; n <= 4; n++) {
        transaction(fixture, n, n == 2 ? 1024 * 1024 : 1000);
        assert_true(write_batch(fixture));
    }
    sync_spool(fixture);
    assert_true(size_of(segment(fixture, 2)) > 0); /* the first one ended at its size */
    size_t bytes = 0;
    char *first = slurp(fixture, segment(fixture, 1), &bytes);
    first[bytes / 2] ^= 1;
    spill_out(segment(fixture, 1), first, bytes);
    reopen(fixture);
    assert_int_equal(resume(fixture, FIRST, FIRST + 4 * STEP), FIRST + 4 * STEP);
    spool_read_begin(fixture->spool, FIRST);
    AUTO_ERR Err err = {0};
    Batch *batch = NULL;
    while (spool_read(fixture->spool, &fixture->pool, &batch, 0, &err))
        batch_free(&fixture->pool, batch);
    assert_int_equal(err.code, ERR_CANNOT_RESUME);
    assert_non_null(strstr(err.message, "the spool is damaged: "));
    assert_non_null(strstr(err.detail, "the checksum of a frame differs"));
}

/* --- limits --- */

static void test_reading_goes_on_where_apply_stands(void **state)
{
    Fixture *fixture = *state;
    begin_spool(fixture, 8 * 1024 * 1024); /* segments of 1 MB */
    relation(fixture, 16384);
    for (unsigned n = 1; n <= 30; n++) {
        transaction(fixture, n, PAYLOAD);
        assert_true(write_batch(fixture));
    }
    sync_spool(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + 30 * STEP);
    assert_true(size_of(segment(fixture, 3)) > 0);
    assert_string_equal(read_kinds(fixture, FIRST + 28 * STEP), "RBICBIC");
    spool_prune(fixture->spool, FIRST + 5 * STEP);
    assert_true(size_of(segment(fixture, 1)) > 0); /* its end is not applied */
    spool_prune(fixture->spool, FIRST + 28 * STEP);
    assert_int_equal(size_of(segment(fixture, 1)), -1);
    assert_int_equal(size_of(segment(fixture, 2)), -1);
    reopen(fixture);
    AUTO_ERR Err err = {0};
    Lsn start = 0;
    assert_false(spool_resume(fixture->spool, FIRST, FIRST + 1, &start, &err));
    assert_int_equal(resume(fixture, FIRST + 28 * STEP, FIRST + 30 * STEP), FIRST + 30 * STEP);
    assert_string_equal(read_kinds(fixture, FIRST + 28 * STEP), "RBICBIC");
    assert_int_equal(resume(fixture, 9000, 9000), 9000); /* all of it is applied: begun anew */
    assert_string_equal(read_kinds(fixture, 9000), "");
}

static void test_the_limit_holds_until_something_is_applied(void **state)
{
    Fixture *fixture = *state;
    const uint64_t limit = 4 * 1024 * 1024;
    SpoolStatus status;
    begin_spool(fixture, limit);
    unsigned n = 0;
    do
        transaction(fixture, ++n, PAYLOAD);
    while (write_batch(fixture));
    spool_status(fixture->spool, &status);
    assert_int_equal(status.pressure, SPOOL_FULL);
    assert_true(status.bytes <= limit && n > 30);
    sync_spool(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + (n - 1) * STEP);
    read_kinds(fixture, FIRST);
    assert_false(spool_let_go(fixture->spool, FIRST)); /* whole transactions are never let go */
    assert_false(write_batch(fixture));
    spool_prune(fixture->spool, FIRST + 20 * STEP);
    assert_true(write_batch(fixture));
    spool_status(fixture->spool, &status);
    assert_int_equal(status.pressure, SPOOL_FLOWS);
}

/* The source still has all of it: it is not told of a transaction that has not ended. */
static void test_a_transaction_larger_than_the_limit(void **state)
{
    Fixture *fixture = *state;
    begin_spool(fixture, 4 * 1024 * 1024);
    transaction(fixture, 1, 100);
    assert_true(write_batch(fixture));
    begin(fixture, 5000);
    do
        change(fixture, PAYLOAD, 1);
    while (write_batch(fixture));
    sync_spool(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + STEP);
    assert_false(spool_let_go(fixture->spool, FIRST + STEP)); /* not read yet */
    read_kinds(fixture, FIRST + STEP);
    assert_false(spool_let_go(fixture->spool, FIRST)); /* read, not applied */
    assert_true(spool_let_go(fixture->spool, FIRST + STEP));
    assert_true(write_batch(fixture));
    assert_int_equal(spool_reportable(fixture->spool, FIRST + STEP), FIRST + STEP);
    spool_status(fixture->spool, &(SpoolStatus){0});
    commit(fixture, 5100);
    transaction(fixture, 50, 100);
    assert_true(write_batch(fixture));
    sync_spool(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST + STEP), FIRST + STEP);
    reopen(fixture); /* its beginning is gone: it comes again, from the source */
    assert_int_equal(resume(fixture, FIRST + STEP, FIRST + STEP), FIRST + STEP);
}

static void test_keepalives_move_what_may_be_told(void **state)
{
    Fixture *fixture = *state;
    begin_spool(fixture, 0);
    push(fixture, NULL, 0, 4000);
    begin(fixture, 4500);
    push(fixture, NULL, 0, 4800); /* inside a transaction: it says nothing of its end */
    assert_true(write_batch(fixture));
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST); /* not durable yet */
    sync_spool(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), 4000);
}

/* --- whose it is --- */

static void test_a_spool_has_one_engine_and_one_run(void **state)
{
    Fixture *fixture = *state;
    AUTO_ERR Err locked = {0}, other = {0}, loose = {0};
    begin_spool(fixture, 0);
    Spool *first = fixture->spool;
    bool removed = false;
    assert_false(open_spool(fixture, OWNER, 0, &locked));
    assert_int_equal(locked.code, ERR_LOCKED);
    err_release(&locked);
    assert_false(spool_remove(fixture->parent, NAME, &removed, &locked));
    assert_int_equal(locked.code, ERR_LOCKED);
    spool_close(first);
    fixture->spool = NULL;
    assert_false(open_spool(fixture, "another run\n", 0, &other));
    assert_int_equal(other.code, ERR_CANNOT_RESUME);
    assert_non_null(strstr(other.message, "belongs to another run"));
    assert_int_equal(chmod(fixture->directory, 0750), 0);
    assert_false(open_spool(fixture, OWNER, 0, &loose));
    assert_non_null(strstr(loose.message, "is not this user's alone"));
    assert_int_equal(chmod(fixture->directory, 0700), 0);
}

static void test_only_spools_are_found_and_removed(void **state)
{
    Fixture *fixture = *state;
    AUTO_ERR Err err = {0};
    SpoolNames names = {0};
    bool removed = true;
    begin_spool(fixture, 0);
    spool_close(fixture->spool);
    fixture->spool = NULL;
    assert_true(spool_find(&fixture->arena, fixture->parent, "godwit_unit_", &names, &err));
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], NAME);
    assert_true(spool_find(&fixture->arena, fixture->parent, "godwit_uni", &names, &err));
    assert_true(spool_find(&fixture->arena, "/nowhere/at/all", "godwit_", &names, &err));
    assert_int_equal(names.count, 1);
    assert_true(spool_remove(fixture->parent, "godwit_unit_ffffffff", &removed, &err));
    assert_false(removed);
    const char *foreign = arena_printf(&fixture->arena, "%s/notes.txt", fixture->directory);
    spill_out(foreign, "mine", 4);
    assert_false(spool_remove(fixture->parent, NAME, &removed, &err));
    assert_int_equal(size_of(foreign), 4); /* what is not the spool's stays, and says so */
    unlink(foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_checksums),
        cmocka_unit_test(test_each_flipped_bit_of_a_head_is_seen),
        cmocka_unit_test(test_only_whole_records_are_taken),
        cmocka_unit_test_setup_teardown(test_a_torn_end_at_any_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_flipped_byte_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reading_goes_on_where_apply_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_limit_holds_until_something_is_applied, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_transaction_larger_than_the_limit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_keepalives_move_what_may_be_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_spool_has_one_engine_and_one_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_spools_are_found_and_removed, set_up, tear_down),
    };
    log_init(LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
