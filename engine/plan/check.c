/*
 * Check: faults of meaning that no server is needed for. Everything it looks at is bound already;
 * the tree only says where things stand.
 */
#include "plan/layers.h"

#include "base/str.h"
#include "base/units.h"
#include "plan/suggest.h"

typedef struct Check {
    Report *report;
    Arena *arena;
    const Plan *plan;
    const Node *root;
} Check;

/* The node at keys below the root, NULL-terminated; NULL when the plan does not give it. */
static const Node *given(const Check *check, const char *first, const char *second,
                         const char *third)
{
    const Node *node = node_get(check->root, first);
    if (second != NULL)
        node = node_get(node, second);
    if (third != NULL)
        node = node_get(node, third);
    return node;
}

/* ---- endpoints ------------------------------------------------------------------------------ */

static void check_same_endpoint(Check *check)
{
    static const char *const KEYS[] = {"service", "conninfo_env", "conninfo"};
    const Node *target = node_get(check->root, "target");
    const Node *source = node_get(check->root, "source");
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
        const Node *there = node_get(target, KEYS[i]);
        const Node *here = node_get(source, KEYS[i]);
        if (here == NULL || there == NULL || !text_equal(here->text, there->text))
            continue;
        report_node(check->report, DIAG_SAME_ENDPOINT, there, "target.%s is the same as source.%s",
                    KEYS[i], KEYS[i]);
        report_hint(check->report, "A migration goes from one database to another.");
    }
}

static void check_cap(Check *check, const char *side, uint32_t cap, uint32_t least,
                      const char *because)
{
    const Node *node = given(check, side, "max_connections", NULL);
    if (node == NULL || cap >= least)
        return;
    report_node(check->report, DIAG_CONNECTIONS, node,
                "%s.max_connections: %u is below the %u that this plan needs", side, cap, least);
    report_hint(check->report,
                "%s, and four for the stream, the catalog, the lock and the "
                "snapshot.",
                because);
}

static void check_caps(Check *check)
{
    const Plan *plan = check->plan;
    check_cap(check, "source", plan->source.max_connections, plan->copy.table_jobs + 4,
              "One for each of copy.table_jobs");
    uint32_t jobs = plan->copy.table_jobs > plan->copy.index_jobs ? plan->copy.table_jobs
                                                                  : plan->copy.index_jobs;
    check_cap(check, "target", plan->target.max_connections, jobs + 4,
              "One for each of copy.table_jobs or copy.index_jobs");
}

/* ---- selection ------------------------------------------------------------------------------ */

static const PlanSelector *find_match(const PlanSelectors *selectors, const Name *name)
{
    for (size_t i = 0; i < selectors->count; i++) {
        if (selector_matches(&selectors->items[i].selector, name))
            return &selectors->items[i];
    }
    return NULL;
}

static bool is_selected(const Plan *plan, const Name *name)
{
    const Name schema = {.schema = name->schema};
    return find_match(&plan->select.schemas, &schema) != NULL ||
           find_match(&plan->select.tables, name) != NULL;
}

/* A relation that the plan names and uses must be in the selection. */
static void check_used(Check *check, const Name *name, PlanPos pos, uint32_t span, const char *use)
{
    const PlanSelector *excluded = find_match(&check->plan->select.exclude, name);
    const char *shown = name_text(check->arena, name);
    if (excluded != NULL) {
        report_at(check->report, DIAG_EXCLUDED, pos, span,
                  "%s is %s, but select.exclude leaves "
                  "it out",
                  shown, use);
        report_hint(check->report, "%s in line %u excludes it.",
                    report_quoted(check->report, excluded->selector.text), excluded->pos.line);
    } else if (!is_selected(check->plan, name)) {
        report_at(check->report, DIAG_NOT_SELECTED, pos, span,
                  "%s is %s, but nothing in select takes it", shown, use);
        report_hint(check->report, "Add it to select.tables, or its schema to select.schemas.");
    }
}

static uint32_t entry_span(const Node *list, size_t index, const char *key)
{
    const Node *node = list == NULL ? NULL : list->first;
    for (; node != NULL && index > 0; index--)
        node = node->next;
    const Node *inner = node_get(node, key);
    if (inner != NULL)
        node = inner;
    return node == NULL ? 1 : node_span(node);
}

static void check_selectors(Check *check, const PlanSelectors *selectors, const Node *list,
                            const char *use)
{
    for (size_t i = 0; i < selectors->count; i++) {
        const PlanSelector *item = &selectors->items[i];
        uint32_t span = entry_span(list, i, "match");
        for (size_t j = 0; j < i; j++) {
            if (text_equal(selectors->items[j].selector.text, item->selector.text))
                report_at(check->report, DIAG_DUPLICATE_ENTRY, item->pos, span, "%s is given twice",
                          report_quoted(check->report, item->selector.text));
        }
        if (use != NULL && item->selector.pattern == NULL)
            check_used(check, &item->selector.name, item->pos, span, use);
    }
}

static void check_selection(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    check_selectors(check, &select->schemas, given(check, "select", "schemas", NULL), NULL);
    check_selectors(check, &select->tables, given(check, "select", "tables", NULL), "selected");
    check_selectors(check, &select->exclude, given(check, "select", "exclude", NULL), NULL);
}

static void check_hypertables(Check *check)
{
    const Plan *plan = check->plan;
    const Node *list = node_get(check->root, "hypertables");
    for (size_t i = 0; i < plan->hypertable_count; i++) {
        const PlanHypertable *table = &plan->hypertables[i];
        uint32_t span = entry_span(list, i, "target_table");
        for (size_t j = 0; j < i; j++) {
            if (name_equal(&plan->hypertables[j].target_table, &table->target_table))
                report_at(check->report, DIAG_DUPLICATE_ID, table->pos, span,
                          "%s is made a hypertable twice",
                          name_text(check->arena, &table->target_table));
        }
        check_used(check, &table->target_table, table->pos, span, "made a hypertable");
    }
}

/* ---- verification and cutover --------------------------------------------------------------- */

static const PlanVerify *find_verify(const Plan *plan, const char *id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(plan->verifies[i].id, id))
            return &plan->verifies[i];
    }
    return NULL;
}

static void check_verifies(Check *check)
{
    const Plan *plan = check->plan;
    const Node *list = node_get(check->root, "verify");
    const Node *entry = list == NULL ? NULL : list->first;
    for (size_t i = 0; entry != NULL; i++, entry = entry->next) {
        const PlanVerify *verify = &plan->verifies[i];
        const PlanVerify *first = find_verify(plan, verify->id, i);
        if (first != NULL) {
            report_node(check->report, DIAG_DUPLICATE_ID, node_get(entry, "id"),
                        "the verification \"%s\" is given twice", verify->id);
            report_hint(check->report, "It is already in line %u.", first->pos.line);
        }
        check_selectors(check, &verify->tables, node_get(entry, "tables"), "verified");
    }
}

static void check_required(Check *check)
{
    const Plan *plan = check->plan;
    const Node *gates = given(check, "cutover", "gates", NULL);
    const Node *list = node_get(gates, "require");
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        for (const Node *other = list->first; other != entry; other = other->next) {
            if (text_equal(other->text, entry->text))
                report_node(check->report, DIAG_DUPLICATE_ENTRY, entry,
                            "cutover.gates.require: %s is given twice", entry->text);
        }
        if (find_verify(plan, entry->text, plan->verify_count) != NULL)
            continue;
        report_node(check->report, DIAG_UNKNOWN_ID, entry,
                    "cutover.gates.require: there is no verification \"%s\"", entry->text);
        Suggest suggest = suggest_begin(entry->text);
        for (size_t i = 0; i < plan->verify_count; i++)
            suggest_offer(&suggest, plan->verifies[i].id);
        if (suggest.best != NULL)
            report_hint(check->report, "did you mean \"%s\"?", suggest.best);
        else
            report_hint(check->report, "It must be the id of an entry of verify.");
    }
}

static void check_stop_writes(Check *check)
{
    const PlanCutover *cutover = &check->plan->cutover;
    const Node *downtime = given(check, "cutover", "max_downtime", NULL);
    const Node *grace = given(check, "cutover", "stop_writes", "grace");
    const Node *terminate = given(check, "cutover", "stop_writes", "terminate");
    const Node *place = grace != NULL ? grace : downtime;
    if (place != NULL && cutover->grace_us >= cutover->max_downtime_us) {
        report_node(check->report, DIAG_GRACE, place,
                    "the grace of %s leaves nothing of a downtime of at most %s",
                    units_interval_text(check->arena, cutover->grace_us),
                    units_interval_text(check->arena, cutover->max_downtime_us));
        report_hint(check->report, "Writes are stopped while the grace runs: make "
                                   "stop_writes.grace shorter or max_downtime longer.");
    }
    if (terminate != NULL && cutover->method == PLAN_STOP_MANUAL) {
        report_node(check->report, DIAG_NO_EFFECT, terminate->key,
                    "cutover.stop_writes.terminate has no effect with the method manual");
        report_hint(check->report, "With manual, people stop the writers; no session is ended.");
    }
}

static void check_approval(Check *check)
{
    static const char *const KEYS[] = {"valid_for", "approvers", "not_runner"};
    if (check->plan->cutover.approval_required)
        return;
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
        const Node *node = node_get(given(check, "cutover", "approval", NULL), KEYS[i]);
        if (node != NULL)
            report_node(check->report, DIAG_NO_APPROVAL, node->key,
                        "cutover.approval.%s has no effect: no approval is required", KEYS[i]);
    }
}

static void check_replication(Check *check)
{
    const PlanReplication *replication = &check->plan->replication;
    const Node *action = given(check, "replication", "slot", "on_limit");
    const Node *publish = given(check, "replication", "publish", NULL);
    if (action != NULL && replication->on_limit == PLAN_ON_LIMIT_DROP_SLOT &&
        replication->max_retained_wal_bytes == 0) {
        report_node(check->report, DIAG_NO_LIMIT, action,
                    "replication.slot.on_limit: stop_and_drop_slot needs max_retained_wal");
        report_hint(check->report, "Say how much WAL the slot may hold back on the source.");
    }
    if (publish != NULL && replication->publish != PLAN_PUBLISH_ALL) {
        report_node(check->report, DIAG_PUBLISHES_LESS, publish->key,
                    "changes of the kinds not listed in replication.publish are lost");
        report_hint(check->report, "Verification can prove equality only if none happen while "
                                   "the migration runs.");
    }
}

void plan_check(Report *report, const Plan *plan, const Node *root)
{
    Check check = {.report = report, .arena = report->arena, .plan = plan, .root = root};
    check_same_endpoint(&check);
    check_caps(&check);
    check_selection(&check);
    check_hypertables(&check);
    check_verifies(&check);
    check_required(&check);
    check_stop_writes(&check);
    check_approval(&check);
    check_replication(&check);
}
