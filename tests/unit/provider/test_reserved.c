/*
 * What belongs to a provider: names are found for their kind and for no other, the table is sorted
 * and says something of each, and every kind has one rule for roles whatever the version.
 */
#include "provider/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const kinds[] = {"self_hosted", "rds",      "aurora", "azure",
                                    "neon",        "supabase", "mst",    "tiger_cloud"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void the_table_is_sorted_and_every_row_speaks(void **state)
{
    (void)state;
    size_t count = 0;
    const ProviderReserved *rows = provider_reserved_rows(&count);
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        assert_true(*rows[i].note != '\0' && *rows[i].name != '\0');
        if (i == 0)
            continue;
        int order = strcmp(rows[i - 1].kind, rows[i].kind);
        if (order == 0)
            order = (int)rows[i - 1].object - (int)rows[i].object;
        if (order == 0)
            order = strcmp(rows[i - 1].name, rows[i].name);
        if (order >= 0)
            fail_msg("%s %s is not behind %s", rows[i].kind, rows[i].name, rows[i - 1].name);
    }
}

static void names_belong_to_their_provider(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        ProviderObject object;
        const char *name;
        bool reserved, ask;
    } cases[] = {
        {"rds", PROVIDER_ROLE, "rds_superuser", true, false},
        {"rds", PROVIDER_ROLE, "rdsadmin", true, false},
        {"rds", PROVIDER_ROLE, "orders", false, false},
        {"self_hosted", PROVIDER_ROLE, "rds_superuser", false, false},
        {"self_hosted", PROVIDER_ROLE, "postgres", true, false},
        {"self_hosted", PROVIDER_ROLE, "pg_monitor", true, false},
        {"neon", PROVIDER_ROLE, "cloud_admin", true, false},
        {"supabase", PROVIDER_SCHEMA, "auth", true, true},
        {"supabase", PROVIDER_SCHEMA, "realtime", true, false},
        {"supabase", PROVIDER_SCHEMA, "authors", false, false},
        {"azure", PROVIDER_SCHEMA, "auth", false, false},
        {"supabase", PROVIDER_EVENT_TRIGGER, "pgrst_ddl_watch", true, false},
        {"mst", PROVIDER_EXTENSION, "aiven_extras", true, false},
        {"tiger_cloud", PROVIDER_ROLE, "tsdbowner", true, false},
        {"self_hosted", PROVIDER_SCHEMA, "_timescaledb_internal", true, false},
        {"self_hosted", PROVIDER_SCHEMA, "public", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ProviderReserved *row =
            provider_reserves(cases[i].kind, cases[i].object, cases[i].name);
        if ((row != NULL) != cases[i].reserved || (row != NULL && row->ask != cases[i].ask))
            fail_msg("%s %s", cases[i].kind, cases[i].name);
    }
}

static void every_kind_has_one_rule_for_roles_in_every_version(void **state)
{
    (void)state;
    size_t count = 0;
    const ProviderRoleRule *rows = provider_role_rules(&count);
    for (size_t k = 0; k < KINDS; k++) {
        for (int version = 90500; version < 200000; version += 500) {
            size_t fits = 0;
            for (size_t i = 0; i < count; i++)
                fits += strcmp(rows[i].kind, kinds[k]) == 0 && version >= rows[i].min_version &&
                        version <= rows[i].max_version;
            if (fits != 1)
                fail_msg("%s has %zu rules for version %d", kinds[k], fits, version);
        }
        assert_non_null(provider_role_rule(kinds[k], 170002));
    }
}

static void attributes_follow_the_version(void **state)
{
    (void)state;
    assert_int_equal(provider_role_rule("self_hosted", 150000)->refused, 0);
    assert_true(provider_role_rule("azure", 150010)->refused & ATTRIBUTE_BYPASSRLS);
    assert_false(provider_role_rule("azure", 160000)->refused & ATTRIBUTE_BYPASSRLS);
    assert_true(provider_role_rule("rds", 170000)->refused & ATTRIBUTE_REPLICATION);
    assert_true(
        provider_grants_predefined(provider_role_rule("tiger_cloud", 170000), "pg_signal_backend"));
    assert_false(provider_grants_predefined(provider_role_rule("tiger_cloud", 170000), "pg_read"));
    assert_false(
        provider_grants_predefined(provider_role_rule("azure", 170000), "pg_write_all_data"));
    assert_true(provider_grants_predefined(provider_role_rule("rds", 170000), "pg_monitor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_every_row_speaks),
        cmocka_unit_test(names_belong_to_their_provider),
        cmocka_unit_test(every_kind_has_one_rule_for_roles_in_every_version),
        cmocka_unit_test(attributes_follow_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
