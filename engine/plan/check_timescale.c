/*
 * Check of what TimescaleDB is to have on the target: whether it can have it there, and whether
 * policies leave each other something to do. Looks at the tree: what these keys mean is judged
 * before the engine carries them out.
 */
#include "plan/check_internal.h"

#include "base/str.h"
#include "plan/format.h"
#include "plan/mentions.h"

/* Kinds of target without the community edition's features.
 * \note Source: Azure, "Extension considerations" and Neon, "The timescaledb extension": the
 * Apache-2 edition only; Amazon RDS and Aurora list no timescaledb among their extensions. */
static const struct {
    const char *kind;
    const char *because;
} NO_COMMUNITY[] = {
    {"aurora", "Aurora offers no TimescaleDB"},
    {"azure", "Azure offers the Apache edition of TimescaleDB"},
    {"neon", "Neon offers the Apache edition of TimescaleDB"},
    {"rds", "RDS offers no TimescaleDB"},
};

static const char *why_no_community(const Check *check)
{
    for (size_t i = 0; i < sizeof(NO_COMMUNITY) / sizeof(*NO_COMMUNITY); i++) {
        if (text_equal(NO_COMMUNITY[i].kind, check->plan->target.kind))
            return NO_COMMUNITY[i].because;
    }
    return NULL;
}

static void refuse_edition(Check *check, const Node *node, const char *path)
{
    const char *because = why_no_community(check);
    if (node == NULL || because == NULL)
        return;
    report_node(check->report, DIAG_EDITION, node->key,
                "%s: a target of the kind %s cannot have it", path, check->plan->target.kind);
    report_hint(check->report,
                "%s; columnstore, policies, continuous aggregates and jobs need the community "
                "edition.",
                because);
}

/* ---- ages ----------------------------------------------------------------------------------- */

typedef struct Age {
    const Node *node; /* NULL: not given */
    bool is_integer;
    bool is_unbounded;
    uint64_t value; /* microseconds, or the integer */
} Age;

static Age age_of(const Node *node)
{
    Age age = {.node = node};
    if (node == NULL)
        return age;
    age.is_integer = format_is_integer(node->text);
    age.is_unbounded = text_equal(node->text, "unbounded");
    if (!age.is_unbounded && !format_age(node->text, &age.value))
        age.node = NULL; /* beyond what can be counted */
    return age;
}

/* The end of a window: unbounded is now, not the beginning of time. */
static Age end_of(const Node *node)
{
    Age age = age_of(node);
    if (age.is_unbounded)
        age.node = NULL;
    return age;
}

/* Whether `one` is at least as long as `other`; false when that cannot be said. */
static bool is_as_long(const Age *one, const Age *other)
{
    if (one->node == NULL || other->node == NULL || other->is_unbounded)
        return false;
    return one->is_unbounded ||
           (one->is_integer == other->is_integer && one->value >= other->value);
}

/* ---- hypertables ---------------------------------------------------------------------------- */

/* An integer column is counted in integers, a column of time in intervals. */
static void check_age_kind(Check *check, const Node *table, const Node *node, const char *path)
{
    const Node *width = node_at(table, "by_range.partition_interval");
    if (node == NULL || width == NULL || node_at(table, "by_range.partition_func") != NULL ||
        text_equal(node->text, "unbounded") ||
        format_is_integer(width->text) == format_is_integer(node->text))
        return;
    bool integer = format_is_integer(width->text);
    report_node(check->report, DIAG_AGE_KIND, node,
                "%s: %s, but partition_interval in line %u is %s", path,
                integer ? "this is an interval" : "this is a number", width->pos.line,
                integer ? "a number" : "an interval");
    report_hint(check->report, integer ? "The column counts integers: write a number."
                                       : "The column holds times: write an interval.");
}

static void check_retention(Check *check, const Node *table, const char *path)
{
    static const char *const PAIRS[][2] = {
        {"columnstore.after", "retention.drop_after"},
        {"columnstore.created_before", "retention.drop_created_before"},
    };
    for (size_t i = 0; i < sizeof(PAIRS) / sizeof(*PAIRS); i++) {
        Age convert = age_of(node_at(table, PAIRS[i][0]));
        Age drop = age_of(node_at(table, PAIRS[i][1]));
        if (!is_as_long(&convert, &drop))
            continue;
        report_node(check->report, DIAG_RETENTION, drop.node,
                    "%s.%s: chunks are dropped after %s, before %s would convert them after %s",
                    path, PAIRS[i][1], drop.node->text, PAIRS[i][0], convert.node->text);
        report_hint(check->report,
                    "Retention must be longer than the columnstore's delay, which "
                    "is in line %u.",
                    convert.node->pos.line);
    }
}

static void check_columnstore(Check *check, const Node *table, const char *path)
{
    const Node *columnstore = node_get(table, "columnstore");
    Texts segments = {.arena = check->arena};
    const Node *list = node_get(columnstore, "segmentby");
    check_twice(check, list, arena_printf(check->arena, "%s.columnstore.segmentby", path));
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL; entry = entry->next)
        (void)texts_add(&segments, entry->text, entry);
    list = node_get(columnstore, "orderby");
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        size_t bytes = strcspn(entry->text, " ");
        const char *column = arena_memdup(check->arena, entry->text, bytes);
        if (texts_find(&segments, column) == NULL)
            continue;
        report_node(check->report, DIAG_DUPLICATE_ENTRY, entry,
                    "%s.columnstore: %s stands in segmentby and in orderby", path,
                    report_quoted(check->report, column));
        report_hint(check->report, "Within a segment all rows have the same value of it.");
    }
}

static void check_dimensions(Check *check, const Node *table, const char *path)
{
    Texts columns = {.arena = check->arena};
    const Node *list = node_get(table, "dimensions");
    const Node *first = node_at(table, "by_range.column_name");
    (void)texts_add(&columns, first->text, first);
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        const Node *hash = node_at(entry, "by_hash.column_name");
        const Node *column = hash != NULL ? hash : node_at(entry, "by_range.column_name");
        const Node *other = texts_add(&columns, column->text, column);
        if (other == NULL)
            continue;
        report_node(check->report, DIAG_DUPLICATE_ID, column,
                    "%s.dimensions: %s is a dimension already", path,
                    report_quoted(check->report, column->text));
        report_hint(check->report, "It is one in line %u.", other->pos.line);
    }
}

/* The name that a hypertable has: the target's, of a relation that is selected. */
static void check_name(Check *check, const PlanHypertable *table, uint32_t span)
{
    const Name *source = NULL;
    if (!check_is_mapped(check, &table->target_table, &source))
        check_used(check, &table->target_table, table->pos, span, "made a hypertable");
    else if (source != NULL)
        check_used(check, source, table->pos, span, "made a hypertable");
}

static void check_hypertable(Check *check, const Node *node, const char *path)
{
    static const char *const POLICIES[] = {"columnstore", "retention", "reorder"};
    static const char *const AGES[] = {"columnstore.after", "retention.drop_after"};
    for (size_t i = 0; i < sizeof(POLICIES) / sizeof(*POLICIES); i++)
        refuse_edition(check, node_get(node, POLICIES[i]),
                       arena_printf(check->arena, "%s.%s", path, POLICIES[i]));
    for (size_t i = 0; i < sizeof(AGES) / sizeof(*AGES); i++)
        check_age_kind(check, node, node_at(node, AGES[i]),
                       arena_printf(check->arena, "%s.%s", path, AGES[i]));
    check_retention(check, node, path);
    check_columnstore(check, node, path);
    check_dimensions(check, node, path);
}

static void check_hypertables(Check *check)
{
    const Plan *plan = check->plan;
    const Node *list = node_get(check->root, "hypertables");
    const Node *node = list == NULL ? NULL : list->first;
    Texts names = {.arena = check->arena};
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        const PlanHypertable *table = &plan->hypertables[i];
        uint32_t span = node_span(node_get(node, "target_table"));
        const char *shown = name_text(check->arena, &table->target_table);
        if (texts_add(&names, shown, table) != NULL)
            report_at(check->report, DIAG_DUPLICATE_ID, table->pos, span,
                      "%s is made a hypertable twice", shown);
        check_name(check, table, span);
        check_hypertable(check, node, arena_printf(check->arena, "hypertables[%zu]", i));
    }
}

/* A column list must not leave out what a hypertable is partitioned by. */
static void check_columns(Check *check)
{
    const Plan *plan = check->plan;
    for (size_t i = 0; i < plan->select.columns_count; i++) {
        const PlanColumnList *columns = &plan->select.columns[i];
        for (size_t j = 0; j < plan->hypertable_count && check_may_try(check); j++) {
            const PlanHypertable *table = &plan->hypertables[j];
            const Name *source = NULL;
            bool mapped = check_is_mapped(check, &table->target_table, &source);
            const Name *name = mapped ? source : &table->target_table;
            if (name == NULL || columns->table.selector.pattern != NULL ||
                !name_equal(name, &columns->table.selector.name))
                continue;
            size_t found = 0;
            while (found < columns->include_count &&
                   !text_equal(columns->include[found], table->column_name))
                found++;
            if (found < columns->include_count)
                continue;
            report_at(check->report, DIAG_COLUMN_NEEDED, columns->pos, 1,
                      "the column list of %s leaves out %s, which its hypertable is partitioned by",
                      name_text(check->arena, name),
                      report_quoted(check->report, table->column_name));
            report_hint(check->report, "The hypertable is in line %u.", table->pos.line);
        }
    }
}

/* ---- aggregates, jobs ----------------------------------------------------------------------- */

/* What a refresh does to buckets whose rows retention has dropped. */
static void check_window(Check *check, const Node *aggregate, const Node *drop_node,
                         const char *table, const char *path)
{
    Age start = age_of(node_at(aggregate, "refresh.start_offset"));
    Age end = end_of(node_at(aggregate, "refresh.end_offset"));
    Age drop = age_of(drop_node);
    const Node *data = node_get(aggregate, "data");
    bool carry = data != NULL && text_equal(data->text, "carry");
    if (is_as_long(&end, &drop)) {
        report_node(check->report, DIAG_WINDOW, end.node,
                    "%s.refresh: the window ends %s before now, where retention of %s has dropped "
                    "all rows after %s",
                    path, end.node->text, table, drop.node->text);
        report_hint(check->report,
                    "It would only empty the aggregate: end the window later, or "
                    "keep rows longer (line %u).",
                    drop.node->pos.line);
    } else if (is_as_long(&start, &drop) && !text_equal(start.node->text, drop.node->text)) {
        report_node(check->report, carry ? DIAG_WINDOW : DIAG_WINDOW_LOSES, start.node,
                    "%s.refresh: the window begins where retention of %s has dropped the rows "
                    "after %s",
                    path, table, drop.node->text);
        report_hint(check->report,
                    carry ? "A refresh there would drop what data: carry has brought over. Begin "
                            "the window at most at drop_after (line %u)."
                          : "A refresh there drops buckets whose rows are gone. Begin the window "
                            "at most at drop_after (line %u) to keep them.",
                    drop.node->pos.line);
    }
}

/* \note Source: "setup a refresh policy for ... before setting up a columnstore policy"
 * (TimescaleDB's tsl/src/bgw_policy/compression_api.c). */
static void check_converts(Check *check, const Node *node, const char *path)
{
    const Node *after = node_at(node, "columnstore.after");
    const Node *policy = after != NULL ? after : node_at(node, "columnstore.created_before");
    if (policy == NULL || node_get(node, "refresh") != NULL)
        return;
    report_node(check->report, DIAG_CONVERTS_STALE, policy,
                "%s.columnstore: its policy needs a refresh policy", path);
    report_hint(check->report, "Add refresh, or leave %s out.", policy->key->text);
}

static void check_aggregate(Check *check, const Node *node, const char *path)
{
    const Node *query = node_get(node, "query");
    const Node *list = node_get(check->root, "hypertables");
    Age start = age_of(node_at(node, "refresh.start_offset"));
    Age end = end_of(node_at(node, "refresh.end_offset"));
    if (start.node != NULL && !start.is_unbounded && is_as_long(&end, &start)) {
        report_node(check->report, DIAG_WINDOW, start.node,
                    "%s.refresh: the window from %s to %s before now is empty", path,
                    start.node->text, end.node->text);
        report_hint(check->report, "start_offset lies further back than end_offset.");
        return;
    }
    check_retention(check, node, path);
    check_columnstore(check, node, path);
    check_converts(check, node, path);
    const Node *table = list == NULL ? NULL : list->first;
    for (size_t i = 0; table != NULL; i++, table = table->next) {
        const Node *drop = node_at(table, "retention.drop_after");
        const char *name = node_get(table, "target_table")->text;
        if (drop != NULL && check_may_try(check) &&
            sql_mentions(query->text, &check->plan->hypertables[i].target_table))
            check_window(check, node, drop, name, path);
    }
}

static void check_aggregates(Check *check)
{
    const Node *list = node_get(check->root, "continuous_aggregates");
    const Node *node = list == NULL ? NULL : list->first;
    Texts names = {.arena = check->arena};
    refuse_edition(check, list, "continuous_aggregates");
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        const Node *view = node_get(node, "target_view");
        if (texts_add(&names, view->text, view) != NULL)
            report_node(check->report, DIAG_DUPLICATE_ID, view,
                        "%s is made a continuous aggregate twice", view->text);
        check_aggregate(check, node, arena_printf(check->arena, "continuous_aggregates[%zu]", i));
    }
}

void check_timescale(Check *check)
{
    check_hypertables(check);
    check_columns(check);
    check_aggregates(check);
    check_aggregate_names(check);
    check_aggregate_order(check);
    check_aggregate_data(check);
    refuse_edition(check, node_get(check->root, "jobs"), "jobs");
    check_jobs(check);
}
