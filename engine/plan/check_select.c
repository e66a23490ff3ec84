/*
 * Check of the selection: what is given twice, what is named elsewhere but not taken, maps.
 */
#include "plan/check_internal.h"

#include "base/str.h"

/* Names times patterns and the like that are tried at most; the blueprint tries all of them. */
#define TRIES_MAX 200000

bool check_may_try(Check *check)
{
    check->tries += check->tries <= TRIES_MAX;
    return check->tries <= TRIES_MAX;
}

/* ---- whether a relation is taken ------------------------------------------------------------ */

static void index_selectors(Texts *texts, const PlanSelectors *selectors)
{
    for (size_t i = 0; i < selectors->count; i++) {
        const PlanSelector *item = &selectors->items[i];
        if (item->selector.pattern != NULL)
            continue;
        const Name *name = &item->selector.name;
        const char *text = name->rel == NULL ? name->schema : name_text(texts->arena, name);
        (void)texts_add(texts, text, item);
    }
}

static const PlanSelector *match_pattern(Check *check, const PlanSelectors *selectors,
                                         const Name *name)
{
    for (size_t i = 0; i < selectors->count; i++) {
        const Selector *selector = &selectors->items[i].selector;
        if (selector->pattern != NULL && check_may_try(check) && selector_matches(selector, name))
            return &selectors->items[i];
    }
    return NULL;
}

static const PlanSelector *find_excluded(Check *check, const Name *name, const char *shown)
{
    const PlanSelector *found = texts_find(&check->excluded, shown);
    return found != NULL ? found : match_pattern(check, &check->plan->select.exclude, name);
}

static bool is_selected(Check *check, const Name *name, const char *shown)
{
    const PlanSelect *select = &check->plan->select;
    const Name schema = {.schema = name->schema};
    return texts_find(&check->schemas, name->schema) != NULL ||
           texts_find(&check->relations, shown) != NULL ||
           match_pattern(check, &select->schemas, &schema) != NULL ||
           match_pattern(check, &select->tables, name) != NULL || check->tries > TRIES_MAX;
}

void check_used(Check *check, const Name *name, PlanPos pos, uint32_t span, const char *use)
{
    const char *shown = name_text(check->arena, name);
    const PlanSelector *excluded = find_excluded(check, name, shown);
    if (excluded != NULL) {
        report_at(check->report, DIAG_EXCLUDED, pos, span,
                  "%s is %s, but select.exclude leaves "
                  "it out",
                  shown, use);
        report_hint(check->report, "%s in line %u excludes it.",
                    report_quoted(check->report, excluded->selector.text), excluded->pos.line);
    } else if (!is_selected(check, name, shown)) {
        report_at(check->report, DIAG_NOT_SELECTED, pos, span,
                  "%s is %s, but nothing in select takes it", shown, use);
        report_hint(check->report, "Add it to select.tables, or its schema to select.schemas.");
    }
}

static void use_selector(Check *check, const PlanSelector *item, const Node *node, const char *use)
{
    if (item->selector.pattern == NULL)
        check_used(check, &item->selector.name, item->pos, node_span(node), use);
}

/* ---- lists ---------------------------------------------------------------------------------- */

void check_twice(Check *check, const Node *list, const char *path)
{
    Texts texts = {.arena = check->arena};
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        if (texts_add(&texts, entry->text, entry) != NULL)
            report_node(check->report, DIAG_DUPLICATE_ENTRY, entry, "%s: %s is given twice", path,
                        report_quoted(check->report, entry->text));
    }
}

void check_selectors(Check *check, const PlanSelectors *selectors, const Node *list,
                     const char *use)
{
    const Node *node = list == NULL ? NULL : list->first;
    Texts texts = {.arena = check->arena};
    for (size_t i = 0; i < selectors->count && node != NULL; i++, node = node->next) {
        const PlanSelector *item = &selectors->items[i];
        const Node *match = node_get(node, "match");
        const Node *place = match != NULL ? match : node;
        if (texts_add(&texts, item->selector.text, item) != NULL)
            report_node(check->report, DIAG_DUPLICATE_ENTRY, place, "%s is given twice",
                        report_quoted(check->report, item->selector.text));
        else if (use != NULL)
            use_selector(check, item, place, use);
    }
}

/* Lists whose entries are about one table each: rows, columns, replica identities. */
static void check_table_list(Check *check, const char *path, const char *what)
{
    const Node *list = node_at(check->root, path);
    Texts texts = {.arena = check->arena};
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        const Node *table = node_get(entry, "table");
        const Node *first = texts_add(&texts, table->text, table);
        if (first == NULL)
            continue;
        report_node(check->report, DIAG_DUPLICATE_ENTRY, table, "%s has two %s",
                    report_quoted(check->report, table->text), what);
        report_hint(check->report, "The first is in line %u.", first->pos.line);
    }
}

/* A condition that nothing reads. */
static void check_filter_used(Check *check, const PlanRowFilter *filter, const Node *node)
{
    const PlanSelectors *bare = &check->plan->select.schema_only;
    for (size_t i = 0; i < bare->count && check_may_try(check); i++) {
        const PlanSelector *item = &bare->items[i];
        if (filter->table.selector.pattern != NULL ||
            !selector_matches(&item->selector, &filter->table.selector.name))
            continue;
        report_node(check->report, DIAG_NO_EFFECT, node,
                    "select.rows has no effect on %s, which comes without rows",
                    filter->table.selector.text);
        report_hint(check->report, "select.schema_only in line %u names it.", item->pos.line);
        return;
    }
}

static void check_table_lists(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    const PlanReplication *replication = &check->plan->replication;
    const Node *list = node_at(check->root, "select.rows");
    const Node *node = list == NULL ? NULL : list->first;
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        use_selector(check, &select->rows[i].table, node_get(node, "table"), "filtered");
        check_filter_used(check, &select->rows[i], node_get(node, "table"));
    }
    list = node_at(check->root, "select.columns");
    node = list == NULL ? NULL : list->first;
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        use_selector(check, &select->columns[i].table, node_get(node, "table"),
                     "given a column list");
        check_twice(check, node_get(node, "include"), "select.columns");
    }
    list = node_at(check->root, "replication.replica_identity.tables");
    node = list == NULL ? NULL : list->first;
    for (size_t i = 0; node != NULL; i++, node = node->next)
        use_selector(check, &replication->identities[i].table, node_get(node, "table"),
                     "given a replica identity");
    check_table_list(check, "select.rows", "row filters");
    check_table_list(check, "select.columns", "column lists");
    check_table_list(check, "replication.replica_identity.tables", "replica identities");
}

/* ---- map ------------------------------------------------------------------------------------ */

static bool has_group(const char *target)
{
    return strstr(target, "${") != NULL;
}

/* What an entry before this one says of the same relations, or of the same target. */
static void check_map_entry(Check *check, const PlanMap *map, const Node *node, Texts *sources,
                            Texts *targets)
{
    const Node *source = node_get(node, "source");
    const Node *target = node_get(node, "target");
    const Node *first = texts_add(sources, map->source.selector.text, source);
    if (first != NULL) {
        report_node(check->report, DIAG_DUPLICATE_ENTRY, source, "%s is mapped twice",
                    report_quoted(check->report, map->source.selector.text));
        report_hint(check->report, "The first entry that matches counts: the one in line %u.",
                    first->pos.line);
        return;
    }
    use_selector(check, &map->source, source, "mapped");
    if (map->merge || has_group(map->target))
        return;
    const Node *other = texts_add(targets, map->target, target);
    if (map->source.selector.pattern != NULL) {
        report_node(check->report, DIAG_MERGE, target,
                    "all relations that match %s would become %s",
                    report_quoted(check->report, map->source.selector.text),
                    report_quoted(check->report, map->target));
        report_hint(check->report, "Write merge: true if that is meant; otherwise use a group of "
                                   "the pattern, like ${1}, in the target.");
    } else if (other != NULL) {
        report_node(check->report, DIAG_MERGE, target, "two relations would become %s",
                    report_quoted(check->report, map->target));
        report_hint(check->report,
                    "The other is mapped in line %u. Write merge: true in both "
                    "entries if that is meant.",
                    other->pos.line);
    }
}

static void check_map(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    const Node *list = node_at(check->root, "select.map");
    const Node *node = list == NULL ? NULL : list->first;
    Texts sources = {.arena = check->arena};
    Texts targets = {.arena = check->arena};
    for (size_t i = 0; node != NULL; i++, node = node->next)
        check_map_entry(check, &select->map[i], node, &sources, &targets);
}

static void index_map(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    for (size_t i = 0; i < select->map_count; i++) {
        const PlanMap *map = &select->map[i];
        Name name = {0};
        if (has_group(map->target))
            check->maps_groups = true;
        else if (name_parse(check->arena, map->target, &name))
            (void)texts_add(&check->mapped, name_text(check->arena, &name), map);
    }
}

bool check_is_mapped(Check *check, const Name *target, const Name **source)
{
    const PlanMap *map = texts_find(&check->mapped, name_text(check->arena, target));
    bool named = map != NULL && map->source.selector.pattern == NULL;
    *source = named ? &map->source.selector.name : NULL;
    return map != NULL || check->maps_groups;
}

void check_selection(Check *check)
{
    const PlanSelect *select = &check->plan->select;
    index_selectors(&check->schemas, &select->schemas);
    index_selectors(&check->relations, &select->tables);
    index_selectors(&check->excluded, &select->exclude);
    check_selectors(check, &select->schemas, node_at(check->root, "select.schemas"), NULL);
    check_selectors(check, &select->tables, node_at(check->root, "select.tables"), "selected");
    check_selectors(check, &select->exclude, node_at(check->root, "select.exclude"), NULL);
    check_selectors(check, &select->schema_only, node_at(check->root, "select.schema_only"),
                    "taken without rows");
    index_map(check);
    check_table_lists(check);
    check_map(check);
}
