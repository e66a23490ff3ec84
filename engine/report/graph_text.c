/*
 * Printing the graph. A barrier ("all steps of a kind", or of a phase) is shown as kind:* (phase
 * NAME) where a need names it,
 * unless it stands over a single step, which is then named, or over none, which holds nobody up.
 * The drawings put the steps of a phase into one frame.
 */
#include "report/graph_text.h"

#include "base/jsontext.h"

static const char *const PHASE_NAMES[PHASE_COUNT] = {
    [PHASE_PREFLIGHT] = "preflight", [PHASE_SCHEMA] = "schema",   [PHASE_COPY] = "copy",
    [PHASE_CATCHUP] = "catchup",     [PHASE_CUTOVER] = "cutover", [PHASE_FINISH] = "finish",
};

const char *phase_name(StepPhase phase)
{
    return PHASE_NAMES[phase];
}

static const char *shown_id(Arena *arena, const Step *step)
{
    return step->barrier && !step->of_phase ? arena_printf(arena, "%s:*", step->id) : step->id;
}

/* A barrier over one single step is that step. */
static const Step *through_barrier(const Step *step)
{
    return step->barrier && step->needs.count == 1 ? step->needs.items[0] : step;
}

static bool is_empty_barrier(const Step *step)
{
    return step->barrier && step->needs.count == 0;
}

/* In a drawing, where kind:* may be a step of its own (graph/offline.h). */
static const char *node_id(Arena *arena, const Step *step)
{
    return step->barrier ? arena_printf(arena, "all %s", step->id) : step->id;
}

/* Whether it is a node of its own in a drawing. */
static bool is_drawn(const Step *step)
{
    return !step->barrier || step->needs.count > 1;
}

/* The phase of a barrier is that of what it stands over. */
static StepPhase phase_of(const Step *step)
{
    return step->barrier ? step->needs.items[0]->kind->phase : step->kind->phase;
}

/* --- text, JSON --- */

static void print_text(Str *out, const Graph *graph)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        if (step->barrier)
            continue;
        str_appendf(out, "%-9s  %s", phase_name(step->kind->phase), step->id);
        const char *separator = "  <- ";
        for (size_t n = 0; n < step->needs.count; n++) {
            const Step *need = through_barrier(step->needs.items[n]);
            if (is_empty_barrier(need))
                continue;
            str_appendf(out, "%s%s", separator, shown_id(&arena, need));
            separator = ", ";
        }
        str_append_char(out, '\n');
    }
}

static json_t *step_json(Arena *arena, const Step *step, const char *path)
{
    json_t *needs = json_array();
    for (size_t n = 0; n < step->needs.count; n++) {
        const Step *need = through_barrier(step->needs.items[n]);
        if (!is_empty_barrier(need))
            json_array_append_new(needs, json_string(shown_id(arena, need)));
    }
    json_t *position = step->pos.line == 0 ? NULL
                                           : json_pack("{s:s, s:I, s:I}", "file", path, "line",
                                                       (json_int_t)step->pos.line, "column",
                                                       (json_int_t)step->pos.column);
    return json_pack("{s:s, s:s, s:s, s:b, s:s*, s:o*, s:o}", "id", step->id, "kind",
                     step->kind->name, "phase", phase_name(step->kind->phase), "per_object",
                     (int)step->kind->per_object, "summary", step->kind->summary, "position",
                     position, "needs", needs);
}

static void print_json(Str *out, const Graph *graph, const char *path)
{
    AUTO_ARENA Arena arena = {0};
    json_t *phases = json_array();
    for (StepPhase phase = 0; phase < PHASE_COUNT; phase++)
        json_array_append_new(phases, json_string(phase_name(phase)));
    json_t *steps = json_array();
    for (size_t i = 0; i < graph->count; i++) {
        if (!graph->steps[i]->barrier)
            json_array_append_new(steps, step_json(&arena, graph->steps[i], path));
    }
    json_t *root = json_pack("{s:i, s:o, s:o}", "v", 1, "phases", phases, "steps", steps);
    str_append(out, jsontext_pretty(&arena, root));
}

/* --- drawings --- */

/* One of the two languages: how a frame, a node and an edge are written. */
typedef struct Drawing {
    const char *begin;
    const char *end;
    void (*frame)(Str *out, const char *phase);
    const char *frame_end;
    void (*node)(Str *out, const Step *step);
    void (*edge)(Str *out, const Step *from, const Step *to);
} Drawing;

/* \note Source: Graphviz, "The DOT Language": in a double-quoted string the only escaped character
 * is the quote; a label reads further escapes, so a backslash is doubled. */
static void dot_quoted(Str *out, const char *text)
{
    str_append_char(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            str_append_char(out, '\\');
        str_append_char(out, *c == '\n' || *c == '\r' ? ' ' : *c);
    }
    str_append_char(out, '"');
}

static void dot_frame(Str *out, const char *phase)
{
    str_appendf(out, "  subgraph cluster_%s {\n    label=\"%s\";\n", phase, phase);
}

static void dot_id(Str *out, const Step *step)
{
    AUTO_ARENA Arena arena = {0};
    dot_quoted(out, node_id(&arena, step));
}

static void dot_node(Str *out, const Step *step)
{
    str_append(out, "    ");
    dot_id(out, step);
    str_append(out, ";\n");
}

static void dot_edge(Str *out, const Step *from, const Step *to)
{
    str_append(out, "  ");
    dot_id(out, from);
    str_append(out, " -> ");
    dot_id(out, to);
    str_append(out, ";\n");
}

/* \note Source: Mermaid, "Flowcharts", "Entity codes to escape characters": #quot; and #35; stand
 * for the quote and the number sign; < and > would be HTML. */
static void mermaid_quoted(Str *out, const char *text)
{
    static const char SPECIAL[] = "\"#<>\n\r`";
    static const char *const CODES[] = {"#quot;", "#35;", "#lt;", "#gt;", " ", " ", "#96;"};
    str_append_char(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        const char *special = strchr(SPECIAL, *c);
        if (special != NULL)
            str_append(out, CODES[special - SPECIAL]);
        else
            str_append_char(out, *c);
    }
    str_append_char(out, '"');
}

static void mermaid_frame(Str *out, const char *phase)
{
    str_appendf(out, "  subgraph phase_%s[\"%s\"]\n", phase, phase);
}

static void mermaid_node(Str *out, const Step *step)
{
    AUTO_ARENA Arena arena = {0};
    str_appendf(out, "    s%zu[", step->index);
    mermaid_quoted(out, node_id(&arena, step));
    str_append(out, "]\n");
}

static void mermaid_edge(Str *out, const Step *from, const Step *to)
{
    str_appendf(out, "  s%zu --> s%zu\n", from->index, to->index);
}

static const Drawing DOT = {.begin = "digraph godwit {\n  node [shape=box];\n",
                            .end = "}\n",
                            .frame = dot_frame,
                            .frame_end = "  }\n",
                            .node = dot_node,
                            .edge = dot_edge};

static const Drawing MERMAID = {.begin = "graph TD\n",
                                .end = "",
                                .frame = mermaid_frame,
                                .frame_end = "  end\n",
                                .node = mermaid_node,
                                .edge = mermaid_edge};

static void draw_phase(Str *out, const Graph *graph, StepPhase phase, const Drawing *drawing)
{
    bool any = false;
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        if (!is_drawn(step) || phase_of(step) != phase)
            continue;
        if (!any)
            drawing->frame(out, phase_name(phase));
        any = true;
        drawing->node(out, step);
    }
    if (any)
        str_append(out, drawing->frame_end);
}

static void draw(Str *out, const Graph *graph, const Drawing *drawing)
{
    str_append(out, drawing->begin);
    for (StepPhase phase = 0; phase < PHASE_COUNT; phase++)
        draw_phase(out, graph, phase, drawing);
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        for (size_t n = 0; is_drawn(step) && n < step->needs.count; n++) {
            const Step *need = through_barrier(step->needs.items[n]);
            if (!is_empty_barrier(need))
                drawing->edge(out, need, step);
        }
    }
    str_append(out, drawing->end);
}

void graph_print(Str *out, const Graph *graph, const char *path, const char *format)
{
    if (text_equal(format, "json"))
        print_json(out, graph, path);
    else if (text_equal(format, "mermaid"))
        draw(out, graph, &MERMAID);
    else if (text_equal(format, "dot"))
        draw(out, graph, &DOT);
    else
        print_text(out, graph);
}
