/*
 * Which roles are made, which are left out and why, and the exact statements: over sides made by
 * hand; a server only quotes.
 */
#include "lib/server.h"
#include "roles/roles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static Conn *conn;
static Arena arena;

static int setup(void **state)
{
    (void)state;
    if (server_setup(NULL) != 0)
        return -1;
    if (server_is_there())
        conn = server_open(CONN_TARGET, "postgres");
    return 0;
}

static int teardown(void **state)
{
    conn_close(conn);
    arena_release(&arena);
    return server_teardown(state);
}

static Plan plan_of(const char *source, const char *target)
{
    return (Plan){
        .source = {.kind = source},
        .target = {.kind = target},
        .roles = {.copy = true, .settings = true, .grant_to_target_user = true},
        .schema = {.owner_is_target_user = true, .comments = true},
    };
}

/* Roles must come sorted by name, as the query gives them. */
static void add_role(RoleSide *side, const char *name, uint32_t attributes, bool login)
{
    *vec_push(&arena, &side->roles) = (RoleFacts){.name = name,
                                                  .attributes = attributes,
                                                  .inherit = true,
                                                  .login = login,
                                                  .connection_limit = -1};
}

static void add_member(RoleSide *side, const char *role, const char *member, bool admin)
{
    *vec_push(&arena, &side->members) =
        (RoleMember){role, member, .admin = admin, .inherits = true, .sets = true};
}

static RoleSet set_of(const Plan *plan, int target_version, uint32_t powers)
{
    RoleSet set = {.plan = plan, .rule = provider_role_rule(plan->target.kind, target_version)};
    set.source.version = 150000;
    set.target.version = target_version;
    set.target.user = "mig";
    set.target.powers = powers;
    set.target.superuser = (powers & ATTRIBUTE_SUPERUSER) != 0;
    add_role(&set.target, "mig", powers, true);
    return set;
}

/* "name:fate" of every role, in order. */
static const char *fates(const RoleSet *set)
{
    static const char LETTERS[] = {'c', 't', 'r', 'x', 'm'};
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < set->roles.count; i++)
        str_appendf(&text, "%s%s:%c", i > 0 ? " " : "", set->roles.items[i].from->name,
                    LETTERS[set->roles.items[i].fate]);
    return str_dup(&arena, &text);
}

static const char *statements(const RoleSet *set)
{
    RoleSql sql = {0};
    AUTO_STR Str text = {0};
    roles_sql(&arena, set, conn, &sql);
    for (size_t i = 0; i < sql.count; i++)
        str_appendf(&text, "%s;\n", sql.items[i]);
    return str_dup(&arena, &text);
}

static void need_server(void)
{
    if (!server_is_there())
        skip();
}

static void members_and_their_groups_come_along(void **state)
{
    (void)state;
    const Plan plan = plan_of("self_hosted", "self_hosted");
    RoleSet set = set_of(&plan, 170000, ATTRIBUTE_SUPERUSER);
    static const char *const NAMES[] = {"above", "below", "group", "named", "stranger"};
    for (size_t i = 0; i < 5; i++)
        add_role(&set.source, NAMES[i], 0, false);
    add_role(&set.source, "zed", 0, false);
    set.source.roles.items[5].first = true;
    add_member(&set.source, "above", "below", false);
    add_member(&set.source, "above", "stranger", false); /* not by a way up and down again */
    add_member(&set.source, "named", "below", false);
    add_member(&set.source, "group", "named", false);
    add_member(&set.source, "zed", "named", false);
    roles_decide(&arena, &set, (const char *const[]){"named", "zed"}, 2);
    assert_string_equal(fates(&set), "above:c below:c group:c named:c zed:r");
    assert_string_equal(roles_find(&set, "zed")->why, "the server's first user");
    assert_int_equal(set.grants.count, 3);
}

static void names_are_quoted_and_options_kept(void **state)
{
    (void)state;
    need_server();
    const Plan plan = plan_of("self_hosted", "self_hosted");
    RoleSet set = set_of(&plan, 160000, ATTRIBUTE_CREATEROLE);
    add_role(&set.source, "a \"b\"\n;--", ATTRIBUTE_BYPASSRLS | ATTRIBUTE_CREATEROLE, true);
    add_role(&set.source, "Ünï'x\\", ATTRIBUTE_CREATEDB, false);
    set.source.roles.items[0].connection_limit = 3;
    set.source.roles.items[0].valid_until = "2030-01-02 00:00:00+00";
    set.source.roles.items[0].inherit = false;
    set.source.roles.items[1].comment = "it's \\ 1";
    add_member(&set.source, "Ünï'x\\", "a \"b\"\n;--", true);
    set.source.members.items[0].inherits = false;
    *vec_push(&arena, &set.source.settings) =
        (RoleSetting){"Ünï'x\\", false, "search_path", "\"$user\", \"o\"\"d, d\", public"};
    *vec_push(&arena, &set.source.settings) = (RoleSetting){"Ünï'x\\", false, "my.own", "it's"};
    *vec_push(&arena, &set.source.settings) =
        (RoleSetting){"Ünï'x\\", false, "temp_tablespaces", "fast"};
    *vec_push(&arena, &set.source.settings) = (RoleSetting){"Ünï'x\\", true, "work_mem", "1MB"};
    roles_decide(&arena, &set, (const char *const[]){"a \"b\"\n;--", "Ünï'x\\"}, 2);
    assert_string_equal(
        statements(&set),
        "CREATE ROLE \"a \"\"b\"\"\n;--\" LOGIN NOINHERIT CREATEROLE CONNECTION LIMIT 3 VALID "
        "UNTIL "
        "'2030-01-02 00:00:00+00';\n"
        "CREATE ROLE \"Ünï'x\\\" NOLOGIN;\n"
        "COMMENT ON ROLE \"Ünï'x\\\" IS  E'it''s \\\\ 1';\n"
        "ALTER ROLE \"Ünï'x\\\" SET \"search_path\" TO '$user', 'o\"d, d', 'public';\n"
        "ALTER ROLE \"Ünï'x\\\" SET \"my\".\"own\" TO 'it''s';\n"
        "GRANT \"Ünï'x\\\" TO \"a \"\"b\"\"\n;--\" WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;\n"
        "GRANT \"a \"\"b\"\"\n;--\" TO \"mig\" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE;\n"
        "GRANT \"Ünï'x\\\" TO \"mig\" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE;\n");
    assert_string_equal(attributes_text(&arena, set.roles.items[0].refused), "BYPASSRLS");
    assert_string_equal(attributes_text(&arena, set.roles.items[1].refused), "CREATEDB");
}

static void older_targets_take_other_words(void **state)
{
    (void)state;
    need_server();
    const Plan plan = plan_of("self_hosted", "self_hosted");
    RoleSet set = set_of(&plan, 150000, ATTRIBUTE_CREATEROLE);
    add_role(&set.source, "a", ATTRIBUTE_CREATEDB | ATTRIBUTE_REPLICATION, true);
    add_role(&set.source, "b", 0, false);
    add_member(&set.source, "b", "a", true);
    roles_decide(&arena, &set, (const char *const[]){"b"}, 1);
    assert_string_equal(statements(&set), "CREATE ROLE \"a\" LOGIN CREATEDB;\n"
                                          "CREATE ROLE \"b\" NOLOGIN;\n"
                                          "GRANT \"b\" TO \"a\" WITH ADMIN OPTION;\n"
                                          "GRANT \"a\" TO \"mig\";\n"
                                          "GRANT \"b\" TO \"mig\";\n");
    assert_int_equal(set.roles.items[0].refused, ATTRIBUTE_REPLICATION);
    assert_true(roles_usable(&set, "a") && roles_settable(&set, "b"));
}

static void what_is_there_stays_and_maps_stand_for_it(void **state)
{
    (void)state;
    need_server();
    Plan plan = plan_of("rds", "tiger_cloud");
    PlanRoleMap map[] = {{.source = "owner", .target = "tsdbadmin"},
                         {.source = "two", .target = "one"}};
    AUTO_ERR Err err = {0};
    size_t column = 0;
    PlanSelector exclude = {0};
    assert_true(selector_schema(&arena, "~tmp_.*", &exclude.selector, &column, &err));
    plan.roles.map = map;
    plan.roles.map_count = 2;
    plan.roles.exclude = (PlanSelectors){&exclude, 1};
    RoleSet set = set_of(&plan, 170000, ATTRIBUTE_CREATEROLE);
    add_role(&set.target, "one", 0, true);
    add_role(&set.target, "pg_monitor", 0, false);
    add_role(&set.target, "pg_write_all_data", 0, false);
    add_role(&set.target, "tsdbadmin", ATTRIBUTE_CREATEROLE, true);
    static const char *const NAMES[] = {
        "one",           "owner", "pg_monitor",   "pg_write_all_data",
        "rds_superuser", "tmp_x", "tsdbexplorer", "two"};
    for (size_t i = 0; i < 8; i++)
        add_role(&set.source, NAMES[i], 0, true);
    add_member(&set.source, "pg_monitor", "two", false);
    add_member(&set.source, "pg_write_all_data", "two", false);
    roles_decide(&arena, &set, NAMES, 8);
    assert_string_equal(fates(&set), "one:t owner:t rds_superuser:r tmp_x:x tsdbexplorer:m two:t");
    assert_string_equal(roles_target(&set, "owner"), "tsdbadmin");
    assert_string_equal(roles_target(&set, "two"), "one");
    assert_null(roles_target(&set, "rds_superuser"));
    assert_null(roles_target(&set, "tmp_x"));
    assert_string_equal(roles_target(&set, "pg_monitor"), "pg_monitor");
    assert_int_equal(set.grants.count, 2);
    assert_string_equal(set.grants.items[0].left_out, "the target's user may not hand it on");
    assert_string_equal(set.grants.items[1].left_out, "the provider does not let it be granted");
    assert_string_equal(statements(&set), "");
    assert_false(set.takes_passwords);
    selector_release(&exclude.selector);
}

static void without_createrole_nothing_is_made(void **state)
{
    (void)state;
    Plan plan = plan_of("self_hosted", "self_hosted");
    RoleSet set = set_of(&plan, 170000, 0);
    add_role(&set.source, "app", 0, true);
    roles_decide(&arena, &set, (const char *const[]){"app", "unknown"}, 2);
    assert_string_equal(fates(&set), "app:m");
    assert_string_equal(set.roles.items[0].why, "the target's user has no CREATEROLE");
    assert_null(roles_target(&set, "app"));
    plan.roles.copy = false;
    RoleSet none = set_of(&plan, 170000, ATTRIBUTE_SUPERUSER);
    add_role(&none.source, "app", 0, true);
    roles_decide(&arena, &none, (const char *const[]){"app"}, 1);
    assert_string_equal(none.roles.items[0].why, "roles.copy is false");
}

static void settings_of_files_and_servers_stay(void **state)
{
    (void)state;
    static const char *const OUT[] = {"temp_tablespaces",
                                      "local_preload_libraries",
                                      "session_replication_role",
                                      "default_transaction_read_only",
                                      "wal_compression",
                                      "timescaledb.restoring",
                                      "ssl_cert_file",
                                      "dynamic_library_path"};
    static const char *const IN[] = {"search_path", "TimeZone", "wal", "app.user", "role"};
    for (size_t i = 0; i < sizeof(OUT) / sizeof(OUT[0]); i++)
        assert_non_null(setting_left_out(&(RoleSetting){.name = OUT[i]}));
    for (size_t i = 0; i < sizeof(IN) / sizeof(IN[0]); i++)
        assert_null(setting_left_out(&(RoleSetting){.name = IN[i]}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_their_groups_come_along),
        cmocka_unit_test(names_are_quoted_and_options_kept),
        cmocka_unit_test(older_targets_take_other_words),
        cmocka_unit_test(what_is_there_stays_and_maps_stand_for_it),
        cmocka_unit_test(without_createrole_nothing_is_made),
        cmocka_unit_test(settings_of_files_and_servers_stay),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
