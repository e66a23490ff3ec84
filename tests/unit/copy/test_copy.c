/*
 * The copy of a small schema on a real server, where each statement of it fails once and is cut
 * once: whatever the journal says is copied, is there, once.
 */
#include "copy/again.h"
#include "copy/blockers.h"
#include "copy/job.h"
#include "copy/wave.h"
#include "lib/world.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char TABLES[] =
    "CREATE TABLE big (id int PRIMARY KEY, v text); CREATE TABLE keyed (id bigint PRIMARY KEY, v "
    "text);"
    "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int);"
    "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
    "CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (100);"
    "CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (200);"
    "CREATE TABLE \"od,d \"\"name\" (); CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text);";
static const char ROWS[] =
    "INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 6000) AS i;"
    "INSERT INTO keyed SELECT i * 1000, repeat(md5(i::text), 8) FROM generate_series(1, 5000) AS i;"
    "INSERT INTO parent SELECT generate_series(1, 50); INSERT INTO child SELECT i, i FROM "
    "generate_series(1, 50) AS i;"
    "INSERT INTO parted SELECT i, 'p' || i FROM generate_series(0, 199) AS i;"
    "INSERT INTO \"od,d \"\"name\" DEFAULT VALUES;"
    "INSERT INTO cache SELECT i, 'c' FROM generate_series(1, 30) AS i; ANALYZE";
static const char *const SUMS[] = {
    "big", "keyed", "parent", "child", "parted", "\"od,d \"\"name\"", "cache"};
static const char KEYS[] = "copy: {split_tables_larger_than: 1MB, table_jobs: 2}\n"
                           "replication: {replica_identity: {when_missing: set}}\n";

static World world;
static size_t failures;

static int setup(void **state)
{
    (void)state;
    int status = world_setup(&world, "both/worker+wave+copy:fail+cut:1:0", KEYS, TABLES, ROWS);
    world.run.publication_name = "nobody_made_it";
    for (size_t i = 0; i < world.blueprint.leaf_count; i++) { /* not every method has ranges */
        if (text_equal(world.blueprint.leaves[i].source.rel, "keyed"))
            world.blueprint.leaves[i].is_heap = false;
    }
    return status;
}

static int teardown(void **state)
{
    (void)state;
    wave_end(&world.run.wave);
    return world_teardown(&world);
}

/* --- a worker, as the executor drives it --- */

static bool worker_conn(Conn **conn, const Endpoint *endpoint, Err *err)
{
    if (*conn != NULL && conn_is_ok(*conn) && !conn_in_transaction(*conn))
        return true;
    conn_close(*conn);
    *conn = NULL;
    return conn_open(conn, endpoint, &(ConnOptions){.purpose = "worker 1", .stop = &world.stop},
                     err);
}

static bool copy_relation(const Relation *relation, Arena *arena, Conn **source, Conn **target,
                          Err *err)
{
    Run *run = &world.run;
    CopyJob **job = wave_job(run->wave, relation);
    AUTO_CONN Conn *quiet = NULL;
    if (*job == NULL &&
        (!wave_admit(run->wave, relation, err) ||
         !job_plan(job, run, run->wave, relation, *source, &(PartTarget){*target, &quiet}, err)))
        return false;
    for (size_t part = 0; !job_is_done(*job) && part < job_part_count(*job); part++) {
        if (!worker_conn(source, &run->source, err) || !worker_conn(target, &run->target, err) ||
            !job_part(*job, part, arena, *source, &(PartTarget){*target, &quiet}, err))
            return false;
    }
    return true;
}

static bool copy_all(Arena *arena, Conn **source, Conn **target, Err *err)
{
    Run *run = &world.run;
    size_t left = 0;
    if (!worker_conn(source, &run->source, err) || !worker_conn(target, &run->target, err) ||
        (run->wave == NULL && !wave_begin(&run->wave, run, *target, err)))
        return false;
    for (size_t i = 0; i < world.blueprint.relation_count; i++) {
        if (!copy_relation(&world.blueprint.relations[i], arena, source, target, err))
            return false;
    }
    wave_end(&run->wave);
    if (!wave_leaves_left(run, *target, &left, err))
        return false;
    assert_int_equal(left, 0);
    return true;
}

/* Tries until it is done; a wave whose session was lost is begun anew. */
static void copy_through_all(void)
{
    Conn *source = NULL, *target = NULL;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    while (!copy_all(&arena, &source, &target, &err)) {
        AUTO_ERR Err lost = {0};
        assert_true(err_is_set(&err));
        assert_true(++failures < 400);
        pg_rollback(source);
        pg_rollback(target);
        if (world.run.wave != NULL &&
            (!wave_check(world.run.wave, &lost) || wave_is_lost(world.run.wave)))
            wave_end(&world.run.wave);
        err_release(&err);
    }
    conn_close(source);
    conn_close(target);
}

static void both_sides_are_the_same(void)
{
    for (size_t i = 0; i < sizeof(SUMS) / sizeof(SUMS[0]); i++)
        assert_true(world_is_same(&world, SUMS[i]));
}

static void need_server(void)
{
    if (!server_is_there())
        skip();
}

static void every_statement_fails_and_is_cut(void **state)
{
    (void)state;
    need_server();
    copy_through_all();
    both_sides_are_the_same();
    assert_true(failures > 20);
    assert_string_equal(server_value(&world.texts, world.target,
                                     "SELECT count(*) FROM godwit.relation WHERE state <> 'f'"),
                        "0");
    assert_true(strtol(server_value(&world.texts, world.target,
                                    "SELECT sum(rows_written) FROM godwit.part WHERE rel = 'big'"),
                       NULL, 10) == 6000);
}

/* What was begun before has keys and triggers by now, and foreign keys stand on it. */
static void a_second_copy_replaces_the_first(void **state)
{
    (void)state;
    need_server();
    AUTO_ERR Err err = {0};
    Name *names = arena_array(&world.texts, Name, world.blueprint.leaf_count);
    for (size_t i = 0; i < world.blueprint.leaf_count; i++)
        names[i] = world.blueprint.leaves[i].source;
    server_script(world.target,
                  "ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES parent;"
                  "CREATE FUNCTION twist() RETURNS trigger LANGUAGE plpgsql AS"
                  " 'BEGIN NEW.v := ''twisted''; RETURN NEW; END';"
                  "CREATE TRIGGER twist BEFORE INSERT ON big FOR EACH ROW EXECUTE FUNCTION "
                  "twist(); UPDATE keyed SET v = 'old'; INSERT INTO big VALUES (-1, 'old')");
    server_script(world.source, "UPDATE parted SET v = 'new' WHERE id = 7");
    world_must(journal_leaves_again(world.target, world.run.journal.id, names,
                                    world.blueprint.leaf_count, &err),
               &err);
    copy_through_all();
    both_sides_are_the_same();
}

static void unlogged_tables_come_again(void **state)
{
    (void)state;
    need_server();
    Conn *source = NULL, *target = NULL;
    AgainTotals totals = {0};
    AUTO_ERR Err err = {0};
    server_script(world.source, "UPDATE cache SET v = 'later' WHERE k < 4");
    assert_int_equal(again_expected(&world.blueprint).leaves, 1);
    while (!worker_conn(&source, &world.run.source, &err) ||
           !worker_conn(&target, &world.run.target, &err) ||
           !again_copy(&world.blueprint, source, target, &totals, &err)) {
        assert_true(++failures < 800);
        err_release(&err);
        pg_rollback(source);
        pg_rollback(target);
    }
    assert_int_equal(totals.rows, 30);
    both_sides_are_the_same();
    server_script(world.target, "CREATE RULE away AS ON INSERT TO cache WHERE NEW.k = 1 DO "
                                "INSTEAD NOTHING; CREATE FUNCTION less() RETURNS trigger LANGUAGE "
                                "plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER less BEFORE "
                                "INSERT ON cache FOR EACH ROW WHEN (NEW.k = 2) EXECUTE FUNCTION "
                                "less()");
    assert_false(again_copy(&world.blueprint, source, target, &totals, &err));
    assert_int_equal(err.code, ERR_ROW_COUNT);
    assert_non_null(strstr(err.message, "30 rows were read from the source, 29 written"));
    server_script(world.target, "DROP TRIGGER less ON cache; DROP RULE away ON cache");
    both_sides_are_the_same(); /* nothing of it was committed */
    conn_close(source);
    conn_close(target);
}

/* Whether a wave begins, once no fault strikes at it. */
static bool wave_begins(Err *err)
{
    for (;;) {
        size_t faults = world_faults(&world);
        if (wave_begin(&world.run.wave, &world.run, world.target, err))
            return true;
        if (world_faults(&world) == faults)
            return false;
        err_release(err);
    }
}

/* The catalog under the snapshot is not the one that was planned. */
static void another_catalog_is_stale(void **state)
{
    (void)state;
    need_server();
    static const struct {
        const char *change, *back, *says, *detail;
    } CASES[] = {
        {"ALTER TABLE parent RENAME TO other", "ALTER TABLE other RENAME TO parent", "is it called",
         NULL},
        {"ALTER TABLE child ADD COLUMN more int", "ALTER TABLE child DROP COLUMN more",
         "its columns are others", "id 23,more 23,p 23"},
        {"DROP TABLE \"od,d \"\"name\"", "CREATE TABLE \"od,d \"\"name\" ()", "", NULL},
    };
    AUTO_ERR Err again = {0};
    Name *names = arena_array(&world.texts, Name, world.blueprint.leaf_count);
    for (size_t i = 0; i < world.blueprint.leaf_count; i++)
        names[i] = world.blueprint.leaves[i].source;
    world_must(journal_leaves_again(world.target, world.run.journal.id, names,
                                    world.blueprint.leaf_count, &again),
               &again);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ERR Err err = {0};
        server_script(world.source, CASES[i].change);
        assert_false(wave_begins(&err));
        assert_null(world.run.wave);
        server_script(world.source, CASES[i].back);
        if (i == 0)
            continue; /* the lock names it: the statement's own error */
        assert_true(err.code == ERR_STALE || i == 2);
        assert_non_null(strstr(err.message, CASES[i].says));
        if (CASES[i].detail != NULL)
            assert_non_null(strstr(err.detail, CASES[i].detail));
    }
}

/* Who stands in the way is named, and waited for only so long. */
static void patience_has_an_end(void **state)
{
    (void)state;
    need_server();
    AUTO_ERR Err other = {0}, locked = {0};
    Patience patience = {0};
    err_set(&other, ERR_SQL, "another error");
    assert_false(blockers_wait(&patience, world.source, "it", &other));
    assert_int_equal(patience.attempts, 0);
    Conn *holder = server_open(CONN_SOURCE, "src");
    server_script(holder, "BEGIN; SELECT pg_current_xact_id()");
    err_set(&locked, ERR_SQL, "no lock");
    memcpy(locked.sqlstate, "55P03", sizeof("55P03"));
    assert_true(blockers_wait(&patience, world.source, "it", &locked));
    assert_false(err_is_set(&locked));
    err_set(&locked, ERR_SQL, "no lock");
    memcpy(locked.sqlstate, "55P03", sizeof("55P03"));
    patience.since_ms = clock_ms() - 11 * 60 * 1000;
    assert_false(blockers_wait(&patience, world.source, "it", &locked));
    assert_string_equal(locked.message, "it had to wait too long: no lock");
    assert_non_null(strstr(locked.detail, "In the way: "));
    assert_non_null(locked.hint);
    conn_close(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_fails_and_is_cut),
        cmocka_unit_test(a_second_copy_replaces_the_first),
        cmocka_unit_test(unlogged_tables_come_again),
        cmocka_unit_test(another_catalog_is_stale),
        cmocka_unit_test(patience_has_an_end),
    };
    return cmocka_run_group_tests_name("copy/copy", tests, setup, teardown);
}
