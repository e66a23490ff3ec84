/*
 * What the schema archive keeps: everything in wholly selected schemas, the selected tables with
 * all that is theirs, and the closure of what these depend on. What needs a table that is not
 * selected is left out, with a finding; a selected table that needs such a thing is an error.
 *
 * Works on pg_depend as a graph: nodes are the source's objects, `forward` edges go to what an
 * object depends on, `back` edges to what depends on it. Every edge is walked a bounded number of
 * times.
 */
#include "blueprint/build.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct Edge {
    uint32_t from; /* depends on */
    uint32_t to;
    char type;
} Edge;

typedef struct Graph {
    Edge *forward; /* sorted by from */
    Edge *back;    /* sorted by to */
    size_t count;
    uint32_t *forward_begin; /* one more than there are nodes */
    uint32_t *back_begin;
    bool *blocked;
    uint32_t *reason; /* the node that is not selected, of a blocked one */
    uint32_t *queue;
    size_t queued;
} Graph;

static uint32_t node_of(const Catalog *source, uint32_t class_oid, uint32_t oid)
{
    const CatObject *object = catalog_object(source, class_oid, oid);
    return object == NULL ? NONE : (uint32_t)(object - source->objects);
}

/* Counting sort by one end. */
static void arrange(Arena *arena, const Edge *edges, size_t count, size_t nodes, bool by_from,
                    Edge **sorted, uint32_t **begin)
{
    *begin = arena_array(arena, uint32_t, nodes + 2);
    *sorted = arena_array(arena, Edge, count);
    uint32_t *first = *begin;
    for (size_t i = 0; i < count; i++)
        first[(by_from ? edges[i].from : edges[i].to) + 2]++;
    for (size_t n = 0; n + 2 < nodes + 2; n++)
        first[n + 2] += first[n + 1];
    for (size_t i = 0; i < count; i++)
        (*sorted)[first[(by_from ? edges[i].from : edges[i].to) + 1]++] = edges[i];
}

static void graph_read(Graph *graph, Arena *arena, const Catalog *source)
{
    size_t nodes = source->objects_count;
    Edge *edges = arena_array(arena, Edge, source->dependencies_count);
    for (size_t i = 0; i < source->dependencies_count; i++) {
        const CatDependency *dependency = &source->dependencies[i];
        uint32_t from = node_of(source, dependency->class_oid, dependency->oid);
        uint32_t to = node_of(source, dependency->ref_class_oid, dependency->ref_oid);
        if (from != NONE && to != NONE && dependency->type != 'e')
            edges[graph->count++] = (Edge){from, to, dependency->type};
    }
    arrange(arena, edges, graph->count, nodes, true, &graph->forward, &graph->forward_begin);
    arrange(arena, edges, graph->count, nodes, false, &graph->back, &graph->back_begin);
    graph->blocked = arena_array(arena, bool, nodes);
    graph->reason = arena_array(arena, uint32_t, nodes);
    graph->queue = arena_array(arena, uint32_t, nodes);
}

static const CatRelation *relation_of(const Build *build, uint32_t node)
{
    const CatObject *object = &build->source->objects[node];
    return object->class_oid == CAT_CLASS_RELATION ? catalog_relation(build->source, object->oid)
                                                   : NULL;
}

static bool holds_rows(const CatRelation *relation)
{
    return relation->kind == 'r' || relation->kind == 'p' || relation->kind == 'f';
}

static bool is_selected_table(Build *build, uint32_t node)
{
    const CatRelation *relation = relation_of(build, node);
    return relation != NULL && holds_rows(relation) && build_mark(build, relation)->selected;
}

static const char *object_text(Build *build, uint32_t node)
{
    const CatObject *object = &build->source->objects[node];
    const char *name = object->schema == NULL
                           ? name_part_text(build->arena, object->name)
                           : name_text(build->arena, &(Name){object->schema, object->name});
    return arena_printf(build->arena, "%s %s", object->kind, name);
}

static void block(Graph *graph, uint32_t node, uint32_t reason)
{
    if (graph->blocked[node])
        return;
    graph->blocked[node] = true;
    graph->reason[node] = reason;
    graph->queue[graph->queued++] = node;
}

/* A part without which its whole cannot be made: a default, a check, a view's rule. */
static bool is_essential(Build *build, const Edge *part)
{
    const CatObject *object = &build->source->objects[part->from];
    const CatRelation *whole = relation_of(build, part->to);
    if (object->class_oid == CAT_CLASS_DEFAULT)
        return true;
    if (object->class_oid == CAT_CLASS_RULE)
        return whole != NULL && (whole->kind == 'v' || whole->kind == 'm') && part->type == 'i';
    if (object->class_oid != CAT_CLASS_CONSTRAINT)
        return object->class_oid == CAT_CLASS_RELATION && part->type == 'i' && whole == NULL;
    size_t count = 0;
    const CatConstraint *constraints =
        whole == NULL ? NULL : catalog_constraints(build->source, whole->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (constraints[i].oid == object->oid)
            return constraints[i].type != 'f';
    return whole == NULL; /* a domain's check */
}

/* What stands in the way: a thing that is not selected, or a column of a table that is. */
static const char *reason_text(Build *build, uint32_t reason)
{
    if (is_selected_table(build, reason))
        return arena_printf(build->arena, "a column of %s, which the column list leaves out",
                            object_text(build, reason));
    return arena_printf(build->arena, "%s, which is not selected", object_text(build, reason));
}

static void needs_unselected(Build *build, uint32_t table, uint32_t reason)
{
    const CatRelation *relation = relation_of(build, table);
    build_find_at(build, DIAG_NEEDS_UNSELECTED, build_mark(build, relation)->cause, "%s needs %s",
                  build_name(build, &relation->name), reason_text(build, reason));
    build_hint(build, "Select both, or exclude both.");
}

/* Blocks a node because of `reason`, or says that a selected table stands in the way. */
static void block_or_refuse(Build *build, Graph *graph, uint32_t node, uint32_t reason)
{
    if (is_selected_table(build, node))
        needs_unselected(build, node, reason);
    else
        block(graph, node, reason);
}

static void block_one(Build *build, Graph *graph, uint32_t node)
{
    uint32_t reason = graph->reason[node];
    for (uint32_t e = graph->back_begin[node]; e < graph->back_begin[node + 1]; e++) {
        const Edge *edge = &graph->back[e];
        bool leaf_of_selected = edge->type != 'n' && is_selected_table(build, edge->from);
        if (!leaf_of_selected)
            block_or_refuse(build, graph, edge->from, reason);
    }
    for (uint32_t e = graph->forward_begin[node]; e < graph->forward_begin[node + 1]; e++) {
        const Edge *edge = &graph->forward[e];
        if ((edge->type == 'i' || edge->type == 'a') && !graph->blocked[edge->to] &&
            is_essential(build, edge))
            block_or_refuse(build, graph, edge->to, reason);
    }
}

/* Nothing of the provider's own is made on the target; a table that the plan names is. */
static bool is_providers(Build *build, const CatObject *object, const CatRelation *relation)
{
    if (object->extension != 0 || !build_schema_blocked(build, object->schema))
        return false;
    return relation == NULL || !build_mark(build, relation)->selected;
}

/* An index that needs a column that is left out goes, with its constraint and the foreign keys that
 * point to it; the table does not. */
static void block_index(const Build *build, Graph *graph, uint32_t index, uint32_t reason)
{
    graph->blocked[index] = true;
    graph->reason[index] = reason;
    for (uint32_t e = graph->forward_begin[index]; e < graph->forward_begin[index + 1]; e++) {
        uint32_t backed = graph->forward[e].to;
        if (build->source->objects[backed].class_oid != CAT_CLASS_CONSTRAINT)
            continue;
        graph->blocked[backed] = true;
        graph->reason[backed] = reason;
    }
    for (uint32_t e = graph->back_begin[index]; e < graph->back_begin[index + 1]; e++)
        if (build->source->objects[graph->back[e].from].class_oid == CAT_CLASS_CONSTRAINT)
            block(graph, graph->back[e].from, reason);
}

/* Indexes and checks go with their column; what else needs one is left out like all that needs what
 * is not selected. Sequences that a column owns come and go with it on the target. */
static void block_lost_use(Build *build, const CatRelation *table, const char *column,
                           const CatColumnUse *use, void *data)
{
    (void)column;
    Graph *graph = data;
    uint32_t node = node_of(build->source, use->class_oid, use->oid);
    uint32_t reason = node_of(build->source, CAT_CLASS_RELATION, table->oid);
    if (node == NONE || reason == NONE || use->class_oid == CAT_CLASS_DEFAULT || use->type == 'p')
        return;
    if (use->class_oid == CAT_CLASS_RELATION) {
        if (strcmp(build->source->objects[node].kind, "index") == 0)
            block_index(build, graph, node, reason);
        return;
    }
    if (use->class_oid != CAT_CLASS_CONSTRAINT) {
        block(graph, node, reason);
        return;
    }
    graph->blocked[node] = true; /* of a check nothing follows */
    graph->reason[node] = reason;
    for (uint32_t e = graph->back_begin[node]; e < graph->back_begin[node + 1]; e++)
        if (strcmp(build->source->objects[graph->back[e].from].kind, "index") == 0)
            block_index(build, graph, graph->back[e].from, reason);
}

/* Tables that are not selected, excluded views and sequences, what is the provider's, and all that
 * needs them. */
static void block_unselected(Build *build, Graph *graph)
{
    for (size_t n = 0; n < build->source->objects_count; n++) {
        const CatRelation *relation = relation_of(build, (uint32_t)n);
        if (is_providers(build, &build->source->objects[n], relation))
            block(graph, (uint32_t)n, (uint32_t)n);
        if (relation == NULL || relation->of_extension)
            continue;
        const Mark *mark = build_mark(build, relation);
        bool table = holds_rows(relation) && !mark->selected;
        bool alone = mark->excluded &&
                     (relation->kind == 'v' || relation->kind == 'm' || relation->kind == 'S');
        if (table || alone)
            block(graph, (uint32_t)n, (uint32_t)n);
    }
    build_each_lost_use(build, block_lost_use, graph);
    for (size_t i = 0; i < graph->queued; i++)
        block_one(build, graph, graph->queue[i]);
    graph->queued = 0;
}

/* Worth a word when it is left out: the user made it, and it is no mere part of something. */
static bool is_worth_telling(const Build *build, const Graph *graph, uint32_t node)
{
    const CatObject *object = &build->source->objects[node];
    const CatRelation *relation = relation_of(build, node);
    if (object->class_oid == CAT_CLASS_RULE || object->class_oid == CAT_CLASS_CONSTRAINT ||
        graph->reason[node] == node)
        return false;
    if (relation == NULL && object->class_oid == CAT_CLASS_RELATION)
        return false;
    for (uint32_t e = graph->forward_begin[node]; e < graph->forward_begin[node + 1]; e++)
        if (graph->forward[e].type == 'i' ||
            (graph->forward[e].type == 'a' && graph->blocked[graph->forward[e].to]))
            return false;
    return relation == NULL || relation->kind == 'v' || relation->kind == 'm';
}

static void left_out(Build *build, const Graph *graph, uint32_t node)
{
    if (!is_worth_telling(build, graph, node))
        return;
    const PlanSelector *cause = NULL;
    (void)build_schema_selected(build, build->source->objects[node].schema, &cause);
    build_find_at(build, DIAG_LEFT_OUT, cause, "%s is left out: it needs %s",
                  object_text(build, node), reason_text(build, graph->reason[node]));
}

static void keep(Build *build, Graph *graph, uint32_t node)
{
    const CatObject *object = &build->source->objects[node];
    if (object->extension != 0) {
        for (size_t i = 0; i < build->source->extensions_count; i++)
            if (build->source->extensions[i].oid == object->extension)
                build->extension_needed[i] = true;
        return;
    }
    if (build->kept[node])
        return;
    build->kept[node] = true;
    graph->queue[graph->queued++] = node;
    for (size_t i = 0;
         object->class_oid == CAT_CLASS_EXTENSION && i < build->source->extensions_count; i++)
        if (build->source->extensions[i].oid == object->oid)
            build->extension_needed[i] = true;
}

static bool is_owned_sequence(const Graph *graph, uint32_t node)
{
    for (uint32_t e = graph->forward_begin[node]; e < graph->forward_begin[node + 1]; e++)
        if (graph->forward[e].type == 'a' || graph->forward[e].type == 'i')
            return true;
    return false;
}

static bool is_seed(Build *build, const Graph *graph, uint32_t node)
{
    const CatObject *object = &build->source->objects[node];
    const CatRelation *relation = relation_of(build, node);
    if (object->class_oid == CAT_CLASS_EXTENSION)
        return false;
    if (object->class_oid == CAT_CLASS_NAMESPACE)
        return build_schema_selected(build, object->name, NULL);
    if (relation == NULL)
        return build_schema_selected(build, object->schema, NULL);
    if (relation->kind == 'S' && is_owned_sequence(graph, node))
        return false;
    return build_mark(build, relation)->selected;
}

static void keep_closure(Build *build, Graph *graph, bool *told)
{
    for (size_t i = 0; i < graph->queued; i++) {
        uint32_t node = graph->queue[i];
        for (uint32_t e = graph->forward_begin[node]; e < graph->forward_begin[node + 1]; e++)
            if (!graph->blocked[graph->forward[e].to])
                keep(build, graph, graph->forward[e].to);
        if (build->source->objects[node].class_oid == CAT_CLASS_NAMESPACE ||
            build->source->objects[node].class_oid == CAT_CLASS_EXTENSION)
            continue;
        for (uint32_t e = graph->back_begin[node]; e < graph->back_begin[node + 1]; e++) {
            const Edge *edge = &graph->back[e];
            if (edge->type == 'n')
                continue;
            if (!graph->blocked[edge->from])
                keep(build, graph, edge->from);
            else if (!told[edge->from])
                left_out(build, graph, edge->from);
            told[edge->from] = true;
        }
    }
    graph->queued = 0;
}

static void keep_seeds(Build *build, Graph *graph, bool *told)
{
    for (size_t n = 0; n < build->source->objects_count; n++) {
        uint32_t node = (uint32_t)n;
        if (build->source->objects[n].extension != 0 || !is_seed(build, graph, node))
            continue;
        if (!graph->blocked[n])
            keep(build, graph, node);
        else if (!told[n])
            left_out(build, graph, node);
        told[n] = true;
    }
}

/* Casts and transforms are in no schema: they come with what they are about. */
static void keep_schemaless(Build *build, Graph *graph)
{
    for (size_t n = 0; n < build->source->objects_count; n++) {
        const CatObject *object = &build->source->objects[n];
        if (object->extension != 0 || graph->blocked[n])
            continue;
        bool wanted =
            object->class_oid == CAT_CLASS_CAST || object->class_oid == CAT_CLASS_TRANSFORM;
        bool event = object->class_oid == CAT_CLASS_EVENT_TRIGGER;
        for (uint32_t e = graph->forward_begin[n];
             (wanted || event) && e < graph->forward_begin[n + 1]; e++) {
            if (!build->kept[graph->forward[e].to])
                continue;
            if (wanted)
                keep(build, graph, (uint32_t)n);
            else if (!build_event_trigger_reserved(build, object->name))
                build_find_at(build, DIAG_EVENT_TRIGGER, NULL,
                              "event trigger %s is left out: it would fire on godwit's own "
                              "statements; create it after the cutover",
                              name_part_text(build->arena, object->name));
            break;
        }
    }
}

/* --- what select.map moves and merges --- */

/* Marks a table and everything that belongs to it: row type, indexes, constraints, triggers, owned
 * sequences, statistics objects; not other tables. */
static void mark_parts(Build *build, Graph *graph, uint32_t table, bool *parts)
{
    graph->queued = 0;
    graph->queue[graph->queued++] = table;
    parts[table] = true;
    for (size_t i = 0; i < graph->queued; i++) {
        uint32_t node = graph->queue[i];
        for (uint32_t e = graph->back_begin[node]; e < graph->back_begin[node + 1]; e++) {
            const Edge *edge = &graph->back[e];
            const CatRelation *relation = relation_of(build, edge->from);
            if (edge->type == 'n' || parts[edge->from] ||
                (relation != NULL && relation->kind != 'S'))
                continue;
            parts[edge->from] = true;
            graph->queue[graph->queued++] = edge->from;
        }
    }
    graph->queued = 0;
}

/* What the user knows an object by: a view for its rule. */
static uint32_t whole_of(Build *build, const Graph *graph, uint32_t node)
{
    if (build->source->objects[node].class_oid == CAT_CLASS_RULE)
        for (uint32_t e = graph->forward_begin[node]; e < graph->forward_begin[node + 1]; e++)
            if (graph->forward[e].type == 'i' && relation_of(build, graph->forward[e].to) != NULL)
                return graph->forward[e].to;
    return node;
}

static void refuse_reader(Build *build, const char *reader, const CatRelation *table, bool view)
{
    const Name *target = &build_place(build, table)->target;
    const char *name = build_name(build, &table->name);
    if (!table->is_partition)
        build_find_map(build, DIAG_MERGE_NEEDED, build_place(build, table)->map,
                       "select.map: %s reads %s, which becomes a part of %s", reader, name,
                       build_name(build, target));
    else
        build_find(build, DIAG_PARTITION_NEEDED, build_gathering(build, target)->pos, 1,
                   "hypertables: %s reads partition %s, which becomes a part of %s", reader, name,
                   build_name(build, target));
    if (view)
        build_hint(build, "Exclude it, and create it on the target over the %s.",
                   table->is_partition ? "hypertable" : "merged table");
}

/* What reads one of the merged tables would read all of them, or nothing. */
static void refuse_readers(Build *build, const Graph *graph, const CatRelation *table,
                           const bool *parts, bool away, bool *told)
{
    for (size_t n = 0; n < build->source->objects_count; n++) {
        if (!parts[n])
            continue;
        for (uint32_t e = graph->back_begin[n]; e < graph->back_begin[n + 1]; e++) {
            const Edge *edge = &graph->back[e];
            const CatObject *reader = &build->source->objects[edge->from];
            uint32_t whole = whole_of(build, graph, edge->from);
            const CatRelation *view = relation_of(build, whole);
            if (edge->type != 'n' || parts[edge->from] || !build->kept[edge->from] || told[whole] ||
                reader->class_oid == CAT_CLASS_CONSTRAINT ||
                (!away && (view == NULL || holds_rows(view))))
                continue;
            told[whole] = true;
            refuse_reader(build, object_text(build, whole), table, view != NULL);
        }
    }
}

/* The structure of merged tables but the first is not made. */
static void drop_merged(Build *build, Graph *graph, Arena *scratch)
{
    size_t count = build->source->objects_count;
    bool *told = arena_array(scratch, bool, count);
    bool *parts = arena_array(scratch, bool, count);
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = build->source->by_name[i];
        if (build_place(build, table)->merge == NULL)
            continue;
        uint32_t node = node_of(build->source, CAT_CLASS_RELATION, table->oid);
        memset(parts, 0, count * sizeof(*parts));
        bool away = build_is_merged_away(build, table);
        mark_parts(build, graph, node, parts);
        refuse_readers(build, graph, table, parts, away, told);
        for (size_t n = 0; away && n < count; n++)
            build->kept[n] = build->kept[n] && !parts[n];
    }
}

/* Triggers, constraints and the like stand where their table does. */
static bool stands_in(const CatObject *object, const char *schema)
{
    uint32_t class_oid = object->class_oid;
    bool of_table = class_oid == CAT_CLASS_TRIGGER || class_oid == CAT_CLASS_CONSTRAINT ||
                    class_oid == CAT_CLASS_RULE || class_oid == CAT_CLASS_DEFAULT ||
                    class_oid == CAT_CLASS_POLICY;
    return !of_table && text_equal(object->schema, schema);
}

/* Whether select.map takes something out of the schema, and nothing is in it afterwards. */
static bool is_emptied(Build *build, const char *schema, const bool *moved)
{
    const Catalog *source = build->source;
    bool any = false;
    for (size_t n = 0; n < source->objects_count; n++) {
        if (!stands_in(&source->objects[n], schema))
            continue;
        any = any || moved[n];
        if (build->kept[n] && !moved[n])
            return false;
    }
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *table = &source->relations[i];
        if (holds_rows(table) && build_mark(build, table)->selected &&
            strcmp(build_place(build, table)->target.schema, schema) == 0)
            return false;
    }
    return any;
}

/* A schema that nothing is left in once its tables are on the target under their other names does
 * not come. */
static void drop_emptied(Build *build, Graph *graph, Arena *scratch)
{
    const Catalog *source = build->source;
    bool *moved = arena_array(scratch, bool, source->objects_count);
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *table = &source->relations[i];
        const Place *place = build_place(build, table);
        if (holds_rows(table) && build_mark(build, table)->selected &&
            strcmp(place->target.schema, table->name.schema) != 0)
            mark_parts(build, graph, node_of(source, CAT_CLASS_RELATION, table->oid), moved);
    }
    for (size_t s = 0; s < source->objects_count; s++) {
        const CatObject *schema = &source->objects[s];
        if (schema->class_oid == CAT_CLASS_NAMESPACE && build->kept[s])
            build->kept[s] = !is_emptied(build, schema->name, moved);
    }
}

/* The kept objects in the order of the catalog, which is that of (class, oid); and the schemas that
 * they stand in, once each. */
static void publish(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    ObjectId *ids = arena_array(build->arena, ObjectId, build->source->objects_count);
    VEC(const char *) schemas = {0};
    for (size_t n = 0; n < build->source->objects_count; n++) {
        const CatObject *object = &build->source->objects[n];
        if (!build->kept[n])
            continue;
        ids[blueprint->object_count++] = (ObjectId){object->class_oid, object->oid};
        if (object->class_oid == CAT_CLASS_NAMESPACE)
            *vec_push(build->arena, &schemas) = object->name;
    }
    blueprint->objects = ids;
    blueprint->schemas = schemas.items;
    blueprint->schema_count = schemas.count;
}

void build_objects(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    Graph graph = {0};
    graph_read(&graph, &scratch, build->source);
    bool *told = arena_array(&scratch, bool, build->source->objects_count);
    block_unselected(build, &graph);
    keep_seeds(build, &graph, told);
    keep_closure(build, &graph, told);
    keep_schemaless(build, &graph);
    keep_closure(build, &graph, told);
    if (build->has_merges)
        drop_merged(build, &graph, &scratch);
    if (build->plan->select.map_count > 0) {
        drop_emptied(build, &graph, &scratch);
    }
    publish(build);
    for (size_t i = 0; i < build->blueprint->relation_count; i++)
        for (size_t l = 0; l < build->blueprint->relations[i].leaf_count; l++)
            build_need_schema(build, build->blueprint->relations[i].leaves[l]->target_share.schema);
    for (size_t i = 0; i < build->blueprint->relation_count; i++)
        build_need_schema(build, build->blueprint->relations[i].target.schema);
    for (size_t i = 0; i < build->aggregates.count; i++)
        build_need_schema(build, build->aggregates.items[i]->target_view.schema);
}
