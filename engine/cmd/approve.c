/*
 * godwit approve PLAN: a row that says who, when, for which fingerprint, until when.
 */
#include "cmd/command.h"
#include "cmd/ended.h"
#include "journal/run_state_table.h"

/* An approval that no cutover would use is not taken. */
static bool may_approve(const JournalRun *run, Err *err)
{
    if (text_equal(run->state, RUN_CUTOVER)) {
        err_set(err, ERR_RUN, "the cutover of run \"%s\" has begun already", run->name);
        return err_hint(err, "If its engine died, \"godwit apply\" takes it back and waits for an "
                             "approval: approve then.");
    }
    if (!text_equal(run->state, RUN_SWITCHED) && !text_equal(run->state, RUN_FAILBACK) &&
        !text_equal(run->state, RUN_FINISHED))
        return true;
    return err_set(err, ERR_RUN,
                   "run \"%s\" is switched: the target is the primary, and there is no cutover to "
                   "approve",
                   run->name);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    JournalApproval approval = {0};
    JournalApproval counts = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        !session_connect(&session, false, true, false, err) || !session_journal(&session, err))
        return false;
    if (session.journal.id == 0)
        return ended_no_run(&session, "\"godwit apply\" begins one and waits for the approval.",
                            err);
    if (!may_approve(&session.journal, err))
        return false;
    if (!text_equal(session.journal.fingerprint, session.plan.fingerprint)) {
        err_set(err, ERR_STALE,
                "this plan is %.12s, the run is %.12s: another plan is not approved by this one",
                session.plan.fingerprint, session.journal.fingerprint);
        return err_detail(
            err, "%s",
            plan_diff(&session.arena, session.journal.canonical, session.plan.canonical));
    }
    if (!journal_approve(&session.arena, session.target, session.journal.id,
                         session.plan.fingerprint, session.plan.cutover.approval_valid_us,
                         &approval, err) ||
        !journal_find_approval(&session.arena, session.target, session.journal.id, &session.plan,
                               &counts, err))
        return false;
    if (counts.approver == NULL) {
        err_set(err, ERR_WAITING, "the approval of %s is recorded but does not count",
                approval.approver);
        return err_hint(
            err, "The plan names who may approve: cutover.approval.approvers and not_runner.");
    }
    printf("plan %.12s of run \"%s\" approved by %s until %s\n", session.plan.fingerprint,
           session.plan.name, approval.approver, approval.expires_at);
    return true;
}

extern const Command COMMAND_APPROVE;
const Command COMMAND_APPROVE = {
    .name = "approve",
    .arguments = "PLAN",
    .summary = "approves the cutover of this very plan, in the session user's name",
    .touches = "one row on the target",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
