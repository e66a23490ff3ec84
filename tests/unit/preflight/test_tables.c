/*
 * The tables behind the checks: codes in order, each with its page; every provider has a remedy for
 * every topic; addresses of poolers are known for what they are.
 */
#include "base/str.h"
#include "blueprint/blueprint.h"
#include "preflight/parameter_table.h"
#include "preflight/preflight.h"
#include "provider/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char *read_page(Arena *arena, const char *code)
{
    const char *path = arena_printf(arena, "docs/codes/%s.md", code);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("there is no %s", path);
    AUTO_STR Str text = {0};
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;)
        str_append_bytes(&text, part, got);
    fclose(file);
    return str_dup(arena, &text);
}

static void check_page(Arena *arena, const char *code, const char *title)
{
    const char *page = read_page(arena, code);
    const char *head = arena_printf(arena, "# %s: %s\n", code, title);
    if (strncmp(page, head, strlen(head)) != 0)
        fail_msg("docs/codes/%s.md does not begin with \"%s\"", code, head);
    assert_non_null(strstr(page, "**What to do.**"));
}

/* A page says what may be done about its finding, and only that. */
static void check_flags(Arena *arena, const PreflightCode *code)
{
    static const struct {
        unsigned flag;
        const char *text;
    } said[] = {
        {CODE_WAIVABLE, "It can be waived."},
        {CODE_FIXABLE, "`godwit check --fix` runs its SQL."},
        {CODE_ATTEST, "It is answered by `attest`."},
    };
    const char *page = read_page(arena, code->code);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        if ((strstr(page, said[i].text) != NULL) != ((code->flags & said[i].flag) != 0))
            fail_msg("docs/codes/%s.md and \"%s\" do not agree", code->code, said[i].text);
}

static void every_check_has_its_page(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    assert_true(count > 25);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(strcmp(codes[i - 1].code, codes[i].code) < 0);
        check_page(&arena, codes[i].code, codes[i].title);
        check_flags(&arena, &codes[i]);
    }
}

static void every_blueprint_finding_has_its_page(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    size_t count = 0;
    const BlueprintDiag *diags = blueprint_diags(&count);
    assert_true(count > 15);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(strcmp(diags[i - 1].code, diags[i].code) < 0);
        check_page(&arena, diags[i].code, diags[i].title);
    }
}

static const char *const kinds[] = {"self_hosted", "rds",      "aurora", "azure",
                                    "neon",        "supabase", "mst",    "tiger_cloud"};

static void every_provider_has_a_remedy_of_its_own(void **state)
{
    (void)state;
    size_t count = 0;
    const ProviderRemedy *rows = provider_remedies(&count);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (ProviderTopic topic = 0; topic < TOPIC_COUNT; topic++) {
            size_t found = 0;
            for (size_t i = 0; i < count; i++)
                found += rows[i].topic == topic && strcmp(rows[i].kind, kinds[k]) == 0;
            if (found != 1)
                fail_msg("%s has %zu remedies for topic %d", kinds[k], found, (int)topic);
        }
    }
    assert_int_equal(count, TOPIC_COUNT * sizeof(kinds) / sizeof(kinds[0]));
}

static void remedies_leave_no_variable(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (ProviderTopic topic = 0; topic < TOPIC_COUNT; topic++)
            assert_null(
                strchr(provider_remedy(&arena, kinds[k], topic, "NAME", "7", "\"u\""), '$'));
}

static void remedies_are_the_providers_own(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    assert_string_equal(
        provider_remedy(&arena, "self_hosted", TOPIC_SETTING_RESTART, "max_wal_senders", "30", ""),
        "ALTER SYSTEM SET max_wal_senders = 30;\n-- then restart the server");
    assert_string_equal(
        provider_remedy(&arena, "rds", TOPIC_REPLICATION_ROLE, NULL, NULL, "\"mig\""),
        "GRANT rds_replication TO \"mig\";\n-- as the master user");
    assert_string_equal(
        provider_remedy(&arena, "azure", TOPIC_SETTING_RELOAD, "wal_sender_timeout", "0", ""),
        "-- az postgres flexible-server parameter set -g GROUP --server-name SERVER --name "
        "wal_sender_timeout --value 0 (parameter show tells whether it is read-only)");
}

static void pooler_addresses_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *host, *port, *kind; /* NULL: a plain server */
    } cases[] = {
        {"aws-0-eu.pooler.supabase.com", "5432", "supabase"},
        {"db.abc.supabase.co", "6543", "supabase"},
        {"db.abc.supabase.co", "5432", NULL},
        {"ep-cool-1-pooler.eu-central-1.aws.neon.tech", "5432", "neon"},
        {"ep-cool-1.eu-central-1.aws.neon.tech", "5432", NULL},
        {"srv.postgres.database.azure.com", "6432", "azure"},
        {"srv.postgres.database.azure.com", "5432", NULL},
        {"my.proxy-abc.eu-west-1.rds.amazonaws.com", "5432", "rds"},
        {"my.cluster-ro-abc.eu-west-1.rds.amazonaws.com", "5432", "aurora"},
        {"my.cluster-abc.eu-west-1.rds.amazonaws.com", "5432", NULL},
        {"db.proxy-1.example.com", "6432", NULL},
        {"-pooler.example.com", "5432", NULL},
        {"/var/run/postgresql", "5432", NULL},
        {NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ProviderEndpoint *row = provider_endpoint(cases[i].host, cases[i].port);
        if (!text_equal(row == NULL ? NULL : row->kind, cases[i].kind))
            fail_msg("%s port %s", cases[i].host, cases[i].port);
    }
}

static void a_finding_reads_well(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Finding finding = {
        .code = "G108",
        .severity = FINDING_WARNING,
        .side = CONN_SOURCE,
        .object = "max_slot_wal_keep_size",
        .message = "is 4096 MB",
        .why = "WAL beyond it is removed.",
        .remedy = "ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();",
    };
    assert_string_equal(preflight_finding_text(&arena, &finding, COLOR_NOWHERE),
                        "warning G108 source max_slot_wal_keep_size: is 4096 MB\n"
                        "  why: WAL beyond it is removed.\n"
                        "  fix: ALTER SYSTEM SET max_slot_wal_keep_size = -1;\n"
                        "       SELECT pg_reload_conf();\n");
}

#define MB UINT64_C(1048576)

static void the_forecast_is_arithmetic(void **state)
{
    (void)state;
    Workload work = {
        .known = true,
        .sample = {.seconds = 2, .wal_bytes = 1e6},
        .average = {.seconds = 3600, .wal_bytes = 4e6},
        .table_bytes = 6000 * MB,
        .index_bytes = 1000 * MB,
    };
    Forecast forecast = workload_forecast(&work, 4, 2, 123);
    assert_float_equal(forecast.copy_seconds_min, 25, 1e-9);  /* 6 GB by 4 x 60 MB/s */
    assert_float_equal(forecast.copy_seconds_max, 200, 1e-9); /* by 4 x 10, and 1 GB by 2 x 10 */
    assert_float_equal(forecast.wal_held_min, 25e6, 1);
    assert_float_equal(forecast.wal_held_max, 800e6, 1);
    assert_int_equal(forecast.wal_kept_at_most, 123);
    assert_int_equal(forecast.slot, SLOT_IS_LOST);
    assert_int_equal(workload_forecast(&work, 4, 2, INT64_C(100) * MB).slot, SLOT_AT_RISK);
    assert_int_equal(workload_forecast(&work, 4, 2, INT64_C(1000) * MB).slot, SLOT_OUTLASTS);
    assert_int_equal(workload_forecast(&work, 4, 2, -1).slot, SLOT_OUTLASTS);
    work.sample = (WorkRate){0}; /* not watched */
    assert_float_equal(workload_forecast(&work, 4, 2, -1).wal_held_min, 100e6, 1);
    work.sample = (WorkRate){.seconds = 2, .wal_bytes = 0}; /* watched, and quiet */
    assert_float_equal(workload_forecast(&work, 4, 2, -1).wal_held_min, 0, 1);
    assert_float_equal(workload_forecast(&work, 0, 0, -1).copy_seconds_min, 100, 1e-9);
}

static void parameters_are_sorted_and_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < parameter_count; i++) {
        assert_true(strlen(parameter_table[i].why) > 10);
        if (i > 0)
            assert_true(strcmp(parameter_table[i - 1].name, parameter_table[i].name) < 0);
    }
}

static void only_lacking_libraries_are_told(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    assert_null(parameter_lacking(&arena, "", "timescaledb"));
    assert_null(parameter_lacking(&arena, "b, a", "a,\"b\",c"));
    assert_string_equal(parameter_lacking(&arena, "auto_explain,pg_cron , pg", "pg_cronx, pg"),
                        "auto_explain, pg_cron");
    assert_string_equal(parameter_lacking(&arena, "a", ""), "a");
}

static void what_loses_rows_is_never_waivable(void **state)
{
    (void)state;
    static const char *const never[] = {"G101", "G109", "G110", "G111", "G112", "G113",
                                        "G201", "G202", "G203", "G204", "G301", "G403",
                                        "G603", "G605", "G901", "G902", "G903"};
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    for (size_t i = 0; i < count; i++) {
        assert_false((codes[i].flags & CODE_WAIVABLE) != 0 && (codes[i].flags & CODE_ATTEST) != 0);
        for (size_t n = 0; n < sizeof(never) / sizeof(never[0]); n++)
            if (strcmp(codes[i].code, never[n]) == 0)
                assert_int_equal(codes[i].flags & (CODE_WAIVABLE | CODE_ATTEST), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_has_its_page),
        cmocka_unit_test(only_lacking_libraries_are_told),
        cmocka_unit_test(every_blueprint_finding_has_its_page),
        cmocka_unit_test(every_provider_has_a_remedy_of_its_own),
        cmocka_unit_test(remedies_leave_no_variable),
        cmocka_unit_test(remedies_are_the_providers_own),
        cmocka_unit_test(pooler_addresses_are_known),
        cmocka_unit_test(a_finding_reads_well),
        cmocka_unit_test(the_forecast_is_arithmetic),
        cmocka_unit_test(parameters_are_sorted_and_say_why),
        cmocka_unit_test(what_loses_rows_is_never_waivable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
