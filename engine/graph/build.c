/*
 * Graph building: expand, resolve needs through a sorted list of ids, order by depth-first search.
 * A back edge is a cycle, printed with its whole path.
 */
#include "graph/build.h"

#include "step/builder.h"

typedef enum Mark { MARK_NONE, MARK_OPEN, MARK_DONE } Mark;

typedef struct Order {
    Graph *graph;
    Mark *marks;
    Step **path;
    size_t depth;
} Order;

static int by_id(const void *a, const void *b)
{
    return strcmp((*(Step *const *)a)->id, (*(Step *const *)b)->id);
}

static Step *find_sorted(Step **sorted, size_t count, const char *id)
{
    Step key = {.id = id};
    Step *key_ptr = &key;
    Step **found = bsearch(&key_ptr, sorted, count, sizeof(Step *), by_id);
    return found == NULL ? NULL : *found;
}

static Step **sorted_steps(Arena *arena, const StepVec *steps, Err *err)
{
    Step **sorted = arena_array(arena, Step *, steps->count + 1);
    if (steps->count > 0)
        memcpy(sorted, steps->items, steps->count * sizeof(Step *));
    qsort(sorted, steps->count, sizeof(Step *), by_id);
    for (size_t i = 1; i < steps->count; i++) {
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0) {
            err_set(err, ERR_PLAN, "two steps have the id \"%s\"", sorted[i]->id);
            return NULL;
        }
    }
    return sorted;
}

/* Every step of a kind stands behind one barrier, so that "all foreign keys wait for all
 * constraints" costs an edge a step and not an edge a pair. */
static Step *barrier_of(StepBuilder *builder, StepVec *barriers, const char *kind)
{
    for (size_t i = 0; i < barriers->count; i++) {
        if (strcmp(barriers->items[i]->id, kind) == 0)
            return barriers->items[i];
    }
    Step *barrier = arena_new(builder->arena, Step);
    barrier->id = kind;
    barrier->barrier = true;
    *vec_push(builder->arena, barriers) = barrier;
    size_t steps = builder->steps.count;
    for (size_t i = 0; i < steps; i++) {
        Step *step = builder->steps.items[i];
        if (!step->barrier && strcmp(step->kind->name, kind) == 0)
            step_needs(builder, barrier, step);
    }
    barrier->index = steps;
    *vec_push(builder->arena, &builder->steps) = barrier;
    return barrier;
}

static void resolve(StepBuilder *builder, Step **sorted, size_t sorted_count)
{
    StepVec barriers = {0};
    for (size_t i = 0; i < builder->needs.count; i++) {
        const StepNeed *need = &builder->needs.items[i];
        Step *other = need->kind != NULL ? barrier_of(builder, &barriers, need->kind)
                                         : find_sorted(sorted, sorted_count, need->id);
        if (other != NULL)
            step_needs(builder, need->step, other);
    }
}

static bool cycle_error(const Order *order, const Step *closing, Err *err)
{
    AUTO_STR Str path = {0};
    size_t from = 0;
    while (order->path[from] != closing)
        from++;
    const char *first = NULL;
    for (size_t i = from; i < order->depth; i++) {
        if (order->path[i]->barrier)
            continue;
        first = first == NULL ? order->path[i]->id : first;
        str_appendf(&path, "%s -> ", order->path[i]->id);
    }
    str_append(&path, first != NULL ? first : closing->id);
    return err_set(err, ERR_PLAN, "steps need each other in a circle: %s", path.data);
}

static bool visit(Order *order, Step *step, Err *err)
{
    if (order->marks[step->index] == MARK_DONE)
        return true;
    if (order->marks[step->index] == MARK_OPEN)
        return cycle_error(order, step, err);
    order->marks[step->index] = MARK_OPEN;
    order->path[order->depth++] = step;
    for (size_t i = 0; i < step->needs.count; i++) {
        if (!visit(order, step->needs.items[i], err))
            return false;
    }
    order->depth--;
    order->marks[step->index] = MARK_DONE;
    order->graph->steps[order->graph->count++] = step;
    return true;
}

static bool order_steps(Graph *graph, const StepVec *steps, Err *err)
{
    Order order = {
        .graph = graph,
        .marks = arena_array(&graph->arena, Mark, steps->count),
        .path = arena_array(&graph->arena, Step *, steps->count),
    };
    graph->steps = arena_array(&graph->arena, Step *, steps->count);
    for (size_t i = 0; i < steps->count; i++) {
        if (!visit(&order, steps->items[i], err))
            return false;
    }
    for (size_t i = 0; i < graph->count; i++)
        graph->steps[i]->index = i;
    return true;
}

bool graph_build(Graph *graph, const StepKind *const *kinds, const Blueprint *blueprint, Err *err)
{
    *graph = (Graph){0};
    StepBuilder builder = {.arena = &graph->arena};
    for (const StepKind *const *kind = kinds; *kind != NULL; kind++) {
        if (!(*kind)->expand(&builder, blueprint, err))
            return err_context(err, "%s", (*kind)->name);
    }
    Step **sorted = sorted_steps(&graph->arena, &builder.steps, err);
    if (sorted == NULL)
        return false;
    resolve(&builder, sorted, builder.steps.count);
    return order_steps(graph, &builder.steps, err);
}

void graph_release(Graph *graph)
{
    arena_release(&graph->arena);
    *graph = (Graph){0};
}

Step *graph_find(const Graph *graph, const char *id)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (!graph->steps[i]->barrier && strcmp(graph->steps[i]->id, id) == 0)
            return graph->steps[i];
    }
    return NULL;
}
