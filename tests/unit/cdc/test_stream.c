/*
 * The stream on a real server, where each statement of it fails once in a way that passes and has
 * its connection cut once: it mends itself, and both sides are the same. Changes go every way:
 * folded, in order, by COPY, by arrays, through the replay, by policy, around a leaf that is held.
 */
#include "cdc/stream.h"
#include "lib/world.h"

#include "base/str.h"
#include "journal/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char TABLES[] =
    "CREATE TABLE folded (id int PRIMARY KEY, v text, n int);"
    "CREATE TABLE ordered (id int PRIMARY KEY, u int UNIQUE, v text);"
    "CREATE TABLE bare (a int, v text); ALTER TABLE bare REPLICA IDENTITY FULL;"
    "CREATE TABLE moved (id int GENERATED ALWAYS AS IDENTITY, k text PRIMARY KEY, b box);"
    "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
    "CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (1000);"
    "CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (1000) TO (2000);"
    "CREATE TABLE emptied (id int PRIMARY KEY, v text); CREATE TABLE late (id int PRIMARY KEY);";
static const char ROUND[] =
    "INSERT INTO folded SELECT i, 'new', 0 FROM generate_series(1, 200) AS i;"
    "UPDATE folded SET v = 'set' WHERE id <= 100; UPDATE folded SET n = id WHERE id % 2 = 0;"
    "DELETE FROM folded WHERE id BETWEEN 50 AND 120; UPDATE folded SET id = id + 1000 WHERE id > "
    "190;"
    "INSERT INTO ordered SELECT i, i, 'v' FROM generate_series(1, 40) AS i;"
    "UPDATE ordered SET u = -u; DELETE FROM ordered WHERE id > 35;"
    "INSERT INTO bare SELECT i % 3, 'b' || i FROM generate_series(1, 30) AS i;"
    "UPDATE bare SET v = 'c' WHERE a = 1; DELETE FROM bare WHERE a = 2;"
    "INSERT INTO moved (k, b) SELECT 'k' || i, '(1,1),(0,0)' FROM generate_series(1, 60) AS i;"
    "UPDATE moved SET id = DEFAULT WHERE k < 'k3'; UPDATE moved SET b = '(2,2),(0,0)';"
    "INSERT INTO parted SELECT i, 'p' FROM generate_series(900, 1100) AS i;"
    "UPDATE parted SET v = 'q' WHERE id % 2 = 0; DELETE FROM parted WHERE id < 950;"
    "INSERT INTO emptied SELECT i, 'e' FROM generate_series(1, 20) AS i;";
/* In transactions of their own: what they do follows what was applied. */
static const char *const MORE[] = {
    "BEGIN; INSERT INTO emptied VALUES (100, 'gone'); TRUNCATE emptied; INSERT INTO emptied VALUES "
    "(1, 'left'); COMMIT",
    "UPDATE folded SET v = v || '!'",
    "DELETE FROM moved WHERE k > 'k5'",
    "UPDATE parted SET v = 'r'",
    "DELETE FROM folded; DELETE FROM ordered; DELETE FROM bare; DELETE FROM moved; DELETE FROM "
    "parted; DELETE FROM emptied",
};
static const char *const NAMES[] = {"folded", "ordered", "bare", "moved",
                                    "parted", "emptied", "late"};
static const char KEYS[] = "apply: {lanes: 2, on_conflict: upsert}\n"
                           "replication: {replica_identity: {when_missing: set}}\n";

static World world;
static StreamSpec spec;
static Budget budget;
static Stream *stream;
static unsigned markers;

static int setup(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    int status = world_setup(&world, "both/apply+lane+slot+receive+pulse:pass+cut+lose:1:0", KEYS,
                             TABLES, "SELECT 1");
    if (status != 0 || !server_is_there())
        return status;
    server_script(world.source, "CREATE PUBLICATION pub FOR ALL TABLES");
    server_script(world.source,
                  "SELECT pg_create_logical_replication_slot('unit_stream', 'pgoutput')");
    JournalRun *run = &world.run.journal;
    Lsn start = 0;
    world_must(lsn_parse(server_value(&world.texts, world.source,
                                      "SELECT confirmed_flush_lsn FROM pg_replication_slots"),
                         &start, &err) &&
                   journal_lane_create(world.target, run->id, 0, start, &err) &&
                   journal_take_epoch(world.target, run->id, &run->epoch, &err),
               &err);
    if (!budget_begin(&budget, world.blueprint.plan->memory_bytes, &(BudgetNeeds){.lanes = 2}))
        return -1;
    spec = (StreamSpec){.blueprint = &world.blueprint,
                        .budget = &budget,
                        .source = &world.run.source,
                        .target = &world.run.target,
                        .slot_name = "unit_stream",
                        .publications = "\"pub\"",
                        .run_mark = "godwit unit",
                        .run_id = run->id,
                        .epoch = run->epoch,
                        .sync_lsn = arena_array(&world.texts, Lsn, world.blueprint.leaf_count),
                        .stop = &world.stop,
                        .log = {.run = "unit"}};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    AUTO_ERR Err ignored = {0};
    if (stream != NULL && !stream_stop(stream, &ignored)) /* a test failed */
        print_error("%s\n", ignored.message);
    return world_teardown(&world);
}

static void need_server(void)
{
    if (!server_is_there())
        skip();
}

/* Only the first session's faults are the caller's: he starts it again. */
static void start_stream(void)
{
    for (int attempts = 0;; attempts++) {
        AUTO_ERR Err err = {0};
        if (stream_start(&stream, &spec, &err))
            return;
        assert_true(err_is_set(&err));
        assert_null(strstr(err.message, "conflict"));
        assert_true(attempts < 200);
        stream = NULL;
    }
}

static void catch_up(void)
{
    AUTO_ERR Err err = {0};
    Lsn lsn = 0;
    const char *nonce = arena_printf(&world.texts, "m%u", ++markers);
    world_must(stream_marker_emit(world.source, spec.run_mark, nonce, &lsn, &err), &err);
    world_must(stream_wait_marker(stream, nonce, 120000, &err), &err);
}

static void stop_stream(void)
{
    AUTO_ERR Err err = {0};
    world_must(stream_stop(stream, &err), &err);
    stream = NULL;
}

static void both_sides_are_the_same(void)
{
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        assert_true(world_is_same(&world, NAMES[i]));
}

static void one_round(void)
{
    server_script(world.source, ROUND);
    catch_up();
    both_sides_are_the_same();
    for (size_t i = 0; i < sizeof(MORE) / sizeof(MORE[0]); i++)
        server_script(world.source, MORE[i]);
    catch_up();
    both_sides_are_the_same();
}

/* Rounds go on until two in succession meet no fault any more: every statement has had its two
 * turns. One alone may be without: what comes together in a group depends on how fast it comes. */
static void every_statement_fails_and_is_cut(void **state)
{
    (void)state;
    need_server();
    start_stream();
    for (int i = 0; i < 8; i++)
        catch_up(); /* the answer to a commit that brings a marker and nothing else is lost, too */
    int quiet = 0;
    for (int rounds = 0; quiet < 2; rounds++) {
        assert_true(rounds < 40);
        size_t before = world_faults(&world);
        one_round();
        quiet = world_faults(&world) == before ? quiet + 1 : 0;
    }
    assert_true(world_faults(&world) > 40);
    StreamStatus status;
    stream_status(stream, &status);
    assert_int_equal(status.conflicts, 0);
    assert_false(status.failed);
}

/* Somebody wrote to the target: policy upsert makes the rows the source's, and counts. */
static void conflicts_go_by_the_policy(void **state)
{
    (void)state;
    need_server();
    server_script(world.source, "INSERT INTO folded SELECT i, 'v', 0 FROM generate_series(1, 40) "
                                "AS i; INSERT INTO ordered SELECT i, i, 'v' FROM generate_series(1,"
                                " 9) AS i; INSERT INTO bare VALUES (1, 'x'), (2, 'y')");
    catch_up();
    server_script(world.target, "DELETE FROM folded WHERE id < 4; INSERT INTO folded VALUES (50, "
                                "'theirs', 1), (60, 'theirs', 1); DELETE FROM ordered WHERE id = 1;"
                                "DELETE FROM bare WHERE a = 1");
    server_script(world.source, "UPDATE folded SET v = 'w' WHERE id < 3; DELETE FROM folded WHERE "
                                "id = 3; INSERT INTO folded SELECT i, 'ours', 2 FROM "
                                "generate_series(45, 70) AS i; UPDATE ordered SET v = 'w' WHERE "
                                "id = 1; DELETE FROM bare WHERE a = 1");
    catch_up();
    both_sides_are_the_same();
    StreamStatus status;
    stream_status(stream, &status);
    assert_in_range(status.conflicts, 6, 12);
    assert_string_equal(server_value(&world.texts, world.target,
                                     "SELECT count(DISTINCT (rel, kind, outcome)) > 3 FROM "
                                     "godwit.conflict"),
                        "t");
}

/* Changes of a leaf that is not copied wait, and what comes behind them; released, they go on. */
static void a_held_leaf_waits(void **state)
{
    (void)state;
    need_server();
    AUTO_ERR Err err = {0};
    const Leaf *leaf = NULL;
    for (size_t i = 0; i < world.blueprint.leaf_count; i++) {
        if (text_equal(world.blueprint.leaves[i].source.rel, "late"))
            leaf = &world.blueprint.leaves[i];
    }
    world_must(stream_leaf_hold(stream, leaf, &err), &err);
    server_script(world.source, "BEGIN; INSERT INTO folded VALUES (7000, 'before', 0); INSERT INTO "
                                "late VALUES (1); COMMIT");
    StreamStatus status = {0};
    for (int i = 0; i < 600 && status.waits_for == NULL; i++) {
        (void)stop_sleep(&world.stop, 50);
        stream_status(stream, &status);
    }
    assert_ptr_equal(status.waits_for, leaf);
    assert_int_equal(status.held, 1);
    assert_false(stream_wait_marker(stream, "never", 200, &err));
    assert_int_equal(err.code, ERR_GATE);
    err_release(&err);
    assert_string_equal(server_value(&world.texts, world.target, "SELECT count(*) FROM late"), "0");
    Lsn here = 0;
    world_must(lsn_parse("0/10", &here, &err) && stream_leaf_sync(stream, leaf, here, &err) &&
                   stream_leaf_release(stream, leaf, &err),
               &err);
    catch_up();
    both_sides_are_the_same();
    world_must(lsn_parse(server_value(&world.texts, world.source, "SELECT pg_current_wal_lsn()"),
                         &here, &err),
               &err);
    AUTO_ARENA Arena arena = {0};
    TouchedKeys keys;
    stream_touched_take(&arena, stream, leaf->root, &keys);
    assert_int_equal(keys.count, 1);
    stop_stream();
}

/* The next engine ends what this one can still do, with an error of its own. */
static void another_epoch_ends_it(void **state)
{
    (void)state;
    need_server();
    AUTO_ERR Err err = {0};
    int64_t epoch = 0;
    start_stream();
    world_must(journal_take_epoch(world.target, spec.run_id, &epoch, &err), &err);
    server_script(world.source, "INSERT INTO late VALUES (2)");
    assert_false(stream_wait_marker(stream, "none", 60000, &err));
    assert_int_equal(err.code, ERR_LOCKED);
    err_release(&err);
    assert_false(stream_stop(stream, &err));
    stream = NULL;
    err_release(&err);
    assert_false(stream_start(&stream, &spec, &err)); /* nor does it begin again */
    assert_int_equal(err.code, ERR_LOCKED);
    assert_string_equal(server_value(&world.texts, world.target, "SELECT count(*) FROM late"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_fails_and_is_cut),
        cmocka_unit_test(conflicts_go_by_the_policy),
        cmocka_unit_test(a_held_leaf_waits),
        cmocka_unit_test(another_epoch_ends_it),
    };
    return cmocka_run_group_tests_name("cdc/stream", tests, setup, teardown);
}
