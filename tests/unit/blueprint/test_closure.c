/*
 * What the archive keeps, over a real server's dependencies: the closure of what is selected, and
 * what is left out because it needs what is not.
 */
#include "base/str.h"
#include "blueprint/blueprint.h"
#include "lib/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char seed[] =
    "CREATE SCHEMA app; CREATE SCHEMA lib; CREATE SCHEMA other;"
    "CREATE FUNCTION lib.next() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE FUNCTION lib.unused() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TYPE lib.mood AS ENUM ('good'); CREATE DOMAIN lib.amount AS numeric CHECK (VALUE > 0);"
    "CREATE SEQUENCE lib.numbers;"
    "CREATE FUNCTION lib.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
    "CREATE TABLE other.secret (id int PRIMARY KEY);"
    "CREATE FUNCTION app.of_secret(other.secret) RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TABLE app.item (id int PRIMARY KEY DEFAULT nextval('lib.numbers'), m lib.mood,"
    "  a lib.amount, n int DEFAULT lib.next(), secret int REFERENCES other.secret);"
    "CREATE TRIGGER touched BEFORE UPDATE ON app.item FOR EACH ROW EXECUTE FUNCTION lib.touch();"
    "CREATE TABLE app.raw (id serial PRIMARY KEY);"
    "CREATE VIEW app.items AS SELECT id FROM app.item;"
    "CREATE VIEW app.secrets AS SELECT id FROM other.secret;"
    "CREATE VIEW app.on_secrets AS SELECT id FROM app.secrets;"
    "CREATE MATERIALIZED VIEW app.z_first AS SELECT 1 AS one;"
    "CREATE MATERIALIZED VIEW app.a_second AS SELECT one FROM app.z_first;"
    "CREATE FUNCTION lib.as_int(lib.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE CAST (lib.mood AS int) WITH FUNCTION lib.as_int(lib.mood);";

static struct {
    Conn *conn;
    Catalog source;
    Catalog target;
    Plan plan;
    Arena arena;
    PlanSelector selectors[2];
    Blueprint blueprint;
    PlanFindings findings;
} world;

static int setup(void **state)
{
    (void)state;
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    Err err = {0};
    size_t column = 0;
    world.conn = server_open(CONN_SOURCE, "postgres");
    server_script(world.conn, seed);
    world.plan.select.schemas = (PlanSelectors){&world.selectors[0], 1};
    world.plan.select.exclude = (PlanSelectors){&world.selectors[1], 1};
    bool ok =
        selector_schema(&world.arena, "app", &world.selectors[0].selector, &column, &err) &&
        selector_relation(&world.arena, "app.raw", &world.selectors[1].selector, &column, &err) &&
        catalog_inspect(&world.source, world.conn, &err);
    world.target.server = (CatServer){.version = 170000};
    ok = ok && blueprint_build(&world.blueprint, &world.plan, &world.source, &world.target,
                               &world.findings, &err);
    if (!ok)
        print_error("%s\n", err.message);
    return ok ? 0 : -1;
}

static int teardown(void **state)
{
    blueprint_release(&world.blueprint);
    catalog_release(&world.source);
    conn_close(world.conn);
    arena_release(&world.arena);
    return server_teardown(state);
}

/* Whether any kept object has this kind and name. */
static bool keeps(const char *kind, const char *schema, const char *name)
{
    if (!server_is_there())
        skip();
    for (size_t i = 0; i < world.source.objects_count; i++) {
        const CatObject *object = &world.source.objects[i];
        if (strcmp(object->kind, kind) == 0 && text_equal(object->schema, schema) &&
            strcmp(object->name, name) == 0 &&
            blueprint_keeps_object(&world.blueprint, object->class_oid, object->oid))
            return true;
    }
    return false;
}

static bool finds(const char *text)
{
    for (size_t i = 0; i < world.findings.count; i++)
        if (strcmp(arena_printf(&world.arena, "%s %s", world.findings.items[i].code,
                                world.findings.items[i].message),
                   text) == 0)
            return true;
    return false;
}

static void keeps_what_the_selection_needs(void **state)
{
    (void)state;
    assert_true(keeps("table", "app", "item"));
    assert_true(keeps("index", "app", "item_pkey"));
    assert_true(keeps("constraint", "app", "item_pkey"));
    assert_true(keeps("trigger", "app", "touched"));
    assert_true(keeps("function", "lib", "next"));
    assert_true(keeps("function", "lib", "touch"));
    assert_true(keeps("enum", "lib", "mood"));
    assert_true(keeps("domain", "lib", "amount"));
    assert_true(keeps("constraint", "lib", "amount_check"));
    assert_true(keeps("sequence", "lib", "numbers"));
    assert_true(keeps("schema", NULL, "lib"));
    assert_true(keeps("view", "app", "items"));
}

static void leaves_out_what_is_not_selected(void **state)
{
    (void)state;
    assert_false(keeps("table", "app", "raw"));
    assert_false(keeps("sequence", "app", "raw_id_seq"));
    assert_false(keeps("index", "app", "raw_pkey"));
    assert_false(keeps("function", "lib", "unused"));
    assert_false(keeps("schema", NULL, "other"));
    assert_false(keeps("table", "other", "secret"));
    assert_false(keeps("constraint", "app", "item_secret_fkey"));
}

static void what_needs_the_unselected_is_left_out_and_named(void **state)
{
    (void)state;
    assert_false(keeps("view", "app", "secrets"));
    assert_false(keeps("view", "app", "on_secrets"));
    assert_false(keeps("function", "app", "of_secret"));
    assert_true(finds("P304 view app.secrets is left out: it needs table other.secret, which is "
                      "not selected"));
    assert_true(finds("P304 view app.on_secrets is left out: it needs table other.secret, which is "
                      "not selected"));
    assert_true(finds("P304 function app.of_secret is left out: it needs table other.secret, which "
                      "is not selected"));
    assert_true(finds("P305 foreign key item_secret_fkey of app.item is left out: other.secret is "
                      "not selected"));
    assert_int_equal(world.findings.count, 4);
    assert_int_equal(world.findings.errors, 0);
}

static void casts_come_with_their_types(void **state)
{
    (void)state;
    assert_true(keeps("cast", NULL, "lib.mood AS integer"));
    assert_true(keeps("function", "lib", "as_int"));
}

static void sequences_and_materialized_views_are_listed(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    assert_int_equal(world.blueprint.sequence_count, 1);
    assert_string_equal(world.blueprint.sequences[0].name.rel, "numbers");
    assert_null(world.blueprint.sequences[0].owner);
    assert_int_equal(world.blueprint.matview_count, 2);
    assert_string_equal(world.blueprint.matviews[0].name.rel, "z_first");
    assert_string_equal(world.blueprint.matviews[1].name.rel, "a_second");
    assert_int_equal(world.blueprint.schema_count, 2);
}

/* A column of the type of a table that is not selected. */
static void a_table_that_needs_the_unselected_is_an_error(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ERR Err err = {0};
    Catalog catalog = {0};
    Blueprint blueprint = {0};
    PlanFindings findings = {0};
    server_script(world.conn, "CREATE TABLE app.typed (id int, whole other.secret)");
    assert_true(catalog_inspect(&catalog, world.conn, &err));
    server_script(world.conn, "DROP TABLE app.typed");
    assert_false(
        blueprint_build(&blueprint, &world.plan, &catalog, &world.target, &findings, &err));
    assert_int_equal(findings.errors, 1);
    bool found = false;
    for (size_t i = 0; i < findings.count; i++)
        found |= strcmp(findings.items[i].message,
                        "app.typed needs table other.secret, which is not selected") == 0;
    assert_true(found);
    blueprint_release(&blueprint);
    catalog_release(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_the_selection_needs),
        cmocka_unit_test(leaves_out_what_is_not_selected),
        cmocka_unit_test(what_needs_the_unselected_is_left_out_and_named),
        cmocka_unit_test(casts_come_with_their_types),
        cmocka_unit_test(sequences_and_materialized_views_are_listed),
        cmocka_unit_test(a_table_that_needs_the_unselected_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
