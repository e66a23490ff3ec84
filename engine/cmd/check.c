/*
 * godwit check PLAN: preflight; every finding with its object and remedy. --script prints the
 * remedies, --fix runs the safe ones and looks again.
 */
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/ended.h"
#include "cmd/findings.h"
#include "cmd/fix.h"
#include "cmd/hold.h"
#include "report/check_report.h"

/* A sample long enough for the statistics collector's own rhythm of one second. */
#define SAMPLE_US     2000000
#define SAMPLE_MAX_US 600000000

static void print(const Session *session, const PreflightReport *report, const Options *options)
{
    AUTO_STR Str out = {0};
    if (options->script)
        check_print_script(&out, &session->plan, report);
    else if (text_equal(options->format, "json"))
        check_print_json(&out, report);
    else if (text_equal(options->format, "junit"))
        check_print_junit(&out, &session->plan, report);
    else
        check_print_text(&out, report);
    fputs(str_text(&out), stdout);
}

static bool sample_length(const Options *options, int64_t *us, Err *err)
{
    *us = options->script ? 0 : SAMPLE_US;
    if (options->sample == NULL)
        return true;
    if (units_interval_parse(options->sample, us) && *us <= SAMPLE_MAX_US)
        return true;
    return err_set(err, ERR_USAGE, "--sample is a time of at most ten minutes, not \"%s\"",
                   options->sample);
}

static bool collect_for_run(Session *session, int64_t sample_us, PreflightReport *report, Err *err)
{
    return session_inspect(session, err) && session_hold(session, err) &&
           findings_collect(session,
                            &(FindingsScope){.resuming = session->journal.id != 0,
                                             .tries = true,
                                             .sample_us = sample_us},
                            report, err);
}

/* Nothing is found of a run that is finished, and told so: what stands on the target is its work.
 */
static bool collect(Session *session, const Options *options, int64_t sample_us,
                    PreflightReport *report, Err *err)
{
    const char *ended = NULL;
    if (!session_plan(session, options->arguments[0], err) ||
        !session_connect(session, true, true, true, err) || !session_journal(session, err) ||
        !ended_look(session, &ended, err))
        return false;
    if (ended == NULL)
        return collect_for_run(session, sample_us, report, err);
    fprintf(stderr, "%s\n", ended);
    return true;
}

static bool verdict(const PreflightReport *report, Err *err)
{
    return report->errors == 0 ||
           err_set(err, ERR_PREFLIGHT, "%zu finding%s block%s the run", report->errors,
                   report->errors == 1 ? "" : "s", report->errors == 1 ? "s" : "");
}

/* Findings before the fix, the fix, and from anew everything that is left. */
static bool fix_first(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    PreflightReport report = {0};
    bool ok = collect(&session, options, 0, &report, err) &&
              fix_findings(&session, &report, options, err);
    preflight_release(&report);
    return ok;
}

static bool run(const Options *options, Err *err)
{
    int64_t sample_us = 0;
    if (options->fix && options->script)
        return err_set(err, ERR_USAGE, "--fix and --script exclude each other");
    if (!sample_length(options, &sample_us, err) || (options->fix && !fix_first(options, err)))
        return false;
    AUTO_SESSION Session session = {0};
    PreflightReport report = {0};
    bool ok = collect(&session, options, sample_us, &report, err);
    if (ok) {
        print(&session, &report, options);
        ok = verdict(&report, err);
    }
    preflight_release(&report);
    return ok;
}

extern const Command COMMAND_CHECK;
const Command COMMAND_CHECK = {
    .name = "check",
    .arguments = "PLAN",
    .summary = "preflight: every finding with its object and remedy",
    .touches = "reads both servers; --fix writes",
    .min_arguments = 1,
    .max_arguments = 1,
    .options =
        (const OptionId[]){OPTION_SCRIPT, OPTION_FIX, OPTION_YES, OPTION_SAMPLE, OPTION_NONE},
    .formats = "text|json|junit",
    .run = run,
};
