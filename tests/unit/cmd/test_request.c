/*
 * A request outlives the engine's own new beginnings: the run's lock is free for a moment, the
 * engine comes back to it and answers. One that nobody answers is withdrawn: no later engine acts
 * on it.
 */
#include "cmd/request.h"
#include "lib/server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static Session session;
static bool comes_back;

static void must(bool ok, const Err *err)
{
    if (!ok)
        fail_msg("%s (%s)", err->message, err->detail == NULL ? "" : err->detail);
}

static RunLock *take(Stop *stop)
{
    AUTO_ERR Err err = {0};
    AUTO_ARENA Arena arena = {0};
    const Endpoint endpoint = server_endpoint(CONN_TARGET, "postgres");
    RunLock *lock = NULL;
    LockHolder holder = {0};
    must(run_lock_take(&arena, &lock, &endpoint, "unit", stop, &holder, &err), &err);
    return lock;
}

/* Loses its source as soon as it is asked. */
static void *play_engine(void *data)
{
    RunLock *lock = data;
    AUTO_ERR Err err = {0};
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *conn = server_open(CONN_TARGET, "postgres");
    Stop stop = {0};
    JournalRequest request = {0};
    must(stop_init(&stop, &err), &err);
    while (request.id == 0)
        must(journal_take_request(&arena, conn, session.journal.id, &request, &err), &err);
    run_lock_free(lock);
    if (comes_back) {
        usleep(900 * 1000);
        lock = take(&stop);
        usleep(400 * 1000);
        must(journal_finish_requests(conn, session.journal.id, 0, "done", &err), &err);
        run_lock_free(lock);
    }
    stop_release(&stop);
    return NULL;
}

static bool ask(const char *kind, JournalRequest *request)
{
    AUTO_ERR Err err = {0};
    pthread_t engine;
    bool answered = false;
    RunLock *lock = take(&session.stop);
    assert_int_equal(pthread_create(&engine, NULL, play_engine, lock), 0);
    must(request_follow(&session, kind, NULL, request, &answered, &err), &err);
    pthread_join(engine, NULL);
    return answered;
}

static void an_engine_that_begins_anew_answers(void **state)
{
    (void)state;
    JournalRequest request = {0};
    if (!server_is_there())
        skip();
    comes_back = true;
    assert_true(ask("cutover", &request));
    assert_int_equal(request.exit_status, 0);
    assert_string_equal(request.message, "done");
}

static void what_nobody_answers_is_withdrawn(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    JournalRequest request = {0};
    bool answered = false;
    if (!server_is_there())
        skip();
    comes_back = false;
    assert_false(ask("failback", &request));
    must(journal_read_request(&session.arena, session.target, request.id, &request, &err), &err);
    assert_true(request.finished && request.exit_status != 0);
    must(journal_withdraw_request(session.target, request.id, &answered, &err), &err);
    assert_true(answered); /* what is finished stays as it is */
    must(journal_take_request(&session.arena, session.target, session.journal.id, &request, &err),
         &err);
    assert_int_equal(request.id, 0);
}

static int setup(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    session.plan.name = "unit";
    session.target = server_open(CONN_TARGET, "postgres");
    session.journal = (JournalRun){.name = "unit",
                                   .mark = "0123abcd",
                                   .fingerprint = "f",
                                   .canonical = "{}",
                                   .source_system = "s",
                                   .target_system = "t"};
    must(stop_init(&session.stop, &err) && journal_create(session.target, &err) &&
             journal_create_run(session.target, &session.journal, "1", &err),
         &err);
    return 0;
}

static int teardown(void **state)
{
    if (session.target != NULL) {
        session.plan = (Plan){0};
        session_release(&session);
    }
    return server_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_engine_that_begins_anew_answers),
        cmocka_unit_test(what_nobody_answers_is_withdrawn),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
