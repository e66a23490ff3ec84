/*
 * catalog_inspect() against a real server: what is there is read as it is, with odd names, and
 * what is left out is left out.
 */
#include "base/str.h"
#include "catalog/catalog.h"
#include "lib/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char seed[] =
    "CREATE SCHEMA app; CREATE SCHEMA \"Odd Schema\"; CREATE SCHEMA godwit;"
    "CREATE TABLE godwit.own (id int);"
    "CREATE DOMAIN app.positive AS int NOT NULL CHECK (VALUE > 0);"
    "CREATE DOMAIN app.small_positive AS app.positive CHECK (VALUE < 10);"
    "CREATE TYPE app.mood AS ENUM ('good', 'bad');"
    "CREATE TABLE app.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,"
    "  n app.small_positive, moods app.mood[], tags text[], up text GENERATED ALWAYS AS"
    "  (upper(name)) STORED, gone int, CONSTRAINT name_once UNIQUE (name) DEFERRABLE);"
    "ALTER TABLE app.item DROP COLUMN gone;"
    "CREATE INDEX \"a ON ONLY b\" ON app.item (name);"
    "CREATE TABLE app.event (id bigint, at date NOT NULL, item bigint, PRIMARY KEY (id, at))"
    "  PARTITION BY RANGE (at);"
    "CREATE TABLE \"Odd Schema\".\"event \"\"1\"\"\" PARTITION OF app.event"
    "  FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
    "CREATE TABLE app.event_2 PARTITION OF app.event"
    "  FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY HASH (id);"
    "CREATE TABLE app.event_2_0 PARTITION OF app.event_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
    "CREATE TABLE app.parent (id int, item bigint);"
    "ALTER TABLE app.parent ADD CONSTRAINT of_item FOREIGN KEY (item) REFERENCES app.item NOT "
    "VALID;"
    "CREATE TABLE app.child () INHERITS (app.parent);"
    "CREATE VIEW app.v AS SELECT id FROM app.item;"
    "CREATE TEMP TABLE passing (id int);";

typedef struct Fixture {
    Conn *conn;
    Catalog catalog;
} Fixture;

static Fixture fixture;

static int setup(void **state)
{
    (void)state;
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    AUTO_ERR Err err = {0};
    fixture.conn = server_open(CONN_SOURCE, "postgres");
    server_script(fixture.conn, seed);
    return catalog_inspect(&fixture.catalog, fixture.conn, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    catalog_release(&fixture.catalog);
    conn_close(fixture.conn);
    return server_teardown(state);
}

static const CatRelation *relation(const char *schema, const char *name)
{
    if (!server_is_there())
        skip();
    return catalog_relation_named(&fixture.catalog, &(Name){schema, name});
}

static void reads_what_the_server_is(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    const CatServer *server = &fixture.catalog.server;
    assert_int_equal(server->version, conn_version(fixture.conn));
    assert_string_equal(server->database, "postgres");
    assert_string_equal(server->encoding, "UTF8");
    assert_non_null(server->system_identifier);
    assert_true(server->is_superuser);
    assert_false(server->in_recovery);
    assert_null(server->timescaledb_version);
    assert_string_equal(catalog_setting(&fixture.catalog, "block_size")->value, "8192");
    assert_int_equal(catalog_setting_int(&fixture.catalog, "no_such_setting", -7), -7);
    assert_string_equal(catalog_extension(&fixture.catalog, "plpgsql")->schema, "pg_catalog");
    assert_non_null(catalog_available(&fixture.catalog, "plpgsql"));
}

static void leaves_out_what_is_not_the_users(void **state)
{
    (void)state;
    assert_null(relation("godwit", "own"));
    assert_null(relation("pg_catalog", "pg_class"));
    for (size_t i = 0; i < fixture.catalog.relations_count; i++)
        assert_string_not_equal(fixture.catalog.relations[i].name.rel, "passing");
    for (size_t i = 0; i < fixture.catalog.objects_count; i++)
        assert_true(fixture.catalog.objects[i].schema == NULL ||
                    strcmp(fixture.catalog.objects[i].schema, "godwit") != 0);
}

static void knows_partitions_and_inheritance(void **state)
{
    (void)state;
    const CatRelation *root = relation("app", "event");
    const CatRelation *odd = relation("Odd Schema", "event \"1\"");
    const CatRelation *deep = relation("app", "event_2_0");
    assert_int_equal(root->kind, 'p');
    assert_string_equal(root->partition_strategy_key, "RANGE (at)");
    assert_true(odd->is_partition && deep->is_partition && !root->is_partition);
    assert_int_equal(odd->root, root->oid);
    assert_int_equal(deep->root, root->oid);
    assert_int_equal(deep->parent, relation("app", "event_2")->oid);
    assert_false(root->inherits || odd->inherits || deep->inherits);
    assert_true(relation("app", "parent")->inherits);
    assert_true(relation("app", "child")->inherits);
}

static void sees_under_domains_and_arrays(void **state)
{
    (void)state;
    size_t count = 0;
    const CatRelation *item = relation("app", "item");
    const CatColumn *columns = catalog_columns(&fixture.catalog, item->oid, &count);
    assert_int_equal(count, 6);
    assert_int_equal(columns[0].identity, 'a');
    assert_string_equal(columns[2].type_text, "app.small_positive");
    assert_int_equal(columns[2].base_type_oid, 23);
    assert_true(columns[2].type_builtin && columns[2].not_null == false);
    assert_int_equal(columns[3].type_kind, 'e');
    assert_false(columns[3].type_builtin);
    assert_int_equal(columns[4].element_oid, 25);
    assert_true(columns[4].type_builtin);
    assert_true(columns[5].generated);
}

static const CatIndex *find_index(const CatRelation *of, const char *name)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(&fixture.catalog, of->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(indexes[i].name.rel, name) == 0)
            return &indexes[i];
    fail_msg("no index %s", name);
    return NULL;
}

static void takes_only_out_of_definitions_and_nothing_else(void **state)
{
    (void)state;
    const CatRelation *item = relation("app", "item");
    const CatRelation *root = relation("app", "event");
    assert_string_equal(find_index(item, "a ON ONLY b")->sql,
                        "CREATE INDEX \"a ON ONLY b\" ON app.item USING btree (name)");
    assert_string_equal(find_index(root, "event_pkey")->sql,
                        "CREATE UNIQUE INDEX event_pkey ON app.event USING btree (id, at)");
    assert_false(find_index(item, "name_once")->immediate);
    assert_int_equal(find_index(relation("app", "event_2_0"), "event_2_0_pkey")->parent,
                     find_index(relation("app", "event_2"), "event_2_pkey")->oid);
    assert_int_equal(find_index(root, "event_pkey")->key_count, 2);
    assert_int_equal(find_index(root, "event_pkey")->attnums[1], 2);
}

static void tells_not_valid_apart_from_the_definition(void **state)
{
    (void)state;
    size_t count = 0;
    const CatRelation *parent = relation("app", "parent");
    const CatConstraint *constraints = catalog_constraints(&fixture.catalog, parent->oid, &count);
    assert_int_equal(count, 1);
    assert_string_equal(constraints[0].sql, "FOREIGN KEY (item) REFERENCES app.item(id)");
    assert_false(constraints[0].validated);
    assert_int_equal(constraints[0].referenced, relation("app", "item")->oid);
}

static void knows_whose_a_sequence_is(void **state)
{
    (void)state;
    const CatRelation *item = relation("app", "item");
    assert_int_equal(fixture.catalog.sequences_count, 1);
    assert_int_equal(fixture.catalog.sequences[0].owner_relation, item->oid);
    assert_string_equal(fixture.catalog.sequences[0].owner_column, "id");
    assert_int_equal(fixture.catalog.sequences[0].dependency, 'i');
}

/* Every list is in the order that the look-ups need. */
static void lists_are_sorted(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    const Catalog *catalog = &fixture.catalog;
    for (size_t i = 0; i < catalog->relations_count; i++)
        assert_ptr_equal(catalog_relation(catalog, catalog->relations[i].oid),
                         &catalog->relations[i]);
    for (size_t i = 0; i < catalog->objects_count; i++)
        assert_ptr_equal(
            catalog_object(catalog, catalog->objects[i].class_oid, catalog->objects[i].oid),
            &catalog->objects[i]);
    for (size_t i = 0; i < catalog->settings_count; i++)
        assert_ptr_equal(catalog_setting(catalog, catalog->settings[i].name),
                         &catalog->settings[i]);
}

/* Inside a caller's transaction it reads there and leaves it open. */
static void joins_an_open_transaction(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    Catalog catalog = {0};
    server_script(fixture.conn, "BEGIN; CREATE TABLE app.not_committed (id int)");
    assert_true(catalog_inspect(&catalog, fixture.conn, &err));
    assert_non_null(catalog_relation_named(&catalog, &(Name){"app", "not_committed"}));
    assert_true(conn_in_transaction(fixture.conn));
    catalog_release(&catalog);
    pg_rollback(fixture.conn);
}

/* Not by its blanks and commas: "at DESC" of a columnstore is one element. */
static void a_list_has_the_elements_of_its_array(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    static const char *const WANTED[] = {
        "at DESC", "\"A\"\"t\" DESC NULLS LAST", "a, {b}", "c\\d", "plain", "", "NULL"};
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_ROWS Rows *rows = NULL;
    const char **items = NULL;
    size_t count = sizeof(WANTED) / sizeof(*WANTED);
    if (!pg_one(
            fixture.conn,
            "SELECT ARRAY['at DESC', '\"A\"\"t\" DESC NULLS LAST', 'a, {b}', E'c\\\\d', 'plain', "
            "'', 'NULL'], '31 -1 2'::int2vector, '{}'::text[], NULL::text[]",
            NO_PARAMS, &rows, &err))
        fail_msg("%s", err.message);
    assert_int_equal(rows_list(&arena, rows, 0, 0, &items), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(items[i], WANTED[i]);
    assert_int_equal(rows_list(&arena, rows, 0, 1, &items), 3);
    assert_string_equal(items[0], "31");
    assert_string_equal(items[1], "-1");
    assert_int_equal(rows_list(&arena, rows, 0, 2, &items), 0);
    assert_int_equal(rows_list(&arena, rows, 0, 3, &items), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_server_is),
        cmocka_unit_test(leaves_out_what_is_not_the_users),
        cmocka_unit_test(knows_partitions_and_inheritance),
        cmocka_unit_test(sees_under_domains_and_arrays),
        cmocka_unit_test(takes_only_out_of_definitions_and_nothing_else),
        cmocka_unit_test(tells_not_valid_apart_from_the_definition),
        cmocka_unit_test(knows_whose_a_sequence_is),
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(joins_an_open_transaction),
        cmocka_unit_test(a_list_has_the_elements_of_its_array),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
