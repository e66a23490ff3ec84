/*
 * preflight_run() against a real server: what a weak role lacks is found, and running the remedies
 * as they are printed makes every error go away.
 */
#include "base/str.h"
#include "lib/server.h"
#include "preflight/preflight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char source_seed[] =
    "CREATE ROLE app_owner; CREATE SCHEMA app AUTHORIZATION app_owner;"
    "CREATE SCHEMA \"Odd One\"; SET ROLE app_owner;"
    "CREATE TABLE app.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, secret text);"
    "ALTER TABLE app.item ENABLE ROW LEVEL SECURITY;"
    "ALTER TABLE app.item FORCE ROW LEVEL SECURITY;"
    "CREATE TABLE app.log (line text);"
    "CREATE TABLE app.event (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
    "CREATE TABLE app.event_1 PARTITION OF app.event"
    "  FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
    "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TYPE app.mood AS ENUM ('good'); RESET ROLE;"
    "CREATE TABLE \"Odd One\".\"user\" (\"select\" int PRIMARY KEY);";

typedef struct World {
    Arena arena;
    Conn *source_admin;
    Conn *target_admin;
    Plan plan;
    PlanSelector schemas[2];
    PreflightReport report;
    CatSetting pretended;       /* what the source's catalog is made to say; name NULL: nothing */
    CatSetting pretended_there; /* and the target's */
    bool offers_nothing;        /* the target has no extension to create */
    const char *offers;         /* the version of every extension that the target can create */
} World;

static World world;

static int setup(void **state)
{
    (void)state;
    if (server_setup("max_slot_wal_keep_size = 100MB") != 0)
        return -1;
    if (!server_is_there())
        return 0;
    Conn *admin = server_open(CONN_SOURCE, "postgres");
    server_script(admin, "CREATE DATABASE shop");
    server_script(admin, "CREATE DATABASE tgt");
    conn_close(admin);
    world.source_admin = server_open(CONN_SOURCE, "shop");
    world.target_admin = server_open(CONN_TARGET, "tgt");
    server_script(world.source_admin, source_seed);
    server_script(world.source_admin, "CREATE ROLE \"Mig User\" LOGIN");
    Err err = {0};
    size_t column = 0;
    world.schemas[0].pos = world.schemas[1].pos = (PlanPos){1, 1};
    if (!selector_schema(&world.arena, "app", &world.schemas[0].selector, &column, &err) ||
        !selector_schema(&world.arena, "\"Odd One\"", &world.schemas[1].selector, &column, &err))
        return -1;
    world.plan.select.schemas = (PlanSelectors){world.schemas, 2};
    world.plan.source = (PlanEndpoint){.kind = "self_hosted", .max_connections = 8};
    world.plan.target = (PlanEndpoint){.kind = "self_hosted", .max_connections = 8};
    world.plan.copy = (PlanCopy){.data = true, .table_jobs = 2, .index_jobs = 1};
    world.plan.replication.publish = PLAN_PUBLISH_ALL;
    world.plan.memory_bytes = UINT64_C(64) << 20;
    world.plan.cutover.method = PLAN_STOP_LOCK;
    world.plan.schema.owner_is_target_user = true;
    world.plan.extensions.create_missing = true;
    return 0;
}

static int teardown(void **state)
{
    preflight_release(&world.report);
    conn_close(world.source_admin);
    conn_close(world.target_admin);
    arena_release(&world.arena);
    return server_teardown(state);
}

static Conn *open_as(ConnSide side, const char *database, const char *user, Endpoint *endpoint)
{
    AUTO_ERR Err err = {0};
    Conn *conn = NULL;
    *endpoint = server_endpoint(side, database);
    endpoint->conninfo = arena_printf(&world.arena, "%s user='%s'", endpoint->conninfo, user);
    if (!conn_open(&conn, endpoint, &(ConnOptions){.purpose = "check", .read_only = true}, &err))
        fail_msg("%s: %s", err.message, err.detail);
    return conn;
}

/* Of a server whose release does not have that setting yet, too. */
static void pretend(Catalog *catalog, const CatSetting *setting)
{
    if (setting->name == NULL)
        return;
    CatSetting *more = arena_array(&world.arena, CatSetting, catalog->settings_count + 1);
    size_t at = 0;
    while (at < catalog->settings_count && strcmp(catalog->settings[at].name, setting->name) < 0)
        at++;
    bool known =
        at < catalog->settings_count && strcmp(catalog->settings[at].name, setting->name) == 0;
    memcpy(more, catalog->settings, at * sizeof(*more));
    more[at] = known ? catalog->settings[at] : (CatSetting){.name = setting->name, .unit = ""};
    more[at].value = setting->value;
    memcpy(&more[at + 1], &catalog->settings[at + known],
           (catalog->settings_count - at - known) * sizeof(*more));
    catalog->settings = more;
    catalog->settings_count += !known;
}

/* Everything as `godwit check` does it, for one user of both sides. */
static void check_as(const char *user, bool resuming)
{
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    Endpoint from, to;
    AUTO_CONN Conn *source = open_as(CONN_SOURCE, "shop", user, &from);
    AUTO_CONN Conn *target = open_as(CONN_TARGET, "tgt", user, &to);
    Catalog source_catalog = {0}, target_catalog = {0};
    Blueprint blueprint = {0};
    PlanFindings findings = {0};
    preflight_release(&world.report);
    bool ok =
        catalog_inspect(&source_catalog, source, &err) &&
        catalog_inspect(&target_catalog, target, &err) &&
        blueprint_build(&blueprint, &world.plan, &source_catalog, &target_catalog, &findings, &err);
    pretend(&source_catalog, &world.pretended);
    pretend(&target_catalog, &world.pretended_there);
    if (world.offers_nothing)
        target_catalog.available_count = 0;
    for (size_t i = 0; world.offers != NULL && i < target_catalog.available_count; i++)
        target_catalog.available[i].default_version = world.offers;
    PreflightInput input = {
        .plan = &world.plan,
        .source = &source_catalog,
        .target = &target_catalog,
        .blueprint = &blueprint,
        .source_conn = source,
        .target_conn = target,
        .source_endpoint = &from,
        .target_endpoint = &to,
        .resuming = resuming,
    };
    ok = ok && preflight_run(&input, &world.report, &err);
    /* The report outlives what it was made from. */
    blueprint_release(&blueprint);
    catalog_release(&source_catalog);
    catalog_release(&target_catalog);
    if (!ok)
        fail_msg("%s: %s", err.message, err.detail);
}

static const Finding *find(const char *code, const char *object)
{
    for (size_t i = 0; i < world.report.findings.count; i++) {
        const Finding *finding = &world.report.findings.items[i];
        if (strcmp(finding->code, code) == 0 && strcmp(finding->object, object) == 0)
            return finding;
    }
    return NULL;
}

static void expect(const char *code, const char *object)
{
    if (find(code, object) == NULL)
        fail_msg("no finding %s %s", code, object);
}

/* Reads the settings' files again. A session that has read them began to after the postmaster had:
 * new ones have them. */
static void reload(Conn *conn)
{
    const char *asked = server_value(&world.arena, conn, "SELECT clock_timestamp()");
    const char *sql = arena_printf(&world.arena, "SELECT pg_conf_load_time() > '%s'", asked);
    server_script(conn, "SELECT pg_reload_conf()");
    for (int tries = 0; strcmp(server_value(&world.arena, conn, sql), "t") != 0; tries++) {
        assert_true(tries < 1000);
        usleep(20 * 1000);
    }
}

static void run_remedies(void)
{
    for (size_t i = 0; i < world.report.findings.count; i++) {
        const Finding *finding = &world.report.findings.items[i];
        Conn *admin = finding->side == CONN_SOURCE ? world.source_admin : world.target_admin;
        for (const char *line = finding->remedy; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            if (strncmp(line, "--", 2) != 0)
                server_script(admin, arena_memdup(&world.arena, line, length));
            line += length + (line[length] == '\n');
        }
    }
    reload(world.source_admin);
    reload(world.target_admin);
}

static void print_errors(void)
{
    for (size_t i = 0; i < world.report.findings.count; i++)
        if (world.report.findings.items[i].severity == FINDING_ERROR)
            print_message("%s", preflight_finding_text(
                                    &world.arena, &world.report.findings.items[i], COLOR_NOWHERE));
}

static void a_superuser_lacks_only_what_the_tables_lack(void **state)
{
    (void)state;
    check_as("postgres", false);
    expect("G201", "app.log");
    expect("G205", "app.log");
    expect("G108", "max_slot_wal_keep_size");
    if (world.report.errors != 1)
        print_errors();
    expect("G526", "statistics");
    expect("G314", "self_hosted");
    expect("G315", "self_hosted");
    expect("G316", "self_hosted");
    assert_int_equal(world.report.errors, 1);
    assert_int_equal(world.report.warnings, 2);
    assert_int_equal(world.report.findings.count, 7);
}

static void a_weak_role_is_told_everything_at_once_and_the_remedies_cure_it(void **state)
{
    (void)state;
    check_as("Mig User", false);
    expect("G201", "app.log");
    expect("G202", "app.item");
    expect("G301", "app");
    expect("G301", "app.item");
    expect("G301", "\"Odd One\"");
    expect("G301", "\"Odd One\".user");
    expect("G301", "app.item_id_seq");
    expect("G302", "app.event");
    expect("G303", "\"Mig User\"");
    expect("G304", "shop");
    expect("G304", "tgt");
    expect("G305", "app.event_1");
    expect("G305", "shop");
    expect("G305", "tgt");
    expect("G306", "\"Mig User\"");
    expect("G307", "\"Mig User\"");
    expect("G524", "\"Mig User\"");
    assert_null(find("G302", "app.event_1")); /* published through its root */
    run_remedies();
    check_as("Mig User", false);
    print_errors();
    assert_int_equal(world.report.errors, 0);
    assert_null(find("G108", "max_slot_wal_keep_size"));
    assert_null(find("G307", "\"Mig User\""));
    assert_null(find("G524", "\"Mig User\""));
}

static void what_stands_in_the_way_is_named_but_not_on_resume(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(world.target_admin,
                  "CREATE SCHEMA app; CREATE VIEW app.item AS SELECT 1 AS one;"
                  "CREATE TYPE app.mood AS ENUM ();"
                  "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 2';"
                  "CREATE TABLE app.unrelated (id int)");
    check_as("postgres", false);
    expect("G403", "app.item");
    expect("G403", "app.mood");
    expect("G403", "app.f");
    assert_null(find("G403", "app.unrelated"));
    assert_string_equal(find("G403", "app.item")->message, "a view of this name exists");
    check_as("postgres", true);
    assert_null(find("G403", "app.item"));
    server_script(world.target_admin, "DROP SCHEMA app CASCADE");
}

static void prepared_transactions_and_large_objects_are_found(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(world.source_admin, "BEGIN; CREATE TABLE public.p (id int);"
                                      "PREPARE TRANSACTION 'left ''over'");
    server_script(world.source_admin, "SELECT lo_create(0)");
    check_as("postgres", false);
    expect("G110", "shop");
    assert_string_equal(find("G110", "shop")->message, "1 prepared transaction: 'left ''over'");
    assert_int_equal(find("G113", "large objects")->severity, FINDING_INFO);
    server_script(world.source_admin, "ROLLBACK PREPARED 'left ''over'");
    server_script(world.source_admin,
                  "SELECT lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata");
    check_as("postgres", false);
    assert_int_equal(world.report.errors, 0);
}

/* 150 MB of WAL in the few seconds that the server is up: more than 1 MB in the half second that a
 * table of 10 MB takes at the least assumed rate. */
static void limits_that_the_copy_would_pass_are_found(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(
        world.source_admin,
        "CREATE TABLE app.bulk (id int PRIMARY KEY, line text);"
        "INSERT INTO app.bulk SELECT g, repeat('x', 1000) FROM generate_series(1, 10000) g;"
        "UPDATE app.bulk SET id = -id WHERE id < 4; DELETE FROM app.bulk WHERE id < 0");
    server_script(world.source_admin, "SELECT pg_stat_reset_shared('wal')"); /* a slow begin too */
    server_script(world.source_admin,
                  "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))"
                  " FROM generate_series(1, 150)");
    server_script(world.source_admin, "SELECT pg_stat_force_next_flush()");
    server_script(world.source_admin, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    server_script(world.source_admin, "ALTER SYSTEM SET temp_file_limit = '100kB'");
    server_script(world.target_admin, "ALTER DATABASE tgt SET neon.max_cluster_size = '4MB'");
    reload(world.source_admin);
    check_as("postgres", false);
    expect("G701", "max_slot_wal_keep_size");
    assert_true(find("G701", "max_slot_wal_keep_size")->severity >= FINDING_WARNING);
    expect("G525", "temp_file_limit");
    assert_non_null(strstr(find("G525", "temp_file_limit")->message, "app.bulk_pkey"));
    assert_int_equal(find("G525", "neon.max_cluster_size")->severity, FINDING_ERROR);
    server_script(world.target_admin, "ALTER DATABASE tgt SET neon.max_cluster_size = '100GB'");
    check_as("postgres", true); /* the copy is made, or being made: no estimate of it */
    assert_null(find("G701", "max_slot_wal_keep_size"));
    check_as("postgres", false);
    assert_null(find("G525", "maintenance_work_mem"));
    world.pretended_there = (CatSetting){.name = "shared_buffers", .value = "4"};
    check_as("postgres", false);
    expect("G525", "maintenance_work_mem"); /* anchor 25 */
    assert_non_null(
        strstr(find("G525", "maintenance_work_mem")->message, "index builds at a time"));
    world.pretended_there.name = NULL;
    run_remedies();
    check_as("postgres", false);
    assert_null(find("G701", "max_slot_wal_keep_size"));
    assert_null(find("G525", "temp_file_limit"));
    assert_null(find("G525", "neon.max_cluster_size"));
    server_script(world.target_admin, "ALTER DATABASE tgt RESET neon.max_cluster_size");
    server_script(world.source_admin, "DROP TABLE app.bulk");
}

/* A million rows in the second or so since the statistics began. */
static void writers_that_the_stream_may_not_follow_are_found(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    check_as("postgres", false);
    assert_null(find("G703", "shop"));
    server_script(world.source_admin, "SELECT pg_stat_reset()");
    server_script(world.source_admin,
                  "CREATE TEMP TABLE fast AS SELECT generate_series(1, 1000000) AS n");
    server_script(world.source_admin, "SELECT pg_stat_force_next_flush()");
    check_as("postgres", false);
    expect("G703", "shop");
    assert_true(world.report.workload.known);
    assert_true(work_changes(&world.report.workload.average) > 50000);
    assert_true(world.report.workload.sample.seconds == 0); /* nobody asked to watch */
    server_script(world.source_admin, "DROP TABLE fast");
    server_script(world.source_admin, "SELECT pg_stat_reset()");
}

static void a_table_without_identity_is_told_with_what_is_done_to_it(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(world.source_admin, "CREATE TABLE app.bare (n int);"
                                      "INSERT INTO app.bare SELECT generate_series(1, 9);"
                                      "UPDATE app.bare SET n = 0 WHERE n < 5;"
                                      "DELETE FROM app.bare WHERE n = 9");
    server_script(world.source_admin, "SELECT pg_stat_force_next_flush()");
    check_as("postgres", false);
    assert_string_equal(find("G201", "app.bare")->why,
                        "As soon as it is published the applications' own UPDATE and DELETE on it "
                        "fail (so far: 8.0 kB, 4 updates, 1 delete).");
    assert_true(find("G201", "app.bare")->fixable);
    assert_false(find("G201", "app.bare")->waivable);
    server_script(world.source_admin, "DROP TABLE app.bare");
}

static void settings_of_the_source_that_do_not_do_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *code;
    } cases[] = {
        {"wal_level", "replica", "G101"},
        {"max_replication_slots", "1", "G102"},
        {"max_wal_senders", "1", "G103"},
        {"max_locks_per_transaction", "0", "G107"},
        {"max_slot_wal_keep_size", "4096", "G108"},
        {"old_snapshot_threshold", "60", "G109"},
        {"max_connections", "4", "G402"},
        {"output_plugin_libraries", "test_decoding, my_pgoutput", "G122"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_as("postgres", false);
        assert_null(find(cases[i].code, cases[i].name));
        world.pretended = (CatSetting){.name = cases[i].name, .value = cases[i].value};
        check_as("postgres", false);
        expect(cases[i].code, cases[i].name);
        world.pretended.name = NULL;
    }
}

static void extensions_that_the_target_lacks_are_found(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(world.source_admin, "CREATE EXTENSION hstore SCHEMA public;"
                                      "CREATE TABLE app.bag (id int PRIMARY KEY, h public.hstore)");
    check_as("postgres", false);
    assert_null(find("G401", "hstore"));
    assert_null(find("G405", "hstore"));
    assert_null(find("G606", "app.bag")); /* its library comes with the extension */
    world.offers_nothing = true;
    check_as("postgres", false);
    world.offers_nothing = false;
    expect("G401", "hstore");
    world.offers = "1.1";
    check_as("postgres", false);
    world.offers = NULL;
    expect("G405", "hstore");
    server_script(world.source_admin, "DROP TABLE app.bag; DROP EXTENSION hstore");
}

/* A function in each place where the path is pg_catalog alone; the tables are empty, so that
 * PostgreSQL 17 takes them, which runs them with that path itself. */
static const char searching[] =
    "SET search_path = app, pg_catalog;"
    "CREATE TABLE rate (code text PRIMARY KEY); CREATE TYPE \"Odd kind\" AS ENUM ('a');"
    "CREATE FUNCTION known(c text) RETURNS bool LANGUAGE sql"
    "  AS 'SELECT EXISTS (SELECT FROM rate WHERE code = c)';"
    "CREATE FUNCTION normal(c text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT c';"
    "CREATE FUNCTION folded(c text) RETURNS text IMMUTABLE LANGUAGE plpgsql"
    "  AS 'BEGIN /* not rate */ RETURN lower(normal (c)); -- nor this: known()\nEND';"
    "CREATE FUNCTION kind(c text) RETURNS text IMMUTABLE LANGUAGE plpgsql"
    "  AS 'BEGIN RETURN c::\"Odd kind\"; END';"
    "CREATE FUNCTION noting() RETURNS trigger LANGUAGE plpgsql"
    "  AS 'BEGIN INSERT INTO rate VALUES (new.code); RETURN NEW; END';"
    "CREATE FUNCTION whole(rate text) RETURNS bool LANGUAGE sql"
    "  AS 'SELECT app.known($1) AND rate IS NOT NULL';"
    "CREATE FUNCTION fixed(c text) RETURNS bool LANGUAGE sql SET search_path = app"
    "  AS 'SELECT EXISTS (SELECT FROM rate WHERE code = c)';"
    "CREATE FUNCTION unused(c text) RETURNS bool LANGUAGE sql AS 'SELECT known(c)';"
    "CREATE TABLE priced (id int PRIMARY KEY, code text CHECK (known(code)),"
    "  CONSTRAINT whole CHECK (whole(code)), CONSTRAINT fixed CHECK (fixed(code)),"
    "  k text GENERATED ALWAYS AS (kind(code)) STORED);"
    "CREATE INDEX priced_folded ON priced (folded(code));"
    "CREATE TRIGGER noted AFTER INSERT ON priced FOR EACH ROW EXECUTE FUNCTION noting();"
    "CREATE DOMAIN rated AS text CHECK (known(VALUE))";

static void anchor_52_functions_that_rely_on_the_search_path_are_found(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    server_script(world.source_admin, searching);
    check_as("postgres", false);
    expect("G206", "app.known(text)");
    assert_string_equal(find("G206", "app.known(text)")->message,
                        "may find rate by the search path alone; it is used by constraint "
                        "rated_check, constraint priced_code_check of app.priced");
    expect("G206", "app.folded(text)");
    assert_string_equal(find("G206", "app.folded(text)")->message,
                        "may find normal by the search path alone; it is used by index "
                        "priced_folded of app.priced");
    expect("G206", "app.kind(text)");
    assert_null(find("G206", "app.whole(text)"));
    assert_null(find("G206", "app.fixed(text)"));
    assert_null(find("G206", "app.unused(text)"));
    assert_null(find("G206", "app.noting()")); /* it is quiet there */
    server_script(world.source_admin, "ALTER TABLE priced ENABLE ALWAYS TRIGGER noted");
    check_as("postgres", true);
    assert_null(find("G206", "app.noting()"));
    check_as("postgres", false);
    expect("G206", "app.noting()");
    run_remedies();
    check_as("postgres", false);
    assert_null(find("G206", "app.known(text)"));
    assert_null(find("G206", "app.folded(text)"));
    assert_null(find("G206", "app.kind(text)"));
    assert_null(find("G206", "app.noting()"));
    server_script(world.source_admin, /* what the copy would do */
                  "SET search_path = pg_catalog; INSERT INTO app.rate VALUES ('a'), ('c');"
                  "ALTER TABLE app.priced DISABLE TRIGGER noted;"
                  "INSERT INTO app.priced VALUES (1, 'a')");
    server_script(world.source_admin, "RESET search_path;"
                                      "DROP TABLE app.priced, app.rate; DROP DOMAIN app.rated");
}

static void an_unexpected_database_is_stale(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    Catalog catalog = {0};
    PreflightReport report = {0};
    Plan plan = world.plan;
    plan.source.expect.dbname = "prod";
    assert_true(catalog_inspect(&catalog, world.source_admin, &err));
    PreflightInput input = {
        .plan = &plan,
        .source = &catalog,
        .target = &catalog,
        .source_conn = world.source_admin,
        .target_conn = world.target_admin,
    };
    assert_false(preflight_run(&input, &report, &err));
    assert_int_equal(err.code, ERR_STALE);
    assert_string_equal(err.message, "source: the plan expects database prod, but this is shop");
    preflight_release(&report);
    catalog_release(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_superuser_lacks_only_what_the_tables_lack),
        cmocka_unit_test(a_weak_role_is_told_everything_at_once_and_the_remedies_cure_it),
        cmocka_unit_test(what_stands_in_the_way_is_named_but_not_on_resume),
        cmocka_unit_test(prepared_transactions_and_large_objects_are_found),
        cmocka_unit_test(limits_that_the_copy_would_pass_are_found),
        cmocka_unit_test(writers_that_the_stream_may_not_follow_are_found),
        cmocka_unit_test(a_table_without_identity_is_told_with_what_is_done_to_it),
        cmocka_unit_test(settings_of_the_source_that_do_not_do_are_found),
        cmocka_unit_test(extensions_that_the_target_lacks_are_found),
        cmocka_unit_test(anchor_52_functions_that_rely_on_the_search_path_are_found),
        cmocka_unit_test(an_unexpected_database_is_stale),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
