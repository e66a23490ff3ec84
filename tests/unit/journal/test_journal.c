/*
 * The journal on a real server: what is written is what is read, and each of its statements fails
 * once. A failure is told, leaves no half of what it was part of, and the same call works behind
 * it.
 */
#include "journal/journal.h"
#include "journal/lock.h"
#include "journal/run_state_table.h"
#include "lib/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static Conn *conn;
static Arena texts;
static size_t failures;
static char turns[] = "/tmp/godwit-journal-XXXXXX";

static const Name ONE = {"public", "one"}, TWO = {"Odd \"name", "t,wo"};

/* Calls until it works; the fault hook fails each statement the first time it is sent. */
#define PERSIST(call)                                                                              \
    do {                                                                                           \
        AUTO_ERR Err err = {0};                                                                    \
        for (int attempts = 0; !(call); attempts++) {                                              \
            assert_int_equal(err.code, ERR_SQL);                                                   \
            assert_non_null(strstr(err.message, "failed by the fault hook"));                      \
            assert_true(attempts < 10);                                                            \
            err_release(&err);                                                                     \
            pg_rollback(conn);                                                                     \
            failures++;                                                                            \
        }                                                                                          \
        assert_false(err_is_set(&err));                                                            \
    } while (0)

/* What a call says that works on every statement and refuses all the same. */
#define REFUSES(call, wanted, words)                                                               \
    do {                                                                                           \
        AUTO_ERR Err err = {0};                                                                    \
        assert_false(call);                                                                        \
        assert_int_equal(err.code, wanted);                                                        \
        assert_non_null(strstr(err.message, words));                                               \
    } while (0)

static const char *value(const char *sql)
{
    Conn *own = server_open(CONN_SOURCE, "postgres"); /* the hook strikes at the target's side */
    const char *text = server_value(&texts, own, sql);
    conn_close(own);
    return text;
}

static bool open_target(Err *err)
{
    Endpoint endpoint = server_endpoint(CONN_TARGET, "postgres");
    return conn_open(&conn, &endpoint, &(ConnOptions){.purpose = "unit"}, err);
}

static int setup(void **state)
{
    (void)state;
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    close(mkstemp(turns));
    AUTO_ARENA Arena arena = {0};
    setenv("GODWIT_SWEEP", arena_printf(&arena, "target:fail:1:0:%s", turns), 1);
    PERSIST(open_target(&err));
    PERSIST(pg_none(conn, "BEGIN", NO_PARAMS, &err));
    pg_rollback(conn); /* its turn, so that a call's own one works */
    pg_rollback(conn);
    return 0;
}

static int teardown(void **state)
{
    conn_close(conn);
    arena_release(&texts);
    unlink(turns);
    return server_teardown(state);
}

static void need_server(void)
{
    if (!server_is_there())
        skip();
}

static JournalRun a_run(void)
{
    return (JournalRun){.name = "unit run",
                        .mark = "0123abcd",
                        .fingerprint = "f1",
                        .canonical = "{}",
                        .source_system = "s",
                        .target_system = "t"};
}

/* The run that all tests work on: made by the first. */
static JournalRun run;

static void a_run_is_made_and_found(void **state)
{
    (void)state;
    need_server();
    bool exists = true;
    JournalTombstone tombstone = {.outcome = "x"};
    PERSIST(journal_exists(conn, &exists, &err));
    assert_false(exists);
    PERSIST(journal_tombstone(&texts, conn, "unit run", &tombstone, &err));
    assert_null(tombstone.outcome);
    AUTO_ERR Err failed = {0};
    assert_false(journal_create(conn, &failed)); /* one transaction: nothing of it is there */
    assert_non_null(strstr(failed.message, "could not make the journal"));
    assert_string_equal(value("SELECT to_regclass('godwit.run') IS NULL"), "t");
    for (int times = 0; times < 2; times++)
        PERSIST(journal_create(conn, &err));
    PERSIST(journal_exists(conn, &exists, &err));
    assert_true(exists);

    JournalRun found = {.id = 7};
    PERSIST(journal_find_run(&texts, conn, "unit run", &found, &err));
    assert_int_equal(found.id, 0);
    run = a_run();
    PERSIST(journal_create_run(conn, &run, "1.2.3", &err));
    PERSIST(journal_find_run(&texts, conn, "unit run", &found, &err));
    assert_int_equal(found.id, run.id);
    assert_string_equal(found.mark, "0123abcd");
    assert_string_equal(found.state, RUN_RUNNING);
    assert_string_equal(found.runner, "postgres");
    assert_null(found.ended_at);
    assert_null(found.pinned);
}

static void a_run_has_one_mover(void **state)
{
    (void)state;
    need_server();
    const char *locked = NULL;
    int64_t ms = -1, epoch = 0;
    Plan plan = {.fingerprint = "f2", .canonical = "{\"a\": 1}"};
    JournalRun found = {0};
    PERSIST(journal_run_state(conn, &run, RUN_CUTOVER, &err));
    PERSIST(journal_run_lock(&texts, conn, run.id, &locked, &err));
    assert_string_equal(locked, RUN_CUTOVER);
    JournalRun stale = run;
    stale.state = RUN_RUNNING;
    REFUSES(journal_run_state(conn, &stale, RUN_CUTOVER, &err), ERR_STALE, "another engine moved");
    PERSIST(journal_run_state(conn, &run, RUN_SWITCHED, &err));
    PERSIST(journal_switched(conn, run.id, &err));
    PERSIST(journal_switched_for(conn, run.id, &ms, &err));
    assert_in_range(ms, 0, 60000);
    PERSIST(journal_downtime(conn, run.id, 1234, &err));
    PERSIST(journal_accept_plan(conn, &run, &plan, &err));
    PERSIST(journal_pin(conn, run.id, "d1", &err));
    PERSIST(journal_take_epoch(conn, run.id, &epoch, &err));
    assert_int_equal(epoch, 1);
    PERSIST(journal_find_run(&texts, conn, "unit run", &found, &err));
    assert_int_equal(found.downtime_ms, 1234);
    assert_int_equal(found.epoch, 1);
    assert_string_equal(found.fingerprint, "f2");
    assert_string_equal(found.pinned, "d1");
}

static void steps_are_remembered(void **state)
{
    (void)state;
    need_server();
    AUTO_ROWS Rows *rows = NULL;
    const char *forgotten[] = {"slot", "none such"};
    PERSIST(journal_step(conn, run.id, "slot", "done", NULL, &err));
    PERSIST(journal_step(conn, run.id, "run:it", "running", NULL, &err));
    PERSIST(journal_settle_step(conn, run.id, "run:it", "failed", &err));
    REFUSES(journal_settle_step(conn, run.id, "run:it", "done", &err), ERR_USAGE,
            "\"run:it\" is not a step whose outcome is unknown");
    PERSIST(journal_forget_steps(conn, run.id, forgotten, 2, &err));
    PERSIST(journal_steps(conn, run.id, &rows, &err));
    assert_int_equal(rows_count(rows), 1);
    assert_string_equal(rows_text(rows, 0, 0), "run:it");
    assert_string_equal(rows_text(rows, 0, 1), "failed");
    PERSIST(journal_event(conn, run.id, "unit", "{\"n\": 1}", &err));
    PERSIST(journal_finding(conn, run.id, "G999", "warning", NULL, "said", &err));
    PERSIST(journal_metric(conn, run.id, "{\"n\": 2}", &err));
    PERSIST(journal_verification(conn, run.id, "v", &TWO, 10, 11, 1, &err));
    assert_string_equal(value("SELECT concat_ws(' ', (SELECT detail FROM godwit.event),"
                              " (SELECT message FROM godwit.finding),"
                              " (SELECT sample ->> 'n' FROM godwit.metric),"
                              " (SELECT rel || source_rows || target_rows || differences"
                              "    FROM godwit.verification))"),
                        "{\"n\": 1} said 2 t,wo10111");
}

static void structure_is_that_of_the_first(void **state)
{
    (void)state;
    need_server();
    const char *recorded = "x";
    PERSIST(journal_structure_read(&texts, conn, run.id, &recorded, &err));
    assert_null(recorded);
    PERSIST(journal_structure(&texts, conn, run.id, "first", &recorded, &err));
    assert_string_equal(recorded, "first");
    PERSIST(journal_structure(&texts, conn, run.id, "second", &recorded, &err));
    assert_string_equal(recorded, "first");
    PERSIST(journal_structure_grow(conn, run.id, "grown", &err));
    PERSIST(journal_structure_read(&texts, conn, run.id, &recorded, &err));
    assert_string_equal(recorded, "grown");
}

static char leaf_state(const Name *name, int64_t *wave)
{
    JournalLeaf *leaves = NULL;
    size_t count = 0;
    PERSIST(journal_leaves(&texts, conn, run.id, &leaves, &count, &err));
    for (size_t i = 0; i < count; i++) {
        if (!name_equal(&leaves[i].source, name))
            continue;
        assert_int_equal(leaves[i].sync_lsn, 0x100000010);
        *wave = leaves[i].wave;
        return leaves[i].state;
    }
    return ' ';
}

/* A wave is opened as a whole: a statement that fails in it leaves no number and no leaf. */
static void leaves_go_their_way(void **state)
{
    (void)state;
    need_server();
    const Name both[] = {ONE, TWO};
    int64_t wave = 0, seen = 0;
    bool replicating = true;
    AUTO_ERR Err failed = {0};
    assert_false(journal_wave_open(conn, run.id, both, 2, 0x100000010, &wave, &failed));
    assert_string_equal(value("SELECT count(*) FROM godwit.relation"), "0");
    PERSIST(journal_wave_open(conn, run.id, both, 2, 0x100000010, &wave, &err));
    assert_int_equal(wave, 1);
    assert_int_equal(leaf_state(&TWO, &seen), 'd');
    PERSIST(journal_part_done(conn, run.id, &TWO, wave, 0, "all", 5, 5, 50, &err));
    PERSIST(journal_part_done(conn, run.id, &ONE, wave, 0, "below 4", 3, 3, 30, &err));
    PERSIST(journal_leaf_state(conn, run.id, &TWO, 'f', &err));
    PERSIST(journal_leaf_copied(conn, run.id, &TWO, wave, 1, &err));
    REFUSES(journal_leaf_copied(conn, run.id, &ONE, wave, 2, &err), ERR_LOST, "public.one");
    assert_int_equal(leaf_state(&ONE, &seen), 'd');
    PERSIST(journal_replicating(conn, run.id, &replicating, &err));
    assert_false(replicating);
    PERSIST(journal_leaves_stream(conn, run.id, &err));
    assert_int_equal(leaf_state(&TWO, &seen), 'r');
    PERSIST(journal_replicating(conn, run.id, &replicating, &err));
    assert_true(replicating);
    PERSIST(journal_leaves_again(conn, run.id, &TWO, 1, &err));
    assert_int_equal(leaf_state(&TWO, &seen), 'i');
    PERSIST(journal_wave_open(conn, run.id, &TWO, 1, 0x100000010, &wave, &err));
    assert_int_equal(wave, 2);
    assert_int_equal(leaf_state(&ONE, &seen), 'd');
    assert_int_equal(seen, 1);
    PERSIST(journal_leaves_gone(conn, run.id, both, 1, &err));
    assert_int_equal(leaf_state(&ONE, &seen), ' ');
}

static void lanes_move_by_compare_and_set(void **state)
{
    (void)state;
    need_server();
    JournalLane *lanes = NULL;
    const char *routing = NULL;
    size_t count = 0;
    int64_t epoch = 0;
    PERSIST(journal_lanes_read(&texts, conn, run.id, &lanes, &count, &routing, &err));
    assert_int_equal(count, 0);
    PERSIST(journal_lane_create(conn, run.id, 0, 0x10, &err));
    PERSIST(journal_lane_create(conn, run.id, 0, 0x20, &err)); /* it is there */
    PERSIST(journal_lanes_read(&texts, conn, run.id, &lanes, &count, &routing, &err));
    assert_int_equal(count, 1);
    assert_int_equal(lanes[0].applied, 0x10);
    PERSIST(journal_lane_place(conn, run.id, 0x30, &err));
    PERSIST(journal_take_epoch(conn, run.id, &epoch, &err));
    PERSIST(pg_none(conn, "UPDATE godwit.lane SET look = 7", NO_PARAMS, &err));
    PERSIST(journal_lanes_set(conn, run.id, epoch, 0x30, 3, "{\"r\": 1}", &err));
    AUTO_ROWS Rows *looks = NULL;
    PERSIST(pg_rows(conn, "SELECT FROM godwit.lane WHERE look = 7", NO_PARAMS, &looks, &err));
    assert_int_equal(rows_count(looks), 3); /* a verification under way knows of what they change */
    PERSIST(journal_lanes_read(&texts, conn, run.id, &lanes, &count, &routing, &err));
    assert_int_equal(count, 3);
    assert_int_equal(lanes[2].applied, 0x30);
    assert_int_equal(lanes[2].epoch, epoch);
    assert_string_equal(routing, "{\"r\": 1}");
    REFUSES(journal_lanes_set(conn, run.id, epoch - 1, 0x30, 1, NULL, &err), ERR_LOCKED,
            "another engine moves this run's position");
    REFUSES(journal_lanes_set(conn, run.id, epoch, 0x31, 1, NULL, &err), ERR_LOCKED,
            "another engine moves this run's position");
    PERSIST(journal_lanes_set(conn, run.id, epoch, 0x30, 1, NULL, &err));
    PERSIST(journal_lanes_read(&texts, conn, run.id, &lanes, &count, &routing, &err));
    assert_int_equal(count, 1);
    assert_null(routing);
}

static void approvals_count_for_who_may(void **state)
{
    (void)state;
    need_server();
    const char *others[] = {"somebody", "postgres"};
    Plan plan = {.fingerprint = "f2"};
    JournalApproval found = {0};
    PERSIST(journal_gate(conn, run.id, "lag", "{}", &err));
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_null(found.approver);
    PERSIST(journal_approve(&texts, conn, run.id, "f2", 3600000000, &found, &err));
    assert_string_equal(found.approver, "postgres");
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_string_equal(found.approver, "postgres");
    plan.cutover.approvers = others;
    plan.cutover.approvers_count = 1;
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_null(found.approver);
    plan.cutover.approvers_count = 2;
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_non_null(found.approver);
    plan.cutover.not_runner = true;
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_null(found.approver);
    plan.cutover.not_runner = false;
    PERSIST(journal_spend_approvals(conn, run.id, &err));
    PERSIST(journal_find_approval(&texts, conn, run.id, &plan, &found, &err));
    assert_null(found.approver);
}

static void requests_are_taken_once(void **state)
{
    (void)state;
    need_server();
    JournalRequest request = {0};
    int64_t pause = 0, resync = 0, late = 0;
    PERSIST(journal_take_request(&texts, conn, run.id, &request, &err));
    assert_false(request.taken);
    PERSIST(journal_request(conn, run.id, "resync", "public.one", &resync, &err));
    PERSIST(journal_request(conn, run.id, "pause", NULL, &pause, &err));
    PERSIST(journal_take_request(&texts, conn, run.id, &request, &err));
    assert_true(request.taken && request.id == resync);
    assert_string_equal(request.argument, "public.one");
    PERSIST(journal_expire_pauses(conn, run.id, &err));
    PERSIST(journal_read_request(&texts, conn, pause, &request, &err));
    assert_true(request.finished && request.exit_status == 1);
    PERSIST(journal_request(conn, run.id, "resync", NULL, &late, &err));
    PERSIST(journal_answer_late(conn, run.id, late, 0, "copied", &err)); /* this one nobody took */
    PERSIST(journal_read_request(&texts, conn, resync, &request, &err));
    assert_true(request.finished && request.exit_status == 0);
    assert_string_equal(request.message, "copied");
    PERSIST(journal_read_request(&texts, conn, late, &request, &err));
    assert_false(request.taken || request.finished);
    PERSIST(journal_answer_request(conn, late, 5, "no", &err));
    PERSIST(journal_request(conn, run.id, "cutover", NULL, &late, &err));
    PERSIST(journal_take_request(&texts, conn, run.id, &request, &err));
    PERSIST(journal_take_request(&texts, conn, run.id, &request, &err));
    PERSIST(journal_finish_requests(conn, run.id, 10, "rolled back", &err));
    PERSIST(journal_read_request(&texts, conn, late, &request, &err));
    assert_true(request.finished);
}

static void fences_keep_what_was_before(void **state)
{
    (void)state;
    need_server();
    const JournalFence source = {.side = CONN_SOURCE, .method = "lock"};
    const JournalFence target = {.side = CONN_TARGET, .method = "read_only", .previous = "off"};
    const JournalFence later = {.side = CONN_TARGET, .method = "lock", .previous = "on"};
    JournalFence *fences = NULL;
    size_t count = 0;
    PERSIST(journal_fence_set(conn, run.id, &source, &err));
    PERSIST(journal_fence_set(conn, run.id, &target, &err));
    PERSIST(journal_fence_set(conn, run.id, &later, &err));
    PERSIST(journal_fence_close(conn, run.id, CONN_SOURCE, &err));
    PERSIST(journal_fences(&texts, conn, run.id, &fences, &count, &err));
    assert_int_equal(count, 2);
    assert_true(fences[0].side == CONN_SOURCE && fences[1].side == CONN_TARGET);
    assert_string_equal(fences[0].method, FENCE_CLOSED);
    assert_string_equal(fences[1].previous, "off");
    PERSIST(journal_fence_clear(conn, run.id, CONN_TARGET, &err));
    PERSIST(journal_fences(&texts, conn, run.id, &fences, &count, &err));
    assert_int_equal(count, 1);
}

/* One engine holds the run's lock; when its session ends, it is told at once. */
static void the_lock_has_one_holder(void **state)
{
    (void)state;
    need_server();
    AUTO_ARENA Arena arena = {0};
    Endpoint endpoint = server_endpoint(CONN_TARGET, "postgres");
    Stop stop = {0};
    RunLock *mine = NULL, *theirs = NULL;
    LockHolder holder = {0};
    PERSIST(stop_init(&stop, &err));
    PERSIST(run_lock_holder(&arena, conn, "unit run", &holder, &err));
    assert_int_equal(holder.pid, 0);
    PERSIST(run_lock_take(&arena, &mine, &endpoint, "unit run", &stop, &holder, &err));
    PERSIST(run_lock_holder(&arena, conn, "unit run", &holder, &err));
    assert_string_equal(holder.user, "postgres");
    const int64_t pid = holder.pid;
    AUTO_ERR Err refused = {0};
    while (!run_lock_take(&arena, &theirs, &endpoint, "unit run", &stop, &holder, &refused) &&
           refused.code == ERR_SQL)
        err_release(&refused);
    assert_int_equal(refused.code, ERR_LOCKED);
    assert_int_equal(holder.pid, pid);
    assert_string_equal(value("SELECT count(pg_terminate_backend(pid)) FROM pg_locks"
                              " WHERE locktype = 'advisory'"),
                        "1");
    for (int i = 0; i < 100 && stop_reason(&stop) == STOP_NONE; i++)
        (void)stop_sleep(&stop, 100);
    assert_int_equal(stop_reason(&stop), STOP_LOCK_LOST);
    run_lock_free(mine);
    run_lock_free(NULL);
    stop_release(&stop);
}

/* A server that crashed has forgotten commits that the engine knows of: whoever connects finds that
 * the lock's session is gone, before anything else is sent, and before the watcher looks again. */
static void a_connection_looks_for_the_lock(void **state)
{
    (void)state;
    need_server();
    AUTO_ARENA Arena arena = {0};
    Endpoint endpoint = server_endpoint(CONN_TARGET, "postgres");
    const Endpoint plain = endpoint;
    Stop stop = {0};
    RunLock *lock = NULL, *other = NULL;
    LockHolder holder = {0};
    PERSIST(stop_init(&stop, &err));
    PERSIST(run_lock_take(&arena, &lock, &endpoint, "unit run", &stop, &holder, &err));
    endpoint.guard = run_lock_guard(lock);
    const ConnOptions options = {.purpose = "late", .stop = &stop};
    const ConnOptions taking_back = {.purpose = "rollback"};
    AUTO_CONN Conn *before = NULL, *behind = NULL, *rolls_back = NULL;
    PERSIST(conn_open(&before, &endpoint, &options, &err));
    assert_string_equal(value("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks"
                              " WHERE locktype = 'advisory'"),
                        "1");
    Stop fresh = {0};
    PERSIST(stop_init(&fresh, &err));
    PERSIST(run_lock_take(&arena, &other, &plain, "unit run", &fresh, &holder, &err));
    AUTO_ERR Err refused = {0};
    while (!conn_open(&behind, &endpoint, &options, &refused) && refused.code == ERR_SQL)
        err_release(&refused); /* the sweep's */
    assert_null(behind);
    assert_int_equal(stop_reason(&stop), STOP_LOCK_LOST);
    assert_string_equal(refused.message, "the session that holds the run's lock was lost");
    PERSIST(conn_open(&rolls_back, &endpoint, &taking_back, &err));
    run_lock_free(lock);
    run_lock_free(other);
    stop_release(&stop);
    stop_release(&fresh);
}

static void nothing_stays_but_a_tombstone(void **state)
{
    (void)state;
    need_server();
    JournalRun other = a_run();
    JournalTombstone tombstone = {0};
    other.name = "other run";
    PERSIST(journal_create_run(conn, &other, "1.2.3", &err));
    AUTO_ERR Err failed = {0};
    assert_false(journal_bury_run(conn, run.id, "finished", &failed));
    assert_string_equal(value("SELECT count(*) FROM godwit.tombstone"), "0");
    PERSIST(journal_bury_run(conn, run.id, "finished", &err));
    PERSIST(journal_tombstone(&texts, conn, "unit run", &tombstone, &err));
    assert_string_equal(tombstone.outcome, "finished");
    assert_string_equal(tombstone.fingerprint, "f2");
    assert_string_equal(value("SELECT count(*) FROM godwit.run"), "1");
    PERSIST(journal_forget_run(conn, other.id, &err));
    assert_string_equal(value("SELECT to_regclass('godwit.run') IS NULL"), "t");
    assert_string_equal(value("SELECT count(*) FROM godwit.tombstone"), "1");
    run = a_run();
    PERSIST(journal_create(conn, &err));
    PERSIST(journal_create_run(conn, &run, "1.2.3", &err));
    PERSIST(journal_bury_run(conn, run.id, "abandoned", &err)); /* the last one: the tables go */
    assert_string_equal(value("SELECT to_regclass('godwit.run') IS NULL"), "t");
    assert_true(failures > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_made_and_found),
        cmocka_unit_test(a_run_has_one_mover),
        cmocka_unit_test(steps_are_remembered),
        cmocka_unit_test(structure_is_that_of_the_first),
        cmocka_unit_test(leaves_go_their_way),
        cmocka_unit_test(lanes_move_by_compare_and_set),
        cmocka_unit_test(approvals_count_for_who_may),
        cmocka_unit_test(requests_are_taken_once),
        cmocka_unit_test(fences_keep_what_was_before),
        cmocka_unit_test(the_lock_has_one_holder),
        cmocka_unit_test(a_connection_looks_for_the_lock),
        cmocka_unit_test(nothing_stays_but_a_tombstone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
