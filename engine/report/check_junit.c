/*
 * The findings as JUnit XML, for what shows tests.
 */
#include "report/check_report.h"
#include "report/xml.h"

static bool is_accepted(const Finding *finding)
{
    return finding->severity < FINDING_INFO;
}

static void put_case(Str *out, Arena *arena, const Finding *finding)
{
    str_append(out, "    <testcase");
    xml_attribute(out, "classname",
                  arena_printf(arena, "godwit.check.%s", finding_side_name(finding)));
    xml_attribute(out, "name", arena_printf(arena, "%s %s", finding->code, finding->object));
    str_append(out, ">\n      ");
    const char *text = preflight_finding_text(arena, finding, COLOR_NOWHERE);
    if (is_accepted(finding)) {
        str_append(out, "<skipped");
        xml_attribute(out, "message", finding->note);
        str_append(out, "/>");
    } else if (finding->severity == FINDING_ERROR) {
        str_append(out, "<failure");
        xml_attribute(out, "type", finding->code);
        xml_attribute(out, "message", finding->message);
        str_append(out, ">");
        xml_text(out, text);
        str_append(out, "</failure>");
    } else {
        str_append(out, "<system-out>");
        xml_text(out, text);
        str_append(out, "</system-out>");
    }
    str_append(out, "\n    </testcase>\n");
}

static bool is_found(const PreflightReport *report, const char *code)
{
    for (size_t i = 0; i < report->findings.count; i++)
        if (text_equal(report->findings.items[i].code, code))
            return true;
    return false;
}

/* What holds is a test that passed. */
static size_t put_passed(Str *out, Arena *arena, const PreflightReport *report)
{
    size_t count = 0;
    size_t passed = 0;
    const PreflightCode *codes = preflight_codes(&count);
    for (size_t i = 0; i < count; i++) {
        if (is_found(report, codes[i].code))
            continue;
        str_append(out, "    <testcase classname=\"godwit.check\"");
        xml_attribute(out, "name", arena_printf(arena, "%s %s", codes[i].code, codes[i].title));
        str_append(out, "/>\n");
        passed++;
    }
    return passed;
}

static void put_counts(Str *out, size_t tests, size_t failures, size_t skipped)
{
    xml_number(out, "tests", tests);
    xml_number(out, "failures", failures);
    xml_number(out, "errors", 0);
    xml_number(out, "skipped", skipped);
}

void check_print_junit(Str *out, const Plan *plan, const PreflightReport *report)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str cases = {0};
    size_t skipped = 0;
    for (size_t i = 0; i < report->findings.count; i++) {
        put_case(&cases, &arena, &report->findings.items[i]);
        skipped += is_accepted(&report->findings.items[i]);
    }
    size_t tests = report->findings.count + put_passed(&cases, &arena, report);
    str_append(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"godwit check\"");
    put_counts(out, tests, report->errors, skipped);
    str_append(out, ">\n  <testsuite");
    xml_attribute(out, "name", plan->name);
    put_counts(out, tests, report->errors, skipped);
    str_append(out, ">\n");
    str_append(out, str_text(&cases));
    str_append(out, "  </testsuite>\n</testsuites>\n");
}
