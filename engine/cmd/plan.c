/*
 * godwit plan PLAN: the dry run: every step with its state, its place in the plan, its SQL, its
 * parts and estimates; findings and drift where they belong. Its sessions are read-only
 * transactions; on quiet servers it prints the same bytes twice.
 */
#include "base/clock.h"
#include "cmd/command.h"
#include "cmd/ended.h"
#include "cmd/hold.h"
#include "cmd/planning.h"

/* A text that is kept is masked; one that means something else then is not pinned. */
static bool is_without_secret(const Session *session, const char *text, Err *err)
{
    Plan again = {0};
    PlanFindings findings = {0};
    AUTO_ERR Err invalid = {0};
    bool same = plan_load_from(&again, session->plan.path, text, &findings, &invalid) &&
                text_equal(again.fingerprint, session->plan.fingerprint);
    plan_release(&again);
    if (same)
        return true;
    err_set(err, ERR_PLAN, "the plan cannot be pinned: its text holds what looks like a password");
    return err_hint(err, "Take it out of the plan; commands get secrets from their environment.");
}

static bool write_pinned(Session *session, const DryRun *dry, const char *path, Err *err)
{
    Pinned pinned = {
        .engine = GODWIT_VERSION,
        .written_at = clock_rfc3339(&session->arena, clock_unix_us()),
        .name = session->plan.name,
        .fingerprint = session->plan.fingerprint,
        .canonical = session->plan.canonical,
        .plan_text = arena_memdup(&session->arena, session->plan.text, session->plan.text_bytes),
        .source_system = session_system(&session->arena, &session->source_catalog),
        .target_system = session_system(&session->arena, &session->target_catalog),
        .dry = *dry,
    };
    return is_without_secret(session, pinned.plan_text, err) &&
           hold_facts(&session->arena, session, &pinned.facts, err) &&
           pinned_write(path, &pinned, session->plan.path, err);
}

static bool check_out(const char *path, Err *err)
{
    if (path == NULL || pinned_is(path))
        return true;
    err_set(err, ERR_USAGE, "a pinned plan's name ends in .pinned, not \"%s\"", path);
    return err_hint(err, "Use --out %s.pinned.", path);
}

/* What `apply` would do: nothing. */
static bool print_ended(Session *session, const Options *options, const char *ended, Err *err)
{
    AUTO_STR Str out = {0};
    DryRun dry = {0};
    if (options->out != NULL)
        return err_set(err, ERR_RUN, "%s: there is nothing to pin", ended);
    if (!session_catalogs(session, err))
        return false;
    planning_ended(session, &dry, ended);
    dry_run_print(&out, &dry, options->format);
    fputs(str_text(&out), stdout);
    return true;
}

static bool print_plan(Session *session, const Options *options, Err *err)
{
    AUTO_STR Str out = {0};
    DryRun dry = {0};
    if (!session_inspect(session, err))
        return false;
    if (session->journal.id != 0 && !session_same_run(session, CHANGES_REFUSED, err))
        return false;
    if (!session_hold(session, err) || !planning_make(session, &dry, err))
        return false;
    dry_run_print(&out, &dry, options->format);
    fputs(str_text(&out), stdout);
    if (options->out != NULL && !write_pinned(session, &dry, options->out, err))
        return false;
    if (options->detailed_exitcode && dry_run_changes(&dry) > 0)
        return err_set(err, ERR_PENDING, "there are changes to make");
    return true;
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    const char *ended = NULL;
    if (!check_out(options->out, err) || !session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, true, true, true, err) || !session_journal(&session, err) ||
        !ended_look(&session, &ended, err))
        return false;
    return ended != NULL ? print_ended(&session, options, ended, err)
                         : print_plan(&session, options, err);
}

extern const Command COMMAND_PLAN;
const Command COMMAND_PLAN = {
    .name = "plan",
    .arguments = "PLAN",
    .summary = "dry run: every step, its state, its exact SQL; writes nothing",
    .touches = "reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_OUT, OPTION_DETAILED_EXITCODE, OPTION_NONE},
    .formats = "text|sql|json",
    .run = run,
};
