/*
 * Check: faults of meaning that no server is needed for: verifications, cutover, stream; the other
 * parts stand in check_<part>.c.
 */
#include "plan/check_internal.h"

#include "base/str.h"
#include "base/units.h"
#include "plan/suggest.h"

/* ---- verification --------------------------------------------------------------------------- */

static const PlanVerify *find_verify(const Plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->verify_count; i++) {
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
    Texts ids = {.arena = check->arena};
    for (size_t i = 0; entry != NULL; i++, entry = entry->next) {
        const PlanVerify *verify = &plan->verifies[i];
        const PlanVerify *first = texts_add(&ids, verify->id, verify);
        if (first != NULL) {
            report_node(check->report, DIAG_DUPLICATE_ID, node_get(entry, "id"),
                        "the verification \"%s\" is given twice", verify->id);
            report_hint(check->report, "It is already in line %u.", first->pos.line);
        }
        check_selectors(check, &verify->tables, node_get(entry, "tables"), "verified");
    }
}

void check_verify_id(Check *check, const Node *entry, const char *path)
{
    const Plan *plan = check->plan;
    if (find_verify(plan, entry->text) != NULL)
        return;
    report_node(check->report, DIAG_UNKNOWN_ID, entry, "%s: there is no verification \"%s\"", path,
                entry->text);
    Suggest suggest = suggest_begin(entry->text);
    for (size_t i = 0; i < plan->verify_count; i++)
        suggest_offer(&suggest, plan->verifies[i].id);
    if (suggest.best != NULL)
        report_hint(check->report, "did you mean \"%s\"?", suggest.best);
    else
        report_hint(check->report, "It must be the id of an entry of verify.");
}

static void check_required(Check *check)
{
    const Node *list = node_at(check->root, "cutover.gates.require");
    check_twice(check, list, "cutover.gates.require");
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL; entry = entry->next)
        check_verify_id(check, entry, "cutover.gates.require");
}

/* ---- cutover -------------------------------------------------------------------------------- */

static void check_grace(Check *check)
{
    const PlanCutover *cutover = &check->plan->cutover;
    const Node *downtime = node_at(check->root, "cutover.max_downtime");
    const Node *grace = node_at(check->root, "cutover.stop_writes.grace");
    const Node *place = grace != NULL ? grace : downtime;
    if (place == NULL || cutover->grace_us < cutover->max_downtime_us)
        return;
    report_node(check->report, DIAG_GRACE, place,
                "the grace of %s leaves nothing of a downtime of at most %s",
                units_interval_text(check->arena, cutover->grace_us),
                units_interval_text(check->arena, cutover->max_downtime_us));
    report_hint(check->report, "Writes are stopped while the grace runs: make "
                               "stop_writes.grace shorter or max_downtime longer.");
}

static void check_stop_writes(Check *check)
{
    static const char *const COMMANDS[] = {"run", "undo", "env"};
    const PlanCutover *cutover = &check->plan->cutover;
    const Node *node = node_at(check->root, "cutover.stop_writes");
    const Node *terminate = node_get(node, "terminate");
    if (terminate != NULL && cutover->method == PLAN_STOP_MANUAL) {
        report_node(check->report, DIAG_NO_EFFECT, terminate->key,
                    "cutover.stop_writes.terminate has no effect with the method manual");
        report_hint(check->report, "With manual, people stop the writers; no session is ended.");
    }
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++) {
        const Node *command = node_get(node, COMMANDS[i]);
        if (cutover->method != PLAN_STOP_COMMAND && command != NULL) {
            report_node(check->report, DIAG_NO_EFFECT, command->key,
                        "cutover.stop_writes.%s has an effect only with the method command",
                        COMMANDS[i]);
        } else if (cutover->method == PLAN_STOP_COMMAND && command == NULL && i < 2) {
            report_node(check->report, DIAG_NO_COMMAND, node_get(node, "method"),
                        "the method command needs cutover.stop_writes.%s", COMMANDS[i]);
            report_hint(check->report,
                        i == 0 ? "It is the program that stops the writers."
                               : "It lets the writers go on when the cutover is rolled back.");
        }
    }
}

/* ---- stream --------------------------------------------------------------------------------- */

static void check_slot(Check *check)
{
    const PlanReplication *replication = &check->plan->replication;
    const Node *action = node_at(check->root, "replication.slot.on_limit");
    if (action == NULL || replication->on_limit != PLAN_ON_LIMIT_DROP_SLOT ||
        replication->max_retained_wal_bytes > 0)
        return;
    report_node(check->report, DIAG_NO_LIMIT, action,
                "replication.slot.on_limit: stop_and_drop_slot needs max_retained_wal");
    report_hint(check->report, "Say how much WAL the slot may hold back on the source.");
}

/* The verification by checksum that a gate requires, or NULL. */
static const char *demanded_checksum(const Plan *plan)
{
    for (size_t i = 0; i < plan->cutover.require_count; i++) {
        const PlanVerify *verify = find_verify(plan, plan->cutover.require[i]);
        if (verify != NULL && verify->method == PLAN_VERIFY_CHECKSUM)
            return verify->id;
    }
    return NULL;
}

static void check_publish(Check *check)
{
    const uint32_t changed = (uint32_t)PLAN_PUBLISH_UPDATE | (uint32_t)PLAN_PUBLISH_DELETE;
    uint32_t publish = check->plan->replication.publish;
    const Node *node = node_at(check->root, "replication.publish");
    if (node == NULL || publish == PLAN_PUBLISH_ALL)
        return;
    const char *id = demanded_checksum(check->plan);
    if (id != NULL && (publish & changed) != changed) {
        report_node(check->report, DIAG_PUBLISH_UNPROVED, node->key,
                    "replication.publish leaves out what the verification \"%s\" must find on the "
                    "target",
                    id);
        report_hint(check->report, "A checksum sees updates and deletes, and a gate requires it: "
                                   "publish them, or require a count.");
        return;
    }
    report_node(check->report, DIAG_PUBLISHES_LESS, node->key,
                "changes of the kinds not listed in replication.publish are lost");
    report_hint(check->report, "Verification can prove equality only if none happen while "
                               "the migration runs.");
}

/* What only pgoutput can do; each at its own line. */
static void check_plugin(Check *check)
{
    static const char *const PATHS[] = {"replication.publications", "replication.spool",
                                        "select.rows"};
    if (check->plan->replication.plugin != PLAN_PLUGIN_TEST_DECODING)
        return;
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        const Node *node = node_at(check->root, PATHS[i]);
        if (node == NULL)
            continue;
        report_node(check->report, DIAG_NEEDS_PGOUTPUT, node->key,
                    "%s is not possible with test_decoding", PATHS[i]);
        report_hint(check->report, "Leave it out, or use replication.plugin: pgoutput.");
    }
}

static void check_publications(Check *check)
{
    const PlanReplication *replication = &check->plan->replication;
    const Node *list = node_at(check->root, "replication.publications");
    const Node *entry = list == NULL ? NULL : list->first;
    Texts names = {.arena = check->arena};
    for (size_t i = 0; entry != NULL; i++, entry = entry->next) {
        const PlanPublication *publication = &replication->publications[i];
        const Node *name = node_get(entry, "name");
        const Node *first = texts_add(&names, publication->name, name);
        if (first != NULL) {
            report_node(check->report, DIAG_DUPLICATE_ID, name, "the publication %s is given twice",
                        report_quoted(check->report, publication->name));
            report_hint(check->report, "It is already in line %u.", first->pos.line);
        }
        check_selectors(check, &publication->tables, node_get(entry, "tables"), "published");
    }
}

/* Rows that were there before the slot are not on a target that the run itself makes: the first
 * change of one would stop it. */
static void check_no_copy(Check *check)
{
    const uint32_t changed = (uint32_t)PLAN_PUBLISH_UPDATE | (uint32_t)PLAN_PUBLISH_DELETE;
    const Plan *plan = check->plan;
    const Node *node = node_at(check->root, "copy.data");
    if (node == NULL || plan->copy.data || (plan->replication.publish & changed) == 0 ||
        plan->apply.on_conflict != PLAN_CONFLICT_STOP ||
        plan->schema.existing != PLAN_EXISTING_FAIL)
        return;
    report_node(check->report, DIAG_NOTHING_COPIED, node,
                "copy.data: false would stop at the first change of a row that is not there");
    report_hint(check->report, "Say apply.on_conflict: skip or upsert, or publish only insert and "
                               "truncate.");
}

void plan_check(Report *report, const Plan *plan, const Node *root)
{
    Check check = {
        .report = report,
        .arena = report->arena,
        .plan = plan,
        .root = root,
        .relations = {.arena = report->arena},
        .schemas = {.arena = report->arena},
        .excluded = {.arena = report->arena},
        .mapped = {.arena = report->arena},
    };
    check_selection(&check);
    check_endpoints(&check);
    check_rehearsal(&check);
    check_timescale(&check);
    check_verifies(&check);
    check_required(&check);
    check_steps(&check);
    check_files(&check);
    check_waivers(&check);
    check_grace(&check);
    check_stop_writes(&check);
    check_approval(&check);
    check_slot(&check);
    check_publish(&check);
    check_plugin(&check);
    check_publications(&check);
    check_no_copy(&check);
    check_failback(&check);
}
