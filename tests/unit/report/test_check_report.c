/*
 * The findings of check as text, script, JSON and JUnit: exact, with names that would break them.
 */
#include "report/check_report.h"
#include "report/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const Plan plan = {.name = "shop", .fingerprint = "0123456789abcdef"};

static void add(PreflightReport *report, Finding finding)
{
    *vec_push(&report->arena, &report->findings) = finding;
    report->errors += finding.severity == FINDING_ERROR;
    report->warnings += finding.severity == FINDING_WARNING;
}

static PreflightReport make(void)
{
    PreflightReport report = {0};
    add(&report, (Finding){.code = "G201",
                           .severity = FINDING_ERROR,
                           .object = "app.<a&\"b>\x01",
                           .message = "has no replica\nidentity",
                           .why = "It fails.",
                           .remedy = "ALTER TABLE a REPLICA IDENTITY FULL;\n-- or a key"});
    add(&report, (Finding){.code = "G302",
                           .severity = FINDING_ERROR,
                           .object = "app.x",
                           .message = "belongs to boss",
                           .why = "Only its owner may.",
                           .remedy = "GRANT boss TO mig;"});
    add(&report, (Finding){.code = "G302",
                           .severity = FINDING_ERROR,
                           .object = "app.y",
                           .message = "belongs to boss",
                           .why = "Only its owner may.",
                           .remedy = "GRANT boss TO mig;"});
    add(&report, (Finding){.code = "G902",
                           .severity = FINDING_WARNING,
                           .object = "G108",
                           .message = "there is no finding",
                           .why = "It does not go on by itself.",
                           .remedy = "-- Remove it.",
                           .at = "p.yaml:3:9"});
    add(&report, (Finding){.code = "G205",
                           .severity = FINDING_WAIVED,
                           .side = CONN_TARGET,
                           .object = "app.log",
                           .message = "has no key",
                           .why = "It is slow.",
                           .remedy = "-- ALTER TABLE ...",
                           .note = "until 2999-12-31: \"small\""});
    return report;
}

static void text_shows_what_is_waived_and_where(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PreflightReport report = make();
    check_print_text(&out, &report);
    assert_non_null(strstr(out.data, "warning G902 plan G108: there is no finding\n"
                                     "  at: p.yaml:3:9\n"));
    assert_non_null(strstr(out.data, "waived G205 target app.log: has no key\n"
                                     "  waived: until 2999-12-31: \"small\"\n"));
    assert_non_null(strstr(out.data, "\n3 errors, 1 warning, 1 waived or attested\n"));
    preflight_release(&report);
}

static void only_text_is_coloured(void **state)
{
    (void)state;
    AUTO_STR Str text = {0};
    AUTO_STR Str machine = {0};
    PreflightReport report = make();
    color_init(COLOR_ALWAYS);
    check_print_text(&text, &report);
    check_print_json(&machine, &report);
    check_print_junit(&machine, &plan, &report);
    check_print_script(&machine, &plan, &report);
    color_init(COLOR_NEVER);
    assert_non_null(strstr(text.data, "\033[1;31merror\033[0m \033[1mG201\033[0m source "));
    assert_non_null(strstr(text.data, "\033[33mwarning\033[0m \033[1mG902\033[0m plan G108: "));
    assert_null(strchr(machine.data, '\033'));
    preflight_release(&report);
}

static void script_stands_by_sides_and_tells_a_remedy_once(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PreflightReport report = make();
    check_print_script(&out, &plan, &report);
    assert_string_equal(
        out.data,
        "-- Remedies for plan shop (0123456789ab): run each part on its own server, by a role that "
        "may.\n-- What stands in comments is to be decided, or done elsewhere.\n\n"
        "-- ---- source ----\n\n"
        "-- error G201 app.<a&\"b>\\x01: has no replica\\x0aidentity\n"
        "ALTER TABLE a REPLICA IDENTITY FULL;\n-- or a key\n\n"
        "-- error G302 app.x: belongs to boss\nGRANT boss TO mig;\n\n"
        "-- error G302 app.y: belongs to boss\n-- as for G302 app.x above\n\n"
        "-- ---- target ----\n\n"
        "-- waived G205 app.log: has no key\n-- until 2999-12-31: \"small\"\n\n"
        "-- ---- plan ----\n\n"
        "-- warning G902 G108: there is no finding\n-- Remove it.\n\n");
    preflight_release(&report);
}

static void junit_counts_and_escapes(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PreflightReport report = make();
    check_print_junit(&out, &plan, &report);
    assert_non_null(strstr(out.data,
                           "<testcase classname=\"godwit.check.source\" name=\"G201 "
                           "app.&lt;a&amp;&quot;b&gt;\\x01\">\n      <failure type=\"G201\" "
                           "message=\"has no replica&#10;identity\">error G201 source "));
    assert_non_null(strstr(out.data, "<testcase classname=\"godwit.check.target\" name=\"G205 "
                                     "app.log\">\n      <skipped message=\"until 2999-12-31: "
                                     "&quot;small&quot;\"/>"));
    assert_non_null(strstr(out.data, " failures=\"3\" errors=\"0\" skipped=\"1\">"));
    assert_non_null(strstr(out.data, "<testcase classname=\"godwit.check\" name=\"G101 "
                                     "wal_level of the source is logical\"/>"));
    assert_null(strchr(out.data, '\x01'));
    preflight_release(&report);
}

static void json_has_every_member(void **state)
{
    (void)state;
    AUTO_STR Str out = {0};
    PreflightReport report = make();
    report.workload = (Workload){.known = true, .average = {.seconds = 60, .updates = 2}};
    report.forecast.wal_kept_at_most = -1;
    check_print_json(&out, &report);
    assert_non_null(strstr(out.data, "\"id\": \"G201\""));
    assert_non_null(strstr(out.data, "\"server\": \"plan\""));
    assert_non_null(strstr(out.data, "\"at\": \"p.yaml:3:9\""));
    assert_non_null(strstr(out.data, "\"severity\": \"waived\""));
    assert_non_null(strstr(out.data, "\"update_delete_share\": 1.0"));
    assert_non_null(strstr(out.data, "\"sample\": null"));
    assert_non_null(strstr(out.data, "\"wal_kept_at_most_bytes\": null"));
    preflight_release(&report);
}

static void xml_takes_no_character_that_it_cannot_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text, *in_text, *in_attribute;
    } cases[] = {
        {"plain", "plain", " a=\"plain\""},
        {"<&>\"'", "&lt;&amp;&gt;&quot;'", " a=\"&lt;&amp;&gt;&quot;'\""},
        {"a\tb\nc", "a\tb\nc", " a=\"a&#9;b&#10;c\""},
        {"\x01\x1f\x7f\r", "\\x01\\x1F\\x7F\\x0D", " a=\"\\x01\\x1F\\x7F\\x0D\""},
        {"\xff\xc3(", "\\xFF\\xC3(", " a=\"\\xFF\\xC3(\""},
        {"\xc3\xa9\xf0\x9f\x90\xa6", "\xc3\xa9\xf0\x9f\x90\xa6", " a=\"\xc3\xa9\xf0\x9f\x90\xa6\""},
        {"\xef\xbf\xbf", "\\xEF\\xBF\\xBF", " a=\"\\xEF\\xBF\\xBF\""},
        {"\xed\xa0\x80", "\\xED\\xA0\\x80", " a=\"\\xED\\xA0\\x80\""},
        {"", "", " a=\"\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_STR Str text = {0};
        AUTO_STR Str attribute = {0};
        xml_text(&text, cases[i].text);
        xml_attribute(&attribute, "a", cases[i].text);
        assert_string_equal(str_text(&text), cases[i].in_text);
        assert_string_equal(str_text(&attribute), cases[i].in_attribute);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shows_what_is_waived_and_where),
        cmocka_unit_test(only_text_is_coloured),
        cmocka_unit_test(script_stands_by_sides_and_tells_a_remedy_once),
        cmocka_unit_test(junit_counts_and_escapes),
        cmocka_unit_test(json_has_every_member),
        cmocka_unit_test(xml_takes_no_character_that_it_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
