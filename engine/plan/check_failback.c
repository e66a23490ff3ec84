/*
 * Check of failback: what the plan does on the way there must have a way back. Refused where the
 * plan says it, so that nobody learns it after the switch.
 */
#include "plan/check_internal.h"

#include "base/str.h"

static void refuse(Check *check, const Node *node, const char *what, const char *hint)
{
    report_node(check->report, DIAG_NO_WAY_BACK, node, "failback.prepare: %s cannot be reversed",
                what);
    report_hint(check->report, "%s", hint);
}

static void check_merges(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    const Node *list = node_at(check->root, "select.map");
    const Node *entry = list == NULL ? NULL : list->first;
    for (size_t i = 0; entry != NULL && i < select->map_count; i++, entry = entry->next) {
        if (select->map[i].merge)
            refuse(check, node_get(entry, "merge"), "a merge",
                   "Of a row that is written on the target nobody knows which of the tables it "
                   "belongs to.");
    }
}

static void check_key(Check *check, const char *path, const char *what, const char *hint)
{
    const Node *node = node_at(check->root, path);
    if (node != NULL && node->first != NULL)
        refuse(check, node->key, what, hint);
}

static void check_unused(Check *check)
{
    static const char *const KEYS[] = {"keep_for", "if_unavailable"};
    const Node *failback = node_at(check->root, "failback");
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
        const Node *node = node_get(failback, KEYS[i]);
        if (node == NULL)
            continue;
        report_node(check->report, DIAG_NO_EFFECT, node->key,
                    "failback.%s has no effect: no way back is prepared", KEYS[i]);
        report_hint(check->report, "failback.prepare: true prepares it.");
    }
}

void check_failback(Check *check)
{
    const Plan *plan = check->plan;
    if (!plan->failback.prepare) {
        check_unused(check);
        return;
    }
    check_merges(check);
    check_key(check, "select.rows", "a row filter",
              "Rows that it leaves out are on the source alone, and the target's cannot be told "
              "from them.");
    check_key(check, "select.columns", "a column list",
              "What it leaves out is on the source alone: rows of the target lack it.");
    check_key(check, "hypertables", "a hypertable",
              "Changes of hypertables are not streamed from the target in this version.");
    if (plan->mirror)
        refuse(check, node_at(check->root, "timescaledb.mirror")->key, "a mirror",
               "Changes of hypertables are not streamed from the target in this version.");
    if (plan->replication.publish != PLAN_PUBLISH_ALL)
        refuse(check, node_at(check->root, "replication.publish")->key,
               "a stream of some kinds of changes",
               "The target would hold other rows than the source before anybody writes there.");
    if (!plan->copy.data)
        refuse(check, node_at(check->root, "copy.data")->key, "a run that copies nothing",
               "The target does not hold the source's rows.");
}
