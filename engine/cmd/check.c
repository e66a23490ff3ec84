/*
 * godwit check PLAN: preflight; every finding with its object and remedy.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/findings.h"

static void print_json(const PreflightReport *report)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report->findings.count; i++) {
        const Finding *f = &report->findings.items[i];
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*}", "code", f->code,
                                        "severity", finding_severity_name(f->severity), "server",
                                        conn_side_name(f->side), "object", f->object, "message",
                                        f->message, "why", f->why, "remedy", f->remedy));
    }
    json_t *root = json_pack("{s:i, s:I, s:I, s:o}", "v", 1, "errors", (json_int_t)report->errors,
                             "warnings", (json_int_t)report->warnings, "findings", findings);
    AUTO_ARENA Arena arena = {0};
    fputs(jsontext_pretty(&arena, root), stdout);
}

static void print_script(const PreflightReport *report)
{
    for (size_t i = 0; i < report->findings.count; i++) {
        const Finding *finding = &report->findings.items[i];
        if (finding->remedy != NULL)
            printf("-- %s %s: %s (on the %s)\n%s\n\n", finding->code, finding->object,
                   finding->message, conn_side_name(finding->side), finding->remedy);
    }
}

static void print(const PreflightReport *report, const Options *options)
{
    AUTO_ARENA Arena arena = {0};
    if (options->script) {
        print_script(report);
        return;
    }
    if (text_equal(options->format, "json")) {
        print_json(report);
        return;
    }
    for (size_t i = 0; i < report->findings.count; i++)
        fputs(preflight_finding_text(&arena, &report->findings.items[i]), stdout);
    printf("%zu errors, %zu warnings\n", report->errors, report->warnings);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    PreflightReport report = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, true, err) || !session_journal(&session, err) ||
        !session_inspect(&session, err) ||
        !findings_collect(&session, session.journal.id != 0, &report, err))
        return false;
    print(&report, options);
    size_t errors = report.errors;
    preflight_release(&report);
    return errors == 0 || err_set(err, ERR_PREFLIGHT, "%zu findings block the run", errors);
}

extern const Command COMMAND_CHECK;
const Command COMMAND_CHECK = {
    .name = "check",
    .arguments = "PLAN",
    .summary = "preflight: every finding with its object and remedy",
    .touches = "reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_SCRIPT, OPTION_NONE},
    .formats = "text|json",
    .run = run,
};
