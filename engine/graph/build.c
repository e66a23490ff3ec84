/*
 * Graph building: expand, resolve needs through a sorted list of ids, order by depth-first search.
 * A back edge is a cycle, printed with its whole path.
 */
#include "graph/build.h"

#include "plan/step_names.h"
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

/* A step of the engine's, or a hook, in this phase. */
static bool is_of_phase(const Step *step, StepPhase phase)
{
    return !step->barrier && step->kind->phase == phase &&
           (step->kind->flags & (STEP_USER | STEP_ON_ROLLBACK)) == 0;
}

/* Whether a need by kind or by phase means this step. */
static bool means(const StepNeed *need, const Step *step)
{
    if (step->barrier)
        return false;
    if (need->kind != NULL)
        return strcmp(step->kind->name, need->kind) == 0;
    return is_of_phase(step, need->phase) && strcmp(step->kind->name, "end") != 0;
}

/* Every step of a kind stands behind one barrier, so that "all foreign keys wait for all
 * constraints" costs an edge a step and not an edge a pair. */
static Step *barrier_of(StepBuilder *builder, StepVec *barriers, const StepNeed *need)
{
    const char *id = need->kind != NULL ? need->kind
                                        : arena_printf(builder->arena, "phase %s",
                                                       STEP_PHASE_NAMES[need->phase].name);
    for (size_t i = 0; i < barriers->count; i++) {
        if (strcmp(barriers->items[i]->id, id) == 0)
            return barriers->items[i];
    }
    Step *barrier = arena_new(builder->arena, Step);
    barrier->id = id;
    barrier->barrier = true;
    barrier->of_phase = need->kind == NULL;
    *vec_push(builder->arena, barriers) = barrier;
    size_t steps = builder->steps.count;
    for (size_t i = 0; i < steps; i++) {
        if (means(need, builder->steps.items[i]))
            step_needs(builder, barrier, builder->steps.items[i]);
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
        Step *other = need->id != NULL ? find_sorted(sorted, sorted_count, need->id)
                                       : barrier_of(builder, &barriers, need);
        if (other != NULL)
            step_needs(builder, need->step, other);
    }
}

/* Whether a step stands behind another of its phase: then it need not be told what the phase waits
 * for. A barrier over a kind stands for steps of one phase. */
static bool is_behind_another(const Step *step)
{
    for (size_t i = 0; i < step->needs.count; i++) {
        const Step *need = step->needs.items[i];
        if (need->barrier && need->needs.count > 0)
            need = need->needs.items[0];
        if (is_of_phase(need, step->kind->phase))
            return true;
    }
    return false;
}

static void resolve_befores(StepBuilder *builder)
{
    for (size_t i = 0; i < builder->steps.count; i++) {
        Step *step = builder->steps.items[i];
        if (step->barrier || is_behind_another(step))
            continue;
        for (size_t b = 0; b < builder->befores.count; b++) {
            if (is_of_phase(step, builder->befores.items[b].phase))
                step_needs(builder, step, builder->befores.items[b].step);
        }
    }
}

/* Only what the plan adds can close a circle: that is where to look. */
static void add_place(const Order *order, size_t from, Err *err)
{
    for (size_t i = from; i < order->depth; i++) {
        const Step *step = order->path[i];
        if (step->barrier || (step->kind->flags & STEP_USER) == 0)
            continue;
        err->line = step->pos.line;
        err->column = step->pos.column;
        err_hint(err, "\"%s\" of the plan stands in it: look at its needs and before.", step->id);
        return;
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
    err_set(err, ERR_PLAN, "steps need each other in a circle: %s", path.data);
    add_place(order, from, err);
    return false;
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

static bool build(Graph *graph, const StepKind *const *kinds, const Blueprint *blueprint, Err *err)
{
    StepBuilder builder = {.arena = &graph->arena};
    for (const StepKind *const *kind = kinds; *kind != NULL; kind++) {
        if (!(*kind)->expand(&builder, blueprint, err))
            return err_context(err, "%s", (*kind)->name);
    }
    Step **sorted = sorted_steps(&graph->arena, &builder.steps, err);
    if (sorted == NULL)
        return false;
    resolve(&builder, sorted, builder.steps.count);
    resolve_befores(&builder);
    return order_steps(graph, &builder.steps, err);
}

bool graph_build(Graph *graph, const StepKind *const *kinds, const Blueprint *blueprint, Err *err)
{
    *graph = (Graph){0};
    if (build(graph, kinds, blueprint, err))
        return true;
    if (err->line > 0 && err->file == NULL)
        err->file = arena_strdup(&err->arena, blueprint->plan->path);
    return false;
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
