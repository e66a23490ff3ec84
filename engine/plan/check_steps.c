/*
 * Check of the user's steps and hooks: ids, what they need, verifications they run, and cycles.
 *
 * A cycle is looked for in a graph of the user's steps, the phases and the kinds that they name:
 * a phase has a begin and an end, phases follow each other, a kind lies within its phase. An edge
 * leads from what comes first to what waits for it.
 */
#include "plan/check_internal.h"

#include "base/str.h"
#include "plan/step_names.h"
#include "plan/suggest.h"

typedef struct Edge {
    size_t to;
    const Node *because; /* the entry of needs or before; NULL: the engine's own order */
} Edge;

typedef struct Vertex {
    const char *name;
    const PlanStep *step; /* NULL: a phase or kind */
    VEC(Edge) edges;
    size_t next;  /* the edge to follow next */
    bool on_path; /* between the root of the search and its end */
} Vertex;

typedef struct Steps {
    Check *check;
    Texts ids;   /* of steps and hooks */
    Texts steps; /* id -> vertex of the step */
    VEC(Vertex) graph;
    VEC(size_t) path;
} Steps;

/* ---- ids ------------------------------------------------------------------------------------ */

static void check_id(Steps *steps, const Node *id)
{
    Report *report = steps->check->report;
    const Node *first = texts_add(&steps->ids, id->text, id);
    if (step_name_find(id->text) != NULL) {
        report_node(report, DIAG_RESERVED_ID, id, "\"%s\" is the name of a phase or a kind of step",
                    id->text);
        report_hint(report, "needs and before could not tell them apart: choose another id.");
    } else if (first != NULL) {
        report_node(report, DIAG_DUPLICATE_ID, id, "the step \"%s\" is given twice", id->text);
        report_hint(report, "It is already in line %u.", first->pos.line);
    }
}

static void check_list(Steps *steps, const char *path)
{
    Check *check = steps->check;
    const Node *list = node_at(check->root, path);
    size_t index = 0;
    for (const Node *step = list == NULL ? NULL : list->first; step != NULL;
         step = step->next, index++) {
        check_id(steps, node_get(step, "id"));
        const Node *verify = node_get(step, "verify");
        const char *where = arena_printf(check->arena, "%s[%zu].verify", path, index);
        check_twice(check, verify, where);
        for (const Node *entry = verify == NULL ? NULL : verify->first; entry != NULL;
             entry = entry->next)
            check_verify_id(check, entry, where);
    }
}

/* ---- the graph ------------------------------------------------------------------------------ */

#define VERTEX_NONE SIZE_MAX

static size_t add_vertex(Steps *steps, const char *name, const PlanStep *step)
{
    *vec_push(steps->check->arena, &steps->graph) = (Vertex){.name = name, .step = step};
    return steps->graph.count - 1;
}

static void add_edge(Steps *steps, size_t from, size_t to, const Node *because)
{
    *vec_push(steps->check->arena, &steps->graph.items[from].edges) =
        (Edge){.to = to, .because = because};
}

/* Vertices of a phase or kind: where it begins stands at an even place, its end behind it. */
static size_t phase_vertex(int phase)
{
    return (size_t)phase * 2;
}

static size_t kind_vertex(size_t kind)
{
    size_t phases = 0;
    while (STEP_PHASE_NAMES[phases].name != NULL)
        phases++;
    return (phases + kind) * 2;
}

static void add_engine(Steps *steps)
{
    for (const StepName *phase = STEP_PHASE_NAMES; phase->name != NULL; phase++) {
        size_t begin = add_vertex(steps, phase->name, NULL);
        size_t end = add_vertex(steps, phase->name, NULL);
        if (phase != STEP_PHASE_NAMES)
            add_edge(steps, begin - 1, begin, NULL);
        add_edge(steps, begin, end, NULL);
    }
    for (const StepName *kind = STEP_KIND_NAMES; kind->name != NULL; kind++) {
        size_t begin = add_vertex(steps, kind->name, NULL);
        size_t end = add_vertex(steps, kind->name, NULL);
        add_edge(steps, phase_vertex(kind->phase), begin, NULL);
        add_edge(steps, begin, end, NULL);
        add_edge(steps, end, phase_vertex(kind->phase) + 1, NULL);
    }
}

static const StepName *find_kind(const char *name)
{
    for (const StepName *kind = STEP_KIND_NAMES; kind->name != NULL; kind++) {
        if (text_equal(kind->name, name))
            return kind;
    }
    return NULL;
}

/* The vertex of a name: where it begins, or its end; `kind:object` counts as its kind. */
static size_t find_vertex(const Steps *steps, const char *name, bool end)
{
    const PlanStep *step = texts_find(&steps->steps, name);
    if (step != NULL) {
        size_t engine = kind_vertex(0);
        while (STEP_KIND_NAMES[(engine - kind_vertex(0)) / 2].name != NULL)
            engine += 2;
        return engine + (size_t)(step - steps->check->plan->steps.items);
    }
    const char *colon = strchr(name, ':');
    const char *word =
        colon == NULL ? name : arena_memdup(steps->check->arena, name, (size_t)(colon - name));
    for (const StepName *phase = STEP_PHASE_NAMES; colon == NULL && phase->name != NULL; phase++) {
        if (text_equal(phase->name, word))
            return phase_vertex(phase->phase) + end;
    }
    const StepName *kind = find_kind(word);
    if (kind == NULL || (colon != NULL && colon[1] == '\0'))
        return VERTEX_NONE;
    return kind_vertex((size_t)(kind - STEP_KIND_NAMES)) + end;
}

static void report_unknown(Steps *steps, const Node *entry, const char *path)
{
    Report *report = steps->check->report;
    const PlanSteps *own = &steps->check->plan->steps;
    report_node(report, DIAG_UNKNOWN_STEP, entry, "%s: there is no step, kind or phase %s", path,
                report_quoted(report, entry->text));
    Suggest suggest = suggest_begin(entry->text);
    for (size_t i = 0; i < own->count && i < REPORT_MAX; i++)
        suggest_offer(&suggest, own->items[i].id);
    for (const StepName *phase = STEP_PHASE_NAMES; phase->name != NULL; phase++)
        suggest_offer(&suggest, phase->name);
    for (const StepName *kind = STEP_KIND_NAMES; kind->name != NULL; kind++)
        suggest_offer(&suggest, kind->name);
    if (suggest.best != NULL)
        report_hint(report, "did you mean \"%s\"?", suggest.best);
    else if (texts_find(&steps->ids, entry->text) != NULL)
        report_hint(report, "A hook of the cutover runs in its place there; nothing waits for it.");
    else
        report_hint(report, "It is the id of a step, a kind of step (\"godwit graph\" lists them), "
                            "or one of: preflight, schema, copy, catchup, cutover, finish.");
}

static void add_names(Steps *steps, size_t vertex, const Node *list, const char *path, bool needs)
{
    check_twice(steps->check, list, path);
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        size_t other = find_vertex(steps, entry->text, needs);
        if (other == VERTEX_NONE)
            report_unknown(steps, entry, path);
        else if (needs)
            add_edge(steps, other, vertex, entry);
        else
            add_edge(steps, vertex, other, entry);
    }
}

static void add_steps(Steps *steps)
{
    const PlanSteps *own = &steps->check->plan->steps;
    const Node *list = node_get(steps->check->root, "steps");
    const Node *node = list == NULL ? NULL : list->first;
    size_t first = steps->graph.count;
    for (size_t i = 0; i < own->count; i++) {
        (void)texts_add(&steps->steps, own->items[i].id, &own->items[i]);
        add_vertex(steps, own->items[i].id, &own->items[i]);
    }
    for (size_t i = 0; node != NULL; i++, node = node->next) {
        Arena *arena = steps->check->arena;
        add_names(steps, first + i, node_get(node, "needs"),
                  arena_printf(arena, "steps[%zu].needs", i), true);
        add_names(steps, first + i, node_get(node, "before"),
                  arena_printf(arena, "steps[%zu].before", i), false);
    }
}

/* ---- cycles --------------------------------------------------------------------------------- */

/* The path from `start` on, which its last edge closes: each name once, the engine's own order cut
 * short. */
static void report_cycle(Steps *steps, size_t start, const Node *closing)
{
    Report *report = steps->check->report;
    AUTO_STR Str names = {0};
    const char *last = NULL;
    for (size_t i = start; i < steps->path.count; i++) {
        const Vertex *vertex = &steps->graph.items[steps->path.items[i]];
        if (last == NULL || !text_equal(last, vertex->name))
            str_appendf(&names, "%s -> ", vertex->name);
        last = vertex->name;
        if (closing == NULL && vertex->edges.items[vertex->next - 1].because != NULL)
            closing = vertex->edges.items[vertex->next - 1].because;
    }
    if (closing == NULL)
        BUG("the phases of the engine wait for each other");
    str_append(&names, steps->graph.items[steps->path.items[start]].name);
    report_node(report, DIAG_CYCLE, closing, "steps wait for each other: %s", str_text(&names));
    report_hint(report, "Each comes before the one that the arrow points to. Take one needs or "
                        "before out.");
}

/* Follows the next edge of the last vertex on the path; false when there is none left. */
static bool follow(Steps *steps)
{
    Vertex *vertex = &steps->graph.items[steps->path.items[steps->path.count - 1]];
    if (vertex->next == vertex->edges.count)
        return false;
    Edge edge = vertex->edges.items[vertex->next++];
    Vertex *to = &steps->graph.items[edge.to];
    if (to->on_path) {
        size_t start = 0;
        while (steps->path.items[start] != edge.to)
            start++;
        report_cycle(steps, start, edge.because);
    } else if (to->next == 0) {
        to->on_path = true;
        *vec_push(steps->check->arena, &steps->path) = edge.to;
    }
    return true;
}

/* Depth first; an edge that closes a cycle is reported and not followed, so each is told once. */
static void find_cycles(Steps *steps)
{
    for (size_t root = 0; root < steps->graph.count; root++) {
        if (steps->graph.items[root].next > 0)
            continue;
        steps->graph.items[root].on_path = true;
        *vec_push(steps->check->arena, &steps->path) = root;
        while (steps->path.count > 0) {
            if (follow(steps))
                continue;
            steps->graph.items[steps->path.items[--steps->path.count]].on_path = false;
        }
    }
}

void check_steps(Check *check)
{
    static const char *const HOOKS[] = {"cutover.before_fence", "cutover.after_drain",
                                        "cutover.switch", "cutover.on_rollback"};
    Steps steps = {
        .check = check, .ids = {.arena = check->arena}, .steps = {.arena = check->arena}};
    check_list(&steps, "steps");
    for (size_t i = 0; i < sizeof(HOOKS) / sizeof(*HOOKS); i++)
        check_list(&steps, HOOKS[i]);
    if (check->plan->steps.count == 0)
        return;
    add_engine(&steps);
    add_steps(&steps);
    find_cycles(&steps);
}
