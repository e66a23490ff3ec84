/*
 * Printing the graph. Barriers ("all steps of a kind") are shown as kind:* where a need names them.
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
    return step->barrier ? arena_printf(arena, "%s:*", step->id) : step->id;
}

/* A barrier over one single step is that step. */
static const Step *through_barrier(const Step *step)
{
    return step->barrier && step->needs.count == 1 ? step->needs.items[0] : step;
}

/* A barrier over nothing (a plan without foreign keys) holds nobody up and is not shown. */
static bool is_empty_barrier(const Step *step)
{
    return step->barrier && step->needs.count == 0;
}

static void quoted(Str *out, const char *text)
{
    str_append_char(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            str_append_char(out, '\\');
        str_append_char(out, *c == '\n' ? ' ' : *c);
    }
    str_append_char(out, '"');
}

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

/* Edges in either drawing language: the text before, between and after two quoted ids. */
static void print_edges(Str *out, const Graph *graph, const char *between, const char *after)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        if (step->barrier && step->needs.count < 2)
            continue;
        for (size_t n = 0; n < step->needs.count; n++) {
            const Step *need = through_barrier(step->needs.items[n]);
            if (is_empty_barrier(need))
                continue;
            str_append(out, "  ");
            quoted(out, shown_id(&arena, need));
            str_append(out, between);
            quoted(out, shown_id(&arena, step));
            str_append(out, after);
        }
    }
}

static void print_mermaid(Str *out, const Graph *graph)
{
    AUTO_ARENA Arena arena = {0};
    str_append(out, "graph TD\n");
    for (size_t i = 0; i < graph->count; i++) {
        str_appendf(out, "  s%zu[", i);
        quoted(out, shown_id(&arena, graph->steps[i]));
        str_append(out, "]\n");
    }
    for (size_t i = 0; i < graph->count; i++) {
        for (size_t n = 0; n < graph->steps[i]->needs.count; n++)
            str_appendf(out, "  s%zu --> s%zu\n", graph->steps[i]->needs.items[n]->index, i);
    }
}

static void print_json(Str *out, const Graph *graph)
{
    AUTO_ARENA Arena arena = {0};
    json_t *steps = json_array();
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        if (step->barrier)
            continue;
        json_t *needs = json_array();
        for (size_t n = 0; n < step->needs.count; n++) {
            const Step *need = through_barrier(step->needs.items[n]);
            if (!is_empty_barrier(need))
                json_array_append_new(needs, json_string(shown_id(&arena, need)));
        }
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:o}", "id", step->id, "kind",
                                               step->kind->name, "phase",
                                               phase_name(step->kind->phase), "needs", needs));
    }
    json_t *root = json_pack("{s:i, s:o}", "v", 1, "steps", steps);
    str_append(out, jsontext_pretty(&arena, root));
}

void graph_print(Str *out, const Graph *graph, const char *format)
{
    if (text_equal(format, "json")) {
        print_json(out, graph);
    } else if (text_equal(format, "mermaid")) {
        print_mermaid(out, graph);
    } else if (text_equal(format, "dot")) {
        str_append(out, "digraph godwit {\n");
        print_edges(out, graph, " -> ", ";\n");
        str_append(out, "}\n");
    } else {
        print_text(out, graph);
    }
}
