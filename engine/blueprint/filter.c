/*
 * Parts of tables: which selected table has a row filter, a column list, or no rows at all, and
 * what follows from it: version and identity of the source, objects that go with a column. What the
 * server must say about a condition is in filter_probe.c.
 */
#include "blueprint/build.h"

#include "base/str.h"
#include "plan/suggest.h"

#include <string.h>

#define FILTER_VERSION 150000

static bool is_table(const CatRelation *relation)
{
    return relation->kind == 'r' || relation->kind == 'p';
}

/* --- marks --- */

/* A partition cannot be treated otherwise than its root. */
static bool is_part_alone(Build *build, const CatRelation *relation, const PlanSelector *selector,
                          const char *what)
{
    const CatRelation *root = catalog_relation(build->source, relation->root);
    if (!relation->is_partition || root == NULL || root == relation)
        return false;
    if (selector->selector.pattern == NULL) {
        build_find_at(build, DIAG_PARTITION_ALONE, selector,
                      "%s is a partition of %s and cannot %s alone",
                      build_name(build, &relation->name), build_name(build, &root->name), what);
        build_hint(build, "Partitions follow their root: name %s instead.",
                   build_name(build, &root->name));
    }
    return true;
}

static void take_schema_only(Build *build, const CatRelation *relation, const void *data)
{
    const PlanSelector *selector = data;
    if (!is_part_alone(build, relation, selector, "be without rows"))
        build_mark(build, relation)->schema_only = true;
}

static void twice(Build *build, const PlanSelector *selector, const CatRelation *relation,
                  const char *what, const PlanSelector *first)
{
    build_find_at(build, DIAG_FILTER_TWICE, selector, "%s has two %s",
                  build_name(build, &relation->name), what);
    build_hint(build, "It is already in line %u; write one entry for each table.", first->pos.line);
}

static void take_filter(Build *build, const CatRelation *relation, const void *data)
{
    const PlanRowFilter *filter = data;
    Mark *mark = build_mark(build, relation);
    if (!is_table(relation) || !mark->selected ||
        is_part_alone(build, relation, &filter->table, "have a row filter"))
        return;
    if (mark->filter != NULL)
        twice(build, &filter->table, relation, "row filters", &mark->filter->table);
    else
        mark->filter = filter;
}

static void take_list(Build *build, const CatRelation *relation, const void *data)
{
    const PlanColumnList *list = data;
    Mark *mark = build_mark(build, relation);
    if (!is_table(relation) || !mark->selected ||
        is_part_alone(build, relation, &list->table, "have a column list"))
        return;
    if (mark->list != NULL)
        twice(build, &list->table, relation, "column lists", &mark->list->table);
    else
        mark->list = list;
}

static void partitions_follow(Build *build)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = &build->source->relations[i];
        const CatRelation *root = catalog_relation(build->source, relation->root);
        if (!relation->is_partition || root == NULL || root == relation)
            continue;
        Mark *mark = build_mark(build, relation);
        const Mark *above = build_mark(build, root);
        mark->schema_only = above->schema_only;
        mark->filter = above->filter;
        mark->list = above->list;
    }
}

/* Whether any table got the entry; where none did, that is a finding unless one was made. */
static void check_taken(Build *build, const PlanSelector *selector, const char *where,
                        const void *entry)
{
    for (size_t i = 0; i < build->source->relations_count; i++)
        if (build->marks[i].filter == entry || build->marks[i].list == entry)
            return;
    for (size_t i = 0; i < build->findings.count; i++)
        if (build->findings.items[i].pos.line == selector->pos.line)
            return;
    build_find_at(build, DIAG_FILTER_UNSELECTED, selector, "%s: %s is no selected table", where,
                  selector->selector.text);
}

static void check_version(Build *build, const PlanRowFilter *filter)
{
    const CatServer *server = &build->source->server;
    if (server->version >= FILTER_VERSION)
        return;
    build_find(build, DIAG_FILTER_VERSION, filter->pos, 1,
               "a row filter needs a source of PostgreSQL 15 or later, this one is %s",
               server->version_text != NULL ? server->version_text : "older");
    build_hint(build,
               "Its stream would bring rows that the filter keeps out. Take the whole table, "
               "or delete the other rows on the target after the cutover.");
}

/* Roots stand in marks before their partitions get them: only what was named counts here. */
void build_filters(Build *build)
{
    const PlanSelect *select = &build->plan->select;
    for (size_t i = 0; i < select->schema_only.count; i++) {
        const PlanSelector *selector = &select->schema_only.items[i];
        if (!build_each_match(build, selector, take_schema_only, selector))
            build_no_match(build, selector, "select.schema_only");
    }
    for (size_t i = 0; i < select->rows_count; i++) {
        const PlanRowFilter *filter = &select->rows[i];
        if (!build_each_match(build, &filter->table, take_filter, filter))
            build_no_match(build, &filter->table, "select.rows");
        else
            check_taken(build, &filter->table, "select.rows", filter);
        check_version(build, filter);
    }
    for (size_t i = 0; i < select->columns_count; i++) {
        const PlanColumnList *list = &select->columns[i];
        if (!build_each_match(build, &list->table, take_list, list))
            build_no_match(build, &list->table, "select.columns");
        else
            check_taken(build, &list->table, "select.columns", list);
    }
    partitions_follow(build);
}

/* --- columns that are left out --- */

static bool list_has(const PlanColumnList *list, const char *column)
{
    for (size_t i = 0; i < list->include_count; i++)
        if (strcmp(list->include[i], column) == 0)
            return true;
    return false;
}

bool build_is_left_out(const Build *build, const CatRelation *table, const char *column)
{
    const PlanColumnList *list = build->marks[table - build->source->relations].list;
    return list != NULL && !list_has(list, column);
}

static const char *column_name(const Build *build, uint32_t relation, int attnum)
{
    const CatColumn *column = catalog_column(build->source, relation, attnum);
    return column != NULL ? column->name : NULL;
}

/* The column that a use is of, when it is left out. */
static const char *lost_column(const Build *build, const CatRelation *table,
                               const CatColumnUse *use)
{
    const char *column = column_name(build, use->relation, use->attnum);
    return column != NULL && build_is_left_out(build, table, column) ? column : NULL;
}

bool build_index_goes(const Build *build, const CatIndex *index, const char **column)
{
    const CatRelation *table = catalog_relation(build->source, index->relation);
    if (table == NULL || build->marks[table - build->source->relations].list == NULL)
        return false;
    for (int k = 0; k < index->key_count; k++) {
        const char *name = column_name(build, index->relation, index->attnums[k]);
        if (name == NULL || !build_is_left_out(build, table, name))
            continue;
        if (column != NULL)
            *column = name;
        return true;
    }
    size_t count = 0;
    const CatColumnUse *uses = catalog_column_uses(build->source, index->relation, &count);
    for (size_t i = 0; i < count; i++) {
        /* What an index has of its constraint's columns is written down at the constraint. */
        bool of_index =
            (uses[i].class_oid == CAT_CLASS_RELATION && uses[i].oid == index->oid) ||
            (uses[i].class_oid == CAT_CLASS_CONSTRAINT && uses[i].oid == index->constraint);
        const char *name = of_index ? lost_column(build, table, &uses[i]) : NULL;
        if (name == NULL)
            continue;
        if (column != NULL)
            *column = name;
        return true;
    }
    return false;
}

void build_each_lost_use(Build *build,
                         void (*take)(Build *, const CatRelation *, const char *,
                                      const CatColumnUse *, void *),
                         void *data)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = &build->source->relations[i];
        if (build->marks[i].list == NULL)
            continue;
        size_t count = 0;
        const CatColumnUse *uses = catalog_column_uses(build->source, table->oid, &count);
        for (size_t u = 0; u < count; u++) {
            const char *column = lost_column(build, table, &uses[u]);
            if (column != NULL)
                take(build, table, column, &uses[u], data);
        }
    }
}

static void check_names(Build *build, const Relation *relation)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    for (size_t i = 0; i < relation->list->include_count; i++) {
        const char *wanted = relation->list->include[i];
        Suggest suggest = suggest_begin(wanted);
        bool found = false;
        for (size_t c = 0; c < count && !found; c++) {
            found = strcmp(columns[c].name, wanted) == 0;
            suggest_offer(&suggest, columns[c].name);
        }
        if (found)
            continue;
        build_find(build, DIAG_LIST_COLUMN, relation->list->pos, 1, "%s has no column %s",
                   build_name(build, &relation->source), name_part_text(build->arena, wanted));
        if (suggest.best != NULL)
            build_hint(build, "did you mean \"%s\"?", suggest.best);
    }
}

/* --- identity --- */

static const CatIndex *identity_index(const Build *build, const Leaf *leaf)
{
    const CatRelation *from = catalog_relation(build->source, leaf->oid);
    const char *set = leaf->identity == NULL ? NULL : leaf->identity->index_name;
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, leaf->oid, &count);
    for (size_t i = 0; from != NULL && i < count; i++) {
        bool is_it = leaf->replica_identity == 'd' && indexes[i].primary;
        if (leaf->replica_identity == 'i')
            is_it = set != NULL ? strcmp(indexes[i].name.rel, set) == 0
                                : indexes[i].oid == from->replica_identity_index;
        if (is_it)
            return &indexes[i];
    }
    return NULL;
}

bool build_in_identity(const Build *build, const Leaf *leaf, const char *column)
{
    const IdentityDef *made = leaf->identity;
    if (made != NULL && made->columns != NULL) {
        for (size_t i = 0; i < made->column_count; i++)
            if (strcmp(made->columns[i], column) == 0)
                return true;
        return false;
    }
    const CatIndex *index = identity_index(build, leaf);
    if (leaf->replica_identity == 'f' || index == NULL)
        return leaf->replica_identity == 'f';
    for (int k = 0; k < index->key_count; k++) {
        const char *name = column_name(build, leaf->oid, index->attnums[k]);
        if (name != NULL && strcmp(name, column) == 0)
            return true;
    }
    return false;
}

bool build_publishes_old_rows(const Plan *plan)
{
    return (plan->replication.publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) != 0;
}

/* The columns of a leaf's identity that the list leaves out; "" when there are none. */
static const char *identity_missing(Build *build, const Leaf *leaf)
{
    AUTO_STR Str missing = {0};
    const Relation *relation = leaf->root;
    for (size_t i = 0; i < relation->left_out_count; i++)
        if (build_in_identity(build, leaf, relation->left_out[i].name))
            str_appendf(&missing, "%s%s", missing.length > 0 ? ", " : "",
                        name_part_text(build->arena, relation->left_out[i].name));
    return str_dup(build->arena, &missing);
}

static void check_identity(Build *build, const Relation *relation)
{
    if (relation->left_out_count == 0 || !build_publishes_old_rows(build->plan))
        return;
    for (size_t i = 0; i < relation->leaf_count; i++) {
        const Leaf *leaf = relation->leaves[i];
        const char *missing = identity_missing(build, leaf);
        if (*missing == '\0')
            continue;
        build_find(build, DIAG_FILTER_IDENTITY, relation->list->pos, 1,
                   "the column list of %s lacks %s of the replica identity of %s",
                   build_name(build, &relation->source), missing, build_name(build, &leaf->source));
        if (leaf->replica_identity == 'f')
            build_hint(build, "REPLICA IDENTITY FULL means every column: let "
                              "replication.replica_identity set a unique index, or take all "
                              "columns.");
        else
            build_hint(build, "Published without them, the applications' own UPDATE and DELETE "
                              "would fail on the source: include them.");
        return;
    }
}

/* --- what goes with a column --- */

static const char *class_word(uint32_t class_oid)
{
    return class_oid == CAT_CLASS_CONSTRAINT ? "constraint" : "index";
}

static char constraint_type(const Build *build, uint32_t oid, bool *ours)
{
    for (size_t i = 0; i < build->source->constraints_count; i++) {
        if (build->source->constraints[i].oid != oid)
            continue;
        const CatConstraint *constraint = &build->source->constraints[i];
        *ours = constraint->parent == 0;
        return constraint->type;
    }
    return '\0';
}

static bool is_index(const Build *build, uint32_t oid)
{
    for (size_t i = 0; i < build->source->indexes_count; i++)
        if (build->source->indexes[i].oid == oid)
            return build->source->indexes[i].parent == 0;
    return false;
}

typedef struct Told {
    uint32_t class_oid; /* of the object told last: uses of one column stand together */
    uint32_t oid;
    const char *column;
    VEC(ObjectId) objects;
} Told;

static bool is_told(Build *build, Told *told, const CatColumnUse *use)
{
    for (size_t i = 0; i < told->objects.count; i++)
        if (told->objects.items[i].class_oid == use->class_oid &&
            told->objects.items[i].oid == use->oid)
            return true;
    *vec_push(build->arena, &told->objects) = (ObjectId){use->class_oid, use->oid};
    return false;
}

static void generated_needs(Build *build, const CatRelation *table, const char *column,
                            const CatColumnUse *use, const PlanColumnList *list)
{
    const char *generated = column_name(build, table->oid, use->generated);
    if (generated == NULL || build_is_left_out(build, table, generated))
        return;
    build_find(build, DIAG_LIST_NEEDED, list->pos, 1,
               "the column list of %s lacks %s, from which %s is generated",
               build_name(build, &table->name), name_part_text(build->arena, column),
               name_part_text(build->arena, generated));
    build_hint(build, "Include both, or neither.");
}

static void tell_use(Build *build, const CatRelation *table, const char *column,
                     const CatColumnUse *use, void *data)
{
    const PlanColumnList *list = build_mark(build, table)->list;
    bool ours = true;
    if (table->is_partition && table->root != table->oid && use->class_oid == CAT_CLASS_DEFAULT)
        return; /* the root has said it */
    if (use->generated != 0) {
        generated_needs(build, table, column, use, list);
        return;
    }
    if (use->type == 'p') {
        if (!table->is_partition)
            build_find(build, DIAG_LIST_NEEDED, list->pos, 1,
                       "the column list of %s lacks %s, by which it is partitioned",
                       build_name(build, &table->name), name_part_text(build->arena, column));
        return;
    }
    char type =
        use->class_oid == CAT_CLASS_CONSTRAINT ? constraint_type(build, use->oid, &ours) : '\0';
    bool told = (type != '\0' && type != 'f' && ours) ||
                (use->class_oid == CAT_CLASS_RELATION && is_index(build, use->oid));
    if (!told || is_told(build, data, use))
        return;
    const CatObject *object = catalog_object(build->source, use->class_oid, use->oid);
    build_find(build, DIAG_LIST_LEAVES_OUT, list->pos, 1,
               "%s %s of %s is left out: it needs column %s", class_word(use->class_oid),
               object == NULL ? "(unnamed)" : name_part_text(build->arena, object->name),
               build_name(build, &table->name), name_part_text(build->arena, column));
}

/* An adopted publication has no filters: its stream would bring rows that the plan keeps out. */
static void check_adopted(Build *build, const PublicationDef *def)
{
    for (size_t i = 0; def->adopted && i < def->relation_count; i++) {
        if (def->relations[i]->filter == NULL)
            continue;
        build_find(build, DIAG_PUBLICATION_KINDS, def->pos, 1,
                   "publication \"%s\" publishes every row of %s, of which select.rows takes some",
                   def->name, build_name(build, &def->relations[i]->source));
        build_hint(build, "Let the run make the publication of filtered tables.");
    }
}

void build_column_lists(Build *build)
{
    Told told = {0};
    for (size_t i = 0; i < build->blueprint->publication_count; i++)
        check_adopted(build, &build->blueprint->publications[i]);
    for (size_t i = 0; i < build->blueprint->relation_count; i++) {
        const Relation *relation = &build->blueprint->relations[i];
        if (relation->list == NULL)
            continue;
        check_names(build, relation);
        check_identity(build, relation);
    }
    build_each_lost_use(build, tell_use, &told);
}
