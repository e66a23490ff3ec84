/*
 * Check of endpoints: source and target are not one, rehearsals are not production, caps are
 * enough, the approver is not the runner.
 */
#include "plan/check_internal.h"

#include "base/budget.h"
#include "base/str.h"
#include "plan/secret.h"

#include <inttypes.h>

static const char *const WAYS[] = {"service", "conninfo_env", "conninfo"};
#define WAY_COUNT (sizeof(WAYS) / sizeof(*WAYS))

/* The key of `one` by which it says the same as `other`, or NULL. */
static const Node *same_way(const Node *one, const Node *other)
{
    for (size_t i = 0; i < WAY_COUNT; i++) {
        const Node *here = node_get(one, WAYS[i]);
        const Node *there = node_get(other, WAYS[i]);
        if (here != NULL && there != NULL && text_equal(here->text, there->text))
            return here;
    }
    return NULL;
}

static void check_same_endpoint(Check *check)
{
    const Node *same = same_way(node_get(check->root, "target"), node_get(check->root, "source"));
    if (same == NULL)
        return;
    report_node(check->report, DIAG_SAME_ENDPOINT, same, "target.%s is the same as source.%s",
                same->key->text, same->key->text);
    report_hint(check->report, "A migration goes from one database to another.");
}

static void check_cap(Check *check, const char *side, uint32_t cap, uint32_t least,
                      const char *because)
{
    const Node *node = node_get(node_get(check->root, side), "max_connections");
    if (node == NULL || cap >= least)
        return;
    report_node(check->report, DIAG_CONNECTIONS, node,
                "%s.max_connections: %u is below the %u that this plan needs", side, cap, least);
    report_hint(check->report,
                "%s, and those of the stream, the catalog, the lock and the "
                "snapshot: at least %u on the source, %u and the lanes on the target.",
                because, plan_beside_source(check->plan) + 1, plan_beside_target(check->plan) + 2);
}

/* Those are never held up by the copy: they have a worker of their own. */
static bool has_user_steps(const Plan *plan)
{
    return plan->steps.count + plan->cutover.before_fence.count + plan->cutover.after_drain.count +
               plan->cutover.on_switch.count + plan->cutover.on_rollback.count >
           0;
}

/* More than the plan's own numbers is known only with the catalogs: finding G150. */
static void check_memory(Check *check)
{
    BudgetNeeds needs = plan_budget_needs(check->plan, 0);
    uint64_t least = budget_least(&needs);
    const Node *node = node_get(node_get(check->root, "limits"), "memory");
    if (node == NULL || check->plan->memory_bytes >= least)
        return;
    report_node(check->report, DIAG_MEMORY, node,
                "limits.memory: this plan needs at least %" PRIu64 "MB", least >> 20);
    report_hint(check->report,
                "Its jobs, lanes and spool have room in that; fewer of copy.table_jobs, "
                "copy.index_jobs or apply.lanes need less.");
}

void check_endpoints(Check *check)
{
    const Plan *plan = check->plan;
    check_same_endpoint(check);
    check_memory(check);
    uint32_t users = has_user_steps(plan) ? 1 : 0;
    uint32_t least = plan_beside_source(plan) + 1 + users;
    check_cap(check, "source", plan->source.max_connections,
              plan->copy.table_jobs + 4 > least ? plan->copy.table_jobs + 4 : least,
              "One for each of copy.table_jobs");
    uint32_t jobs = plan->copy.table_jobs > plan->copy.index_jobs ? plan->copy.table_jobs
                                                                  : plan->copy.index_jobs;
    least = plan_beside_target(plan) + 2 + 2 * users;
    least = (jobs + 3 > least ? jobs + 3 : least) + plan->apply.lanes;
    check_cap(check, "target", plan->target.max_connections, least,
              plan->apply.lanes > 1
                  ? "One for each of copy.table_jobs or copy.index_jobs, one for each further lane"
                  : "One for each of copy.table_jobs or copy.index_jobs");
}

/* ---- rehearsal ------------------------------------------------------------------------------ */

void check_rehearsal(Check *check)
{
    static const char *const SIDES[] = {"source", "target"};
    const Node *rehearsal = node_get(check->root, "rehearsal");
    bool production = false;
    for (size_t i = 0; rehearsal != NULL && i < 2; i++) {
        const Node *endpoint = node_get(rehearsal, SIDES[i]);
        for (size_t j = 0; j < 2; j++) {
            const Node *same = same_way(endpoint, node_get(check->root, SIDES[j]));
            if (same == NULL)
                continue;
            production = true;
            report_node(check->report, DIAG_REHEARSAL, same,
                        "rehearsal.%s.%s is the same as %s.%s: that is production", SIDES[i],
                        same->key->text, SIDES[j], same->key->text);
            report_hint(check->report, "A rehearsal takes place on throw-away servers.");
        }
    }
    const Node *same = same_way(node_get(rehearsal, "target"), node_get(rehearsal, "source"));
    if (same != NULL && !production)
        report_node(check->report, DIAG_SAME_ENDPOINT, same,
                    "rehearsal.target.%s is the same as rehearsal.source.%s", same->key->text,
                    same->key->text);
}

/* ---- approval ------------------------------------------------------------------------------- */

static void check_no_approval(Check *check)
{
    static const char *const KEYS[] = {"valid_for", "approvers", "not_runner"};
    const Node *approval = node_at(check->root, "cutover.approval");
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
        const Node *node = node_get(approval, KEYS[i]);
        if (node != NULL)
            report_node(check->report, DIAG_NO_APPROVAL, node->key,
                        "cutover.approval.%s has no effect: no approval is required", KEYS[i]);
    }
}

void check_approval(Check *check)
{
    const PlanCutover *cutover = &check->plan->cutover;
    if (!cutover->approval_required) {
        check_no_approval(check);
        return;
    }
    const Node *list = node_at(check->root, "cutover.approval.approvers");
    check_twice(check, list, "cutover.approval.approvers");
    const char *conninfo = check->plan->target.conninfo;
    const char *runner = conninfo == NULL ? NULL : conninfo_user(check->arena, conninfo);
    if (runner == NULL || !cutover->not_runner)
        return;
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        if (!text_equal(entry->text, runner))
            continue;
        report_node(check->report, DIAG_RUNNER, entry,
                    "%s runs the migration, and not_runner lets no approval of it count",
                    report_quoted(check->report, runner));
        report_hint(check->report, list->count == 1
                                       ? "Nobody could approve the cutover: name another role."
                                       : "Leave it out of the list.");
    }
}
