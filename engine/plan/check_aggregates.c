/*
 * Check of continuous aggregates and jobs among themselves: names, the order in which aggregates
 * read each other, what is carried over.
 */
#include "plan/check_internal.h"

#include "base/str.h"
#include "plan/mentions.h"

/* ---- names ---------------------------------------------------------------------------------- */

static void report_name(Check *check, const PlanAggregate *aggregate, const char *use)
{
    report_at(check->report, DIAG_AGGREGATE_NAME, aggregate->pos, 1,
              "continuous_aggregates: %s is %s", name_text(check->arena, &aggregate->target_view),
              use);
    report_hint(check->report, "Give the aggregate a name that nothing else has on the target.");
}

static bool is_hypertable(Check *check, const Name *name)
{
    const Plan *plan = check->plan;
    size_t i = 0;
    while (i < plan->hypertable_count && check_may_try(check) &&
           !name_equal(&plan->hypertables[i].target_table, name))
        i++;
    return i < plan->hypertable_count;
}

void check_aggregate_names(Check *check)
{
    const Plan *plan = check->plan;
    for (size_t i = 0; i < plan->aggregate_count; i++) {
        const PlanAggregate *aggregate = &plan->aggregates[i];
        const char *shown = name_text(check->arena, &aggregate->target_view);
        const Name *source = NULL;
        if (is_hypertable(check, &aggregate->target_view))
            report_name(check, aggregate, "made a hypertable");
        else if (texts_find(&check->mapped, shown) != NULL)
            report_name(check, aggregate, "what select.map calls a table");
        else if (!check_is_mapped(check, &aggregate->target_view, &source) &&
                 texts_find(&check->relations, shown) != NULL)
            report_name(check, aggregate, "a table that is selected");
    }
}

/* ---- order ---------------------------------------------------------------------------------- */

typedef enum Visit { VISIT_NEW, VISIT_OPEN, VISIT_DONE } Visit;

typedef struct Search {
    Check *check;
    Visit *visits; /* of each aggregate */
    size_t *path;  /* the aggregates that are open, as they read each other */
    size_t *next;  /* of each of them: the one to look at next */
    size_t depth;
} Search;

static void report_cycle(Search *search, size_t closing)
{
    const Plan *plan = search->check->plan;
    AUTO_STR Str names = {0};
    size_t first = 0;
    while (search->path[first] != closing)
        first++;
    for (size_t i = first; i < search->depth; i++)
        str_appendf(
            &names, "%s reads ",
            name_text(search->check->arena, &plan->aggregates[search->path[i]].target_view));
    str_append(&names, name_text(search->check->arena, &plan->aggregates[closing].target_view));
    report_at(search->check->report, DIAG_AGGREGATE_CYCLE, plan->aggregates[closing].pos, 1,
              "continuous_aggregates: %s", str_text(&names));
    report_hint(search->check->report, "None of them can be made before the others.");
}

static void open_aggregate(Search *search, size_t index)
{
    search->visits[index] = VISIT_OPEN;
    search->path[search->depth] = index;
    search->next[search->depth] = 0;
    search->depth++;
}

/* Looks at one more aggregate that the last of the path may read. */
static void step_search(Search *search)
{
    const Plan *plan = search->check->plan;
    size_t last = search->path[search->depth - 1];
    size_t other = search->next[search->depth - 1]++;
    if (other == plan->aggregate_count) {
        search->visits[last] = VISIT_DONE;
        search->depth--;
        return;
    }
    if (search->visits[other] == VISIT_DONE || !check_may_try(search->check) ||
        !sql_mentions(plan->aggregates[last].query, &plan->aggregates[other].target_view))
        return;
    if (search->visits[other] == VISIT_NEW)
        open_aggregate(search, other);
    else if (other != last || !is_hypertable(search->check, &plan->aggregates[last].target_view))
        report_cycle(search, other);
}

void check_aggregate_order(Check *check)
{
    size_t count = check->plan->aggregate_count;
    Search search = {
        .check = check,
        .visits = arena_array(check->arena, Visit, count),
        .path = arena_array(check->arena, size_t, count),
        .next = arena_array(check->arena, size_t, count),
    };
    for (size_t i = 0; i < count; i++) {
        if (search.visits[i] == VISIT_NEW)
            open_aggregate(&search, i);
        while (search.depth > 0)
            step_search(&search);
    }
}

/* ---- data ----------------------------------------------------------------------------------- */

/* \note Source: only a source that is TimescaleDB has rows of an aggregate that outlived the raw
 * ones, and only its mirror knows them. */
static void check_carry(Check *check, const PlanAggregate *aggregate, const Node *node,
                        const char *path)
{
    const Node *data = node_get(node, "data");
    const Node *mirror = node_at(check->root, "timescaledb.mirror");
    if (!aggregate->carry || data == NULL)
        return;
    if (mirror == NULL || !text_equal(mirror->text, "true")) {
        report_node(check->report, DIAG_CARRY, data,
                    "%s.data: there is nothing to carry over: the source is not mirrored", path);
        report_hint(check->report,
                    "An aggregate that is new on the target is computed from the rows: rebuild. "
                    "Only a TimescaleDB source with timescaledb.mirror has rows to carry.");
    }
}

void check_aggregate_data(Check *check)
{
    const Node *list = node_get(check->root, "continuous_aggregates");
    const Node *node = list == NULL ? NULL : list->first;
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        const PlanAggregate *aggregate = &check->plan->aggregates[i];
        const char *path = arena_printf(check->arena, "continuous_aggregates[%zu]", i);
        check_carry(check, aggregate, node, path);
    }
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static bool same_job(const PlanJob *a, const PlanJob *b)
{
    return name_equal(&a->procedure, &b->procedure) &&
           (a->config == b->config ||
            (a->config != NULL && b->config != NULL && text_equal(a->config, b->config)));
}

void check_jobs(Check *check)
{
    const Plan *plan = check->plan;
    for (size_t i = 0; i < plan->job_count; i++) {
        const PlanJob *job = &plan->jobs[i];
        size_t other = 0;
        while (other < i && check_may_try(check) && !same_job(&plan->jobs[other], job))
            other++;
        if (other == i)
            continue;
        report_at(check->report, DIAG_DUPLICATE_ID, job->policy.pos, 1,
                  "jobs[%zu]: %s is given twice with this config", i,
                  name_text(check->arena, &job->procedure));
        report_hint(check->report, "It is already in line %u.", plan->jobs[other].policy.pos.line);
    }
}
