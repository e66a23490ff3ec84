/*
 * The spool when an fsync fails: nothing more is told, by no later fsync either; what can be read
 * is written anew before it is trusted, by this engine or the next; and which of two threads'
 * errors is the cause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/spool.h"
#include "cdc/spool_format.h"
#include "cdc/stream_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME  "godwit_unit_0123abcd"
#define FIRST 1000 /* where the stream begins */
#define STEP  100  /* from commit to commit */

/* --- a device that fails --- */

static bool device_fails;
static ino_t synced; /* the file that was made durable last */

static int sync_file(long call, int fd)
{
    struct stat info;
    if (device_fails) {
        errno = EIO;
        return -1;
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        synced = info.st_ino;
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_file(SYS_fdatasync, fd);
}

/* --- a spool --- */

typedef struct Fixture {
    Arena arena;
    const char *parent;
    const char *segment;
    const char *doubt;
    BatchPool pool;
    Spool *spool;
    off_t ends[4]; /* of the segment, behind transaction n */
} Fixture;

static off_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static ino_t inode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

static void open_spool(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    SpoolSpec spec = {.parent = fixture->parent, .name = NAME, .owner = "run unit 1\n"};
    if (!spool_open(&fixture->spool, &spec, &err))
        fail_msg("%s", err.message);
}

static Lsn resume(Fixture *fixture, Lsn confirmed)
{
    AUTO_ERR Err err = {0};
    Lsn start = 0;
    if (!spool_resume(fixture->spool, FIRST, confirmed, &start, &err))
        fail_msg("%s", err.message);
    return start;
}

static void push(Fixture *fixture, Batch *batch, const char *data, size_t bytes)
{
    BatchRecord record = {.wal_end = FIRST, .bytes = (uint32_t)bytes};
    char *at = batch_push(batch, &record);
    memcpy(at, data, bytes);
    spool_follow(fixture->spool, batch, &record, at);
}

static void put64(char *at, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        at[i] = (char)(value >> (56 - 8 * i));
}

/* Transaction n commits at FIRST + n * STEP, in a frame of its own. */
static void transaction(Fixture *fixture, unsigned n)
{
    AUTO_ERR Err err = {0};
    char begin[21] = {'B'}, change[2000] = {'I'}, commit[26] = {'C'};
    Batch *batch = batch_new(&fixture->pool, sizeof(change));
    put64(begin + 1, FIRST + n * STEP - STEP / 2);
    put64(commit + 2, FIRST + n * STEP - STEP / 2);
    put64(commit + 10, FIRST + n * STEP);
    push(fixture, batch, begin, sizeof(begin));
    push(fixture, batch, change, sizeof(change));
    push(fixture, batch, commit, sizeof(commit));
    size_t at = 0;
    bool room = false;
    assert_true(spool_write(fixture->spool, batch, &at, &room, &err) && room);
    batch_free(&fixture->pool, batch);
    fixture->ends[n] = size_of(fixture->segment);
}

/* Two transactions that are durable and told, one whose fsync fails. */
static int set_up(void **state)
{
    AUTO_ERR Err err = {0};
    Fixture *fixture = mem_resize(NULL, sizeof(Fixture));
    *fixture = (Fixture){0};
    char made[] = "/tmp/godwit_doubt_XXXXXX";
    assert_non_null(mkdtemp(made));
    fixture->parent = arena_strdup(&fixture->arena, made);
    fixture->segment = arena_printf(&fixture->arena, "%s/" NAME "/0000000000000001.zst", made);
    fixture->doubt = arena_printf(&fixture->arena, "%s/" NAME "/doubt", made);
    batch_pool_init(&fixture->pool);
    open_spool(fixture);
    assert_int_equal(resume(fixture, 0), FIRST);
    transaction(fixture, 1);
    transaction(fixture, 2);
    assert_true(spool_sync(fixture->spool, &err));
    transaction(fixture, 3);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    AUTO_ERR Err err = {0};
    bool removed = false;
    device_fails = false;
    spool_close(fixture->spool);
    assert_true(spool_remove(fixture->parent, NAME, &removed, &err));
    assert_true(removed);
    assert_int_equal(rmdir(fixture->parent), 0);
    batch_pool_release(&fixture->pool);
    arena_release(&fixture->arena);
    mem_free(fixture);
    return 0;
}

static void fail_sync(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    device_fails = true;
    assert_false(spool_sync(fixture->spool, &err));
    device_fails = false;
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, fixture->segment));
    assert_non_null(strstr(err.message, "Input/output error"));
    assert_non_null(strstr(err.hint, "godwit apply"));
}

static size_t messages(Fixture *fixture)
{
    AUTO_ERR Err err = {0};
    size_t count = 0;
    spool_read_begin(fixture->spool, FIRST);
    while (!spool_is_read(fixture->spool)) {
        Batch *batch = NULL;
        if (!spool_read(fixture->spool, &fixture->pool, &batch, 0, &err))
            fail_msg("%s: %s", err.message, err.detail);
        size_t at = 0;
        const char *payload = NULL;
        while (batch != NULL && batch_next(batch, &at, &payload) != NULL)
            count++;
        if (batch != NULL)
            batch_free(&fixture->pool, batch);
    }
    return count;
}

static void test_what_failed_is_not_told(void **state)
{
    Fixture *fixture = *state;
    AUTO_ERR Err err = {0};
    SpoolStatus status;
    fail_sync(fixture);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + 2 * STEP);
    assert_false(spool_sync(fixture->spool, &err)); /* the kernel would say yes this time */
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + 2 * STEP);
    spool_status(fixture->spool, &status);
    assert_int_equal(status.durable, FIRST + 2 * STEP);
    /* Whoever reads behind the writer meets no damage that is none. */
    assert_int_equal(messages(fixture), 9);
}

static void test_the_file_is_written_anew(void **state)
{
    Fixture *fixture = *state;
    ino_t before = inode_of(fixture->segment);
    fail_sync(fixture);
    assert_int_equal(resume(fixture, FIRST + 2 * STEP), FIRST + 3 * STEP);
    assert_int_not_equal(inode_of(fixture->segment), before);
    assert_int_equal(inode_of(fixture->segment), synced);
    assert_int_equal(size_of(fixture->segment), fixture->ends[3]);
    assert_int_equal(size_of(fixture->doubt), -1);
    assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + 3 * STEP);
    assert_int_equal(messages(fixture), 9);
}

static void zero_from(const Fixture *fixture, off_t from)
{
    char nothing[4096] = {0};
    int fd = open(fixture->segment, O_WRONLY | O_CLOEXEC);
    size_t bytes = (size_t)(size_of(fixture->segment) - from);
    assert_true(bytes <= sizeof(nothing));
    assert_int_equal(pwrite(fd, nothing, bytes, from), bytes);
    close(fd);
}

/* Pages that the kernel dropped: what was not told comes again, what was told is missed. */
static void test_dropped_pages(void **state)
{
    Fixture *fixture = *state;
    fail_sync(fixture);
    zero_from(fixture, fixture->ends[2]);
    assert_int_equal(resume(fixture, FIRST + 2 * STEP), FIRST + 2 * STEP);
    assert_int_equal(size_of(fixture->segment), fixture->ends[2]);
    transaction(fixture, 3);
    fail_sync(fixture);
    zero_from(fixture, fixture->ends[1]);
    AUTO_ERR Err err = {0};
    Lsn start = 0;
    assert_false(spool_resume(fixture->spool, FIRST, FIRST + 2 * STEP, &start, &err));
    assert_int_equal(err.code, ERR_CANNOT_RESUME);
}

static void test_the_next_engine_doubts_it_too(void **state)
{
    Fixture *fixture = *state;
    ino_t before = inode_of(fixture->segment);
    fail_sync(fixture);
    spool_close(fixture->spool);
    fixture->spool = NULL;
    open_spool(fixture);
    assert_int_equal(resume(fixture, FIRST + 2 * STEP), FIRST + 3 * STEP);
    assert_int_not_equal(inode_of(fixture->segment), before);
    assert_int_equal(size_of(fixture->doubt), -1);
    assert_int_equal(messages(fixture), 9);
}

static void test_a_device_that_goes_on_failing(void **state)
{
    Fixture *fixture = *state;
    fail_sync(fixture);
    device_fails = true;
    for (int i = 0; i < 2; i++) {
        AUTO_ERR Err err = {0};
        Lsn start = 0;
        assert_false(spool_resume(fixture->spool, FIRST, FIRST + 2 * STEP, &start, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_int_equal(size_of(fixture->doubt), 0);
        assert_int_equal(spool_reportable(fixture->spool, FIRST), FIRST + 2 * STEP);
    }
    spool_close(fixture->spool);
    open_spool(fixture); /* fails in its fsync, and is noted */
    device_fails = false;
    assert_int_equal(size_of(fixture->doubt), 0);
    assert_int_equal(resume(fixture, FIRST + 2 * STEP), FIRST + 3 * STEP);
    assert_int_equal(inode_of(fixture->segment), synced);
}

/* --- two threads --- */

/* What failed first is told: the other thread may only have met what that one left behind. */
static void test_the_first_error_is_the_cause(void **state)
{
    (void)state;
    for (int feeder_first = 0; feeder_first < 2; feeder_first++) {
        AUTO_ERR Err err = {0};
        Stream stream = {0};
        StreamSession session = {.stream = &stream};
        queue_init(&session.queue, 1, 1);
        err_set(&session.receiver_error, ERR_IO, "the device");
        err_set(&session.feeder_error, ERR_CANNOT_RESUME, "damaged");
        session_thread_failed(&session,
                              feeder_first ? &session.feeder_error : &session.receiver_error);
        session_thread_failed(&session,
                              feeder_first ? &session.receiver_error : &session.feeder_error);
        assert_true(queue_is_closed(&session.queue));
        assert_false(session_receiver_error(&session, &err));
        assert_int_equal(err.code, feeder_first ? ERR_CANNOT_RESUME : ERR_IO);
        err_release(&session.receiver_error);
        err_release(&session.feeder_error);
        queue_release(&session.queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_failed_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_is_written_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropped_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_next_engine_doubts_it_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_device_that_goes_on_failing, set_up, tear_down),
        cmocka_unit_test(test_the_first_error_is_the_cause),
    };
    log_init(LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
